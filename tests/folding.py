"""Events folded into stories, for tests."""

import msgspec

from pipeline.track.stories import Stories
from tests.make import NOW


def own(stories, event):
    """Fold an event and return its own story; None if nothing changed."""
    return next((s for s in stories.fold(event) if event.id in s.event_ids and not s.merged_into), None)


def fold(*told):
    """Return the stories that these events make, folded in this order."""
    stories = Stories()
    for event in told:
        own(stories, event)
    return list(stories)


def later(event, delta, **changes):
    """Return the same report, fetched later."""
    return msgspec.structs.replace(
        event, id=event.id + str(delta), first_seen_at=NOW + delta, published_at=NOW + delta, **changes
    )

"""Which entries of a feed are new, and which are remembered."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.entry import FeedEntry
from pipeline.collect.prose import DIGITS, SENTENCES
from pipeline.collect.seen import MOST, candidates, content_hash, entry_hash, mark, pruned
from pipeline.records import FeedState, SeenEntry, encode

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
BASE = "https://news.example/rss"


def entry(name="a", **more):
    return FeedEntry(**{"id": name, "url": f"https://news.example/{name}", "title": f"Title {name}"} | more)


def found(entries, seen=(), base=BASE):
    return candidates(entries, dict(seen), base=base, feed_id="f")


def remember(candidate, content="c"):
    return candidate.key, SeenEntry(
        article_id=candidate.article_id,
        first_seen_at=NOW,
        content_hash=content,
        entry_hash=candidate.entry_hash,
        mark=mark(candidate.entry, "page"),
    )


def test_new_entries_come_oldest_first_and_undated_ones_in_their_order_last():
    entries = [
        entry("new", published_at=NOW),
        entry("x"),
        entry("old", published_at=NOW - dt.timedelta(days=1)),
        entry("y"),
    ]
    assert [c.entry.id for c in found(entries)[0]] == ["old", "new", "x", "y"]


def test_an_entry_that_is_known_and_unchanged_is_not_looked_at():
    (first,), _ = found([entry()])
    again, present = found([entry()], [remember(first)])
    assert again == []
    assert present == [first.key]


def test_an_entry_told_differently_keeps_its_article():
    (first,), _ = found([entry()])
    (changed,), _ = found([entry(title="Another title", url="https://news.example/renamed")], [remember(first)])
    assert changed.previous is not None
    assert changed.article_id == first.article_id


def test_a_new_id_for_a_known_address_is_the_same_entry():
    (first,), _ = found([entry()])
    again, present = found([entry(id="a-new-id")], [remember(first)])
    assert again == []
    assert present == [first.key]


def test_a_feed_that_gives_all_entries_one_id_loses_none():
    entries = [entry(n, id="same") for n in "abc"]
    got, _ = found(entries)
    assert len({c.key for c in got}) == 3


def test_an_entry_that_was_rejected_is_not_looked_at_again_even_when_it_changes():
    (first,), _ = found([entry()])
    assert found([entry(title="Other")], [remember(first, content="")])[0] == []


def test_one_address_twice_in_one_feed_is_one_article_and_another_address_is_asked_first():
    got, _ = found([entry("a"), entry("b", url="http://www.news.example/a/", title="Title a")])
    assert len({c.article_id for c in got}) == 1
    got, _ = found([entry("a"), entry("b", url="http://www.news.example/a/?utm_source=rss")])
    assert len({c.article_id for c in got}) == 2
    got, _ = found([entry("a"), entry("b", url="https://news.example/a/")])  # they say different things
    assert len({c.article_id for c in got}) == 2


def test_entries_that_say_different_things_at_one_address_are_articles_of_their_own():
    got, _ = found([entry("a", url="https://news.example/live#1"), entry("b", url="https://news.example/live#2")])
    assert [c.crowded for c in got] == [True, True]
    assert len({c.article_id for c in got}) == 2
    got, _ = found([entry("a", url="https://news.example/live"), entry("b", url="https://news.example/live")])
    assert len({c.article_id for c in got}) == 2


def test_an_entry_with_a_new_id_and_a_new_address_is_known_by_what_it_says_and_when():
    first = entry("a", published_at=NOW)
    ((one,), _) = found([first])
    again = entry("b", title="Title a", published_at=NOW)
    assert found([again], [remember(one)])[0] == []
    assert len(found([again, first], [remember(one)])[0]) == 1
    assert len(found([entry("b", title="Title a", published_at=NOW + dt.timedelta(days=1))], [remember(one)])[0]) == 1
    assert len(found([entry("b", title="Title a")], [remember(found([entry("a")])[0][0])])[0]) == 1


def test_a_feed_that_stamps_every_entry_with_the_time_of_the_answer_has_no_updates():
    def entries(at):
        return [entry(str(n), updated_at=at, published_at=NOW) for n in range(6)]

    first, _ = found(entries(NOW + dt.timedelta(hours=1)))
    again, _ = found([*entries(NOW + dt.timedelta(hours=2)), entry("new")], [remember(c) for c in first])
    assert [c.entry.id for c in again] == ["new"]


def test_a_web_feed_may_not_name_files():
    (candidate,), _ = found([entry(url="file:///etc/passwd")])
    assert candidate.url == ""


def test_markup_and_spaces_are_no_change_and_words_are():
    one = entry_hash(entry(summary="Five dead", content="<p>Text</p>"))
    assert one == entry_hash(entry(summary=" five  dead.", content="<div>Text</div>"))
    assert one != entry_hash(entry(summary="Six dead", content="<p>Text</p>"))
    assert entry_hash(entry(updated_at=NOW)) != entry_hash(entry())


def test_menus_and_counters_of_a_page_are_no_change_and_its_prose_is():
    prose = "The two presidents met in the capital on Tuesday and signed an agreement on grain."
    page = "<p>{}</p><div>{} comments</div><p>Share</p>"
    assert content_hash("T", page.format(prose, 3)) == content_hash("T", page.format(prose, 99))
    assert content_hash("T", page.format(prose, 3)) != content_hash("T", page.format(prose + " Again.", 3))
    assert content_hash("T", "short text") != content_hash("T", "other text")


def test_what_is_in_the_feed_stays_remembered_and_of_the_rest_the_newest():
    seen = {
        str(n): SeenEntry(article_id=str(n), first_seen_at=NOW + dt.timedelta(minutes=n), content_hash="c")
        for n in range(10)
    }
    assert set(pruned(seen, ["0", "1", "new"], keep=4)) == {"0", "1", "8", "9"}
    assert set(pruned(seen, map(str, range(10)), keep=4)) == set(seen)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 40))
def test_pruning_never_forgets_what_is_in_the_feed(total, present, keep):
    seen = {str(n): SeenEntry(article_id="a", first_seen_at=NOW, content_hash="c") for n in range(total)}
    here = [str(n) for n in range(min(total, present))]
    assert set(here) <= set(pruned(seen, here, keep))


def test_the_largest_state_is_smaller_than_the_largest_record():
    seen = {
        f"{n:016x}": SeenEntry(
            article_id="a" * 20,
            first_seen_at=NOW.replace(microsecond=123456),
            content_hash="b" * 20,
            entry_hash="c" * 16,
            mark=mark(entry(published_at=NOW), "page"),
            prose="d" * SENTENCES * DIGITS,
        )
        for n in range(MOST * 2)
    }
    assert len(encode(FeedState(id="f", url=BASE, seen=pruned(seen, seen, keep=10**6)))) < 1_000_000

"""A parsed article in, its events out: read, drafted, merged and filtered. The scores are written by hand."""

import pytest

from pipeline.annotate.parse import Parsed
from pipeline.annotate.resolve import Resolver
from pipeline.detect import detect
from pipeline.detect.kinds import built_in
from pipeline.detect.models import Models
from tests.unit.detect import stub

TEXT = "Belgium expelled Togolese envoys. Togo protested on Tuesday."
LABELS = {"Belgium": "GPE", "Togolese": "NORP", "Togo": "GPE"}
TOLD = {"expelled": {"expulsion": stub.YES}, "proteste": {"accusation": 1.0}}
ROLES = {
    "expelled": {"actors": "Belgium", "recipients": "Togolese envoys"},
    "proteste": {"actors": "Togo", "date": "Tuesday"},
}


@pytest.fixture(scope="module")
def names():
    return Resolver()


def models(names, told=TOLD, *, roles=None, least=0.0, **scores):
    return Models(
        nlp=None, encoder=stub.StubEncoder(told, roles=roles or ROLES, **scores), names=names, min_confidence=least
    )


def events(names, text=TEXT, *, title="", labels=LABELS, **options):
    parsed = stub.parsed(names, text, title=title, labels=labels, url="https://news.example/1")
    return detect(parsed, models(names, **options))


def test_an_event_has_what_its_article_and_its_kind_say(names):
    parsed = stub.parsed(names, TEXT, labels=LABELS, publisher="The Paper", credit="A writer")
    first, second = detect(parsed, models(names))
    kind = built_in()["expulsion"]
    assert (first.kind, first.event_type, first.event_mode, first.contexts) == (
        "expulsion", kind.type, kind.mode, kind.contexts,
    )  # fmt: skip
    assert (first.export.plover, first.export.cameo) == ("SANCTION", kind.cameo)
    assert (first.article_id, first.publisher, first.credit) == (parsed.document.id, "The Paper", "A writer")
    assert TEXT[first.start : first.end] == first.evidence == "Belgium expelled Togolese envoys."
    assert [p.country for p in first.actors] == ["BEL"]
    assert [p.country for p in first.recipients] == ["TGO"]
    assert (second.kind, str(second.date.start), first.rule) == ("accusation", "2024-06-11", "reader")


def test_what_is_not_sure_enough_is_no_event(names):
    everything = events(names)
    assert [one.kind for one in events(names, least=everything[0].confidence)] == ["expulsion"]
    assert events(names, least=1.0) == ()


def test_an_agreement_is_not_lost_with_a_ceasefire_that_is_not_sure_enough(names):
    text, sides = "Belgium and Togo agreed to a truce.", {"actors": "Belgium Togo"}
    told = {"agreed": {"agreement": stub.YES}, "truce": {"ceasefire": 1.0}}
    roles = {"agreed": sides, "truce": sides}
    (deed,) = events(names, text, told=told, roles=roles)
    assert deed.kind == "ceasefire"
    (said,) = events(names, text, told=told, roles=roles, least=deed.confidence + 0.01)
    assert said.kind == "agreement"


def test_events_of_the_title_come_first(names):
    told = TOLD | {"accuses": {"accusation": stub.YES}}
    title = "Mali accuses Chad"
    both = {**ROLES, "accuses": {"actors": "Mali", "recipients": "Chad"}}
    found = events(
        names, title=title, told=told, roles=both, labels={**LABELS, "Mali": "GPE", "Chad": "GPE"},
        same={"accuses": 1, "proteste": 2},
    )  # fmt: skip
    assert [(one.section, one.kind) for one in found] == [
        ("title", "accusation"), ("text", "expulsion"), ("text", "accusation"),
    ]  # fmt: skip


def test_two_alike_in_one_sentence_have_ids_of_their_own(names):
    text = "Police in Abuja arrested two men and police in Kano arrested nine and police in Lagos arrested ten."
    told = {"arrested": {"arrest": stub.YES}}
    encoder = stub.StubEncoder(told)
    encoder.same = lambda _one, _other: 0.0
    found = detect(stub.parsed(names, text), Models(nlp=None, encoder=encoder, names=names))
    assert len(found) == 3
    assert len({one.id for one in found}) == 3


def test_an_event_keeps_its_id_when_other_parts_of_the_article_change(names):
    (before,) = events(names, "Belgium expelled Togolese envoys.")
    (after,) = events(names, "Rain fell. Belgium  expelled Togolese envoys.")
    assert before.id == after.id
    (planned,) = events(names, "Belgium expelled Togolese envoys.", modality={"expelled": "planned"})
    assert planned.id != before.id


def test_a_text_that_is_not_read_tells_nothing(names):
    document = stub.parsed(names, TEXT).document
    assert detect(Parsed(document, None, None), models(names)) == ()


def test_a_text_without_events_costs_no_search_for_its_subject(names, monkeypatch):
    monkeypatch.setattr("pipeline.detect.events.subject", lambda *_: pytest.fail("asked for the subject"))
    assert events(names, told={}) == ()

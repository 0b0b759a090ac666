"""An announcement is an event where it is the only news of its sentence, and where whoever tells it is to do it."""

import json

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Detect, Settings

CASES = {
    "Canada announced that it will deploy 1,000 soldiers to Latvia.": ("pledge", "AGREE"),
    "The Spanish prime minister said Spain will ban imports from Belarus.": ("threat", "THREATEN"),
    "Italy decided to reopen its border with Slovenia.": ("pledge", "AGREE"),
}
AID = "Norway announced that it will give Moldova 20 million euros in aid."
PLANS = "Norway confirmed plans to sell frigates to Moldova."
SILENT = (
    "Canada deployed 1,000 soldiers to Latvia.",
    "Reuters said that Canada will deploy 1,000 soldiers to Latvia.",
    "Canada will deploy 1,000 soldiers to Latvia.",
    "The Kremlin said Vladimir Putin will visit China.",
    "Canada is expected to deploy 1,000 soldiers to Latvia.",
)


@pytest.fixture(scope="module")
def told():
    """Each sentence with its events."""
    lines = (json.dumps({"id": s, "text": s, "published": "2024-06-14"}) for s in (*CASES, AID, PLANS, *SILENT))
    return {
        one["id"]: one["events"]
        for one in map(json.loads, detect_jsonl(lines, load_models(Settings(detect=Detect(opinion="none")))))
    }


@pytest.mark.parametrize("sentence", CASES)
def test_what_a_state_says_it_will_do_has_been_announced(told, sentence):
    kind, plover = CASES[sentence]
    assert (kind, "asserted", plover) in [(e["kind"], e["modality"], e["export"]["plover"]) for e in told[sentence]]
    assert "planned" in [e["modality"] for e in told[sentence]]


@pytest.mark.parametrize("sentence", SILENT)
def test_a_deed_a_reporter_and_a_visit_to_come_are_no_announcements(told, sentence):
    assert not [e for e in told[sentence] if e["rule"].endswith("/announced")]
    assert told[sentence]


def test_aid_that_its_giver_announces_is_one_event(told):
    (event,) = told[AID]
    assert (event["kind"], event["modality"], event["export"]["plover"]) == ("aid_package", "asserted", "AGREE")


def test_plans_for_aid_are_only_planned(told):
    (event,) = told[PLANS]
    assert (event["kind"], event["modality"]) == ("arms_deal", "planned")


def test_an_announcement_has_the_sides_of_its_plan(told):
    announced = next(e for e in told[next(iter(CASES))] if e["kind"] == "pledge")
    assert [p["country"] for p in announced["actors"]] == ["CAN"]

"""Force told twice in a few words is one event, and crime without a political side is none."""

import json

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Detect, Settings

ONCE = {
    "Two soldiers were killed and five were wounded in an ambush by rebels near Goma.": ("rebels", "Two soldiers"),
    "A car bomb exploded in Mosul. The Islamic State claimed responsibility for the attack.": (
        "Islamic State",
        "Mosul",
    ),
    "Nine people were killed and 54 injured in clashes between the army and rebels in Chad.": ("army", ""),
    "Six people were killed in an Egyptian air strike on a convoy targeting militants in Libya.": ("Egypt", ""),
    "Syrian soldiers shelled a market in Idlib. The attack also wounded nine people.": ("Syrian soldiers", "Idlib"),
    "Armed bandits killed forty people in Nigeria. Many houses were burned.": ("Armed bandits", ""),
}
TWICE = (
    "Israel bombed Tyre, and Hezbollah killed two soldiers in Metula.",
    "Two Indian soldiers were killed and four Pakistani villages were shelled.",
)
SILENT = (
    "Gunmen killed six. No group has claimed responsibility for the attack.",
    "Chile recalled its ambassador in protest.",
    "Two trams collided near Porto, Portugal injuring at least 30 people.",
    "Six people were killed when a munitions depot blew up in Bulgaria.",
)


@pytest.fixture(scope="module")
def told():
    """Each text with its events of force and constraint."""
    models = load_models(Settings(detect=Detect(opinion="none")))
    lines = (json.dumps({"id": s, "text": s, "published": "2024-06-14"}) for s in (*ONCE, *TWICE, *SILENT))
    wanted = ("ASSAULT", "COERCE", "PROTEST")
    return {
        one["id"]: [e for e in one["events"] if e["event_type"] in wanted]
        for one in map(json.loads, detect_jsonl(lines, models))
    }


def _named(parties, name):
    return not name or any(name in (p["name"] or "") or name in p["text"] for p in parties)


@pytest.mark.parametrize("text", ONCE)
def test_two_tellings_of_one_happening_are_one_event_with_the_sides_of_both(told, text):
    (event,) = told[text]
    actor, recipient = ONCE[text]
    assert _named(event["actors"], actor)
    assert _named(event["recipients"], recipient)


@pytest.mark.parametrize("text", TWICE)
def test_two_happenings_of_one_sentence_stay_two(told, text):
    assert len(told[text]) == 2


@pytest.mark.parametrize("text", SILENT[1:])
def test_crime_mishaps_and_manners_of_speaking_are_silent(told, text):
    assert told[text] == []


def test_a_claim_that_nobody_made_denies_no_attack(told):
    assert "denied" not in [e["modality"] for e in told[SILENT[0]]]

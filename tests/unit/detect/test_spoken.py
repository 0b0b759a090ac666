"""Words and verdicts that are no event: of private people, under a condition, as a reason, to one's own, said twice."""

import json

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Detect, Settings

TOLD = {
    "A court in Bergen sentenced a nurse to twelve years in prison for the murder of two patients.": "ACCUSE",
    "Police in Durban charged a taxi driver with reckless driving.": "ACCUSE",
    "A court in Bergen sentenced the former defence minister to two years in prison for fraud.": "ACCUSE",
    "A judge in Lima sentenced two rebels to thirty years in prison for murder.": "ACCUSE",
    "Prosecutors in Turin charged a general with smuggling cocaine.": "ACCUSE",
    "Hungary's president asked Slovakia to repair the bridge.": "REQUEST",
    "The European Union criticised the airline's flights to Crimea.": "ACCUSE",
    "Chad's president ordered the rebels to lay down their arms.": "REQUEST",
    "Peru opened an inquiry into two Chilean deputies for calling on soldiers to desert.": "ACCUSE",
    "Norway warned Russia that it would retaliate against any attack.": "THREATEN",
    "Human Rights Watch said Gabon must let observers into the camps.": "REQUEST",
    "Berlin may reject the Turkish offer.": "REJECT",
    "Ghana's foreign minister flew to Lome to urge Togo to open the border.": "REQUEST",
    "Mali warned its neighbours against sheltering the deserters.": "THREATEN",
}
SILENT = {
    "The Danish brewer rejected a takeover bid from its Belgian rival.": "REJECT",
    "The Irish singer accused her former husband of lying about the song.": "ACCUSE",
    "The mayor of Nice urged residents to stay at home because of the storm.": "REQUEST",
    "Bolivia is ready to send observers if asked by Peru.": "REQUEST",
    "Chad's president ordered the Chadian army to leave the town.": "REQUEST",
    "Peru opened an inquiry into two Chilean deputies for calling on soldiers to desert.": "REQUEST",
    "Two thirds of Danes oppose the new spelling, a poll showed.": "REJECT",
    "Chad's foreign ministry said that Sudan had violated the truce.": "REJECT",
    "The minister declined to comment on the talks with Spain.": "REJECT",
    "The Norwegian minister said growth would not exceed two percent.": "REJECT",
    "Norway's minister warned of a hard winter for Europe.": "THREATEN",
    "The French health minister said bars will be closed from Monday to slow the epidemic.": "THREATEN",
}
SIDES = {
    "Ghana denied that its army had any role and condemned the coup in Togo.": ("ACCUSE", "GHA", "TGO"),
    "Kuwait condemned the raid and Oman called on Yemen to free the crew.": ("REQUEST", "OMN", "YEM"),
    "The move by Georgia to open its archives was hailed by Latvia as an act of courage.": ("SUPPORT", "LVA", "GEO"),
    "Chad has refused to let inspectors from Norway visit two camps in the desert.": ("REJECT", "TCD", "NOR"),
    "A promise by Uganda to ship the guns to Rwanda was repeated on Monday.": ("AGREE", "UGA", "RWA"),
}
ECHO = "Cuba summoned the Spanish ambassador to protest against a remark by the Spanish prime minister."


@pytest.fixture(scope="module")
def told():
    """Each sentence with its events."""
    lines = (json.dumps({"id": s, "text": s, "published": "2024-06-14"}) for s in {*TOLD, *SILENT, *SIDES, ECHO})
    found = detect_jsonl(lines, load_models(Settings(detect=Detect(opinion="none"))))
    return {one["id"]: one["events"] for one in map(json.loads, found)}


def types(told, sentence):
    return [e["event_type"] for e in told[sentence]]


@pytest.mark.parametrize("sentence", TOLD)
def test_words_and_verdicts_of_states_are_told(told, sentence):
    assert TOLD[sentence] in types(told, sentence)


@pytest.mark.parametrize("sentence", SILENT)
def test_what_is_private_or_only_supposed_is_not(told, sentence):
    assert SILENT[sentence] not in types(told, sentence)


def test_the_same_words_to_the_same_side_are_told_once(told):
    assert types(told, ECHO) == ["ACCUSE"]


@pytest.mark.parametrize("sentence", SIDES)
def test_who_says_it_to_whom(told, sentence):
    root, actor, recipient = SIDES[sentence]
    sides = [
        ({p["country"] for p in e["actors"]}, {p["country"] for p in e["recipients"]})
        for e in told[sentence]
        if e["event_type"] == root
    ]
    assert ({actor}, {recipient}) in sides

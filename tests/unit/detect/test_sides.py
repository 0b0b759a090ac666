"""Who to whom where no slot of a rule shows it, and how real what stands beside a clause is."""

import json

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Detect, Settings

SIDES = {  # (kind, actors, recipients) of one event of the sentence
    # a second side: inside the object, in the clause below, before a passive
    "Zambia consented to let Malawi keep its lakeside station.": ("agreement", "Zambia", "Malawi"),
    "An invitation to return to the African Union was spurned by Haiti.": ("rejection", "Haiti", "African Union"),
    "Latvia undertook to give the International Atomic Energy Agency its drawings.": (
        "pledge", "Latvia", "International Atomic Energy Agency"),
    "Tonga on Friday established diplomatic ties with Beijing.": ("diplomatic_ties", "Tonga", "Beijing"),
    # told from one side, and by one phrase
    "Ethiopian troops clashed with Eritrean rebels near Badme.": ("clash", "Ethiopian troops", "Eritrean rebels"),
    "Poland and Latvia held a joint naval exercise.": ("cooperation", "Poland/Latvia", ""),
    # a passive without a doer
    "Two Greek frigates were sent to waters off Libya.": ("mobilization", "Greek", "Libya"),
    "The sale of nine tanks by Belarus to Sudan was completed in spring.": ("arms_deal", "Belarus", "Sudan"),
    # neither weapons nor names that stand aside take part
    "Eight soldiers were killed by land mines in Benin.": ("attack", "", "Eight soldiers"),
    "Nine people were killed and 30 injured by Malian airstrikes on a market.": ("strike", "Malian", "Nine people"),
    "Police in Oslo arrested nine people for plotting attacks on the embassy of Chile.": (
        "arrest", "Police in Oslo", "nine people"),
    "Anti-Serbian protesters burned a bus in Pristina.": ("protest", "Anti-Serbian protesters", "Pristina"),
    "Latvia closed the Russian consulates in Liepaja, while Estonia closed one in Narva.": (
        "rupture", "Latvia", "the Russian consulates/Liepaja"),
    "Bolivia will keep its envoy in Lima despite Peru recalling its ambassador from La Paz.": ("rupture", "Peru", "La Paz"),
}  # fmt: skip
MODALITIES = {
    "About 300 villagers cannot return because of shelling by Ethiopian forces.": ("strike", "asserted"),
    "Malawi cannot buy fuel due to sanctions imposed by Zambia on Monday.": ("sanctions", "asserted"),
    "The parliament of Ghana voted 80-12 to ban imports of Chinese cement.": ("sanctions", "asserted"),
    "Teachers in Kenya voted to strike over pay.": ("protest", "planned"),
    "The bridge was reported to be destroyed by a Syrian missile.": ("strike", "asserted"),
    "Kenya is believed to be holding two Somali journalists.": ("arrest", "asserted"),
    "Sudan will close its border, accusing Chad of arming rebels.": ("accusation", "asserted"),
    "The talks broke up without Georgia agreeing to a truce.": ("ceasefire", "denied"),
}
STRANGERS = {  # states that nobody knows
    "The Bordurian government recalled its ambassador from Syldavia.": "rupture",
    "Zubrowka recognised Syldavia on Monday, a day after its parliament voted.": "support",
}


@pytest.fixture(scope="module")
def told():
    """Each sentence with its events."""
    lines = (json.dumps({"id": s, "text": s}) for s in (*SIDES, *MODALITIES, *STRANGERS))
    models = load_models(Settings(detect=Detect(opinion="none")))
    return {one["id"]: one["events"] for one in map(json.loads, detect_jsonl(lines, models))}


@pytest.mark.parametrize("sentence", SIDES)
def test_both_sides_are_named_in_their_places(told, sentence):
    named = [
        (e["kind"], *("/".join(p["text"] for p in e[s]) for s in ("actors", "recipients"))) for e in told[sentence]
    ]
    assert SIDES[sentence] in named


@pytest.mark.parametrize("sentence", MODALITIES)
def test_what_stands_beside_a_clause_is_as_real_as_it_is(told, sentence):
    assert MODALITIES[sentence] in [(e["kind"], e["modality"]) for e in told[sentence]]


def test_what_is_voted_for_is_told_once(told):
    assert [e["kind"] for e in told["The parliament of Ghana voted 80-12 to ban imports of Chinese cement."]] == [
        "sanctions"
    ]


def test_whoever_is_against_a_people_is_not_of_it(told):
    event = told["Anti-Serbian protesters burned a bus in Pristina."][0]
    assert [p["country"] for p in event["actors"]] == ["XKX"]


@pytest.mark.parametrize("sentence", STRANGERS)
def test_a_state_that_nobody_knows_acts_in_a_sentence_of_strangers(told, sentence):
    assert STRANGERS[sentence] in [e["kind"] for e in told[sentence]]

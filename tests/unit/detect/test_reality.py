"""What the words around a telling say of how real it is."""

from dataclasses import replace

import pytest

from pipeline.detect.reality import reality
from tests.unit.detect.stub import telling


def real(one, text, *beside):
    return reality(one, text, (0, len(text)), beside)


@pytest.mark.parametrize(
    ("text", "trigger", "kind", "type_", "modality"),
    [
        ("Washington is prepared to impose sanctions on Ankara.", "sanctions", "sanctions", "SANCTION", "hypothetical"),
        ("Seoul is open to negotiations with Pyongyang.", "negotiations", "meeting", "CONSULT", "hypothetical"),
        ("Brussels is considering sanctions against Serbia.", "sanctions", "sanctions", "SANCTION", "hypothetical"),
        ("Brussels considers Serbia close and imposed sanctions.", "sanctions", "sanctions", "SANCTION", "asserted"),
        ("Oslo is ready to apologise, it told Bern.", "apologise", "support", "SUPPORT", "asserted"),
        ("Oslo is ready to sign a promise.", "promise", "pledge", "AGREE", "asserted"),
        ("The president cancels a planned summit with Iran.", "summit", "summit", "CONSULT", "denied"),
        ("The army cancelled leave after an attack.", "attack", "attack", "ASSAULT", "asserted"),
        ("Delhi called off border talks.", "talks", "meeting", "CONSULT", "denied"),
        ("Washington postpones sanctions on a Serbian firm.", "sanctions", "sanctions", "SANCTION", "denied"),
        ("Delhi cancels the talks.", "cancels", "rupture", "SANCTION", "asserted"),
        ("Budapest accuses Brussels of being behind sanctions.", "sanctions", "sanctions", "SANCTION", "hypothetical"),
        ("Iran accuses Israel of an attack on its embassy.", "attack", "attack", "ASSAULT", "asserted"),
        ("Chad accused of theft a firm that is under sanctions.", "sanctions", "sanctions", "SANCTION", "asserted"),
    ],
)
def test_what_is_considered_called_off_or_alleged_has_not_happened(text, trigger, kind, type_, modality):
    assert real(telling(text, trigger, kind, type_), text) == modality


@pytest.mark.parametrize(
    ("text", "modality"),
    [
        ("A ceasefire in Gaza ends after a week.", "denied"),
        ("Rebels announce their rejection of the recent ceasefire.", "denied"),
        ("Rebels break the ceasefire.", "denied"),
        ("Kyiv says that the ceasefire declared by Moscow earlier was false.", "denied"),
        ("Both agree on a ceasefire that ends the war.", "asserted"),
        ("Both end the war with a ceasefire.", "asserted"),
    ],
)
def test_a_truce_that_ends_is_none(text, modality):
    assert real(telling(text, "ceasefire", "ceasefire", "RETREAT"), text) == modality


@pytest.mark.parametrize(
    ("text", "kind", "modality"),
    [
        ("Otieno met Ishida in Nairobi on Thursday for a summit on energy.", "meeting", "asserted"),
        ("Otieno met Ishida in Nairobi. A summit will follow.", "meeting", "planned"),
        ("Otieno met Ishida for a summit.", "visit", "planned"),
    ],
)
def test_who_has_met_for_a_summit_has_held_it(text, kind, modality):
    met = telling(text, "met", kind, "CONSULT")
    summit = replace(telling(text, "summit", "summit", "CONSULT"), modality="planned")
    assert real(summit, text, met) == modality


@pytest.mark.parametrize(
    ("text", "modality"),
    [
        ("North Korea threatened South Korea on Sunday with an attack.", "hypothetical"),
        ("North Korea threatened South Korea, and an attack followed.", "asserted"),
        ("After an attack North Korea threatened South Korea.", "asserted"),
        ("North Korea threatened the South with a long attack.", "hypothetical"),
        ("North Korea threatened to carry out a nuclear attack.", "hypothetical"),
        ("Iran threatened Israel with war after an attack on its embassy.", "asserted"),
        ("Rebels threatened the town with war and began an attack.", "asserted"),
        ("Moscow threatened to respond with force to the attack.", "asserted"),
        ("Moscow threatened to respond with force to an attack of Monday.", "asserted"),
        ("Moscow threatened Kyiv with revenge for an attack.", "asserted"),
    ],
)
def test_a_deed_that_is_only_threatened_with_has_not_happened(text, modality):
    threat, deed = telling(text, "threatened", "threat", "THREATEN"), telling(text, "attack", "attack", "ASSAULT")
    assert real(deed, text, threat) == modality
    assert real(threat, text, deed) == "asserted"


def test_a_deed_told_in_the_past_tense_beside_a_threat_has_happened():
    text = "Rebels who had threatened the town with war shelled the market."
    threat, deed = telling(text, "threatened", "threat", "THREATEN"), telling(text, "shelled", "strike", "ASSAULT")
    assert real(deed, text, threat) == "asserted"

import pytest

from pipeline.detect.export import export


@pytest.mark.parametrize(
    ("event_type", "modality", "plover"),
    [
        ("CONSULT", "asserted", "CONSULT"), ("CONSULT", "planned", "AGREE"), ("AID", "planned", "AGREE"),
        ("ASSAULT", "planned", "THREATEN"), ("CONSULT", "denied", "REJECT"), ("ASSAULT", "denied", "ASSAULT"),
        ("PROTEST", "planned", "PROTEST"), ("AGREE", "denied", "REJECT"),
    ],
)  # fmt: skip
def test_modality_is_taken_into_the_plover_root(event_type, modality, plover):
    assert export(event_type, modality).plover == plover


def test_what_was_agreed_to_is_an_agreement_though_we_assert_it():
    assert export("AID", "asserted", commitment=True).plover == "AGREE"


def test_a_kind_may_name_the_plover_root_of_what_happened_only():
    assert export("AGREE", "asserted", override="SUPPORT").plover == "SUPPORT"
    assert export("AGREE", "planned", override="SUPPORT").plover == "AGREE"


def test_the_cameo_root_follows_the_plover_root():
    assert export("CONSULT", "asserted", cameo="04").cameo == "04"
    assert export("CONSULT", "planned", cameo="04").cameo == "03"

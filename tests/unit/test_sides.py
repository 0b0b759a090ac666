"""What a rule asks for by default: states, their bodies, organisations of states and armed groups."""

import pytest

from pipeline.alert.evaluate import check, evaluate
from pipeline.alert.rules import Rule
from pipeline.alert.sides import between_states
from pipeline.records import Party, Place
from tests.make import RUSSIA, UKRAINE, USA, make_story

CLUB = Party(text="the club", name="FC Barcelona", country="ESP")
FIFA = Party(text="FIFA")
FARMERS = Party(text="French farmers", country="FRA", sector="CVL")
FRANCE = Party(text="The government", name="France", country="FRA", sector="GOV")
GROUP = Party(text="the Houthis", name="Houthis", country="YEM", sector="REB")
YEMEN = Party(text="Yemen's army", country="YEM", sector="MIL")
SANAA = Place(text="Sanaa", name="Sanaa", country="YEM", lat=15.4, lon=44.2)


def story(kind, event_type, actors, recipients=(), **changes):
    return make_story(
        kind=kind, event_type=event_type, actors=actors, recipients=recipients, **{"places": ()} | changes
    )


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (story("aid_package", "AID", (USA,), (UKRAINE,)), True),
        (story("sanctions", "SANCTION", (USA,), (Party(text="a bank", country="RUS"),)), True),
        (story("sanctions", "SANCTION", (RUSSIA,)), True),
        (story("sanctions", "SANCTION", (USA,), (Party(text="a prosecutor", country="USA"),)), True),
        (story("arms_procurement", "COOPERATE", (FRANCE,)), True),
        (story("summit", "CONSULT", (Party(text="ECOWAS", name="ECOWAS", sector="IGO"),)), True),
        (story("restriction", "SANCTION", (FRANCE,), (FARMERS,)), False),
        (story("threat", "THREATEN", (RUSSIA,)), True),
        (story("sanctions", "SANCTION", (), (RUSSIA,)), True),
        (story("clash", "ASSAULT", (YEMEN,), (GROUP,)), True),
        (story("strike", "ASSAULT", (USA,), places=(SANAA,)), True),
        (story("sanctions", "SANCTION", (FIFA,), (CLUB,)), False),
        (story("aid_package", "AID", (FRANCE,), (FARMERS,)), False),
        (story("aid_package", "AID", (FRANCE,)), False),
        (story("arms_deal", "COOPERATE", (CLUB,), (Party(text="an insurer"),)), False),
        (story("meeting", "CONSULT", (), ()), False),
    ],
)
def test_a_story_is_between_states_or_not(one, wanted):
    assert between_states(one) is wanted


def test_a_rule_asks_for_states_unless_it_says_any():
    farmers = story("aid_package", "AID", (FRANCE,), (FARMERS,))
    asked, open_ = Rule(name="aid", about="Aid"), Rule(name="aid", about="Aid", parties="any")
    assert evaluate([asked], farmers) == ()
    assert len(evaluate([open_], farmers)) == 1


@pytest.mark.parametrize(("confidence", "sources", "rings"), [(0.79, 1, False), (0.8, 1, True), (0.5, 2, True)])
def test_below_the_floor_a_second_source_is_needed(confidence, sources, rings):
    one = make_story(confidence=confidence, source_count=sources)
    assert bool(evaluate([Rule(name="a", about="A", floor=0.8)], one)) is rings
    assert "floor" in {found.condition for found in check(Rule(name="a", about="A", floor=0.8), one)}

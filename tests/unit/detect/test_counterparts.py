"""With whom somebody met or spoke: everybody in the list, and nobody who was only talked about."""

import json

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Settings

MET = {
    "President Macron and President Ruto of Kenya spoke today about the situation in Haiti.": {"FRA", "KEN"},
    "The two spoke on Monday. President Macron briefed the leaders on his talks, and they discussed developments in Libya.": set(),
    "The leaders of Kenya and Togo met in Accra. They also shared views on the crisis in Sudan.": {"KEN", "TGO"},
    "Chancellor Scholz met today with King Abdullah of Jordan. The leaders also shared views on the crisis in Sudan.": {
        "DEU",
        "JOR",
    },
    "Assistant to the Prime Minister Rohan Nair hosted President William Ruto for a meeting in Delhi.": {"KEN"},
    "President Macron hosted Prime Minister Kishida Fumio for a working dinner.": {"FRA", "JPN"},
    "President Macron met with Dutch Counselor to the King Piet Vos, Polish Security Advisor Jan Nowak, and Kenyan Foreign "
    "Minister Ann Wanjiru.": {"FRA", "NLD", "POL", "KEN"},
    "The talks were co-chaired by Chilean Minister Rosa Lagos, Peruvian Minister for Trade Elena Paz, and Swedish Envoy Nils "
    "Berg.": {"CHL", "PER", "SWE"},
}


@pytest.fixture(scope="module")
def told():
    lines = (json.dumps({"id": text, "text": text, "published": "2023-09-30T12:00:00+00:00"}) for text in MET)
    records = map(json.loads, detect_jsonl(lines, load_models(Settings())))
    return {record["id"]: [e for e in record["events"] if e["event_type"] == "CONSULT"] for record in records}


@pytest.mark.parametrize("text", MET)
def test_who_took_part(told, text):
    there = {p["country"] for event in told[text] for p in (*event["actors"], *event["recipients"])} - {None}
    if MET[text]:
        assert there >= MET[text]
    assert there.isdisjoint({"HTI", "LBY", "SDN"})

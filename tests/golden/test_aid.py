"""Aid as in an analyst's tracker (aid.toml): whether it is found, the donor is the actor, sum and currency are exact."""

import json
import tomllib
from pathlib import Path

import pytest

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Settings

ITEMS = tomllib.loads(Path(__file__).with_name("aid.toml").read_text("utf-8"))["items"]
FLOORS = {"found": 0.74, "donor": 0.68, "amount": 0.69, "subtype": 0.71}


@pytest.fixture(scope="module")
def told():
    """Return each passage with its events of aid."""
    lines = (
        json.dumps({"id": str(number), "text": item["text"], "published": "2024-08-30T12:00:00+00:00"})
        for number, item in enumerate(ITEMS)
    )
    found = [json.loads(line)["events"] for line in detect_jsonl(lines, load_models(Settings()))]
    return [(item, [e for e in events if e["event_type"] == "AID"]) for item, events in zip(ITEMS, found, strict=True)]


def given(event, item):
    return any(item["donor"] in (party["country"], party["name"]) for party in event["actors"])


def worth(event, item):
    return any(
        money["currency"] == item["currency"] and abs(money["value"] - item["value"]) <= item["value"] / 1000
        for money in event["money"]
    )


MEASURED = {
    "found": ("text", lambda _event, _item: True),
    "donor": ("donor", given),
    "amount": ("value", worth),
    "subtype": ("subtype", lambda event, item: event["subtype"] == item["subtype"]),
}


@pytest.mark.parametrize("name", FLOORS)
def test_most_items_of_aid_are_right(told, name):
    key, right = MEASURED[name]
    asked = [(item, events) for item, events in told if key in item]
    wrong = [item["text"] for item, events in asked if not any(right(event, item) for event in events)]
    print(f"{name}: {len(asked) - len(wrong)} of {len(asked)}")  # noqa: T201 - shown by -rP
    assert len(wrong) <= (1 - FLOORS[name]) * len(asked), wrong


def test_there_are_enough_items():
    assert len(ITEMS) >= 100

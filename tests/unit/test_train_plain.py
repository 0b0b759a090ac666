"""Labelled articles in the plain form: to lines and back, and what is said of one that is not in order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from train import plain

ROOT = Path(__file__).parents[2]

ARTICLE = """# Court orders 41 judges held
date: 2016-07-22
section: world
loud: yes

A court in Ankara on Thursday ordered 41 judges held, Anadolu said.

The order came days after a court was bombed. The order names a court clerk.
---
T | orders | legal_action | asserted | main | Court | 41 judges | - | - | - | - | -
1 | ordered | legal_action | asserted | main | A court | 41 judges | Ankara | Thursday | - | Anadolu | =1
2 | order#2 | legal_action | asserted | minor | - | clerk | - | - | - | - | =2
"""


def test_rows_become_spans_of_the_whole_text():
    one = plain.read(ARTICLE)
    first, second, third = one["events"]
    assert (one["title"], one["published"], one["loud"]) == ("Court orders 41 judges held", "2016-07-22", True)
    assert (first["type"], first["section"], first["same_as"]) == ("ACCUSE", "title", None)
    told = {name: one["text"][slice(*second[name])] for name in ("trigger", "date", "said_by")}
    assert told == {"trigger": "ordered", "date": "Thursday", "said_by": "Anadolu"}
    assert [one["text"][a:b] for a, b in second["places"]] == ["Ankara"]
    assert one["text"][: third["trigger"][0]].count("order ") == 1, "the second of its paragraph"
    assert third["same_as"] == 0, "the first telling, not the one between"


def test_what_is_shown_is_read_as_it_was():
    for name in ("w6.jsonl", "held/y4.jsonl"):
        for line in (ROOT / "train/articles" / name).read_text("utf-8").splitlines()[:20]:
            one = json.loads(line)
            again = plain.show(one)
            assert again.count(" | ") == 11 * len(one["events"])
            assert again.startswith(f"# {one['title']}\n")
    one = plain.read(ARTICLE)
    assert plain.read(plain.show(one).replace("2 | order |", "2 | order#2 |")) == one


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("---", "", "line 1: no line '---'"),
        ("# Court", "Court", "line 1: '# ' and the title"),
        ("2016-07-22", "22 July", "line 2: 'date: ...' is missing or not in order: '22 July'"),
        ("loud: yes", "loud: no", "line 2: 'loud: no', but there is a main event"),
        ("| - | =1", "| =1", "line 11: 11 cells, 12 were expected"),
        ("1 | ordered | legal_action", "1 | ordered | verdict", "line 11: 'verdict' is none of meeting"),
        ("2 | order#2", "3 | order#2", "line 12: there is no paragraph '3'"),
        ("order#2", "order", "line 12: 'order' stands 2 times in its paragraph: write order#1 or order#2"),
        ("| Ankara |", "| Izmir |", "line 11: 'Izmir' stands 0 times"),
        ("=2", "=7", "line 12: '=7' is not '=' and the number of a row above"),
    ],
)
def test_an_article_that_is_not_in_order_is_told_with_its_line(old, new, said):
    text = ARTICLE.replace("Anadolu | =1", "- | =1") if new == "| =1" else ARTICLE
    with pytest.raises(plain.PlainError) as caught:
        plain.read(text.replace(old, new, 1))
    assert said in str(caught.value)


def test_files_become_lines_with_ids_and_an_error_names_the_file(tmp_path):
    good, bad = tmp_path / "1.txt", tmp_path / "2.txt"
    good.write_text(ARTICLE, "utf-8")
    bad.write_text(ARTICLE.replace("asserted | main", "sure | main"), "utf-8")
    assert [json.loads(line)["id"] for line in plain.lines("mine", [good, good])] == ["mine-001", "mine-002"]
    with pytest.raises(plain.PlainError, match=r"2\.txt: line 10: 'sure' is none of asserted"):
        list(plain.lines("mine", [good, bad]))

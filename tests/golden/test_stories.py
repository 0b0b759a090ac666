"""Which articles are on one news: the groups of `dateline stories` against those of a reader, with least values."""

# ruff: noqa: T201 - pytest -rP shows the figures
import json
from functools import cache
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.operate.offline import StoryRun
from tests.golden.clusters import Agreement, b_cubed, connected, single_pass

HERE = Path(__file__).parent
STREAM = HERE.parents[2] / "shared" / "eval" / "wce_stream" / "dev.jsonl"
THRESHOLDS = [n / 100 for n in range(5, 80, 5)]


def stories_of(lines):
    """Return the stories of each article, by the code of the command; articles in date order."""
    return run_of(lines)[0]


def run_of(lines):
    """Return the stories of each article, and all stories."""
    run = StoryRun(settings.load(HERE.parents[1] / "configs"))
    answers = [json.loads(line) for line in run.lines(json.dumps(line).encode() for line in lines)]
    return {answer["id"]: answer["stories"] for answer in answers}, [json.loads(line) for line in run.stories()]


def happenings_of(lines):
    """Return the happening that each article tells first, or its story where it tells none."""
    stories, written = run_of(lines)
    told = {
        article: happening["id"]
        for story in written
        if not story["merged_into"]
        for happening in reversed(story["happenings"])
        for article in happening["article_ids"]
    }
    return {article: [told.get(article, ids[0])] for article, ids in stories.items()}


def first(stories):
    return {article: ids[0] for article, ids in stories.items()}


def baseline(lines, wanted, among, thresholds=THRESHOLDS):
    """Return the agreement of a single pass over TF-IDF at the best of these thresholds, and that threshold."""
    texts = {line["id"]: f"{line.get('title', '')} {line['text']}" for line in lines if line["id"] in among}
    tried = ((b_cubed(single_pass(texts, alike=alike), wanted), alike) for alike in thresholds)
    return max(tried, key=lambda one: one[0].f1)


@cache
def newsstand():
    """Return 66 articles on 20 news, some on one topic: reports, reactions, portraits and follow-ups."""
    lines = [json.loads(line) for line in (HERE / "newsstand.jsonl").read_text("utf-8").splitlines()]
    return lines, stories_of(lines), {line["id"]: line["id"].rpartition("-")[0] for line in lines}


@cache
def stream():
    """Return the labelled bullets in date order."""
    rows = [
        line.split("\t")
        for line in (HERE / "stream_labels.tsv").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    wanted = dict(rows)
    bullets = [json.loads(line) for line in STREAM.read_text("utf-8").splitlines()]
    lines = [{"id": b["id"], "text": b["text"], "published": b["date"]} for b in bullets if b["id"] in wanted]
    return lines, happenings_of(lines), wanted


def test_articles_on_one_news_have_the_same_first_story():
    lines, stories, wanted = newsstand()
    found = b_cubed(first(stories), wanted)
    print("b_cubed", found)
    print("tf_idf", *baseline(lines, wanted, stories))
    assert found.f1 >= 0.94, found
    assert found.items == len(wanted), found  # an article without an event has a story too


def test_no_passing_mention_connects_two_news():
    _, stories, wanted = newsstand()
    found = b_cubed(connected(stories), wanted)
    print("b_cubed_connected", found)
    assert found.precision >= 0.94, found


@pytest.mark.skipif(not STREAM.is_file(), reason="the stream of bullets is not beside this checkout")
def test_each_event_of_one_topic_is_its_own_happening():
    """Bullets of one topic may be one story; what tells its events apart, and what rules ring for, are its happenings."""
    lines, stories, wanted = stream()
    found = b_cubed(first(stories), wanted)
    best, alike = baseline(lines, wanted, stories)
    _, suits_articles = baseline(*(newsstand()[n] for n in (0, 2, 1)))
    other, _ = baseline(lines, wanted, stories, [suits_articles])
    print("b_cubed", found)
    print("tf_idf", other, "at the threshold that suits articles", suits_articles, "and", best, "at", alike)
    assert len(wanted) >= 200
    assert found.f1 >= 0.89, found
    assert found.precision >= 0.9, found
    assert found.f1 >= other.f1 + 0.05, (found, other)


def test_b_cubed_counts_purity_and_completeness():
    wanted = {"a": "x", "b": "x", "c": "y", "d": "y"}
    assert b_cubed({"a": "1", "b": "1", "c": "2", "d": "2"}, wanted) == Agreement(1.0, 1.0, 4)
    assert b_cubed(dict.fromkeys("abcd", "1"), wanted) == Agreement(0.5, 1.0, 4)
    assert b_cubed({"a": "1", "b": "2", "c": "3", "d": "4"}, wanted) == Agreement(1.0, 0.5, 4)


def test_articles_are_connected_over_any_story_they_share():
    assert connected({"a": ["1", "2"], "b": ["3"], "c": ["2", "3"], "d": ["4"]}) == {
        "a": "a",
        "b": "a",
        "c": "a",
        "d": "d",
    }

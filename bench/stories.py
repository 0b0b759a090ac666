"""How well articles are gathered into stories: `python -m bench.stories [ecbplus own newsstand] [--shared ../shared]`.

Prints B-cubed over all articles of a set (one without a story counts as wrong) for Dateline's stories, in the order given
(with the news that is gathered worst) and in two shuffled orders, for single-pass TF-IDF at its best threshold, and for mini-
batch density clustering (DBSCAN over TF-IDF of the last articles, batch by batch, clusters joined where batches overlap:
Staykovski et al., "Dense vs. Sparse Representations for News Stream Clustering", 2019) at its best radius. The two baselines
choose their best value on the set itself, Dateline does not. Then the speed of folding, and with --memory N the memory of N
open articles.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from sklearn.cluster import DBSCAN
from sklearn.feature_extraction.text import TfidfVectorizer

from bench.readings import HERE, lines
from pipeline.records import Brief, Story, decode, encode
from pipeline.track.scorer import Model
from pipeline.track.stories import Stories
from tests.golden.clusters import Agreement, b_cubed
from train.stories.data import briefs, news

SETS = {"ecbplus": ("ecbplus",), "own": ("news", "told_again"), "newsstand": ("newsstand",)}
THRESHOLDS = [n / 100 for n in range(10, 50, 4)]
WORST = 16
AT = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
"""The day of all articles whose memory is measured, so that all are open."""
BATCH, OVERLAP = 40, 400
"""Articles of a batch, and of the window before it that is clustered with it."""


def over_all(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """B-cubed over all articles: one without a story has neither purity nor completeness."""
    told: Agreement = b_cubed(found, wanted)
    share = told.items / len(wanted)
    precision, recall = told.precision * share, told.recall * share
    f1 = 2 * precision * recall / (precision + recall)
    return f"P {precision:.3f} R {recall:.3f} F1 {f1:.3f} ({told.items} of {len(wanted)} have a story)"


def dateline(told: Sequence[Brief], model: Model | None = None) -> tuple[dict[str, str], float]:
    """The story of each article, mergers followed, and the articles folded in a second of this process."""
    stories, found, moved = Stories(model=model), dict[str, str](), dict[str, str]()
    began = time.process_time()
    for one in told:
        moved |= {story.id: story.merged_into for story in stories.fold(one) if story.merged_into}
        if (own := stories.story_of(one.id)) is not None:
            found[one.id] = own.id
    seconds = time.process_time() - began
    for article, story in found.items():
        last = story
        while last in moved:
            last = moved[last]
        found[article] = last
    return found, len(told) / seconds


def worst(found: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The news that is gathered worst, each with its articles and the B-cubed of these."""
    rows = []
    for name in sorted(set(wanted.values())):
        own = [article for article in found if wanted[article] == name]
        groups = [(one, [other for other in found if found[other] == found[one]]) for one in own]
        shared = [sum(wanted[other] == name for other in group) for _, group in groups]
        precision = sum(n / len(group) for n, (_, group) in zip(shared, groups, strict=True)) / len(own)
        rows.append(
            (
                precision + sum(shared) / len(own) ** 2,
                f"{name} ({len(own)}) P {precision:.2f} R {sum(shared) / len(own) ** 2:.2f}",
            )
        )
    return [row for _, row in sorted(rows)[:WORST]]


def single_pass(ids: Sequence[str], vectors: np.ndarray, least: float) -> dict[str, str]:
    """Each article in the cluster of the nearest centroid, if the cosine is `least` or more."""
    centroids = np.zeros_like(vectors)
    found: dict[str, str] = {}
    number = 0
    for name, vector in zip(ids, vectors, strict=True):
        alike = centroids[:number] @ vector / (np.linalg.norm(centroids[:number], axis=1) + 1e-9)
        best = int(alike.argmax()) if number else -1
        if best < 0 or alike[best] < least:
            best, number = number, number + 1
        centroids[best] += vector
        found[name] = str(best)
    return found


def density(ids: Sequence[str], vectors: np.ndarray, least: float) -> dict[str, str]:
    """Batches of articles clustered by density with the window before them; a cluster keeps the name of its known articles."""
    found: dict[str, str] = {}
    names = 0
    for start in range(0, len(ids), BATCH):
        window = range(max(0, start - OVERLAP), min(len(ids), start + BATCH))
        labels = DBSCAN(eps=1 - least, min_samples=1, metric="cosine").fit_predict(vectors[list(window)])
        for label in dict.fromkeys(labels):
            members = [ids[n] for n, one in zip(window, labels, strict=True) if one == label]
            known = [found[one] for one in members if one in found]
            name = max(known, key=known.count) if known else f"c{(names := names + 1)}"
            found |= {one: name for one in members if one not in found}
    return found


def measure(name: str, shared: Path) -> None:
    """Print the figures of a set."""
    told = sorted((one for part in SETS[name] for one in briefs(part, shared)), key=lambda one: one.first_seen_at)
    wanted = {article: group for part in SETS[name] for article, group in news(part, shared).items()}
    found, speed = dateline(told)
    print(f"{name}: Dateline {over_all(found, wanted)}, {speed:.0f} articles/s")
    print(f"{name}: worst: {', '.join(worst(found, wanted))}")
    for seed in (1, 2):
        order = list(told)
        random.Random(seed).shuffle(order)
        order.sort(key=lambda one: one.first_seen_at.date())
        print(f"{name}: in another order within each day {over_all(dateline(order)[0], wanted)}")
    texts = {
        str(row["id"]): f"{row.get('title') or ''} {row['text']}" for part in SETS[name] for row in lines(part, shared)
    }
    ids = [one.id for one in told]
    tfidf = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    vectors = tfidf.fit_transform([texts[one] for one in ids]).toarray().astype(np.float32)
    for what, method in (("single-pass TF-IDF", single_pass), ("mini-batch density clustering", density)):
        tried = [(b_cubed(method(ids, vectors, least), wanted).f1, least) for least in THRESHOLDS]
        best = max(tried)[1]
        print(f"{name}: {what} at {best:.2f} {over_all(method(ids, vectors, best), wanted)}")


def memory(number: int, shared: Path) -> None:
    """Print the memory of so many open articles: those of `own` as often as needed, each time as other stories.

    Every story is decoded anew, as a worker that takes over reads it from Kafka, so that no two share memory.
    """
    first = Stories()
    for one in (one for part in SETS["own"] for one in briefs(part, shared)):
        first.fold(msgspec.structs.replace(one, first_seen_at=AT))
    written, each = [encode(story) for story in first], sum(len(story.article_ids) for story in first)
    before = resident()

    def copies() -> Iterator[Story]:
        for n in range(-(-number // each)):
            for line in written:
                story = decode(line, Story)
                ids = tuple(f"{article_id}-{n}" for article_id in story.article_ids)
                yield msgspec.structs.replace(story, id=f"{story.id}-{n}", article_ids=ids)

    stories = Stories(stories=copies())
    used, articles = resident() - before, sum(len(story.article_ids) for story in stories)
    print(
        f"memory: {articles} open articles in {len(stories)} stories, {used / 1e6:.0f} MB, "
        f"{used / articles / 1e3:.1f} kB an article"
    )


def resident() -> int:
    """The memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    parser.add_argument("--shared", type=Path, default=HERE.parent / "shared")
    parser.add_argument("--memory", type=int, default=0, metavar="N")
    options = parser.parse_args()
    for name in options.sets or SETS:
        measure(name, options.shared)
    if options.memory:
        memory(options.memory, options.shared)


if __name__ == "__main__":
    main()

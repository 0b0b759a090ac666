"""The scorer of pairs: `python -m train.reader.pairs` fits it on labelled articles and writes pipeline/detect/pairs.json.

Two drafts of a labelled article whose triggers are labelled are a pair: of one happening, if their labels say so. The held
articles, which no reader learns, are taken, and some hundred real articles and releases of the training part that tell some
happening twice, by a hash; each weighs by the root of its number of pairs, so that no long one decides. The least score at
which groups are joined is set by hand, from the documents of the dev part (docs/design.md).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from pipeline import annotate
from pipeline.detect import jsonl, load_models, pairs
from pipeline.detect.drafts import Draft
from pipeline.detect.encoder import Encoder
from pipeline.detect.events import read
from pipeline.records import Document
from pipeline.settings import Settings
from train.reader import data

Pair = tuple[str, dict[str, float], bool]
"""The document, the features, and whether both tell one happening."""
UNSURE = 0.3
"""Drafts less sure than this tell too often nothing."""
LEAST = -1.0
"""Log-odds: on the dev documents -.5 doubles .021 of what is told, -1 .018, and finds .673 and .671 (docs/quality.md)."""
LONGEST, MOST = 5_000, 220
"""Characters of a real document, and real documents: reading them takes a minute on one core."""


def drafted(docs: Iterable[data.Doc]) -> Iterator[tuple[data.Doc, list[Draft], Encoder]]:
    """Labelled documents in, each with what the reader drafts of it out."""
    models = load_models(Settings())
    for doc in docs:
        published = f"{doc.published}T12:00:00Z" if doc.published else None
        line = json.dumps({"id": doc.id, "title": doc.title, "text": doc.text, "published": published})
        document = jsonl.read_line(line)
        assert isinstance(document, Document)
        (parsed,) = annotate.parse_many([document], models)
        yield doc, read(parsed, models), models.encoder


def pairs_of(doc: data.Doc, drafts: Sequence[Draft], encoder: Encoder) -> Iterator[Pair]:
    """The pairs of a document's drafts that do not contradict one another and whose triggers are labelled."""
    groups: dict[int, int] = {}
    for number, label in enumerate(doc.labels):
        groups[number] = groups.get(label.same_as, number) if label.same_as is not None else number
    told = []
    for one in drafts:
        group = next((groups[n] for n, label in enumerate(doc.labels) if _is(one, label)), None)
        if group is not None and one.confidence >= UNSURE:
            told.append((one, group))
    for (one, mine), (other, theirs) in combinations(told, 2):
        if not pairs.contradict(one, other):
            yield doc.id, pairs.features(one, other, encoder.same(one.vector, other.vector)), mine == theirs


def _is(one: Draft, label: data.Label) -> bool:
    start, end = label.trigger
    return label.section == one.section and start < one.telling.end and one.telling.start < end


def fit(found: Sequence[Pair]) -> tuple[dict[str, float], float]:
    """Pairs in, the weights by feature and the area under the curve on these pairs out."""
    names = [name for name in found[0][1] if name != "always"]
    count = Counter(doc for doc, _, _ in found)
    weight = [1 / math.sqrt(count[doc]) for doc, _, _ in found]
    values, one = [[values[name] for name in names] for _, values, _ in found], [same for _, _, same in found]
    model = LogisticRegression(max_iter=2000).fit(values, one, sample_weight=weight)
    weights = {name: round(float(w), 3) for name, w in zip(names, model.coef_[0], strict=True)}
    weights["always"] = round(float(model.intercept_[0]), 3)
    return weights, float(roc_auc_score(one, model.decision_function(values), sample_weight=weight))


def main() -> None:
    """Fit, write, print."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    files = [data.ROOT / f"train/labels/{name}.jsonl" for name in ("news", "releases")]
    docs = [
        doc for doc in data.labelled(data.corpus(), files)
        if data.part(doc.id) == "train" and len(doc.text) < LONGEST and any(label.same_as is not None for label in doc.labels)
    ]  # fmt: skip
    docs = [*sorted(docs, key=lambda doc: hashlib.sha256(doc.id.encode()).hexdigest())[:MOST], *data.held()]
    found = [pair for doc, drafts, encoder in drafted(docs) for pair in pairs_of(doc, drafts, encoder)]
    weights, area = fit(found)
    same = sum(one for _, _, one in found)
    about = (
        f"python -m train.reader.pairs: {len(found)} pairs ({same} of one happening) of {len(docs)} labelled articles and "
        f"releases, area under the curve there {area:.3f}. Card: docs/model-card.md"
    )
    pairs.FILE.write_text(json.dumps({"about": about, "least": LEAST, "weights": weights}, indent=1) + "\n", "utf-8")
    print(about)


if __name__ == "__main__":
    main()

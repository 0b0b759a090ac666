"""How sure a telling is: its shares and what stands around it in, the calibrated probability that it is an event out.

A logistic model over named features, fitted on labelled documents that the reader was not trained on
(train/reader/calibrate.py); its weights are in the model's reader.json, those for whole articles apart from those for single
sentences of news: in an article the topic and the place of a telling say more. Right means: an event of this type is told in
this sentence, and no surer telling of that sentence tells the same one. A bias for each type, the shares of roles and the
number of tellings in the sentence were tried: they help by .002 of F1 on those documents and hurt on other news. A bias for
each kind in whole articles: no help.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.detect.encoder import Encoder, probability
from pipeline.detect.telling import Telling

SUREST = 0.99
"""No reader is surer than this: of what was said at .95 and more .97 was right."""
FAR = 20
"""Sentences from the start of an article; from there on all count as equally far."""


def odds(share: float) -> float:
    """The log-odds of a share, bounded so that no single one decides."""
    share = min(0.999, max(0.001, share))
    return float(np.log(share / (1 - share)))


def features(encoder: Encoder, one: Telling, window: Sequence[Telling], topic: float) -> dict[str, float]:
    """A telling, the tellings of its window and the article's topic (log-odds) in, the features by name out."""
    topic = max(-4.0, min(4.0, topic))
    surer = [
        other for other in window
        if other is not one and other.sentence == one.sentence and other.type_share > one.type_share
    ]  # fmt: skip
    return {
        "always": 1.0,
        "type": odds(one.type_share),
        "main": odds(one.main),
        "modality": odds(one.modality_share),
        "topic": topic,
        "title": float(one.section == "title"),
        "late": min(max(one.sentence, 0), FAR) / FAR,
        "a surer one of its type": float(any(other.type == one.type for other in surer)),
        "the same as a surer one": max((encoder.same(one.vector, other.vector) for other in surer), default=0.0),
    }


def confidence(encoder: Encoder, values: Mapping[str, float], *, whole: bool) -> float:
    """Features, and whether the text is a whole article with a title, in; the calibrated probability out.

    A feature without a weight counts nothing.
    """
    weights = encoder.facts["calibration_whole" if whole else "calibration"]
    sure = probability(sum(weights.get(name, 0.0) * value for name, value in values.items()))
    return round(min(SUREST, sure), 3)

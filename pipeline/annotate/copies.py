"""A text in, its fingerprint out, to find copies of agency texts. The only importer of datasketch.

A fingerprint is small enough to be part of every event, so that the story tracker can tell ten copies of one agency's text
from ten independent reports.
"""

from __future__ import annotations

import re
from typing import Final

from datasketch import MinHash

PERMUTATIONS: Final = 32
SHINGLE_WORDS: Final = 4
FEWEST_WORDS: Final = 30
"""A text with fewer words is a flash or a caption: two of them may be alike without one being a copy."""

COPY: Final = 0.5
"""From this similarity on, two texts are copies of one: independent reports of one event share under a tenth of their four-word
sequences, while an agency text that was cut, retitled and given a local paragraph keeps well above half."""

_WORD = re.compile(r"\w+")


def fingerprint(text: str) -> tuple[int, ...]:
    """Return the MinHash of a text's four-word sequences: 32 numbers of 32 bits, or none if it has under 30 words."""
    words = [word.encode("utf-8", "surrogatepass") for word in _WORD.findall(text.casefold())]
    if len(words) < FEWEST_WORDS:
        return ()
    shingles = {b" ".join(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)}
    minhash = MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32")
    minhash.update_batch(sorted(shingles))
    return tuple(int(value) & 0xFFFFFFFF for value in minhash.digest())


def similar(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the estimated share, 0 to 1, of four-word sequences that the texts of two fingerprints have in common."""
    if not one or len(one) != len(other):
        return 0.0
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)

"""Wire copies: a text's fingerprint, and how alike two texts are by it. The only importer of datasketch.

A fingerprint is small enough to travel with every event, so that the story tracker can tell ten prints of one agency's text
from ten newsrooms that found the same thing out.
"""

from __future__ import annotations

import re
from typing import Final

from datasketch import MinHash

PERMUTATIONS: Final = 32
SHINGLE_WORDS: Final = 4
FEWEST_WORDS: Final = 30
"""Below this a text is a flash or a caption: two of them are alike without one being copied from the other."""

COPY: Final = 0.5
"""From this similarity on, two texts are prints of one: rewritten reports of one event share under a tenth of their
four-word sequences, while a wire story that was cut, retitled and given a local paragraph keeps well above half."""

_WORD = re.compile(r"\w+")


def fingerprint(text: str) -> tuple[int, ...]:
    """A text in, the MinHash of its four-word sequences out: 32 numbers of 32 bits, or nothing for under 30 words."""
    words = [word.encode("utf-8", "surrogatepass") for word in _WORD.findall(text.casefold())]
    if len(words) < FEWEST_WORDS:
        return ()
    shingles = {b" ".join(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)}
    minhash = MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32")
    minhash.update_batch(sorted(shingles))
    return tuple(int(value) & 0xFFFFFFFF for value in minhash.digest())


def similar(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Two fingerprints in, the estimated share of four-word sequences that their texts have in common out (0 to 1)."""
    if not one or len(one) != len(other):
        return 0.0
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)

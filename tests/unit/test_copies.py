"""Copies of one text, and independent reports of one event."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.annotate.copies import COPY, fingerprint, similar

WORDS = [
    "alpha",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliet",
    "kilo",
    "lima",
    "mike",
    "november",
    "oscar",
    "papa",
    "quebec",
]
STORY = " ".join(f"{a} {b}" for a in WORDS for b in WORDS)
OTHER = " ".join(f"{b} {a} x" for a in WORDS for b in WORDS)


def test_the_same_words_have_the_same_fingerprint_whatever_their_case_and_marks():
    assert fingerprint(STORY) == fingerprint(STORY.upper().replace(" ", ", "))
    assert similar(fingerprint(STORY), fingerprint(STORY)) == 1.0


def test_a_cut_and_retitled_text_is_a_copy_and_another_text_is_not():
    copy = (
        "A new headline by our own desk\n\n"
        + STORY[: len(STORY) * 4 // 5]
        + "\n\nReporting by our own correspondent in the city."
    )
    assert similar(fingerprint(STORY), fingerprint(copy)) >= COPY
    assert similar(fingerprint(STORY), fingerprint(OTHER)) < 0.3


def test_a_short_text_has_no_fingerprint_and_is_like_no_text():
    assert fingerprint("Explosion heard in central Kyiv, mayor says.") == ()
    assert similar((), ()) == 0.0
    assert similar(fingerprint(STORY), ()) == 0.0


@given(st.text(max_size=400))
def test_any_text_gives_32_numbers_of_32_bits_or_none(text):
    numbers = fingerprint(text)
    assert len(numbers) in (0, 32)
    assert all(0 <= number < 2**32 for number in numbers)

"""Windows: whole sentences behind the headline, and every piece knows where it stands."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pipeline.detect.windows import LONGEST_SENTENCE, PIECES, TITLE_PIECES, Windows
from tests.unit.detect import stub

TITLE = "Ghana accuses Togo"
TEXT = "Ghana accused Togo of smuggling fertilizer. Togo denied it. The African Union called for calm."


@pytest.fixture
def windows():
    return Windows(stub.Tokenizer())


def read(windows, window, title, text):
    """The pieces of a window as (section, letters in the article, whether a word begins)."""
    where = {"title": title, "text": text, None: title}
    return [
        (section, where[section][start:end], begins)
        for section, start, end, begins in zip(window.section, window.starts, window.ends, window.begins, strict=True)
    ]


def test_every_piece_stands_where_it_says(windows):
    (window,) = windows.cut(TITLE, TEXT, stub.sentences(TEXT))
    letters = [letters for _, letters, _ in read(windows, window, TITLE, TEXT)]
    assert letters[:7] == ["", "Ghana", "accuses", "Togo", "", "Ghana", "accused"]
    assert "".join(letters) == re.sub(r"\s", "", TITLE + TEXT)
    assert [windows._tokenizer.pieces[number] for number in window.ids if number > 1] == [one for one in letters if one]


def test_a_word_of_two_pieces_begins_once(windows):
    (window,) = windows.cut(TITLE, TEXT, stub.sentences(TEXT))
    word = [(letters, begins) for _, letters, begins in read(windows, window, TITLE, TEXT)]
    at = word.index(("smugglin", True))
    assert word[at : at + 4] == [("smugglin", True), ("g", False), ("fertiliz", True), ("er", False)]


def test_the_headline_stands_before_every_window_and_is_told_in_the_first_only(windows):
    text = f"{'word ' * 100}. " * 4
    made = list(windows.cut(TITLE, text, stub.sentences(text)))
    assert len(made) == 2
    for number, window in enumerate(made):
        head = read(windows, window, TITLE, text)[1:4]
        assert [letters for _, letters, _ in head] == ["Ghana", "accuses", "Togo"]
        assert {section for section, _, _ in head} == {None if number else "title"}
        assert window.types[:6] == [0, 1, 1, 1, 1, 0]


def test_windows_hold_whole_sentences_in_order_each_once(windows):
    text = " ".join(f"{'word ' * length}." for length in (90, 90, 40, 130, 3, 120, 70, 70))
    made = list(windows.cut(TITLE, text, stub.sentences(text)))
    assert len(made) > 3
    assert all(len(window) <= PIECES for window in made)
    held = [sorted({one for one in window.sentence if one >= 0}) for window in made]
    assert [one for each in held for one in each] == list(range(8))
    pieces = [sum(window.sentence.count(number) for window in made) for number in range(8)]
    assert pieces == [91, 91, 41, 131, 4, 121, 71, 71]


def test_a_window_takes_as_much_as_fits(windows):
    room = PIECES - 2
    text = f"{'word ' * 99}. {'word ' * (room - 101)}."
    assert [len(one) for one in windows.cut("", text, stub.sentences(text))] == [PIECES]
    text = f"{'word ' * 99}. {'word ' * (room - 100)}."
    assert len(list(windows.cut("", text, stub.sentences(text)))) == 2


def test_an_overlong_sentence_and_title_are_cut(windows):
    text = "word " * 1000
    (window,) = windows.cut("title " * 100, text, [(0, len(text))])
    assert window.section.count("title") == TITLE_PIECES
    assert window.section.count("text") == LONGEST_SENTENCE


def test_without_a_title_the_text_comes_first(windows):
    (window,) = windows.cut(" ", TEXT, stub.sentences(TEXT))
    assert window.section[1] == "text"
    assert set(window.types) == {0}


def test_a_title_alone_is_read_and_nothing_is_not(windows):
    (window,) = windows.cut(TITLE, "", [])
    assert window.section == [None, "title", "title", "title", None, None]
    assert list(windows.cut("", "", [])) == []
    assert list(windows.cut(" ", " \n ", [(0, 3)])) == []


def test_marks_belong_to_no_section_and_no_sentence(windows):
    (window,) = windows.cut(TITLE, TEXT, stub.sentences(TEXT))
    marks = [at for at, number in enumerate(window.ids) if number < 2]
    assert marks == [0, 4, len(window) - 1]
    assert all(window.section[at] is None and window.sentence[at] == -1 and not window.begins[at] for at in marks)


@pytest.fixture(scope="module")
def trained():
    """The tokenizer of the model that ships."""
    return Windows(Tokenizer.from_file(str(stub.MODEL / "tokenizer.json")))


def test_the_models_tokenizer_begins_a_piece_at_every_word(trained):
    text = "Zelenskyy’s test-fires don't\tcost $1.5bn; “Naïve” İstanbul — café."
    (window,) = trained.cut("", text, [(0, len(text))])
    begun = {start for start, begins in zip(window.starts, window.begins, strict=True) if begins}
    assert {match.start() for match in re.finditer(r"\w+", text)} <= begun
    covered = {at for a, b in zip(window.starts, window.ends, strict=True) for at in range(a, b)}
    assert covered == {at for at, letter in enumerate(text) if not letter.isspace()}


@settings(max_examples=60, deadline=None)
@given(title=st.text(max_size=60), parts=st.lists(st.text(max_size=80), max_size=6))
def test_pieces_stay_inside_their_sentence_whatever_the_text(trained, title, parts):
    text = "".join(parts)
    ends = [sum(map(len, parts[: n + 1])) for n in range(len(parts))]
    bounds = list(zip([0, *ends], ends, strict=False))
    for window in trained.cut(title, text, bounds):
        for section, start, end, sentence in zip(
            window.section, window.starts, window.ends, window.sentence, strict=True
        ):
            if section == "text":
                assert bounds[sentence][0] <= start <= end <= bounds[sentence][1]
            else:
                assert 0 <= start <= end <= len(title)

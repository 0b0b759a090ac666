"""Which encoding a page is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.page.decode import charset, text

WORDS = "Präsident Müller traf in Zürich Außenminister Ćosić."
RUSSIAN = "Президент России прибыл в Пекин с официальным визитом и провёл переговоры. " * 5


@pytest.mark.parametrize(
    ("body", "content_type", "wanted"),
    [
        (WORDS.encode(), "text/html", WORDS),
        (WORDS.encode(), "text/html; charset=iso-8859-1", WORDS),  # the server lies
        (WORDS.encode("cp1250"), "text/html; charset=windows-1250", WORDS),
        ("“Quoted” – £5".encode("cp1252"), "text/html; charset=ISO-8859-1", "“Quoted” – £5"),
        (b'<meta charset="koi8-r">' + RUSSIAN.encode("koi8-r"), "text/html", '<meta charset="koi8-r">' + RUSSIAN),
        (b"\xef\xbb\xbf" + WORDS.encode(), "", WORDS),
        (b"\xff\xfe" + WORDS.encode("utf-16-le"), "", WORDS),
        (RUSSIAN.encode("cp1251"), "text/html", RUSSIAN),
        (
            "日本語のニュース記事です。".encode("iso-2022-jp"),
            "text/html; charset=iso-2022-jp",
            "日本語のニュース記事です。",
        ),
    ],
)
def test_the_encoding_is_found(body, content_type, wanted):
    assert text(body, content_type) == wanted


def test_a_few_broken_bytes_do_not_cost_the_rest():
    body = (WORDS * 3).encode() + b"\xff\xfe" + WORDS.encode()[:-1] + "ü".encode()[:1]
    assert text(body).startswith(WORDS * 3)
    assert "\ufffd" in text(body)


@pytest.mark.parametrize(
    "name", ["text/html; charset=hex", "text/html; charset=no-such", "text/html; charset=idna", "text/html"]
)
def test_an_encoding_that_is_none_is_not_believed(name):
    assert charset(name) is None


@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_become_text_without_zeros(body, content_type):
    assert "\x00" not in text(body, content_type)

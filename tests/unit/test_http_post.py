"""The answer of a receiver, and what it means for a delivery."""

import urllib.error

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.notify import DeliveryError, RetryError
from pipeline.notify.http_post import HttpAnswer, retry_after_seconds
from tests.make import NOW
from tests.unit.wire import HOOK, Wire, make_channel, send


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_yes(status):
    send(make_channel(), Wire(HttpAnswer(status)))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 599])
def test_some_answers_ask_to_try_again(status):
    with pytest.raises(RetryError, match=str(status)):
        send(make_channel(), Wire(HttpAnswer(status)))


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 410, 413, 422])
def test_other_answers_are_final_redirects_among_them(status):
    with pytest.raises(DeliveryError, match=str(status)):
        send(make_channel(), Wire(HttpAnswer(status)))


def test_retry_after_is_passed_on():
    with pytest.raises(RetryError) as caught:
        send(make_channel(), Wire(HttpAnswer(503, "7")))
    assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0), ("120", 120), (" 5 ", 5), ("", None), ("soon", None), ("-3", None), ("1.5", None), ("٣", None),
        ("Tue, 14 May 2024 09:01:00 GMT", 60), ("Tue, 14 May 2024 08:00:00 GMT", 0), ("Tue, 99 May 2024 08:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_breaks(value):
    assert (retry_after_seconds(value, NOW) or 0) >= 0


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError("timed out"),
        urllib.error.URLError(OSError(-2, f"Name or service not known: {HOOK}")),
        urllib.error.URLError("unknown url"),
        ConnectionResetError(),
    ],
)
def test_what_the_network_does_is_a_reason_to_try_again(error):
    with pytest.raises(RetryError, match="no answer"):
        send(make_channel(), Wire(error))


@pytest.mark.parametrize(
    "answer", [HttpAnswer(500), HttpAnswer(404), OSError(5, "I/O error"), urllib.error.URLError("x")]
)
def test_no_error_names_the_address(answer):
    with pytest.raises((RetryError, DeliveryError)) as caught:
        send(make_channel(), Wire(answer))
    assert "secret-path-9" not in str(caught.value)

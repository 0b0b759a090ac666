"""One record, one outcome."""

import pytest
from prometheus_client import REGISTRY

from pipeline import stage
from pipeline.records import RecordError

SOURCE = stage.Source("news.articles", 2, 41, b"key", b"raw bytes")


def counted(outcome, reason=""):
    labels = {"stage": "test", "outcome": outcome, "reason": reason}
    return REGISTRY.get_sample_value("dateline_records_total", labels) or 0.0


def test_a_block_that_ends_well_is_counted_ok_once():
    before = counted("ok")
    with stage.recorded("test", SOURCE) as outcome:
        pass
    assert (outcome.name, outcome.failure) == ("ok", None)
    assert counted("ok") == before + 1


def test_a_rejected_record_keeps_its_reason_and_makes_no_failure():
    before = counted("rejected", "empty")
    with stage.recorded("test", SOURCE) as outcome:
        raise stage.Rejected("empty")
    assert (outcome.name, outcome.reason, outcome.failure) == ("rejected", "empty", None)
    assert counted("rejected", "empty") == before + 1


def test_an_error_becomes_a_failure_that_holds_the_bytes_and_the_place():
    before = counted("quarantined")
    with stage.recorded("test", SOURCE) as outcome:
        raise RecordError("event: $.url is missing")
    failure = outcome.failure
    assert failure is not None
    assert (failure.topic, failure.partition, failure.offset) == ("news.articles", 2, 41)
    assert (failure.raw, failure.key, failure.stage) == (b"raw bytes", b"key", "test")
    assert failure.error == "event: $.url is missing"
    assert "RecordError" in failure.traceback
    assert counted("quarantined") == before + 1


def test_the_same_failure_has_the_same_id_each_time():
    """So a record that fails again after a restart is in quarantine once."""
    now = stage.dt.datetime(2026, 1, 1, tzinfo=stage.dt.UTC)
    first = stage.failure("test", SOURCE, ValueError("a"), now=now)
    again = stage.failure("test", SOURCE, ValueError("b"), now=now)
    other = stage.failure("test", stage.Source("news.articles", 2, 42, b"key", b"raw bytes"), ValueError("a"), now=now)
    assert first.id == again.id != other.id


def test_a_reason_outside_the_closed_list_is_a_programming_error():
    with pytest.raises(ValueError, match="unknown reason 'whatever'"):
        stage.Rejected("whatever")


def test_a_cancelled_block_is_no_outcome():
    """Being told to stop is not the record's fault: nothing is counted, the signal goes on."""
    before = counted("ok"), counted("quarantined")
    with pytest.raises(KeyboardInterrupt), stage.recorded("test", SOURCE):
        raise KeyboardInterrupt
    assert (counted("ok"), counted("quarantined")) == before

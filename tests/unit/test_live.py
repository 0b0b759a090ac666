import io

from rich.console import Console

from pipeline import bus
from pipeline.cli import screen
from pipeline.metrics import MetricSample
from pipeline.operate import live, probe
from pipeline.records import encode
from pipeline.settings import Settings
from tests.make import make_alert, make_meeting, make_sanctions


def answer(name="worker", **counts):
    """A process that has so many records of `stage_outcome`."""
    samples = []
    for key, value in counts.items():
        stage, _, outcome = key.partition("_")
        samples.append(
            MetricSample("dateline_records_total", {"stage": stage, "outcome": outcome, "reason": ""}, value)
        )
    return probe.ProcessState(name, "h:1", up=True, ready=True, detail={}, samples=tuple(samples))


def rows(counters, now=0.0):
    return {count.stage: count for count in counters.counts(now)}


def test_counts_go_on_when_a_process_starts_again_from_nothing():
    counters = live.Counters()
    for value in (3, 10, 2, 5):
        counters.add(answer(detect_ok=value))
    assert rows(counters)["detect"].ok == 15


def test_two_reasons_of_one_outcome_are_added_up():
    counters = live.Counters()
    samples = tuple(
        MetricSample("dateline_records_total", {"stage": "extract", "outcome": "rejected", "reason": reason}, 2)
        for reason in ("empty", "too_short")
    )
    counters.add(probe.ProcessState("worker", "h:1", True, True, {}, samples))
    assert rows(counters)["extract"].rejected == 4


def test_the_rate_is_of_the_last_seconds_and_retries_are_no_records():
    counters = live.Counters()
    rate = 0.0
    for second in range(61):
        counters.add(
            answer(index_ok=second * 10 if second <= 30 else 300 + (second - 30) * 2, index_retried=second * 99)
        )
        rate = rows(counters, float(second))["index"].per_second
    assert rate == 2.0


def test_every_stage_has_its_row_before_anything_happens_and_a_new_one_appears_when_it_does():
    counters = live.Counters()
    assert tuple(rows(counters)) == live.STAGES
    counters.add(answer(recover_ok=1))
    assert tuple(rows(counters)) == (*live.STAGES, "recover")


def test_lag_is_summed_by_group():
    samples = tuple(
        MetricSample("dateline_consumer_lag_records", {"group": "dateline-worker", "topic": "t", "partition": p}, 2.0)
        for p in "01"
    )
    assert live.lag_by_group([probe.ProcessState("worker", "h:1", samples=samples)]) == {"dateline-worker": 4}


# --- the screen ------------------------------------------------------------------------------------------------------


def console(width=120, height=30):
    return Console(file=io.StringIO(), width=width, height=height, highlight=False)


def view(**changes):
    counters = live.Counters()
    counters.add(answer(detect_ok=12, detect_quarantined=1, index_ok=40))
    fields = {
        "seconds": 65.0,
        "processes": (answer(), probe.ProcessState("indexer", "h:2")),
        "counts": counters.counts(0.0),
        "published": {"news.articles": 12, "news.events": 7},
        "lag": {"dateline-indexer": 3},
        "events": (make_meeting(), make_sanctions()),
        "alerts": (make_alert(),),
    }
    return live.View(**fields | changes)


def test_the_page_fits_its_terminal_with_few_and_with_many_events():
    for height in (20, 30, 50):
        for number in (0, 1, 100):
            out = console(height=height)
            many = view(events=(make_meeting(),) * number, alerts=(make_alert(),) * number)
            out.print(screen.page(many, height=height, addresses=(("Kafka", "h:9"),), messages=("a", "b")))
            lines = out.file.getvalue().splitlines()
            assert len(lines) < max(height, 23), (height, number, len(lines))
            assert all(len(line) <= 120 for line in lines)


def test_the_page_shows_numbers_states_and_the_newest_first():
    out = console(height=40)
    out.print(screen.page(view(), height=40, addresses=(("Kafka", "h:9"),)))
    text = out.file.getvalue()
    for expected in ("0:01:05", "Kafka", "h:9", "12", "down", "ready", make_alert().headline):
        assert expected in text
    assert text.index(make_sanctions().evidence[:20]) < text.index(make_meeting().evidence[:20])


def test_plain_lines_tell_events_alerts_and_notes_each_on_one_line():
    out = console(width=40)
    plain = screen.PlainScreen(out)
    plain.message("worker stopped")
    plain.record(make_meeting())
    plain.record(make_alert())
    lines = out.file.getvalue().splitlines()
    assert len(lines) == 3
    assert make_meeting().evidence in lines[1]
    assert "ALERT" in lines[2]


def test_plain_summaries_come_at_intervals_and_only_when_something_changed(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(screen.time, "monotonic", lambda: clock[0])
    out = console()
    plain = screen.PlainScreen(out)
    for _ in range(100):
        clock[0] += 1
        plain.draw(view())
    assert out.file.getvalue().count("12 articles") == 1
    clock[0] += 10
    plain.draw(view(published={"news.articles": 13}))
    assert "13 articles" in out.file.getvalue()


def test_plain_progress_is_told_by_tenths():
    out = console()
    plain = screen.PlainScreen(out)
    for done in range(0, 100_000_001, 1_000_000):
        plain.progress("downloading", done, 100_000_000)
    assert len(out.file.getvalue().splitlines()) == 11


def test_the_summary_names_who_is_behind_and_who_is_not_ready():
    text = screen.summary(view())
    assert "12 articles, 12 read, 7 events" in text
    assert "1 in quarantine" in text
    assert "behind: indexer 3" in text
    assert "not ready: indexer" in text


def test_an_alert_that_was_held_back_is_not_shown():
    seen = []
    watcher = live.Watcher(Settings(), on_record=seen.append)
    for alert in (make_alert(id="held", held="muted", channels=()), make_alert(id="rang")):
        watcher._add(bus.Message(bus.ALERTS, 0, 0, b"", encode(alert), 0))
    assert [alert.id for alert in seen] == ["rang"]

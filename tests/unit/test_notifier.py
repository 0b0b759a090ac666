"""The notifier: channels that start, change and stop; readiness and lag."""

import pytest

from pipeline import bus
from pipeline.alert.rules import Channel, RuleSet
from pipeline.notify import RetryError, notifier
from pipeline.notify.delivery import ShutdownError
from pipeline.notify.notifier import ChannelPool, readiness
from pipeline.settings import Settings, SettingsError
from tests.unit.test_delivery import Sink, Stop, make_delivery, message
from tests.waiting import wait_until

# --- readiness -------------------------------------------------------------------------------------------------------


def test_a_waiting_channel_is_ready_and_says_what_it_waits_for():
    delivery = make_delivery(Sink(RetryError("the receiver answered 503")), stop=Stop(at=1))
    delivery.progress.assigned, delivery.progress.polled_at = 4, 10.0**12
    with pytest.raises(ShutdownError):
        delivery.handle([message()])
    good, detail = readiness([delivery])
    assert good
    assert detail["channels"]["hook"]["problem"] == "the receiver answered 503"


def test_a_channel_without_partitions_is_not_ready():
    good, _ = readiness([make_delivery(Sink())])
    assert not good


def test_a_notifier_without_channels_is_ready():
    assert readiness([])[0]


# --- channels that come, change and go -------------------------------------------------------------------------------


@pytest.fixture
def pool(monkeypatch, tmp_path):
    """A pool whose channels only record that they run; they do not read Kafka."""
    working = []

    def deliver_alerts(_settings, delivery, stop):
        working.append(delivery.channel)
        stop.wait(20)
        working.remove(delivery.channel)

    monkeypatch.setattr(notifier, "deliver_alerts", deliver_alerts)
    pool = ChannelPool(Settings(directory=str(tmp_path)), lambda _key, _value: None)
    pool.working = working
    yield pool
    pool.close()
    assert working == []


def channels(**urls):
    found = {name: Channel(name=name, type="webhook", url=url) for name, url in urls.items()}
    return RuleSet(rules=(), channels=found)


def urls(pool):
    return sorted(channel.url for channel in pool.working)


def test_channels_come_change_and_go_and_the_others_notice_nothing(pool):
    pool.connect(channels(a="http://a/", b="http://b/"))
    assert pool.working == []
    pool.start()
    wait_until(lambda: urls(pool) == ["http://a/", "http://b/"], 10)
    kept = next(delivery for delivery in pool.deliveries if delivery.channel.name == "a")
    pool.connect(channels(a="http://a/", b="http://b2/", c="http://c/"))
    wait_until(lambda: urls(pool) == ["http://a/", "http://b2/", "http://c/"], 10)
    pool.connect(channels(a="http://a/"))
    wait_until(lambda: urls(pool) == ["http://a/"], 10)
    assert pool.deliveries == [kept]


def test_a_channel_that_cannot_be_used_changes_nothing(pool):
    pool.connect(channels(a="http://a/"))
    pool.start()
    bad = RuleSet(rules=(), channels={"b": Channel(name="b", type="webhook", url_file="absent")})
    with pytest.raises(SettingsError, match="absent cannot be read"):
        pool.connect(bad)
    assert [delivery.channel.name for delivery in pool.deliveries] == ["a"]


def test_a_secret_that_changed_is_taken_when_it_is_asked_for(pool, tmp_path):
    (tmp_path / "url").write_text("http://one/", "utf-8")
    found = RuleSet(rules=(), channels={"a": Channel(name="a", type="webhook", url_file="url")})
    pool.connect(found)
    [first] = pool.deliveries
    (tmp_path / "url").write_text("http://two/", "utf-8")
    pool.connect(found)
    assert pool.deliveries == [first]
    pool.connect(found, read_secrets=True)
    assert pool.deliveries != [first]
    [second] = pool.deliveries
    pool.connect(found, read_secrets=True)
    assert pool.deliveries == [second]


def test_the_topic_of_alerts_itself_needs_no_sender_and_another_topic_does(pool):
    own = Channel(name="k", type="kafka")
    other = Channel(name="t", type="kafka", topic="desk.alerts")
    pool.connect(RuleSet(rules=(), channels={"k": own, "t": other}))
    assert [delivery.channel.name for delivery in pool.deliveries] == ["t"]


# --- lag -------------------------------------------------------------------------------------------------------------


class Observer:
    """A broker that knows one group."""

    def lags(self, groups):
        return [bus.Lag(name, bus.ALERTS, 0, None, 5, 5) for name in groups if name == "dateline-notifier-hook"]


def test_the_lag_of_each_channel_is_told_and_one_that_has_not_begun_hides_no_other():
    assert notifier.lag_rows(Observer(), ["new", "hook"]) == [("dateline-notifier-hook", bus.ALERTS, 0, 5)]


def test_what_a_channel_has_never_committed_counts_as_lag():
    assert bus.topics.read_by("dateline-notifier-hook") == (bus.ALERTS,)
    assert bus.topics.read_by("somebody-else") == ()

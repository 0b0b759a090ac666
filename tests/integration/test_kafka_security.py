"""TLS, SASL, mutual TLS and access control lists on a real Kafka: what each process may do, and what nobody may."""

import threading

import msgspec
import pytest
import trustme

from pipeline import bus
from pipeline.bus import topics
from pipeline.operate import quarantine
from pipeline.records import encode
from pipeline.worker import faust_app
from tests.integration import secure_kafka
from tests.make import make_failure

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    with secure_kafka.started(tmp_path_factory.mktemp("secure")) as found:
        assert set(bus.create_topics(found.by_password("setup"))) == set(bus.TOPICS), "setup may create the topics"
        yield found


@pytest.fixture
def impatient(monkeypatch):
    """Clients of a broker that lets them not in give up after a second: they would try for ten."""
    patient = topics.connection
    monkeypatch.setattr(topics, "connection", lambda settings: patient(settings) | {"bootstrap_timeout_ms": 1000})


def publish(settings, topic, value, **options):
    publisher = bus.Publisher(settings, **options)
    try:
        if options:
            with publisher.transaction():
                publisher.send(topic, b"key", value)
        else:
            publisher.send(topic, b"key", value)
            publisher.flush()
    finally:
        publisher.close()


def values(settings, topic):
    return [message.value for message in bus.read_all(settings, topic)]


def consume(settings, topic, group):
    """Read with a group until one record has come and is committed; its topic."""
    seen, stop = [], threading.Event()
    timer = threading.Timer(60, stop.set)
    timer.start()
    try:
        bus.consume(
            settings, topics=(topic,), group=group, stop=stop, wait_seconds=0.1,
            handle=lambda messages: (seen.extend(messages), stop.set()),
        )  # fmt: skip
    finally:
        timer.cancel()
    return {message.topic for message in seen}


@pytest.mark.parametrize("way", ["by_password", "by_certificate"])
def test_what_one_process_writes_as_its_own_user_another_reads_as_its(kafka, way):
    value, user = way.encode(), getattr(kafka, way)
    publish(user("collector"), bus.FEEDS, value, transactional_id="dateline-collector-1")
    publish(user("worker"), bus.DOCUMENTS, value)
    publish(user("worker"), bus.ALERTS, value)
    publish(user("console"), bus.FEEDBACK, value)
    assert value in values(user("collector"), bus.FEEDS)
    assert value in values(user("console"), bus.DOCUMENTS)
    assert value in values(user("worker"), bus.FEEDBACK)
    assert consume(user("indexer"), bus.DOCUMENTS, bus.INDEXER_GROUP) == {bus.DOCUMENTS}
    assert consume(user("notifier"), bus.ALERTS, f"{bus.NOTIFIER_GROUP}-desk") == {bus.ALERTS}
    assert all(lag.records == 0 for lag in bus.lags(user("indexer"), [bus.INDEXER_GROUP]) if lag.topic == bus.DOCUMENTS)


@pytest.mark.parametrize("way", ["by_password", "by_certificate"])
async def test_fausts_client_logs_in_by_password_and_by_certificate(kafka, way):
    app = faust_app.create_app(getattr(kafka, way)("worker"))
    value = f"faust {way}".encode()
    try:
        await faust_app.send(faust_app.bytes_topic(app, bus.EVENTS), b"key", value, None)
    finally:
        await app.producer.stop()
    assert value in values(kafka.by_password("indexer"), bus.EVENTS)


@pytest.mark.parametrize(
    ("name", "topic"),
    [("collector", bus.EVENTS), ("worker", bus.ARTICLES), ("indexer", bus.STORIES), ("notifier", bus.ALERTS), ("console", bus.ALERTS), ("keda", bus.ARTICLES)],
)  # fmt: skip
def test_no_process_writes_to_a_topic_of_another(kafka, name, topic):
    with pytest.raises(bus.BusError, match="(?i)authorization"):
        publish(kafka.by_password(name), topic, b"forged")
    assert b"forged" not in values(kafka.settings, topic)


def test_no_process_reads_what_it_does_not_need_or_takes_the_place_of_another(kafka):
    publish(kafka.by_password("worker"), bus.DOCUMENTS, b"a document")  # nothing is fetched from an empty topic
    with pytest.raises(Exception, match="(?i)authorization"):
        values(kafka.by_password("notifier"), bus.DOCUMENTS)
    with pytest.raises(Exception, match="(?i)authorization"):
        consume(kafka.by_password("console"), bus.DOCUMENTS, bus.INDEXER_GROUP)
    with pytest.raises(bus.BusError, match="ClusterAuthorizationFailed: this user may not alter the cluster"):
        bus.grant(kafka.by_password("setup"), "User:{process}")


def test_setup_keeps_the_topics_as_configured_and_the_indexer_sees_the_cluster_with_its_disks(kafka):
    setup = kafka.by_password("setup")
    shorter = msgspec.structs.replace(setup, kafka=msgspec.structs.replace(setup.kafka, retention_days=5))
    assert f"{bus.ARTICLES} retention.ms={5 * 86_400_000}" in bus.update_topics(shorter)
    with pytest.raises(bus.BusError, match="(?i)authorization"):
        bus.update_topics(kafka.by_password("worker"))
    found = bus.cluster(kafka.by_password("indexer"))
    assert found.brokers == 1
    assert found.disks
    assert not bus.cluster(kafka.by_password("worker")).disks, "it has no business with them"


def test_an_operator_sends_again_what_failed_sets_a_group_back_and_brings_articles_of_the_past(kafka):
    user, failure = kafka.by_password("operator"), make_failure(topic=bus.ARTICLES, raw=b"read me again")
    publish(kafka.by_password("worker"), bus.QUARANTINE, encode(failure))
    [open_] = [one for one in quarantine.read(user) if one.id == failure.id]
    assert [result.problem for result in quarantine.retry(user, [open_])] == [""]
    assert b"read me again" in values(kafka.by_password("worker"), bus.ARTICLES)
    publish(kafka.by_password("worker"), bus.DOCUMENTS, b"a document")
    bus.reset(user, bus.INDEXER_GROUP, bus.READS[bus.INDEXER_GROUP])
    assert consume(kafka.by_password("indexer"), bus.DOCUMENTS, bus.INDEXER_GROUP) == {bus.DOCUMENTS}
    publish(user, bus.BACKFILL, b"an old article", transactional_id="dateline-backfill-1")
    assert bus.lags(user)
    assert bus.cluster(user).disks


def test_a_wrong_password_is_refused_and_the_message_has_no_secret(kafka, impatient):
    with pytest.raises(bus.BusError) as caught:
        bus.create_topics(kafka.by_password("worker", password="guessed-s3cret"))
    assert "s3cret" not in str(caught.value)


def test_nobody_gets_in_without_a_certificate_of_the_authority(kafka, impatient):
    other = trustme.CA().issue_cert("worker.test", common_name="dateline-worker")
    forged = str(secure_kafka.pem(kafka.directory, "forged", other))
    for wrong in ({"certificate_file": "", "key_file": ""}, {"certificate_file": forged, "key_file": forged}):
        with pytest.raises(bus.BusError):
            bus.create_topics(kafka.by_certificate("worker", **wrong))


def test_a_broker_with_a_certificate_of_another_authority_is_not_trusted(kafka, impatient):
    stranger = kafka.directory / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    with pytest.raises(bus.BusError):
        bus.create_topics(kafka.by_password("worker", ca_file=str(stranger)))


@pytest.mark.parametrize("pattern", ["dateline-{process}", "User:dateline"])
def test_a_pattern_of_principals_that_names_no_process_is_refused(kafka, pattern):
    with pytest.raises(bus.BusError, match=r"must begin with User: and contain \{process\}"):
        bus.grant(kafka.settings, pattern)


def test_a_kafka_without_access_control_says_what_its_brokers_need(stack):
    with pytest.raises(bus.BusError, match=r"this Kafka has no access control; its brokers need authorizer.class.name"):
        bus.grant(stack, "User:dateline-{process}")

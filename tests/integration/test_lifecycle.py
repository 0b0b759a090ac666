"""Retention, rollover, snapshots and restores on a real Elasticsearch; the documents' commands for snapshots are run here."""

import datetime as dt
import threading

import msgspec
import pytest
from prometheus_client import REGISTRY

from pipeline import bus
from pipeline.index import bulk, client, errors, lifecycle, snapshots, upkeep
from pipeline.records import encode
from pipeline.settings import Retention, Snapshots
from tests.documents import blocks, run
from tests.make import make_event, make_failure

pytestmark = pytest.mark.integration

DAY = dt.timedelta(days=1)


def now():
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def settings(stack, request):
    prefix = f"t{abs(hash(request.node.name)) % 10**6}"
    elastic = msgspec.structs.replace(stack.elasticsearch, index_prefix=prefix, refresh_seconds=0.05)
    repository = Snapshots(repository=prefix, location=prefix, keep=2)
    mine = msgspec.structs.replace(stack, elasticsearch=elastic, snapshots=repository)
    client.prepare(mine)
    return mine


def write(settings, topic, *records):
    """Index records as the indexer does."""
    es, failed = client.connect(settings), []
    try:
        writer = bulk.BulkWriter(settings, client.ElasticsearchServer(es, settings), failed.extend, threading.Event())
        writer.handle([bus.Message(topic, 0, n, None, encode(one), 0) for n, one in enumerate(records)])
    finally:
        es.close()
    assert failed == []


def events(*days_ago):
    return [make_event(evidence=f"e{days}", first_seen_at=now() - days * DAY) for days in days_ago]


def count(settings, name="events"):
    return client.counts(settings)[f"{settings.elasticsearch.index_prefix}-{name}"]


def retained(settings, **retention):
    return msgspec.structs.replace(settings, retention=Retention(**retention))


def test_an_old_index_is_removed_and_the_alias_stays_with_the_rest(settings):
    write(settings, bus.EVENTS, *events(1, 2, 200, 201))
    old = make_failure(id="old", failed_at=now() - 150 * DAY)
    write(retained(settings, failures_days=0), bus.QUARANTINE, make_failure(id="new", failed_at=now()), old)
    assert (count(settings), count(settings, "failures")) == (4, 2)
    assert lifecycle.keep_in_bounds(settings, now=now())[0].name == "failures", "90 days by default"
    assert (count(settings), count(settings, "failures")) == (4, 1)

    bounded = retained(settings, events_days=100)
    steps = lifecycle.keep_in_bounds(bounded, now=now())
    assert {(step.action, step.reason) for step in steps} == {("delete", "age")}
    assert count(settings) == 2
    assert lifecycle.keep_in_bounds(bounded, now=now()) == ()
    write(bounded, bus.EVENTS, *events(0, 200))
    assert count(settings) == 3, "what is older than the retention does not come back"
    write(settings, bus.EVENTS, *events(200))
    assert count(settings) == 4, "without a retention it does"


def test_a_large_index_gets_a_successor_and_an_item_that_comes_again_stays_where_it_was(settings):
    write(settings, bus.EVENTS, *events(0))
    tiny = retained(settings, index_gb=1e-8)
    moment = min(now(), now().replace(day=28, hour=20))  # the last hour of a month has no successor
    [step] = lifecycle.plan(lifecycle.inspect(tiny), tiny, now=moment)
    lifecycle.carry_out(tiny, [step])
    lifecycle.carry_out(tiny, [step])  # as another indexer does at the same time
    assert lifecycle.plan(lifecycle.inspect(tiny), tiny, now=moment) == ()
    start = next(one.start for one in lifecycle.inspect(tiny) if one.index == step.index)
    es = client.connect(settings)
    try:
        found = client.places_of(es, settings)
    finally:
        es.close()
    assert found.index("events", start + DAY / 1440) == step.index
    assert found.index("events", start - DAY / 1440) != step.index
    write(settings, bus.EVENTS, *events(0))
    assert sum(one.documents for one in lifecycle.inspect(settings)) >= 1


def test_beyond_the_size_of_all_the_oldest_index_goes(settings):
    write(settings, bus.EVENTS, *events(0, 40, 80, 120))
    before = [one.index for one in lifecycle.inspect(settings)]
    steps = lifecycle.keep_in_bounds(retained(settings, total_gb=1e-9), now=now())
    assert [step.index for step in steps] == [index for index in before if f"{now():%Y.%m}" not in index]
    assert count(settings) == 1, "the index of today stays, however little is allowed"


def test_a_snapshot_brings_back_what_was_lost_and_keeps_what_is_there(settings):
    write(settings, bus.EVENTS, *events(0, 40))
    name = snapshots.take(settings, now=now())
    whole = client.latest(settings, 10)
    lost = next(one.index for one in lifecycle.inspect(settings) if f"{now():%Y.%m}" not in one.index)
    with client.opened(settings) as es:
        es.indices.delete(index=lost)
    assert count(settings) == 1
    chosen, restored = snapshots.restore(settings)
    assert (chosen.name, restored) == (name, (lost,))
    assert client.latest(settings, 10) == whole, "by the alias, so it was restored too"

    write(settings, bus.EVENTS, make_event(evidence="newer", first_seen_at=now()))
    assert snapshots.restore(settings, name) == (chosen, ())
    assert count(settings) == 3
    snapshots.restore(settings, name, replace=True)
    assert count(settings) == 2
    with pytest.raises(snapshots.SnapshotError, match="no complete snapshot nope"):
        snapshots.restore(settings, "nope")


def test_a_restore_is_tried_beside_the_index_and_leaves_nothing(settings):
    write(settings, bus.EVENTS, *events(0, 40))
    snapshots.take(settings, now=now())
    write(settings, bus.EVENTS, *events(1))
    chosen, counts = snapshots.check(settings)
    assert len(chosen.indices) == len(counts)
    assert sum(one.restored for one in counts) == 2
    assert sum(one.live for one in counts) == 3
    with client.opened(settings) as es:
        assert not [
            i
            for i in es.indices.get_alias(index=f"{settings.elasticsearch.index_prefix}-*").body
            if snapshots.CHECK in i
        ]


def test_snapshots_are_taken_when_they_are_due_and_only_the_newest_are_kept(settings):
    write(settings, bus.EVENTS, *events(0))
    names = []
    for day in range(4):
        names.append(snapshots.keep(settings, now=now() + day * DAY))
        complete(settings, names[-1])
        assert snapshots.keep(settings, now=now()) == "", "a day has not passed"
    assert all(names)
    assert len(set(names)) == 4
    deadline = now() + DAY / 1440
    while len(snapshots.listed(settings)) > 2 and now() < deadline:
        pass
    assert [one.name for one in snapshots.listed(settings)] == names[-2:]


def complete(settings, name):
    deadline = now() + DAY / 1440
    while now() < deadline:
        if [one for one in snapshots.listed(settings) if one.name == name and one.state == "SUCCESS"]:
            return
    raise AssertionError(f"{name} is not complete")


def test_a_location_that_the_server_does_not_allow_is_named(settings):
    wrong = msgspec.structs.replace(settings, snapshots=Snapshots(repository="wrong", location="/nowhere/at/all"))
    with pytest.raises(snapshots.SnapshotError, match=r"snapshots.location '/nowhere/at/all'; is it below path.repo"):
        snapshots.take(wrong, now=now())


def test_a_policy_of_ilm_on_a_server_without_ilm_is_refused_with_its_name(settings):
    elastic = msgspec.structs.replace(settings.elasticsearch, ilm_policy="tiers")
    with pytest.raises(errors.RefusedError, match="lifecycle"):
        client.prepare(msgspec.structs.replace(settings, elasticsearch=elastic))


def test_the_tasks_of_an_indexer_run_on_real_servers(settings):
    bus.create_topics(settings)
    for task in upkeep.tasks(settings):
        task.work()


def test_a_replica_without_a_node_is_what_the_alert_rules_look_for(settings):
    def value(name, **labels):
        return REGISTRY.get_sample_value(name, labels)

    upkeep.observe_elasticsearch(settings)
    before = value("dateline_elasticsearch_shards", state="unassigned")
    with client.opened(settings) as es:
        lonely = f"{settings.elasticsearch.index_prefix}-lonely"
        es.indices.create(index=lonely, settings={"number_of_replicas": 1}, wait_for_active_shards=1)
        upkeep.observe_elasticsearch(settings)
        assert value("dateline_elasticsearch_shards", state="unassigned") == before + 1
        assert value("dateline_elasticsearch_status", status="yellow") == 1
        es.indices.delete(index=lonely)
    upkeep.observe_elasticsearch(settings)
    assert value("dateline_elasticsearch_shards", state="unassigned") == before
    assert value("dateline_disk_free_bytes", server="elasticsearch", node=node(settings)) > 0


def node(settings):
    with client.opened(settings) as es:
        [one] = es.nodes.info(filter_path="nodes.*.name").body["nodes"].values()
        return one["name"]


@pytest.mark.parametrize("block", blocks("run: snapshots"), ids=str)
def test_the_documents_commands_for_snapshots_run(settings, block, tmp_path):
    write(settings, bus.EVENTS, *events(0))
    snapshots.take(settings, now=now())
    local = settings.local
    environ = {
        "DATELINE_ELASTICSEARCH_INDEX_PREFIX": settings.elasticsearch.index_prefix,
        "DATELINE_LOCAL_ELASTICSEARCH_PORT": str(local.elasticsearch_port),
        "DATELINE_SNAPSHOTS_REPOSITORY": settings.snapshots.repository,
        "DATELINE_SNAPSHOTS_LOCATION": settings.snapshots.location,
    }
    run(block, tmp_path, environ=environ)

"""Which collector a feed belongs to."""

from collections import Counter

import pytest

from pipeline import bus
from pipeline.collect.sharding import OwnedPartitions, decode_states, newest_values, partition_of
from pipeline.collect.writer import Batch, LostError
from pipeline.records import FeedState, encode
from pipeline.settings import Settings


def message(key, value, at, partition=0):
    return bus.Message(bus.FEEDS, partition, 0, key, value, at)


def test_feeds_of_one_site_are_together_whatever_host_they_are_on():
    urls = ["https://feeds.paper.co.uk/world", "http://www.paper.co.uk/rss?x=1", "https://paper.co.uk/story"]
    assert len({partition_of(url, 64) for url in urls}) == 1


def test_addresses_without_a_name_are_shared_by_host_and_port_and_files_by_their_path():
    ports = {partition_of(f"http://127.0.0.1:{port}/rss", 4) for port in range(8000, 8040)}
    files = {partition_of(f"file:{number}.xml", 4) for number in range(40)}
    assert ports == files == {0, 1, 2, 3}


def test_sites_spread_evenly_and_always_the_same_way():
    counts = Counter(partition_of(f"https://site{number}.example/rss", 8) for number in range(4000))
    assert min(counts.values()) > 400
    assert partition_of("https://www.example.org/rss", 16) == 5


def test_of_a_feed_that_moved_to_another_partition_the_newer_state_counts():
    messages = [message(b"a", b"new", 20), message(b"b", b"x", 5), message(b"a", b"old", 10, partition=1)]
    messages += [message(b"b", None, 6), message(None, b"?", 7)]
    assert newest_values(messages) == {b"a": b"new"}


def test_a_state_that_cannot_be_read_counts_as_unknown():
    good = FeedState(id="a", url="https://a.example/")
    assert decode_states({b"a": encode(good), b"b": b"{"}) == {"a": good}


async def test_without_its_part_nothing_is_written_for_a_feed():
    owned = OwnedPartitions(Settings(), 4, lambda _: True)
    with pytest.raises(LostError):
        await owned.put(Batch(FeedState(id="a", url="https://a.example/")))


def test_a_site_of_another_part_is_asked_at_this_collectors_share_of_the_limit():
    owned = OwnedPartitions(Settings(), 4, lambda _: True)
    ours = "https://a.example/"
    partition = owned.partition(ours)
    owned._writers = {partition: None, (partition + 1) % 4: None}
    foreign = next(url for n in range(99) if owned.partition(url := f"https://s{n}.example/") not in owned.held)
    assert owned.interval_factor(ours) == 1.0
    assert owned.interval_factor(foreign) == 2.0

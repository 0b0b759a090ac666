"""feeds.toml is read again while the collector runs, and a file with an error changes nothing."""

import pytest

from pipeline.collect import feeds
from pipeline.collect.feeds_watch import FeedsWatch
from pipeline.records import Feed
from pipeline.settings import Settings, SettingsError

ONE = '# mine\n[[feed]]\nid = "one"\nurl = "https://one.example/rss"  # the first\n'
TWO = '\n# the other\n[[feed]]\nid = "two"\nurl = "https://two.example/rss"\n'


class FakeLoop:
    def __init__(self):
        self.taken = []

    async def replace(self, found, held):
        self.taken.append(([feed.id for feed in found], held))


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "feeds.toml").write_text(ONE + TWO, "utf-8")
    return Settings(directory=str(tmp_path))


def text(settings):
    return settings.path("feeds.toml").read_text("utf-8")


async def test_a_changed_file_is_handed_on_and_a_wrong_one_is_told(settings):
    loop = FakeLoop()
    watch = FeedsWatch(settings, loop, lambda: frozenset({1}))
    assert not await watch.look()
    feeds.add(settings, [Feed(id="three", url="https://three.example/rss")])
    assert await watch.look()
    assert loop.taken == [(["one", "two", "three"], frozenset({1}))]
    settings.path("feeds.toml").write_text(ONE + "[[feed]]\nid = 'x'\n", "utf-8")
    assert not await watch.look()
    assert "url" in watch.problem
    settings.path("feeds.toml").write_text(ONE, "utf-8")
    assert await watch.look()
    assert watch.problem == ""


@pytest.mark.parametrize("name", ["one", "https://one.example/rss"])
def test_a_removed_feed_takes_only_its_own_lines(settings, name):
    assert feeds.remove(settings, name).id == "one"
    assert text(settings) == "# mine\n" + TWO


def test_an_unknown_feed_is_not_removed_and_the_nearest_is_named(settings):
    with pytest.raises(SettingsError, match="did you mean 'two'"):
        feeds.remove(settings, "twoo")
    assert text(settings) == ONE + TWO


def test_a_feed_that_would_make_the_file_wrong_is_not_added(settings):
    with pytest.raises(SettingsError, match=r"feeds.toml: feed\[2\]"):
        feeds.add(settings, [Feed(id="one", url="https://other.example/rss")])
    assert text(settings) == ONE + TWO
    assert not list(settings.path(".").glob(".*"))

"""feeds.toml: what is read from it, and what the errors say."""

from pathlib import Path

import msgspec
import pytest

from pipeline.collect import feeds
from pipeline.settings import Collector, Settings, SettingsError

REPOSITORY = Path(__file__).parents[3]


def load(tmp_path, text, **options):
    (tmp_path / "feeds.toml").write_text(text)
    return feeds.load(Settings(directory=str(tmp_path), collector=Collector(**options)))


ONE = '[[feed]]\nid = "un"\nurl = "https://un.example/rss"\n'


def test_a_feed_is_read_with_all_that_is_said_of_it(tmp_path):
    more = 'title = "T"\npublisher = "P"\ncountry = "CHE"\nlanguage = "en"\ninterval_seconds = 120\nfull_text = true\n'
    (feed,) = load(tmp_path, ONE + more)
    assert (feed.id, feed.url, feed.title, feed.publisher) == ("un", "https://un.example/rss", "T", "P")
    assert (feed.country, feed.language, feed.interval_seconds, feed.full_text) == ("CHE", "en", 120, True)


def test_a_disabled_feed_is_left_out(tmp_path):
    assert load(tmp_path, ONE + "enabled = false\n") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ONE + 'lang = "en"', "feed[0].lang: unknown key, did you mean 'language'"),
        (ONE + "interval_seconds = 0", "feed[0].interval_seconds"),
        (ONE + 'country = "Switzerland"', "feed[0].country"),
        ('[[feed]]\nid = "UN News"\nurl = "https://x.example/"', "feed[0].id"),
        ('[[feed]]\nid = "un"', "feed[0]"),
        (ONE + ONE.replace("un.example", "other.example"), "feed[1].id: 'un' is the id of feed[0] too"),
        (ONE + ONE.replace('"un"', '"b"').replace("rss", "rss/"), "feed[1].url"),
        (ONE.replace("https://", "ftp://"), "it has to begin with https://"),
        (ONE.replace("https://", "https://me:secret@"), "password has no place"),
        (ONE.replace('"un"', '"drop-folder"'), "name of the drop folder"),
        ("[[feed]\n", "feeds.toml"),
    ],
)
def test_a_mistake_is_told_with_file_and_place(tmp_path, text, words):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert words in str(caught.value)
    assert "feeds.toml" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_file_feeds_can_be_switched_off(tmp_path):
    text = '[[feed]]\nid = "f"\nurl = "file:x/feed.xml"\n'
    assert load(tmp_path, text)[0].url == "file:x/feed.xml"
    with pytest.raises(SettingsError, match="allow_file_urls"):
        load(tmp_path, text, allow_file_urls=False)


def test_file_feeds_are_only_below_the_allowed_directories(tmp_path):
    text = '[[feed]]\nid = "f"\nurl = "{}"\n'
    for url in ("file:///etc/passwd", "file:../outside.xml", "file:x/../../outside.xml"):
        with pytest.raises(SettingsError, match=r"not below a directory of collector\.file_directories"):
            load(tmp_path, text.format(url))
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(SettingsError, match="file_directories"):
        load(tmp_path, text.format("file:link/passwd"))
    assert load(tmp_path, text.format("file:///etc/feed.xml"), file_directories=("/etc",))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"feeds\.toml"):
        feeds.load(Settings(directory=str(tmp_path)))


def test_the_feeds_that_come_with_the_program_are_sound_and_begin_with_the_sample():
    shipped = feeds.load(msgspec.structs.replace(Settings(), directory=str(REPOSITORY / "configs")))
    assert shipped[0].id == "sample"
    assert len(shipped) > 30
    assert all(feed.publisher and feed.language for feed in shipped[1:])

"""The commands that search, on a real Elasticsearch: events found and summed up, a story, exports, feeds."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import cli
from tests.integration.test_console import AID, ALERT, DOCUMENT, EURO, OTHER, SANCTIONS, STORY, STRIKE, corner, put

pytestmark = pytest.mark.integration
CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def directory(stack, tmp_path_factory):
    directory = tmp_path_factory.mktemp("commands")
    mine = corner(stack, directory)
    put(mine, DOCUMENT, AID, EURO, STRIKE, SANCTIONS, STORY, OTHER, ALERT)
    shutil.copy(CONFIGS / "alerts.toml", directory)
    (directory / "feeds.toml").write_text('[[feed]]\nid = "sample"\nurl = "file:sample/feed.xml"\n', "utf-8")
    (directory / "dateline.toml").write_text(
        f'[elasticsearch]\nurl = "{mine.elasticsearch_url}"\nindex_prefix = "{mine.elasticsearch.index_prefix}"\n'
        '[console]\nusers_file = "users.toml"\n',
        "utf-8",
    )
    return directory


@pytest.fixture
def dateline(directory):
    def run(*words, status=0):
        result = CliRunner().invoke(cli.app, ["--config", str(directory), *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.stdout

    return run


def test_events_are_shown_with_who_where_when_and_sum(dateline):
    told = dateline("search", "--actor", "United States", "--recipient", "UKR", "--money-at-least", "1000000")
    for words in ("1 report of an event", "United States [USA] → Ukraine [UKR]", "Kyiv [UKR]", "425,000,000 USD"):
        assert words in told


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--type", "ASSAULT"), {"strike"}),
        (("--place", "Russia"), {"sanctions"}),
        (("--kind", "aid_package", "--kind", "strike"), {"aid", "euro", "strike"}),
        (("--dead-at-least", "12"), {"strike"}),
        (("missile", "--source", "Wire"), {"strike"}),
    ],
)
def test_options_narrow_a_search_as_in_the_console(dateline, options, found):
    assert {one["id"] for one in json.loads(dateline("search", *options, "--json"))["hits"]} == found


def test_a_search_as_csv_has_the_columns_of_the_export(dateline):
    [row] = csv.DictReader(io.StringIO(dateline("search", "--actor", "Germany", "--csv")))
    assert (row["id"], row["amount_usd"]) == ("euro", "108000000.0")


def test_reports_are_summed_up_by_group(dateline):
    told = dateline("search", "--group-by", "kind", "--count-reports")
    assert "aid package" in told
    assert "$533 million" in told
    assert "Each report counts" in told
    found = json.loads(dateline("search", "--group-by", "country", "--count-reports", "--json"))
    assert found["counted"] == "reports"
    assert {one["value"]: one["count"] for one in found["groups"]}["UKR"] == 3
    rows = list(csv.DictReader(io.StringIO(dateline("search", "--group-by", "day", "--count-reports", "--csv"))))
    assert sum(int(row["reports"]) for row in rows) == 4
    dateline("search", "--count-reports", status=2)


def test_an_event_that_several_report_counts_once_in_a_group(dateline):
    found = json.loads(dateline("search", "--group-by", "kind", "--recipient", "Ukraine", "--json"))
    [group] = found["groups"]
    assert (found["counted"], group["value"], group["count"], group["amount_usd"]) == (
        "happenings",
        "aid_package",
        1,
        425e6,
    )
    told = dateline("search", "--group-by", "source", "--recipient", "Ukraine")
    assert "Each event counts once" in told
    rows = list(csv.DictReader(io.StringIO(dateline("search", "--group-by", "day", "--csv"))))
    assert [row["events"] for row in rows] == ["1"], "the two reports of one package"


def test_a_story_is_shown_by_the_beginning_of_its_id(dateline):
    told = dateline("story", "stor")
    for words in (STORY.headline, "first report", "Wire", "large-aid", "/story/story"):
        assert words in told.replace("\n", " ")
    assert json.loads(dateline("story", "story", "--json"))["id"] == "story"


def test_everything_is_exported_to_a_file(dateline, tmp_path):
    file = tmp_path / "events.csv"
    dateline("export", "--out", str(file))
    assert len(list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))) == 4
    dateline("export", "--format", "parquet", "--out", str(file))
    assert file.read_bytes().startswith(b"PAR1")
    assert len(dateline("export", "--format", "jsonl", "--what", "stories").splitlines()) == 2
    assert "quad_code" in dateline("export", "--plover", "--since", "2024-05-01").splitlines()[0]
    assert dateline("export", "--cameo", "--until", "2024-01-01").count("\n") == 1


def test_a_feed_is_added_and_removed_by_one_command_each(dateline, directory):
    assert "feed paper-example" in dateline("feeds", "add", "paper.example/rss", "--publisher", "The Paper")
    assert 'publisher = "The Paper"' in (directory / "feeds.toml").read_text("utf-8")
    dateline("feeds", "add", "https://paper.example/rss", status=2)
    dateline("feeds", "remove", "paper-example")
    assert "paper" not in (directory / "feeds.toml").read_text("utf-8")


def test_a_user_is_made_and_the_secret_is_not_kept(dateline, directory):
    secret = dateline("user", "otto", "--role", "operate").strip()
    kept = (directory / "users.toml").read_text("utf-8")
    assert 'role = "operate"' in kept
    assert secret not in kept
    assert (directory / "users.toml").stat().st_mode & 0o077 == 0

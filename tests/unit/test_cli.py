"""The command as people and scripts meet it: what it says, where, and with which exit status."""

import ast
import importlib
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from pipeline import bus, cli
from pipeline.cli import service_commands
from pipeline.detect.kinds import built_in
from pipeline.index import sizes
from pipeline.operate import offline, probe, replay, status
from pipeline.process import VERSION
from pipeline.settings import Settings
from tests.make import NOW, make_failure

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    returncode: int
    stdout: bytes
    stderr: bytes


@pytest.fixture
def dateline(monkeypatch, capfdbinary):
    """The whole command, from its arguments to its exit status, inside this process."""

    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["dateline", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        sys.stdout.flush()
        return Done(ended.value.code or 0, *capfdbinary.readouterr())

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("DATELINE_CONFIG", raising=False)
    return call


@pytest.fixture
def run():
    """The command inside this process, for what is replaced by the test."""

    def invoke(*arguments):
        return CliRunner().invoke(cli.app, [str(a) for a in arguments])

    return invoke


def commands(text):
    """The command block of a --help page or of the README: name -> what it is for."""
    block = text.partition("Commands:\n")[2] or text
    return dict(re.findall(r"^ {2}(\w+) {2,}(\S.*)$", block, flags=re.MULTILINE))


# --- what is there ---------------------------------------------------------------------------------------------------


def test_help_is_there_at_once():
    began = time.perf_counter()
    result = subprocess.run([sys.executable, "-m", "pipeline.cli", "--help"], capture_output=True, check=True, cwd=ROOT)
    # 0.2 s of processor time where it was measured; a machine that is busy with other tests takes longer on the wall
    assert time.perf_counter() - began < 15
    assert b"Commands:" in result.stdout


def test_help_loads_none_of_the_large_libraries():
    code = "import sys, pipeline.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, text=True
    ).stdout.split()
    assert not {"spacy", "kafka", "faust", "elasticsearch", "rich.live", "trafilatura", "aiohttp"} & set(loaded)


STABLE = (
    "run", "trace", "detect", "extract", "feed", "stories", "search", "bench", "status", "check", "up", "down", "alerts",
    "replay", "quarantine", "explain", "train", "collector", "worker", "indexer", "notifier", "topics", "version",
)  # fmt: skip


def test_every_promised_command_is_there_and_told_whole(dateline):
    told = commands(dateline("--help").stdout.decode())
    assert set(STABLE) <= told.keys()
    assert [name for name, text in told.items() if text.endswith("...")] == []


@pytest.mark.parametrize("name", STABLE)
def test_every_command_has_its_own_help(run, name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.output.strip()


@pytest.mark.parametrize("name", service_commands.PROCESSES)
def test_the_command_of_a_process_runs_its_module(run, monkeypatch, name):
    module = importlib.import_module(f"pipeline.{service_commands.PROCESSES[name]}")
    started = []
    monkeypatch.setattr(module, "run", started.append)
    assert run(name).exit_code == 0
    assert len(started) == 1


def test_the_readme_lists_exactly_the_commands(dateline):
    block = re.search(
        r"```text\n(\$ dateline --help\n.*?)```", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL
    )
    assert block, "README.md has a block that starts with `$ dateline --help`"
    assert commands(block[1]) == commands(dateline("--help").stdout.decode())


def test_the_links_of_the_pages_at_the_top_lead_somewhere():
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)\s#]+)", (ROOT / page).read_text("utf-8")):
            assert (ROOT / target).exists(), f"{page}: {target}"


def test_the_version_is_told(dateline):
    assert dateline("version").stdout.decode().strip() == VERSION


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", ["worker", "collector", "indexer", "notifier", "status", "run", "topics", "search x"]
)
def test_a_wrong_option_is_one_line_that_names_it_and_the_near_one(dateline, tmp_path, command):
    (tmp_path / "dateline.toml").write_text("[kafka]\npartitons = 3\n", "utf-8")
    result = dateline("--config", tmp_path, *command.split())
    assert result.returncode == 2
    assert result.stdout == b""
    [line] = result.stderr.decode().splitlines()
    assert "dateline.toml: kafka.partitons: unknown key, did you mean 'partitions'?" in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("trace", "/no/such/file"), "does not exist"),
        (("detect",), "--jsonl"),
        (("replay", "--group", "indexer"), "--from-beginning"),
        (("replay", "--group", "notifier", "--from-beginning"), "never replayed"),
        (("quarantine", "retry"), "give ids, or --all"),
        (("search", "x", "--since", "yesterdayish"), "since"),
        (("trace", ROOT / "README.md", "--published", "last week"), "ISO 8601"),
        (("nonsense",), "nonsense"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(dateline, arguments, expected):
    result = dateline(*arguments)
    assert result.returncode == 2
    assert expected in result.stderr.decode()
    assert "Traceback" not in result.stderr.decode()


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(cli, "app", lambda: {}["a fault"])
    with pytest.raises(KeyError):
        cli.main()


def test_a_reader_who_has_had_enough_ends_it_without_a_word():
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "feed", *["configs/sample/feed.xml"] * 50],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 1


# --- JSON lines ------------------------------------------------------------------------------------------------------


def test_extract_gives_a_line_for_each_line_also_for_a_bad_one(dateline):
    page = (ROOT / "configs/sample/articles/11-us-aid-ukraine.html").read_text("utf-8")
    lines = [json.dumps({"id": 1, "url": "https://a.example/1", "html": page}), "{", '{"id": 2, "html": ""}']
    result = dateline("extract", "--jsonl", stdin="\n".join(lines).encode())
    first, second, third = map(json.loads, result.stdout.splitlines())
    assert first["id"] == 1
    assert first["title"] == "US announces $425 million military aid package for Ukraine"
    assert "error" in second
    assert third == {"id": 2, "error": "rejected: empty"}


def test_feed_gives_a_line_for_each_file_and_exit_status_0(dateline, tmp_path):
    bad = tmp_path / "bad.xml"
    bad.write_bytes(b"\x00\x01 no feed")
    result = dateline("feed", ROOT / "configs/sample/feed.xml", bad, tmp_path / "absent")
    good, broken, absent = map(json.loads, result.stdout.splitlines())
    assert result.returncode == 0
    assert len(good["entries"]) == 58
    assert {"id", "url", "title", "published", "updated", "summary", "content"} == good["entries"][0].keys()
    assert "error" in broken
    assert "error" in absent


# --- answers ---------------------------------------------------------------------------------------------------------


def test_status_as_json_and_strict(run, monkeypatch):
    found = status.Status(index={"reachable": False, "error": "away", "indices": {}})
    monkeypatch.setattr(status, "gather", lambda *_, **__: found)
    result = run("status", "--json")
    assert result.exit_code == 1, "something does not answer"
    assert json.loads(result.output)["problems"] == ["index: away"]
    found = status.Status(index={"reachable": True, "status": "red", "indices": {}})
    assert run("status").exit_code == 0, "all answer"
    assert run("status", "--strict").exit_code == 1, "and something is wrong"


def test_a_login_in_a_url_is_not_printed(run, monkeypatch):
    found = status.Status(index={"reachable": False, "error": "https://me:secret@es:9200 is away", "indices": {}})
    monkeypatch.setattr(status, "gather", lambda *_, **__: found)
    for options in ((), ("--json",)):
        output = run("status", *options).output
        assert "secret" not in output
        assert "https://***@es:9200 is away" in output


@pytest.mark.parametrize(
    "command", [("search", "summit"), ("story", "abc"), ("export", "--out", "events.csv"), ("indices", "list")]
)
def test_a_server_that_does_not_answer_is_told_with_what_to_do(free_tcp_port, tmp_path, command):
    environ = {"DATELINE_ELASTICSEARCH_URL": f"http://me:secret@127.0.0.1:{free_tcp_port}"}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "--config", tmp_path, *command],
        capture_output=True, cwd=tmp_path, env={**os.environ, **environ}, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        f"dateline: Elasticsearch at http://127.0.0.1:{free_tcp_port} does not answer; is the service running? "
        "`make run` starts it\n"
    )


def test_a_kind_that_there_is_not_is_refused_with_the_nearest(run):
    for command in ("search", "export"):
        result = run(command, "--kind", "sanctoins")
        assert result.exit_code != 0
        assert "kind: 'sanctoins' is no kind of event, did you mean 'sanctions'?" in str(result.exception)


def test_a_type_of_events_that_there_is_not_is_refused_with_the_nearest_or_all(run):
    assert str(run("search", "--type", "aids").exception) == "--type: Invalid enum value 'aids', did you mean 'AID'?"
    assert "known: ACCUSE, AGREE, AID, " in str(run("export", "--out", "x.csv", "--type", "x").exception)


def test_status_for_people_names_each_part(run, monkeypatch):
    monkeypatch.setattr(bus, "lags", lambda _: (bus.Lag("dateline-worker", bus.ARTICLES, 0, 0, 9, 9),))
    monkeypatch.setattr(bus, "read_all", lambda *_: iter(()))
    monkeypatch.setattr(status, "_require_kafka", lambda _: None)
    health = {"reachable": True, "status": "green", "indices": {"news-events": {"documents": 12, "bytes": 3_400_000}}}
    monkeypatch.setattr(sizes, "health", lambda _: health)
    monkeypatch.setattr(probe, "address", lambda *_: "127.0.0.1:9")  # a service may run on this machine
    text = run("status").output
    for expected in ("collector", "down", "dateline-worker", "news.articles", "9", "green", "news-events", "12", "3.4"):
        assert expected in text


def test_quarantine_list_and_show(run, monkeypatch):
    failures = (make_failure(id="abc" + "0" * 17, error="page is no page"), make_failure(id="d" * 20, stage="index"))
    monkeypatch.setattr("pipeline.operate.quarantine.read", lambda _: failures)
    assert json.loads(run("quarantine", "list", "--json").output)["total"] == 2
    assert json.loads(run("quarantine", "list", "--json", "--stage", "index").output)["total"] == 1
    assert "abc000000000" in run("quarantine", "list").output
    shown = run("quarantine", "show", "abc").output
    assert "page is no page" in shown
    assert "garbage" in shown


def test_replay_moves_only_the_topics_of_the_group(monkeypatch):
    moved = []
    monkeypatch.setattr(bus, "reset", lambda _, group, topics: moved.append((group, topics)))
    monkeypatch.setattr(bus, "lags", lambda _: (bus.Lag(bus.INDEXER_GROUP, bus.EVENTS, 0, 0, 5, 5),))
    group, topics, waiting = replay.replay(Settings(), "indexer")
    assert (group, waiting) == (bus.INDEXER_GROUP, 5)
    assert bus.ARTICLES not in topics
    assert moved == [(group, topics)]
    with pytest.raises(replay.ReplayError, match="only worker, indexer"):
        replay.group_name("grafana")


# --- articles at one's desk ------------------------------------------------------------------------------------------


def test_a_text_is_an_article_met_when_it_was_published(tmp_path):
    file = tmp_path / "a.txt"
    one = offline.article(
        b"\xef\xbb\xbfA headline\n\nBody.", name=file, published="2023-03-21T06:00:00+11:00", url=None, now=NOW
    )
    assert one.content_type == "text/plain"
    assert one.html.startswith("A headline")
    assert one.published_at == one.first_seen_at == one.fetched_at
    assert one.published_at.isoformat() == "2023-03-21T06:00:00+11:00"
    assert one.url == file.as_uri()


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("<!DOCTYPE html><p>x", "a", True),
        ("\n <HTML>", "a.txt", True),
        ("plain < text", "a.txt", False),
        ("a fragment <b>x</b>", "a.htm", True),
    ],
)
def test_a_page_is_known_by_its_name_or_its_beginning(text, name, expected):
    assert offline.is_html(text, Path(name)) is expected


def test_a_page_is_met_on_the_day_that_it_gives_itself():
    page = (
        b'<html><head><title>T</title><meta property="article:published_time" content="2023-05-02T10:00:00Z"></head>'
        b"<body><article><p>" + b"Words of a sentence that is long enough. " * 5 + b"</p></article></body></html>"
    )
    one = offline.article(page, name=Path("a.html"), published=None, url="https://a.example/x", now=NOW)
    assert one.published_at is None, "what the page says is for extraction to find"
    assert one.first_seen_at.isoformat() == "2023-05-02T10:00:00+00:00"


def test_a_line_without_a_date_counts_as_published_with_the_one_before():
    line = offline.ArticleLine(id=7, text="x")
    one = offline.from_line(line, last_at=NOW)
    assert (one.id, one.first_seen_at, one.published_at) == ("7", NOW, None)


def test_explain_shows_what_was_read_in_each_sentence(dateline, tmp_path):
    (tmp_path / "a.txt").write_text("A headline\n\nBelgium expelled two Russian diplomats. Rain fell in Oslo.", "utf-8")
    page = dateline("explain", tmp_path / "a.txt", "--published", "2024-06-14").stdout.decode()
    assert "→ expulsion asserted" in page
    assert re.search(r"trigger +expelled", page)
    assert "Rain fell in Oslo." in page


# --- training --------------------------------------------------------------------------------------------------------


@pytest.fixture
def trained(monkeypatch):
    """The steps of training, each told instead of done."""
    import train.reader  # noqa: PLC0415

    steps = []

    def fit(start, out, **options):
        assert options.keys() <= options_of_fit, "the real one, which needs torch, would refuse an option"
        steps.append(("fit", start, out, options))
        return out / "reader.safetensors"

    tree = ast.parse((ROOT / "train/reader/fit.py").read_text("utf-8"))
    (real,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "train"]
    options_of_fit = {argument.arg for argument in real.args.kwonlyargs}

    for name, step in (
        ("fit", SimpleNamespace(train=fit)),
        ("export", SimpleNamespace(export=lambda *arguments: steps.append(("export", *arguments)))),
        ("calibrate", SimpleNamespace(calibrate=lambda *arguments: steps.append(("calibrate", *arguments)))),
        ("examples", SimpleNamespace(write=lambda *arguments: steps.append(("examples", *arguments)))),
    ):
        monkeypatch.setattr(train.reader, name, step, raising=False)
    return steps


@pytest.mark.parametrize("anew", [False, True])
def test_training_goes_on_from_the_shipped_reader_or_from_an_encoder_to_a_model(run, trained, tmp_path, anew):
    marks, out = tmp_path / "marks.jsonl", tmp_path / "model"
    marks.write_text("", "utf-8")
    start = tmp_path if anew else ROOT / "pipeline/detect/model"
    result = run("train", *(["--start", tmp_path] if anew else []), "--out", out, "--marks", marks, "--threads", 1)
    assert result.exit_code == 0, result.output
    assert trained == [
        ("fit", start, out / "checkpoints", {"marks": [marks], "threads": 1}),
        ("export", out / "checkpoints" / "reader.safetensors", start / "tokenizer.json", out),
        ("calibrate", out),
        ("examples", out),
    ]


def test_training_without_its_packages_or_from_nowhere_is_told(dateline, monkeypatch, tmp_path):
    for name in ("calibrate", "export", "fit"):
        monkeypatch.setitem(sys.modules, f"train.reader.{name}", None)
        monkeypatch.delattr(f"train.reader.{name}", raising=False)
    result = dateline("train")
    assert result.returncode == 2
    assert "pip install -e '.[train]'" in result.stderr.decode()
    result = dateline("train", "--start", tmp_path / "nowhere")
    assert result.returncode == 2
    assert "does not exist" in result.stderr.decode()


# --- check -----------------------------------------------------------------------------------------------------------


def configuration(directory, **files):
    """As it ships, with what the test changes."""
    for name in ("dateline.toml", "feeds.toml", "alerts.toml"):
        text = files.get(name.partition(".")[0]) or (ROOT / "configs" / name).read_text("utf-8")
        (directory / name).write_text(text, "utf-8")
    return directory


def test_what_ships_is_right(dateline, tmp_path):
    result = dateline("--config", configuration(tmp_path), "check")
    lines = result.stdout.decode().splitlines()
    assert result.returncode == 0
    assert len(lines) == 6
    assert all(line.startswith("ok ") for line in lines)


def test_every_file_is_checked_and_what_is_wrong_is_named_with_its_path(dateline, tmp_path):
    rules = (ROOT / "configs/alerts.toml").read_text("utf-8").replace("\nkinds =", "\nkindz =", 1)
    feeds = '[[feed]]\nid = "a"\nurl = "ftp://a.example"\n'
    result = dateline("--config", configuration(tmp_path, alerts=rules, feeds=feeds), "check")
    lines = result.stdout.decode().splitlines()
    assert result.returncode == 2
    wrong = [line for line in lines if line.startswith("wrong ")]
    assert len(wrong) == 2, lines
    assert re.search(r"feeds\.toml: feed\[0\]", wrong[0])
    assert re.search(r"alerts\.toml: rule\[\d+\]\.kindz: unknown key, did you mean 'kinds'\?", wrong[1])


def test_kinds_models_and_a_reader_that_are_not_there_are_named(dateline, tmp_path):
    settings = '[detect]\nkinds = ["mine.toml"]\nmodels = ["no_such_model"]\n'
    text = dateline("--config", configuration(tmp_path, dateline=settings), "check").stdout.decode()
    assert re.search(r"^wrong +\S*mine\.toml: .*No such file", text, re.MULTILINE), text
    assert "none of no_such_model is installed" in text
    settings = '[detect]\nreader = "mine"\n'
    result = dateline("--config", configuration(tmp_path, dateline=settings), "check")
    assert result.returncode == 2
    assert re.search(r"wrong +detect\.reader: .*mine/reader\.onnx: no such file", result.stdout.decode())


LOCKS = """[[kinds]]
kind = "bank_run"
type = "COERCE"
patterns = [[{ LOWER = "queues" }]]
yes = ["There were queues outside banks in Lagos."]
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", rf"ok +kinds +{len(built_in())} kinds of events and 1 of your own"),
        (
            'no = ["No queues stood there."]',
            r"wrong +kind 'bank_run': no: it is told in 'No queues stood there\.'",
        ),
        ("examples = []\nrules = []", r"wrong +\S*mine\.toml: Object contains unknown field `rules`"),
    ],
)
def test_the_sentences_of_ones_own_kinds_are_tried(dateline, tmp_path, more, expected):
    (tmp_path / "mine.toml").write_text(LOCKS + more, "utf-8")
    directory = configuration(tmp_path, dateline='[detect]\nkinds = ["mine.toml"]\n')
    assert re.search(expected, dateline("--config", directory, "check").stdout.decode())


def test_kinds_of_ones_own_without_a_model_to_try_them_are_told(dateline, tmp_path):
    (tmp_path / "mine.toml").write_text(LOCKS, "utf-8")
    settings = '[detect]\nkinds = ["mine.toml"]\nmodels = ["no_such_model"]\n'
    result = dateline("--config", configuration(tmp_path, dateline=settings), "check")
    assert result.returncode == 2
    assert re.search(r"wrong +no spaCy model is installed, tried no_such_model", result.stdout.decode())


def test_a_service_with_a_wrong_file_does_not_start(dateline, tmp_path):
    result = dateline("--config", configuration(tmp_path, alerts="[[rule]]\nname = 1\n"), "run")
    assert result.returncode == 2
    assert "alerts.toml: rule[0].name" in result.stderr.decode()


def test_a_directory_that_is_not_there_is_no_silent_default(dateline, tmp_path):
    result = dateline("--config", tmp_path / "nowhere", "check")
    assert result.returncode == 2
    assert "does not exist" in result.stderr.decode()

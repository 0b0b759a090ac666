"""What an operator reads says what the code does: options, metrics, alerts."""

import re
import shlex
import tomllib
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest
import typer
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from pipeline import cli, metrics
from pipeline.settings import SECRETS, Section, Settings, convert

ROOT = Path(__file__).parents[2]
OPTIONS = (ROOT / "configs/dateline.toml").read_text("utf-8")
SECTIONS = {f.name: f.type for f in msgspec.structs.fields(Settings) if f.name != "directory"}


def instruments():
    """Name on /metrics -> the instrument of pipeline/metrics.py."""
    found = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    return {i._name + ("_total" if i._type == "counter" else ""): i for i in found}


def rows(file: str):
    """The cells of each row of a Markdown file's tables, without the head and its ruler."""
    lines = [line for line in (ROOT / file).read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def anchors(file: Path):
    """Headings as the anchors that a Markdown viewer makes of them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


# --- options ---------------------------------------------------------------------------------------------------------


def test_uncommenting_every_option_gives_exactly_the_defaults():
    table = tomllib.loads(re.sub(r"^#(?=\w)", "", OPTIONS, flags=re.MULTILINE))
    assert convert(table, Settings, where="dateline.toml") == Settings()


def test_as_shipped_no_option_is_set():
    assert {section: {} for section in SECTIONS} == tomllib.loads(OPTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_option_of_a_section_is_listed_once_in_the_order_of_the_code(section):
    assert issubclass(SECTIONS[section], Section)
    body = OPTIONS.partition(f"\n[{section}]\n")[2].partition("\n[")[0]
    assert re.findall(r"^#(\w+) = ", body, flags=re.MULTILINE) == [
        f.name for f in msgspec.structs.fields(SECTIONS[section])
    ]


def test_every_option_has_a_sentence_of_its_own_above_it():
    lines = OPTIONS.splitlines()
    above = {m[1]: lines[n - 1] for n, line in enumerate(lines) if (m := re.match(r"#(\w+) = ", line))}
    assert [name for name, text in above.items() if not re.match(r"# [A-Za-z0-9].*\.$", text)] == []


@pytest.mark.parametrize(
    ("ending", "word"), [("_seconds", "second"), ("_days", "day"), ("_hours", "hour"), ("_mb", "MB")]
)
def test_the_explanation_names_the_unit_of_the_option(ending, word):
    pairs = re.findall(r"^# (.+)\n#(\w+) = ", OPTIONS, flags=re.MULTILINE)
    assert [name for text, name in pairs if name.endswith(ending) and word.lower() not in text.lower()] == []


def test_every_secret_points_to_its_file_variable():
    for section, kind in SECTIONS.items():
        for name in SECRETS & {f.name for f in msgspec.structs.fields(kind)}:
            assert f"DATELINE_{section}_{name}_FILE".upper() in OPTIONS


# --- metrics ---------------------------------------------------------------------------------------------------------


def test_the_table_of_metrics_lists_exactly_the_instruments_with_type_and_labels():
    written = {
        name.strip("`"): (kind, tuple(filter(None, labels.split(", "))))
        for name, kind, labels, *_ in rows("docs/metrics.md")
    }
    assert written == {name: (i._type, tuple(i._labelnames)) for name, i in instruments().items()}


def test_every_metric_has_a_unit_a_meaning_and_a_reason_to_worry():
    for name, _, _, unit, meaning, worry in rows("docs/metrics.md"):
        assert unit, name
        assert meaning.endswith("."), name
        assert worry.endswith("."), name


def test_every_instrument_is_in_the_registry_that_is_served():
    metrics.set_rules(successful=True, now=0.0)  # a process without rules has none of their gauges
    served = set(REGISTRY._names_to_collectors.values())
    assert [name for name, i in instruments().items() if i not in served] == []


# --- runbook and links -----------------------------------------------------------------------------------------------


def test_every_alert_leads_to_its_own_part_of_the_runbook():
    groups = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert alerts
    for rule in alerts:
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert file == "docs/operations.md"
        assert anchor == rule["alert"].lower()
        assert anchor in anchors(ROOT / file), rule["alert"]


def test_links_between_the_documents_lead_somewhere():
    for file in sorted((ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text("utf-8")):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = unquote(target).partition("#")
            there = (file.parent / path).resolve() if path else file
            assert there.exists(), f"{file.name}: {target}"
            if anchor:
                assert anchor in anchors(there), f"{file.name}: {target}"


def test_the_runbook_names_only_options_and_metrics_that_exist():
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    options = {f"{s}.{f.name}" for s, kind in SECTIONS.items() for f in msgspec.structs.fields(kind)}
    named = set(re.findall(rf"`((?:{'|'.join(SECTIONS)})\.[a-z_]+)`", text))
    assert named
    assert named <= options
    assert set(re.findall(r"`(dateline_[a-z_]+)`", text)) <= set(instruments())


def test_the_runbook_names_only_commands_that_exist_with_options_that_they_take(tmp_path, monkeypatch):
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    (tmp_path / "FILE").write_text("", "utf-8")  # some commands look whether their file is there
    monkeypatch.chdir(tmp_path)
    found = re.findall(r"`dateline ([a-z][^`]*)`", text) + re.findall(r"--no-deps \w+ ([a-z][^`\n]*)", text)
    assert len(found) > 8
    for line in found:
        command, words = typer.main.get_command(cli.app), shlex.split(line)
        while words and hasattr(command, "commands"):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        command.make_context("dateline", words)

"""`make eval`: measure detection and extraction on the labelled sets of the neighbour `shared`, and keep the figures.

The sets are sent through the commands, exactly as anybody else would measure; a row with the date, the commit and the main
figures is added to docs/quality.md.
"""

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "eval"
PAGE = ROOT / "docs" / "quality.md"
MARK = "<!-- make eval adds rows above this line -->"

COLUMNS = (
    ("hand_wce", ("f1", "precision")),
    ("challenge_wce", ("f1", "leaked_unreal", "silent_on_clean")),
    ("plover_gsr", ("root_recall", "countries_right", "triple", "events_per_sentence")),
    (
        "whitehouse",
        ("contact_recall", "counterpart_f1", "false_alarms", "aid_recall", "aid_amount", "sanctions_recall"),
    ),
    ("wce_category", ("speaks", "quiet_any", "sports_alarms_per_1000")),
    ("petrarch_unit", ("speaks", "silent")),
)


def detection(bin_: Path, limit: int) -> dict[str, dict[str, float]]:
    """Figures of every set that is there."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "figures.json"
        command = [sys.executable, str(SHARED / "score.py"), "--detect", f"{bin_ / 'dateline'} detect --jsonl"]
        subprocess.run([*command, "--limit", str(limit), "--json", str(out)], check=True)  # noqa: S603 - our own command
        return json.loads(out.read_text("utf-8"))


def extraction(bin_: Path) -> str:
    """F1 of the pages' text."""
    command = [sys.executable, str(SHARED / "score_extraction.py"), "--extract", f"{bin_ / 'dateline'} extract --jsonl"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - our own command
    print(told, end="")
    found = re.search(r"F1 ([.\d]+)", told)
    return found[1] if found else ""


def row(figures: dict[str, dict[str, float]], pages: str, *, now: dt.datetime) -> str:
    """A line of the table."""
    commit = subprocess.run(  # noqa: S603 - a fixed command
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git is there
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.strip()  # fmt: skip
    cells = [
        " · ".join(f"{figures[name][key]:.3g}" for key in keys) if name in figures else "" for name, keys in COLUMNS
    ]
    return f"| {now:%Y-%m-%d %H:%M} | {commit} | reader | {' | '.join(cells)} | {pages} |"


def main() -> None:
    """Measure, print, keep."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--limit", type=int, default=0, help="first N cases of each set; such figures are not kept")
    given = asked.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"evaluate: the labelled sets are not there ({SHARED})")
    bin_ = Path(sys.executable).parent
    figures = detection(bin_, given.limit)
    pages = extraction(bin_)
    line = row(figures, pages, now=dt.datetime.now(dt.UTC))
    print(line)
    if not given.limit:
        text = PAGE.read_text("utf-8")
        PAGE.write_text(text.replace(MARK, f"{line}\n{MARK}"), "utf-8")


if __name__ == "__main__":
    main()

"""Measure how well the text of pages with odd mark-up is found: `python -m bench.odd_pages [--write]`.

60 pages are invented, with their true text: articles in asides and tables, consent notices before and after them, struck
figures, footnotes, hidden parts, paragraphs without <p>, bodies that only a script holds, live pages, titles that were escaped
twice, pages in old encodings. They are saved in tests/golden/odd_pages.jsonl; `--write` makes them again, always the same.
Printed are precision, recall and F1 of the text, by word 4-grams as in ../shared/eval/score_extraction.py, and how many titles
are right; the same for the dev pages of ../shared/eval/extraction where they are beside the project.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import html
import json
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.page import decode
from pipeline.page.extract import extract_jsonl

ROOT: Final = Path(__file__).parents[1]
SAVED: Final = ROOT / "tests/golden/odd_pages.jsonl"
REAL: Final = ROOT.parent / "shared/eval/extraction/dev.jsonl.gz"
PAGES: Final = 60

WHO: Final = (
    "The defence ministry of Norland",
    "The governor of Eastmark",
    "A spokeswoman of the port authority",
    "The prime minister",
)
DID: Final = (
    "said on Friday that {n} trucks with grain had crossed the bridge at Kelm",
    "confirmed that {n} people were brought to safety",
    "announced talks with the neighbouring countries about {n} disputed permits",
    "signed a contract for {n} ferries in the old town hall",
    "rejected the claim that {n} houses near the border had been searched",
    "asked parliament to release {n} million crowns for the dykes",
)
THEN: Final = (
    "after a night of heavy rain along the whole coast",
    "while engineers were still measuring the damage to the lock",
    "in a letter that was read out before the council",
    "and thanked the volunteers who had come from three provinces",
    "although the opposition had warned of the costs in autumn",
    "before the committee went into a closed session",
)
HEADS: Final = (
    "Norland ministry confirms grain trucks crossed bridge",
    "Governor of Eastmark announces talks about permits",
    "Prime minister signs contract for ferries",
    "Port authority rejects claim about houses near border",
)
CONSENT: Final = (
    "We and our {n} partners store information on your device and read it, to measure what is seen and to improve the offer.",
    "You can agree to all purposes, choose some of them or refuse; the choice is kept for a year and can be changed.",
    "Some partners do not ask for your agreement and rely on a legitimate interest, which you may object to in the settings.",
)
TEASERS: Final = (
    "Ten cafes that you should know this winter",
    "Why the old lighthouse is painted blue again",
    "Quiz: how well do you know the islands",
)

Frame = Callable[[str], str]
FRAMES: Final[tuple[Frame, ...]] = (
    "<article>{}</article>".format,
    "<aside class='main-column'>{}</aside>".format,
    "<section><div>{}</div></section>".format,
    "<table width='100%'><tr><td width=140><a href=/>Home</a></td><td>{}</td></tr></table>".format,
    "<main><div class='col-8'>{}</div></main>".format,
    "<div id=c><div><div>{}</div></div></div>".format,
)


@dataclass(slots=True)
class Draft:
    """A page while it is made: its headline, its true paragraphs, and their mark-up."""

    rng: random.Random
    headline: str
    truth: list[str]
    marked: list[str] = field(default_factory=list)
    head: str = ""
    before: str = ""
    after: str = ""
    body: str = ""
    codec: str = ""


def _draft(number: int) -> Draft:
    rng = random.Random(number)
    truth = [" ".join(_sentence(rng) for _ in range(rng.randint(1, 3))) for _ in range(rng.randint(3, 9))]
    draft = Draft(rng, rng.choice(HEADS), truth)
    draft.marked = [html.escape(text, quote=False) for text in truth]
    return draft


def _sentence(rng: random.Random) -> str:
    return f"{rng.choice(WHO)} {rng.choice(DID).format(n=rng.randint(4, 900))} {rng.choice(THEN)}."


def _struck(draft: Draft) -> None:
    styled = "<span style='text-decoration: line-through'>{}</span> "
    forms = ("<del>{}</del> ", "<s>{}</s>", styled, "<span class=gone>{}</span> ")
    form = draft.rng.choice(forms)
    draft.head += "<style>.gone{text-decoration:line-through}</style>"
    draft.marked = [re.sub(r"(\d+)", form.format("7777") + r"\1", text, count=1) for text in draft.marked]


def _footnotes(draft: Draft) -> None:
    form = draft.rng.choice(("<sup>{}</sup>", "<sup><a href='#n{0}'>[{0}]</a></sup>", "<sup class=footnote>{}</sup>"))
    draft.marked = [
        re.sub(r"(\d+)", rf"\g<1>{form.format(n + 1)}", text, count=1) for n, text in enumerate(draft.marked)
    ]


def _hidden(draft: Draft) -> None:
    draft.head += "<style>.later{display:none} @media print{.ad{display:none}}</style>"
    forms = ("<p class=later>{}</p>", "<div hidden><p>{}</p></div>", "<p style='visibility:hidden'>{}</p>")
    hidden = draft.rng.choice(forms)
    draft.marked.insert(1, "\0" + hidden.format("This line is shown to nobody who reads the page in a browser."))


def _consent(draft: Draft) -> None:
    text = "".join(f"<p>{line.format(n=draft.rng.randint(40, 900))}</p>" for line in CONSENT)
    mark = draft.rng.choice(("", " class='cmp-consent'", " id=privacy"))
    block = f"<div{mark}><h2>Before you go on</h2>{text}</div>"
    if draft.rng.random() < 0.5:
        draft.before += block
    else:
        draft.after += block


def _beside(draft: Draft) -> None:
    links = "".join(f"<li><a href=/x{n}>{text}</a></li>" for n, text in enumerate(TEASERS))
    draft.after += (
        f"<div class='related'><h3>More</h3><ul>{links}</ul></div><footer>Copyright 2019-2026 Harbour Wire.</footer>"
    )
    draft.before += "<nav><a href=/>Home</a> <a href=/world>World</a> <a href=/money>Money</a></nav>"


def _between(draft: Draft) -> None:
    signup = "<div class='newsletter-signup'><p>Sign up for our morning newsletter.</p></div>"
    draft.marked.insert(2, f"\0<div class='ad'>Advertisement</div>{signup}")


def _label(draft: Draft) -> None:
    draft.codec = draft.rng.choice(("x-cp1252", "x-mac-roman", "ISO_8859-1:1987", "utf8mb4"))
    draft.truth = [f"{text} “Enough”, he said in Café Zürich." for text in draft.truth]
    draft.marked = list(draft.truth)


FEATURES: Final = (_struck, _footnotes, _hidden, _consent, _beside, _between)


def _plain(draft: Draft) -> str:
    return "".join(text[1:] if text.startswith("\0") else f"<p>{text}</p>" for text in draft.marked)


def _breaks(draft: Draft) -> str:
    return f"<div>{'<br><br>'.join(text for text in draft.marked if not text.startswith(chr(0)))}</div>"


def _divs(draft: Draft) -> str:
    return "".join(text[1:] if text.startswith("\0") else f"<div class=t>{text}</div>" for text in draft.marked)


def _pieces(draft: Draft) -> str:
    pieces = (text[1:] if text.startswith("\0") else f"<p>{text}</p>" for text in draft.marked)
    return "".join(f"<section class=chunk><div>{piece}</div></section>" for piece in pieces)


def _in_script(draft: Draft) -> str:
    blocks = [{"kind": "text", "value": text} for text in draft.truth]
    state: dict[str, Any] = {
        "page": {"story": {"headline": draft.headline, "blocks": blocks, "tags": ["harbour", "news"]}}
    }
    if draft.rng.random() < 0.4:
        thing = {"@type": "NewsArticle", "headline": draft.headline, "articleBody": "\n\n".join(draft.truth)}
        return f"<div id=root></div><script type='application/ld+json'>{json.dumps(thing)}</script>"
    opening = draft.rng.choice(("<script id=__NEXT_DATA__ type='application/json'>", "<script>window.__STATE__ = "))
    return f"<div id=root></div>{opening}{json.dumps(state)}</script>"


def _updates(draft: Draft) -> str:
    told = [text for text in draft.marked if not text.startswith("\0")]
    times = (f"<time datetime='2026-11-{27 - n % 5}T1{n % 9}:00:00Z'></time>" for n in range(len(told)))
    return "".join(f"<section>{time}<p>{text}</p></section>" for time, text in zip(times, told, strict=True))


BODIES: Final = (_plain, _breaks, _divs, _pieces, _in_script, _updates)


def pages() -> Iterable[dict[str, str]]:
    """Return the invented pages: id, url, html, and their true text and title."""
    for number in range(PAGES):
        draft = _draft(number)
        body = BODIES[number % len(BODIES)]
        if number % 12 == 6:
            _label(draft)
        chosen = draft.rng.sample(FEATURES, draft.rng.randint(2, 4))
        for feature in chosen:
            feature(draft)
        title = (
            html.escape(html.escape(f"{draft.headline} & more")) if number % 4 == 0 else f"{draft.headline} &amp; more"
        )
        heading = f"<h1>{draft.headline}</h1>" if body is not _in_script else ""
        framed = draft.rng.choice(FRAMES)(f"{heading}{body(draft)}")
        source = (
            f"<!doctype html><html lang=en><head><meta charset={draft.codec or 'utf-8'}>"
            f"<title>{title}</title>{draft.head}</head>"
            f"<body>{draft.before}{framed}{draft.after}</body></html>"
        )
        if draft.codec:
            raw = source.encode(decode.text_encoding(draft.codec) or "utf-8", "xmlcharrefreplace")
            source = decode.text(raw, "text/html")
        yield {
            "id": f"odd-{number:02d}",
            "url": f"https://odd.example/{number}",
            "html": source,
            "text": "\n\n".join(draft.truth),
            "title": f"{draft.headline} & more",
        }  # fmt: skip


def shingles(text: str, words: int = 4) -> collections.Counter[tuple[str, ...]]:
    """Return the runs of four words of a text, with their numbers."""
    found = re.findall(r"\w+", text.casefold())
    return collections.Counter(tuple(found[i : i + words]) for i in range(max(1, len(found) - words + 1)) if found)


@dataclass(frozen=True, slots=True)
class Score:
    """Means over pages, and the pages with the lowest values."""

    precision: float
    recall: float
    titles: int
    worst: tuple[tuple[str, float, float], ...]

    @property
    def f1(self) -> float:
        """The F1 of the two means."""
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)


def score(rows: list[dict[str, str]]) -> Score:
    """Pages with their true text in, how well extraction finds it out."""
    lines = [json.dumps({key: row[key] for key in ("id", "url", "html")}) for row in rows]
    found = [json.loads(line) for line in extract_jsonl(lines)]
    values = []
    for row, answer in zip(rows, found, strict=True):
        gold, have = shingles(row["text"]), shingles(answer.get("text") or "")
        both = (gold & have).total()
        values.append((row["id"], both / max(1, have.total()), both / max(1, gold.total())))
    right = [
        row.get("title") in (answer.get("title"), f"{answer.get('title')} & more")
        for row, answer in zip(rows, found, strict=True)
    ]
    worst = tuple(sorted(values, key=lambda value: value[1] + value[2])[:5])
    precision = sum(value for _, value, _ in values) / len(values)
    recall = sum(value for _, _, value in values) / len(values)
    return Score(precision, recall, sum(right), worst)


def main() -> None:
    """Write the invented pages, or measure on them and on the real ones."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="make the saved pages again")
    if parser.parse_args().write:
        SAVED.write_text("".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages()), "utf-8")
    sets = {"odd pages": [json.loads(line) for line in SAVED.read_text("utf-8").splitlines()]}
    if REAL.exists():
        with gzip.open(REAL, "rt", encoding="utf-8") as lines:
            sets["real pages"] = [json.loads(line) for line in lines]
    for name, rows in sets.items():
        found = score(rows)
        titles = f", titles right {found.titles}" if "title" in rows[0] else ""
        print(
            f"{name}: {len(rows)}, precision {found.precision:.3f}, recall {found.recall:.3f}, F1 {found.f1:.3f}{titles}"
        )
        print("  lowest:", *(f"{page[:12]} {p:.2f}/{r:.2f}" for page, p, r in found.worst))


if __name__ == "__main__":
    main()

"""Live pages whose days are headed by names alone, in either order and in many languages."""

import datetime as dt
import json

import pytest

from pipeline.page import date_parsing, weekdays
from pipeline.page.extract import extract
from tests.make import make_article

NOW = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)
TITLE = "Grain talks live: the third day"
TOLD = {
    27: "Ukraine and Russia signed the grain accord in Geneva today, the foreign ministry said.",
    26: "The talks were resumed this morning and lasted until the evening, diplomats said on arrival.",
    25: "The delegations arrived in Geneva this morning for three days of talks on the grain exports.",
}
NAMES = ("Friday", "Thursday", "Wednesday")
SHAPES = (
    "<h2>{day}</h2><p>{told}</p>", "<p><strong>{day}</strong></p><p>{told}</p>", "<h3>{day} 18:00</h3><p>{told}</p>", "<h3>18:05 {day}</h3><p>{told}</p>",
    "<h3>{day}, 6.05pm</h3><p>{told}</p>", "<h3>{day} evening</h3><p>{told}</p>", "<p>{day}, 18:00 - {told}</p>", "<h2>{day}:</h2><h3>10:05 What was said</h3><p>{told}</p>",
    "<section><time>{day}</time><p>{told}</p></section>", "<section><time>{day} 18:00</time><p>{told}</p></section>",
)  # fmt: skip


def read(body, *, published="2026-11-25T06:00:00Z", modified="2026-11-27T18:05:00Z", lang="en", now=NOW):
    thing = {"@type": "LiveBlogPosting", "headline": TITLE, "datePublished": published, "dateModified": modified}
    head = f'<script type="application/ld+json">{json.dumps({k: v for k, v in thing.items() if v})}</script>'
    source = f"<html lang={lang}><head><title>{TITLE}</title>{head}</head><body><main><h1>{TITLE}</h1>{body}</main></body></html>"
    return extract(make_article(source, content_type="text/html", fetched_at=now, title="", summary="", published_at=None, updated_at=None))  # fmt: skip


def days(found):
    """The day of each update's paragraph: that of the last update that begins before it."""
    begins = [found.text.index(told[:60]) for told in TOLD.values()]
    return [max((one for one in found.updates if one.start <= at), key=lambda one: one.start).at.day for at in begins]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("modified", ["2026-11-27T18:05:00Z", None])
def test_a_days_name_dates_what_stands_below_it(shape, order, modified):
    blocks = [shape.format(day=day, told=told) for day, told in zip(NAMES, TOLD.values(), strict=True)][::order]
    assert days(read("".join(blocks), modified=modified)) == [27, 26, 25]


@pytest.mark.parametrize(
    ("lang", "names"),
    [
        ("de", ("Freitag", "Donnerstag", "Mittwoch")), ("fr", ("Vendredi", "Jeudi", "Mercredi")), ("es", ("VIERNES", "JUEVES", "MIÉRCOLES")),
        ("ru", ("Пятница", "Четверг", "Среда")), ("uk", ("П’ятниця", "Четвер", "Середа")), ("ja", ("金曜日", "木曜日", "水曜日")),
        ("ar", ("الجمعة", "الخميس", "الأربعاء")), ("en-GB", ("Fri", "Thu", "Wed")), ("xx", NAMES),
    ],
)  # fmt: skip
def test_days_are_named_in_the_language_of_the_page(lang, names):
    body = "".join(SHAPES[0].format(day=day, told=told) for day, told in zip(names, TOLD.values(), strict=True))
    assert days(read(body, lang=lang)) == [27, 26, 25]
    assert days(read(body, lang=lang, published=None, modified=None)) == [27, 26, 25]


@pytest.mark.parametrize("published", ["2026-11-25T06:00:00Z", "2026-11-27T18:00:00Z"])
@pytest.mark.parametrize("late", [0, 5, 33])
def test_a_page_that_is_fetched_long_after_has_the_days_of_its_own_week(published, late):
    body = "".join(SHAPES[0].format(day=day, told=told) for day, told in zip(NAMES, TOLD.values(), strict=True))
    assert days(read(body, published=published, now=NOW + dt.timedelta(days=late))) == [27, 26, 25]
    if published.startswith("2026-11-25"):
        assert days(read(body, modified=None, now=NOW + dt.timedelta(days=late))) == [27, 26, 25]


def test_today_and_yesterday_are_counted_from_the_last_change():
    body = "".join(SHAPES[0].format(day=day, told=told) for day, told in zip(("Today", "Yesterday", "Wednesday"), TOLD.values(), strict=True))  # fmt: skip
    assert days(read(body)) == [27, 26, 25]


@pytest.mark.parametrize("published", ["2026-11-26T10:00:00Z", "2026-11-28T08:00:00Z", None])
def test_days_to_come_and_a_single_day_date_nothing(published):
    ahead = "".join(SHAPES[0].format(day=day, told=told) for day, told in zip(("Monday", "Tuesday", "Wednesday"), TOLD.values(), strict=True))  # fmt: skip
    assert read(ahead, published=published, modified=None).updates == ()
    assert read(SHAPES[0].format(day="Friday", told=TOLD[27]) + f"<p>{TOLD[26]}</p>", published=published).updates == ()


@pytest.mark.parametrize(
    "line",
    ["Friday is the last day of the talks", "Black Friday", "The Friday", "Friday morning briefing", "25:99", "Fr"],
)
def test_a_line_that_has_a_days_name_in_it_is_none(line):
    assert weekdays.dates([line, "Thursday"], "de", begun=None, changed=None, latest=NOW) == {}


def test_what_pages_call_their_language_does_not_fill_the_memory():
    for number in range(500):
        date_parsing.day_names(f"strange {number}")
    assert date_parsing.day_names.cache_info().currsize < 500


def test_a_page_that_names_a_hundred_thousand_days_has_none():
    lines = ["Monday", "Tuesday"] * 130_000
    assert weekdays.dates(lines, "en", begun=None, changed=None, latest=dt.datetime(2026, 11, 29, tzinfo=dt.UTC)) == {}

"""Invented articles, each of another happening that rings one alert: a country expels another's diplomats."""

import datetime as dt
import itertools

from pipeline.records import encode
from tests.make import make_article

LANDS = (
    ("France", "French", "Paris"), ("Germany", "German", "Berlin"), ("Norway", "Norwegian", "Oslo"),
    ("Poland", "Polish", "Warsaw"), ("Spain", "Spanish", "Madrid"), ("Italy", "Italian", "Rome"),
    ("Sweden", "Swedish", "Stockholm"), ("Kenya", "Kenyan", "Nairobi"), ("Japan", "Japanese", "Tokyo"),
    ("Brazil", "Brazilian", "Brasilia"), ("India", "Indian", "New Delhi"), ("Egypt", "Egyptian", "Cairo"),
    ("Canada", "Canadian", "Ottawa"), ("Peru", "Peruvian", "Lima"), ("Finland", "Finnish", "Helsinki"),
    ("Ghana", "Ghanaian", "Accra"),
)  # fmt: skip
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")


def expulsions(count):
    """So many articles as (address, raw record), met and published when it is asked for; each pair of countries comes once."""
    for number, (ours, theirs) in enumerate(itertools.islice(itertools.permutations(LANDS, 2), count)):
        now = dt.datetime.now(dt.UTC)
        words = NUMBERS[number % len(NUMBERS)]
        text = (
            f"{ours[0]} expelled {words} {theirs[1]} diplomats, the foreign ministry in {ours[2]} said.\n\n"
            f"The ministry gave them a week to pack. A spokesman in {theirs[2]} had no comment on the matter when he was asked. "
            "People who live near the building said that it had been quiet for months, and that the garden was well kept."
        )
        url = f"https://news.example/{number}-{ours[0].lower()}-{theirs[0].lower()}"
        made = make_article(
            text, url=url, title="", publisher=f"Paper {number}", published_at=now, fetched_at=now, first_seen_at=now
        )
        yield made.url, made.id.encode(), encode(made)

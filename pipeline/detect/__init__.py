"""What happened: a parsed article in, its events out. Deterministic.

How an event comes about:

1. windows.py    the article is cut into windows of whole sentences, each with the headline before it
2. encoder.py    the trained model reads a window (onnxruntime) and scores every piece of a word
3. reader.py     scores become tellings: a trigger with its kind, how real it is, and the spans of its roles
4. parties.py, details.py   called by drafts.py: spans become parties (offices.py, referents.py), places, a date, sums, counts
5. drafts.py     a telling with all that is a draft of an event
6. merge.py      drafts that tell one happening are folded into one; pairs.py says of two whether they do
7. events.py     what is sure enough becomes an Event; export.py gives its type as PLOVER and CAMEO code it

events.py calls them in turn. kinds.toml lists the kinds, own_kinds.py adds those of the user; models.py loads everything once
a process; explain.py shows the tellings of one article before they are merged; jsonl.py is `dateline detect --jsonl`.
"""

from pipeline.detect.events import detect
from pipeline.detect.jsonl import detect_jsonl
from pipeline.detect.models import Models, load_models

__all__ = ["Models", "detect", "detect_jsonl", "load_models"]

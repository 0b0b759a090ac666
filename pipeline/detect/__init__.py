"""What happened: a parsed article in, its events out. Pure and deterministic.

lexicon/*.toml, lexicon.py, forms.py   kinds of events as data, indexed by word form
syntax.py, repair.py                   the dependency parse as plain lists, its lost verbs found
triggers.py                            which rules a clause fits
reader.py, antecedents.py, roles.py    who to whom, pronouns and short names resolved
modality.py                            asserted, planned, hypothetical, denied, historical
dates.py, amounts.py, details.py       when, how much, where; worth.py: a sum told in the next sentence
events.py, drafts.py, merge.py          putting an event together, once for an article
"""

from pipeline.detect.events import detect
from pipeline.detect.jsonl import detect_jsonl
from pipeline.detect.models import Models, load_models

__all__ = ["Models", "detect", "detect_jsonl", "load_models"]

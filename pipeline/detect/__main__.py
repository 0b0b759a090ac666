"""`python -m pipeline.detect`: JSON lines on standard input, JSON lines with their events on standard output."""

from __future__ import annotations

import sys

from pipeline.detect import detect_jsonl, load_models
from pipeline.settings import Settings

if __name__ == "__main__":
    for line in detect_jsonl(sys.stdin, load_models(Settings())):
        sys.stdout.write(line + "\n")

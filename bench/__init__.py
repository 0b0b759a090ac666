"""Measurements: speed, latency, memory, faults. Not part of the package."""

import pipeline  # noqa: F401 - before spaCy loads numpy: it sets the number of numpy's threads

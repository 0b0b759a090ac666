"""Benchmarks of the whole path: speed, latency and memory. They are not part of the package."""

"""spaCy alone, which the whole path is compared with."""

import time

from bench import plain
from pipeline.settings import Settings


def test_it_reads_for_about_the_time_that_is_given():
    articles = [("France expels diplomats", "France expelled three diplomats. " * 20)] * 400
    began = time.monotonic()
    cpu_began = time.process_time()
    found = plain.measure(Settings(), articles, 1, 0.2)
    assert found.best == found.one_process == found.all_processes > 0
    assert found.one_process * (time.monotonic() - began) < len(articles), "it read all of them"
    assert 0 < found.cpu_seconds < 1000 * (time.process_time() - cpu_began)

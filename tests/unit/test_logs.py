"""What of the libraries' own lines reaches the log."""

import logging

from pipeline.logs import REPEAT_SECONDS, _NoRepeats


def test_what_a_library_repeats_twenty_times_a_second_is_logged_once_a_minute():
    """Its lines filled the log of a worker without Kafka: a hundred thousand in an hour."""
    now = 100.0
    no_repeats = _NoRepeats(lambda: now)

    def passes(name, text, *values):
        return no_repeats.filter(logging.LogRecord(name, logging.ERROR, __file__, 1, text, values, None))

    assert passes("aiokafka", "Unable connect to node with id %s: %s", 1, "refused")
    assert not passes("aiokafka", "Unable connect to node with id %s: %s", 2, "closed")
    assert passes("aiokafka.consumer.fetcher", "Failed fetch messages from %s: %s", 1, "closed"), "another text"
    assert passes("worker", "state_unread")
    assert passes("worker", "state_unread"), "our own lines are all logged"
    now += REPEAT_SECONDS
    assert passes("aiokafka", "Unable connect to node with id %s: %s", 1, "refused")

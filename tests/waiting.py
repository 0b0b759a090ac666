"""Waiting for what a running process or server will do, in tests that cannot know when."""

import asyncio
import time


def wait_until(condition, seconds=90, what="it did not come to pass in time"):
    """Ask a condition until it is true; fail with `what` after so many seconds, which leave room for a slow machine."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


async def until(condition, seconds=90, what="it did not come to pass in time"):
    """The same inside an event loop, which goes on meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)

import os
import signal
import subprocess
import sys
import threading
import time

import psutil

from pipeline.operate import parent


def test_without_the_variable_nothing_is_watched():
    assert parent.follow({}) is None


def test_the_end_of_the_pipe_asks_for_a_stop_and_then_leaves():
    here, there = os.pipe()
    stopped, left = threading.Event(), []
    environ = parent.environment({"A": "1"})
    thread = parent.follow(environ, stdin=here, stop=stopped.set, exit_process=left.append, grace_seconds=0.05)
    assert environ == {"A": "1"}, "what this process starts must not read its standard input"
    assert not stopped.wait(0.2)
    os.write(there, b"ignored")
    assert not stopped.wait(0.2)
    os.close(there)
    assert stopped.wait(5)
    thread.join(5)
    assert left == [parent.EXIT_STATUS]
    os.close(here)


CHILD = """
import time
from pipeline.operate import parent
parent.follow(grace_seconds=0.5)
print("up", flush=True)
time.sleep(60)
"""

PARENT = f"""
import subprocess, sys, time, os
from pipeline.operate import parent
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env=parent.environment(os.environ), start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_child_ends_when_its_parent_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as process:
        child = psutil.Process(int(process.stdout.readline()))
        assert child.is_running()
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

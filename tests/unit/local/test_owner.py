"""Who owns a data directory, with no server in sight."""

import os
import subprocess
import sys
import threading
import time

import pytest

from pipeline.local import owner
from pipeline.local.owner import OwnedError, Running

HOLD = """
import sys, time
from pathlib import Path
from pipeline.local import owner
locks = owner.acquire(Path(sys.argv[1]))
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that owns the directory."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"taken\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def close(locks):
    for lock in locks:
        lock.close()


def test_a_directory_nobody_ever_used_is_not_owned(tmp_path):
    assert not owner.is_owned(tmp_path / "absent")
    assert owner.read_record(tmp_path / "absent") is None


def test_it_is_owned_from_take_until_the_locks_are_closed(tmp_path):
    locks = owner.acquire(tmp_path)
    assert owner.is_owned(tmp_path)
    close(locks)
    assert not owner.is_owned(tmp_path)


def test_a_second_owner_is_refused_and_told_whom_to_end(tmp_path, holder):
    owner.write_record(tmp_path, Running(holder.pid, True, 1, 2))
    with pytest.raises(OwnedError, match=rf"process {holder.pid}.*dateline down"):
        owner.acquire(tmp_path)
    owner.write_record(tmp_path, Running(holder.pid, False, 1, 2))
    with pytest.raises(OwnedError, match=rf"process {holder.pid}.*dateline run"):
        owner.acquire(tmp_path)


def test_a_start_under_way_is_told_as_such(tmp_path, holder):
    with pytest.raises(OwnedError, match="starting or stopping"):
        owner.acquire(tmp_path)


def test_a_killed_owner_leaves_no_stale_lock(tmp_path, holder):
    owner.write_record(tmp_path, Running(holder.pid, True, 1, 2))
    holder.kill()
    holder.wait()
    locks = owner.acquire(tmp_path)
    assert owner.read_record(tmp_path) is None, "the record of the dead owner is gone"
    close(locks)


def test_a_glance_at_the_lock_does_not_keep_an_owner_out(tmp_path):
    glance = owner.acquire(tmp_path)
    began = time.monotonic()
    timer = threading.Timer(owner.LOCK_WAIT_SECONDS / 3, close, (glance,))
    timer.start()
    close(owner.acquire(tmp_path))
    timer.join()
    assert time.monotonic() - began < owner.LOCK_WAIT_SECONDS + 1


def test_a_new_owner_waits_for_the_servers_of_the_last(tmp_path, monkeypatch):
    mine, servers = owner.acquire(tmp_path)
    mine.close()
    monkeypatch.setattr(owner, "DRAIN_SECONDS", 0.2)
    with pytest.raises(OwnedError, match="servers of an earlier stack still run"):
        owner.acquire(tmp_path)
    assert not owner.is_owned(tmp_path), "who gave up waiting owns nothing"
    servers.close()
    close(owner.acquire(tmp_path))


def test_the_record_says_where_to_connect(tmp_path):
    owner.write_record(tmp_path, Running(os.getpid(), True, 29092, 29200))
    record = owner.read_record(tmp_path)
    assert record.bootstrap_servers == "127.0.0.1:29092"
    assert record.elasticsearch_url == "http://127.0.0.1:29200"

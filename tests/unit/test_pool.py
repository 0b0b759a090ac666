"""The pool: an article may crash or hang its process, and nothing else suffers."""

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest
import structlog

from pipeline import detect
from pipeline.settings import Log, Settings, Worker
from pipeline.worker import pool as pool_module
from pipeline.worker.pool import ArticleResult, Pool, start_process


def read(raws):
    """Stands for the reader in a pool process: some articles are deadly."""
    out = []
    for raw in raws:
        if raw == b"crash":
            os._exit(9)
        if raw == b"hang":
            time.sleep(60)
        if raw == b"slow":
            time.sleep(1)
        out.append(ArticleResult("ok", "detect", article_id=raw.decode()))
    return out


def prepare(settings):
    """Nothing to load."""


@pytest.fixture
async def pool():
    settings = Settings(worker=Worker(processes=2, article_timeout_seconds=1.5))
    pool = Pool(settings, reader=read, prepare=prepare)
    await pool.warm()
    yield pool
    pool.close()


async def test_articles_come_back_in_their_order(pool):
    reads = await pool.read([b"a", b"b", b"c"])
    assert [r.article_id for r in reads] == ["a", "b", "c"]


async def test_an_article_that_kills_its_process_fails_alone(pool):
    reads = await pool.read([b"a", b"crash", b"b"])
    assert [r.outcome for r in reads] == ["ok", "failed", "ok"]
    assert reads[1].error_type == "ProcessDied"
    assert [r.outcome for r in await pool.read([b"later"])] == ["ok"], "the pool works on"


async def test_an_article_that_never_ends_is_stopped_and_fails_alone(pool):
    began = time.monotonic()
    reads = await pool.read([b"hang", b"a"])
    assert [r.outcome for r in reads] == ["failed", "ok"]
    assert reads[0].error_type == "Timeout"
    assert "article_timeout_seconds = 1.5" in reads[0].error
    assert time.monotonic() - began < 50, "it would have taken 60 s"


@pytest.mark.parametrize("deadly", [b"hang", b"crash"])
async def test_the_articles_that_wait_behind_a_deadly_one_are_read(pool, deadly):
    """Each process has one that waits for it; all of them lose their process."""
    names = [b"a", deadly, b"b", b"c", b"d", b"e"]
    found = [reads[0] for reads in await asyncio.gather(*(pool.read([name]) for name in names))]
    assert [one.outcome for one in found] == ["ok", "failed", "ok", "ok", "ok", "ok"]
    assert [one.article_id for one in found if one.outcome == "ok"] == ["a", "b", "c", "d", "e"]


async def test_an_article_that_waits_for_a_process_has_all_its_time(pool):
    """Two take longer than half of the limit each on both processes, and two wait for them."""
    found = await asyncio.gather(*(pool.read([b"slow"]) for _ in range(4)))
    assert [one.outcome for [one] in found] == ["ok"] * 4


def test_a_pool_process_writes_its_log_in_the_form_that_is_configured(monkeypatch, capsys):
    monkeypatch.setattr(
        detect, "load_models", lambda _settings: structlog.get_logger("model").warning("loaded", words=3)
    )
    monkeypatch.setattr(pool_module, "_models", None)
    start_process(Settings(log=Log(format="json", level="warning")))
    structlog.get_logger("model").info("less than is wanted")
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line).items() >= {"event": "loaded", "logger": "model", "level": "warning", "words": 3}.items()


ENDS_AT_ONCE = """
import asyncio, os
from pipeline.settings import Settings, Worker
from pipeline.worker.pool import Pool, _exit_with_parent

def prepare(settings):
    _exit_with_parent()

if __name__ == "__main__":
    asyncio.run(Pool(Settings(worker=Worker(processes=1)), reader=list, prepare=prepare).warm())
    os._exit(0)
"""


def test_a_worker_that_ends_at_once_writes_no_plain_text_into_its_log(tmp_path):
    """Python's helper process told of leaked semaphores, between lines of JSON."""
    script = tmp_path / "worker.py"
    script.write_text(ENDS_AT_ONCE, "utf-8")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300, check=True)
    assert ran.stdout + ran.stderr == ""

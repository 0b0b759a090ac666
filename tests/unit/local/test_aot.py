"""The start-up cache: which archive fits a launch, and how archives come and go."""

import os
from pathlib import Path

import pytest

from pipeline.local import aot, java
from pipeline.local.servers import Launch

KAFKA = Launch("kafka", "/home", ("/jars/a.jar", "/jars/b.jar"), ("-Xmx1m",))
SEARCH = Launch("elasticsearch", "/home", ("/jars/c.jar",), ())


def record(cache, launches=(KAFKA, SEARCH), written=("kafka", "elasticsearch")):
    with aot.recording(launches, cache) as recorded:
        if recorded is None:
            return False
        for launch in launches:
            option = recorded(launch).options[-1]
            if launch.server in written:
                Path(option.removeprefix("-XX:AOTCacheOutput=")).write_bytes(b"archive")
    return True


def test_an_archive_is_recorded_once(tmp_path):
    assert record(tmp_path)
    assert aot.archive(KAFKA, tmp_path).read_bytes() == b"archive"
    assert not record(tmp_path)


def test_a_launch_uses_its_archive_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert aot.with_archive(KAFKA) == KAFKA
    record(tmp_path / "dateline")
    assert aot.with_archive(KAFKA).options[-1] == f"-XX:AOTCache={aot.archive(KAFKA)}"
    assert aot.with_archive(KAFKA).options[0] == "-Xmx1m"


def test_heap_and_home_share_an_archive_but_another_jar_does_not(tmp_path):
    roomy = Launch("kafka", "/elsewhere", KAFKA.class_path, ("-Xmx2m",))
    newer = Launch("kafka", "/home", ("/jars/a-2.jar", "/jars/b.jar"), ())
    assert aot.archive(roomy, tmp_path) == aot.archive(KAFKA, tmp_path)
    assert aot.archive(newer, tmp_path) != aot.archive(KAFKA, tmp_path)


def test_a_server_that_wrote_none_is_recorded_at_the_next_try(tmp_path):
    record(tmp_path, written=("kafka",))
    assert not aot.archive(SEARCH, tmp_path).exists()
    assert record(tmp_path)
    assert aot.archive(SEARCH, tmp_path).exists()


def test_a_recording_that_failed_leaves_no_archive(tmp_path):
    with pytest.raises(RuntimeError, match="server"), aot.recording([KAFKA], tmp_path) as recorded:
        Path(recorded(KAFKA).options[-1].removeprefix("-XX:AOTCacheOutput=")).write_bytes(b"half")
        raise RuntimeError("server died")
    assert not aot.archive(KAFKA, tmp_path).exists()


def test_archives_of_deleted_environments_and_older_jars_go(tmp_path):
    root = aot.directory(tmp_path)
    root.mkdir(parents=True)
    for name, runtime in (("kafka-gone", "/no/such/runtime"), ("kafka-old", java.home()), ("kafka-theirs", os.sep)):
        (root / f"{name}.aot").write_bytes(b"archive")
        (root / f"{name}.runtime").write_text(str(runtime), "utf-8")
    record(tmp_path)
    left = {file.name for file in root.glob("*.aot")}
    assert left == {"kafka-theirs.aot", aot.archive(KAFKA, tmp_path).name, aot.archive(SEARCH, tmp_path).name}

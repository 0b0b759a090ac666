"""The download by jgo, against a repository on 127.0.0.1 that the user's jgo configuration names: a mirror."""

import gc
import hashlib
import http.server
import threading
from functools import partial

import pytest

from pipeline.local import jars
from pipeline.local.jars import Jar, JarError, JarSet, Lock

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

DATA = b"class files" * 5000
JAR = Jar("org.example:broker:1.0", len(DATA), hashlib.sha256(DATA).hexdigest())
LOCK = Lock(kafka=JarSet(roots=(JAR.jar,), jars=(JAR,)), elasticsearch=JarSet(roots=(), jars=()))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A repository's directory, served; jgo is told of it in its configuration file, and has a home of its own."""
    root = tmp_path / "mirror"
    (root / JAR.path).parent.mkdir(parents=True)
    (root / JAR.path).write_bytes(DATA)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=root))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    configuration = tmp_path / "jgo.conf"
    address = f"http://127.0.0.1:{server.server_port}"
    configuration.write_text(
        f"[settings]\nrepo_cache = {tmp_path / 'maven'}\n[repositories]\ncentral = {address}\n", "utf-8"
    )
    monkeypatch.setenv("JGO_CONFIG_FILE", str(configuration))
    monkeypatch.delenv("M2_REPO", raising=False)
    yield root
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()  # jgo leaves the answer "no such file" unread and open; let that be noticed here, where it is expected


def fetch(tmp_path):
    heard = []
    count = jars.fetch(lambda *step: heard.append(step[1:]), cache=tmp_path / "cache", lock=LOCK, pause=lambda _: None)
    return count, heard


def test_a_jar_comes_from_the_configured_mirror(tmp_path, mirror):
    count, heard = fetch(tmp_path)
    assert count == 1
    assert (tmp_path / "cache" / "jars" / JAR.path).read_bytes() == DATA
    assert heard[-1] == (len(DATA), len(DATA))


def test_a_jar_that_maven_has_on_this_machine_is_taken_from_there(tmp_path, mirror):
    (mirror / JAR.path).rename(tmp_path / "there.jar")
    theirs = tmp_path / "maven" / JAR.path
    theirs.parent.mkdir(parents=True)
    (tmp_path / "there.jar").rename(theirs)
    assert fetch(tmp_path)[0] == 1
    assert theirs.exists()


def test_a_mirror_without_the_jar_says_so(tmp_path, mirror):
    (mirror / JAR.path).unlink()
    with pytest.raises(JarError, match=r"1 of 1 jars could not be downloaded \(broker-1\.0\.jar"):
        fetch(tmp_path)


def test_a_mirror_that_alters_a_jar_is_found_out(tmp_path, mirror):
    (mirror / JAR.path).write_bytes(DATA[:-1])
    with pytest.raises(JarError, match=r"org\.example:broker:1\.0 is not the one of lock\.toml"):
        fetch(tmp_path)

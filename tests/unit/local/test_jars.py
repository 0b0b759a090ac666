"""The jars: fetched whole or not at all, checked before they are run."""

import hashlib
import threading
import tomllib

import pytest

from pipeline.cli import prepare
from pipeline.local import LocalError, jars
from pipeline.local.jars import Jar, JarError, JarSet, Lock

CONTENTS = {
    "org.example:broker:1.0": b"broker" * 100,
    "org.example:common:2.1": b"common" * 50,
    "org.example:native:3.0:linux": b"native" * 10,
    "net.example:search:9.5": b"search" * 200,
}


def make_jar(coordinates):
    data = CONTENTS[coordinates]
    return Jar(coordinates, len(data), hashlib.sha256(data).hexdigest())


BROKER, COMMON, NATIVE, SEARCH = (make_jar(coordinates) for coordinates in CONTENTS)
LOCK = Lock(
    kafka=JarSet(roots=("org.example:broker:1.0",), jars=(BROKER, COMMON, NATIVE)),
    elasticsearch=JarSet(roots=("net.example:search:9.5",), jars=(SEARCH, COMMON)),
)


class Repository:
    """Stands in for a Maven repository: gives what it has, in two chunks, and remembers what it was asked for."""

    def __init__(self, contents=CONTENTS):
        self.contents = dict(contents)
        self.asked = []
        self.offline = False
        self.fails = {}
        self._lock = threading.Lock()

    def __call__(self, jar, directory, advance):
        with self._lock:
            self.asked.append(jar.jar)
            if self.offline or self.fails.get(jar.jar, 0) > 0:
                self.fails[jar.jar] = self.fails.get(jar.jar, 0) - 1
                raise ConnectionError("five lines of who wrapped it") from OSError("network is unreachable")
        data = self.contents[jar.jar]
        file = directory / "download"
        with file.open("wb") as stream:
            for part in (data[: len(data) // 2], data[len(data) // 2 :]):
                stream.write(part)
                advance(len(part))
        return file


class Heard:
    """A Progress that remembers."""

    def __init__(self):
        self.steps = []

    def __call__(self, _what, done, total):
        self.steps.append((done, total))


@pytest.fixture
def repository():
    return Repository()


@pytest.fixture
def fetch(tmp_path, repository):
    def run(progress=Heard(), **changes):  # noqa: B008 - nobody looks at the default one
        options = {"cache": tmp_path, "lock": LOCK, "download": repository, "pause": lambda _: None, **changes}
        return jars.fetch(progress, **options)

    return run


def partials(cache):
    return list((cache / "jars").glob("partial-*"))


def test_a_cold_fetch_puts_every_jar_where_the_class_path_says(tmp_path, fetch):
    assert fetch() == 4
    for part in jars.PARTS:
        files = jars.class_path(part, cache=tmp_path, lock=LOCK)
        assert all(file.exists() for file in files)
        jars.verify(part, files, lock=LOCK)
    assert not partials(tmp_path)


def test_the_cache_is_laid_out_as_a_maven_repository():
    assert NATIVE.path.as_posix() == "org/example/native/3.0/native-3.0-linux.jar"


def test_what_is_there_is_not_fetched_again(fetch, repository):
    fetch()
    repository.asked.clear()
    assert fetch() == 0
    assert repository.asked == []


def test_an_interrupted_fetch_keeps_finished_jars_and_goes_on_with_the_rest(tmp_path, fetch, repository):
    def interrupted(jar, directory, advance):
        if jar == SEARCH:
            raise KeyboardInterrupt
        return repository(jar, directory, advance)

    with pytest.raises(KeyboardInterrupt):
        fetch(download=interrupted)
    done = set(repository.asked)
    assert not (tmp_path / "jars" / SEARCH.path).exists()
    repository.asked.clear()
    fetch()
    assert SEARCH.jar in repository.asked
    assert not done & set(repository.asked)


def test_what_a_killed_fetch_left_half_done_never_counts(tmp_path, fetch, repository):
    leftover = tmp_path / "jars" / "partial-1" / "0"
    leftover.mkdir(parents=True)
    (leftover / "download").write_bytes(b"bro")
    assert fetch() == 4
    assert not partials(tmp_path)


def test_a_failed_download_is_tried_again(fetch, repository):
    repository.fails[COMMON.jar] = jars.ATTEMPTS - 1
    assert fetch() == 4
    assert repository.asked.count(COMMON.jar) == jars.ATTEMPTS


def test_offline_says_what_is_missing_and_how_to_go_on(tmp_path, fetch, repository):
    repository.offline = True
    with pytest.raises(JarError) as caught:
        fetch()
    message = str(caught.value)
    assert "4 of 4 jars could not be downloaded" in message
    assert "broker-1.0.jar" in message
    assert "network is unreachable" in message
    assert "who wrapped it" not in message
    assert "running the same command with a network connection" in message
    assert str(tmp_path / "jars") in message
    assert "jgo.conf" in message


def test_offline_with_everything_there_asks_nobody(fetch, repository):
    fetch()
    repository.offline = True
    assert fetch() == 0


def test_offline_counts_only_what_is_still_missing(fetch, repository):
    repository.fails[SEARCH.jar] = jars.ATTEMPTS
    with pytest.raises(JarError, match=r"search-9\.5\.jar"):
        fetch()
    repository.offline = True
    with pytest.raises(JarError, match=r"^Kafka and Elasticsearch are not complete: 1 of 1 jars"):
        fetch()


def test_a_jar_that_was_altered_on_its_way_is_named_and_not_kept(tmp_path, fetch, repository):
    repository.contents[BROKER.jar] = b"something else"
    with pytest.raises(JarError) as caught:
        fetch()
    assert BROKER.jar in str(caught.value)
    assert "nothing of it was kept" in str(caught.value)
    assert repository.asked.count(BROKER.jar) == 1
    assert not (tmp_path / "jars" / BROKER.path).exists()


def test_a_jar_that_was_damaged_in_the_cache_is_named_with_what_to_do(tmp_path, fetch):
    fetch()
    file = tmp_path / "jars" / COMMON.path
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(JarError) as caught:
        fetch()
    assert str(file) in str(caught.value)
    assert "delete this file" in str(caught.value)
    file.unlink()
    assert fetch() == 1


def test_a_damaged_jar_is_not_run(tmp_path, fetch):
    fetch()
    (tmp_path / "jars" / NATIVE.path).write_bytes(b"")
    with pytest.raises(JarError, match="org.example:native:3.0:linux"):
        jars.verify("kafka", jars.class_path("kafka", cache=tmp_path, lock=LOCK), lock=LOCK)


def test_a_missing_jar_is_not_run(tmp_path):
    with pytest.raises(JarError, match="missing"):
        jars.verify("kafka", jars.class_path("kafka", cache=tmp_path, lock=LOCK), lock=LOCK)


@pytest.mark.parametrize("name", ["stranger-1.0.jar", "search-9.5.jar"])
def test_a_jar_that_is_not_listed_for_the_server_is_not_run(tmp_path, fetch, name):
    fetch()
    stranger = tmp_path / name
    stranger.write_bytes(CONTENTS[SEARCH.jar])
    with pytest.raises(JarError, match="not in lock.toml"):
        jars.verify("kafka", [*jars.class_path("kafka", cache=tmp_path, lock=LOCK), stranger], lock=LOCK)


def test_a_file_that_another_program_keeps_is_copied_and_left_alone(tmp_path, fetch):
    theirs = tmp_path / "theirs"
    theirs.mkdir()

    def at_hand(jar, _directory, _advance):
        file = theirs / jar.path.name
        file.write_bytes(CONTENTS[jar.jar])
        return file

    assert fetch(download=at_hand) == 4
    assert len(list(theirs.iterdir())) == 4


def test_progress_goes_from_nothing_to_all_bytes(fetch, repository):
    heard = Heard()
    repository.fails[SEARCH.jar] = 1
    fetch(heard)
    total = sum(len(data) for data in CONTENTS.values())
    assert {step[1] for step in heard.steps} == {total}
    assert heard.steps[-1] == (total, total)
    assert all(0 <= done <= total for done, _ in heard.steps)
    assert [done for done, _ in heard.steps].count(total) == 1, "the end is told once"


def test_two_fetches_at_once_download_each_jar_once(tmp_path, fetch, repository):
    together = threading.Barrier(2)
    counts = []

    def one():
        together.wait()
        counts.append(fetch())

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(repository.asked) == sorted(CONTENTS)
    assert sum(counts) == 4


def test_the_cache_is_where_the_user_keeps_caches(tmp_path, monkeypatch):
    assert jars.cache_dir({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "dateline"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert jars.cache_dir({}) == tmp_path / ".cache" / "dateline"


def test_the_lock_has_a_hash_for_every_jar_and_names_no_host():
    lock = jars.read_lock()
    text = jars.LOCK_FILE.read_text("utf-8")
    assert "://" not in text
    for name in jars.PARTS:
        part = lock.part(name)
        assert {root.split(":")[1] for root in part.roots} <= {jar.jar.split(":")[1] for jar in part.jars}
        assert all(len(bytes.fromhex(jar.sha256)) == 32 and jar.bytes > 0 for jar in part.jars)
        names = [jar.path.name for jar in part.jars]
        assert len(names) == len(set(names)), "two jars of one name could not be told apart"


def test_the_lock_holds_one_version_of_each_project_as_released():
    for name, group, version in (
        ("kafka", "org.apache.kafka", "4.3.1"),
        ("elasticsearch", "org.elasticsearch", "9.5.4"),
    ):
        ours = [jar.jar for jar in jars.read_lock().part(name).jars if jar.jar.split(":")[0] == group]
        assert len(ours) > 5
        assert {jar.split(":")[2] for jar in ours} == {version}


def test_writing_the_lock_anew_keeps_comments_and_roots(tmp_path, monkeypatch):
    file = tmp_path / "lock.toml"
    file.write_text(
        '# kept\n\n[kafka]\nroots = ["org.example:broker:1.0"]\njars = []\n\n'
        '[elasticsearch]\nroots = ["net.example:search:9.5"]\njars = []\n',
        "utf-8",
    )
    found = {LOCK.kafka.roots: LOCK.kafka.jars, LOCK.elasticsearch.roots: LOCK.elasticsearch.jars}
    monkeypatch.setattr(jars, "resolve", lambda roots, _repository: found[roots])
    jars.write_lock(file)
    assert jars.read_lock(file) == LOCK
    assert file.read_text("utf-8").startswith("# kept\n")
    assert tomllib.loads(file.read_text("utf-8"))["kafka"]["jars"][0]["jar"] == BROKER.jar


@pytest.mark.parametrize("words", [["lok"], ["fetch", "now"]])
def test_a_command_that_is_not_known_is_answered_with_those_that_are(words):
    with pytest.raises(LocalError, match=r"usage: .*fetch\|lock"):
        prepare.main(words)

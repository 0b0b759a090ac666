"""Rules are read again while the process runs, and a file with an error changes nothing."""

import msgspec
import pytest

from pipeline import metrics
from pipeline.alert.reload import RuleWatch
from pipeline.settings import Settings, SettingsError

TERMINAL = '[[channel]]\nname = "terminal"\ntype = "terminal"\n'


@pytest.fixture
def write(tmp_path):
    """Write a file with rules of these names."""

    def write(*names, more=""):
        rules = "".join(f'[[rule]]\nname = "{name}"\nabout = "For this"\n{more}\n' for name in names)
        (tmp_path / "new").write_text(rules + TERMINAL, "utf-8")
        (tmp_path / "new").replace(tmp_path / "alerts.toml")
        return Settings(directory=str(tmp_path))

    return write


def names(watch):
    return [rule.name for rule in watch.found.rules]


def good():
    return metrics.rules_last_reload_successful._value.get()


def test_a_changed_file_is_read_and_an_unchanged_one_is_not(write):
    watch = RuleWatch(write("a"))
    assert (names(watch), watch.look(), good()) == (["a"], False, 1)
    write("a", "b")
    assert (watch.look(), names(watch)) == (True, ["a", "b"])
    assert watch.look() is False


def test_a_file_with_an_error_changes_nothing_and_is_reported_until_it_is_correct(write):
    watch = RuleWatch(write("a"))
    write("a", "b", more='kinds = ["metting"]')
    assert watch.look() is False
    assert (names(watch), good()) == (["a"], 0)
    assert "did you mean 'meeting'" in watch.shown()["rules_problem"]
    assert watch.look() is False
    assert watch.problem
    write("c")
    assert watch.look() is True
    assert (names(watch), good(), watch.shown()) == (["c"], 1, {})


def test_a_file_that_is_absent_for_a_moment_changes_nothing(write, tmp_path):
    settings = write("a")
    watch = RuleWatch(settings)
    (tmp_path / "alerts.toml").unlink()
    watch.look()
    assert names(watch) == ["a"]
    assert "No such file" in watch.problem
    write("b")
    assert watch.look()
    assert watch.problem == ""


def test_a_request_reads_an_unchanged_file_and_its_secrets_again(write):
    seen = []
    watch = RuleWatch(write("a"), lambda found, anew: seen.append((len(found.rules), anew)))
    watch.request()
    assert watch.look() is True
    assert watch.look() is False
    assert seen == [(1, True), (1, True)]


def test_rules_that_cannot_be_applied_count_as_an_error_in_the_file(write):
    def apply(found, anew):
        if len(found.rules) > 1:
            raise SettingsError("channel hook: secret_file: key cannot be read")

    watch = RuleWatch(write("a"), apply)
    write("a", "b")
    assert watch.look() is False
    assert (names(watch), watch.problem) == (["a"], "channel hook: secret_file: key cannot be read")


def test_at_the_start_an_error_in_the_file_is_raised(write):
    with pytest.raises(SettingsError, match="metting"):
        RuleWatch(write("a", more='kinds = ["metting"]'))


def test_kinds_of_the_users_own_count_too(write, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('[[kinds]]\nkind = "bank_run"\ntype = "COERCE"\npatterns = [[{ LOWER = "queues" }]]\n', "utf-8")
    settings = write("a")
    settings = msgspec.structs.replace(settings, detect=msgspec.structs.replace(settings.detect, kinds=("own.toml",)))
    watch = RuleWatch(settings)
    write("a", more='kinds = ["bank_run"]')
    assert watch.look() is True

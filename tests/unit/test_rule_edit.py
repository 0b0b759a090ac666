"""Rules of alerts.toml as text: added, changed and removed, and what is wrong is named."""

import shutil
from pathlib import Path

import pytest

from pipeline.alert import edit, rules
from pipeline.alert.edit import RuleNameError
from pipeline.settings import Settings, SettingsError

CONFIGS = Path(__file__).parents[2] / "configs"
MINE = '[[rule]]\nname = "mine"\nabout = "For this"\nkinds = ["aid_package"]\n'


@pytest.fixture
def settings(tmp_path):
    shutil.copy(CONFIGS / "alerts.toml", tmp_path)
    return Settings(directory=str(tmp_path))


def names(settings):
    return [rule.name for rule in rules.load(settings).rules]


def test_a_rule_is_added_changed_and_removed_and_the_file_is_as_before(settings):
    before = settings.path("alerts.toml").read_text("utf-8")
    assert edit.add(settings, MINE) == "mine"
    assert names(settings)[-1] == "mine"
    edit.change(settings, "mine", MINE.replace("For this", "For that"))
    assert {rule.name: rule.about for rule in rules.load(settings).rules}["mine"] == "For that"
    edit.change(settings, "mine", "")
    assert settings.path("alerts.toml").read_text("utf-8").rstrip() == before.rstrip()


def test_each_rule_comes_with_its_own_text(settings):
    for rule, text in edit.texts(settings):
        assert f'name = "{rule.name}"' in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "give one"),
        (MINE + MINE.replace("mine", "other"), "give one"),
        (MINE.replace("aid_package", "aid_packag"), "did you mean 'aid_package'"),
        (MINE + 'channels = ["pager"]', "unknown channel 'pager'"),
        (MINE + "kimds = []", "unknown key"),
        ("[[rule", "not TOML"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_reason(settings, text, problem):
    before = settings.path("alerts.toml").read_text("utf-8")
    with pytest.raises(SettingsError, match=problem):
        edit.add(settings, text)
    assert settings.path("alerts.toml").read_text("utf-8") == before


def test_a_name_is_taken_once_and_an_unknown_one_is_not_changed(settings):
    edit.add(settings, MINE)
    with pytest.raises(RuleNameError, match="already"):
        edit.add(settings, MINE)
    with pytest.raises(RuleNameError, match="no rule"):
        edit.change(settings, "other", "")
    with pytest.raises(SettingsError, match="keeps its name"):
        edit.change(settings, "mine", MINE.replace("mine", "yours"))


def test_a_draft_is_a_rule_with_the_given_conditions_alone(settings):
    text = edit.draft(
        "big", 'Says "big"', {"kinds": ["aid_package"], "text": "", "money_at_least": {"value": 1e8, "currency": "USD"}}
    )
    rule = edit.parse(settings, text)
    assert (rule.about, rule.kinds, rule.money_at_least.value) == ('Says "big"', ("aid_package",), 1e8)
    assert "text" not in text

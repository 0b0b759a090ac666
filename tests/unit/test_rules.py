"""alerts.toml: an error is reported with its place and the nearest known name."""

import datetime as dt
from pathlib import Path

import pytest

from pipeline.alert.rules import (
    DIGEST_PLACEHOLDERS,
    PLACEHOLDERS,
    Channel,
    QuietHours,
    Rule,
    known_kinds,
    load_rules,
    waits_until,
)
from pipeline.annotate.groups import country_name, known, members
from pipeline.settings import SettingsError

SHIPPED = Path(__file__).parents[2] / "configs/alerts.toml"
TERMINAL = '[[channel]]\nname = "terminal"\ntype = "terminal"\n'


@pytest.fixture
def load(tmp_path):
    """Load a file with these lines of a rule, and these channels."""

    def load(rule="", channels=TERMINAL, **options):
        file = tmp_path / "alerts.toml"
        file.write_text(f'[[rule]]\nname = "one"\nabout = "It is for this"\n{rule}\n{channels}', "utf-8")
        return load_rules(file, **options)

    return load


def test_the_shipped_file_is_correct_and_has_the_rules_asked_for():
    found = load_rules(SHIPPED)
    assert {"leaders-meet", "new-sanctions", "large-aid-package"} <= {rule.name for rule in found.rules}
    assert set(found.channels) == {"terminal", "kafka"}


def test_every_option_of_a_rule_and_channel_is_explained_in_the_shipped_file():
    text = SHIPPED.read_text("utf-8")
    missing = [name for kind in (Rule, Channel) for name in kind.__struct_fields__ if name not in text]
    assert not missing
    assert [name for name in (*PLACEHOLDERS, *DIGEST_PLACEHOLDERS) if f"{{{name}}}" not in text] == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ('kindz = ["meeting"]', "rule[0].kindz: unknown key, did you mean 'kinds'?"),
        ('kinds = ["metting"]', "rule[0] one: kinds: unknown kind 'metting', did you mean 'meeting'?"),
        (
            'countries_any = ["RUSS"]',
            "rule[0] one: countries_any: unknown country or group 'RUSS', did you mean 'RUS'?",
        ),
        (
            'countries_all = ["Germny"]',
            "rule[0] one: countries_all: unknown country or group 'Germny', did you mean 'DEU'?",
        ),
        (
            'countries_any = ["Nato"]',
            "rule[0] one: countries_any: unknown country or group 'Nato', did you mean 'NATO'?",
        ),
        ('actors_any = ["RUX"]', "rule[0] one: actors_any: unknown country or group 'RUX'"),
        ('places_any = ["XXX"]', "rule[0] one: places_any: unknown country or group 'XXX'"),
        ('channels = ["terminl"]', "rule[0] one: channels: unknown channel 'terminl', did you mean 'terminal'?"),
        ('template = "{headlin}"', "rule[0] one: template: unknown placeholder 'headlin', did you mean 'headline'?"),
        ('template = "{"', "rule[0] one: template: "),
        ("on = []", "rule[0] one: on: is empty"),
        ('on = ["often"]', "rule[0].on[0]: Invalid enum value 'often'"),
        ("sources_at_least = 0", "rule[0].sources_at_least: Expected `int` >= 1"),
        ('event_types = ["MEET"]', "rule[0].event_types[0]: Invalid enum value 'MEET'"),
        ("confidence_at_least = 2", "rule[0].confidence_at_least: Expected `float` <= 1.0"),
        ("money_at_least = { value = -1 }", "rule[0].money_at_least.value: Expected `float` > 0.0"),
        (
            "money_at_least = { amount = 1 }",
            "rule[0].money_at_least.amount: unknown key; known here: convert, currency, value",
        ),
        ('[[rule]]\nname = "one"\nabout = "Again"', "rule[1] one: name: another rule has this name already"),
        ('[[rule]]\nname = "Bad Name"\nabout = "x"', "rule[1].name: Expected `str` matching regex"),
        (
            "where = { artcle_count = { at_least = 2 } }",
            "rule[0] one: where: unknown field 'artcle_count', did you mean 'article_count'?",
        ),
        (
            "where = { reports = { any = ['x'] } }",
            "rule[0] one: where: 'reports' has fields of its own: reports.a",
        ),
        ("where = { kind = { at_least = 2 } }", "where.kind: is no number: at_least and at_most cannot be asked of it"),
        ("where = { revision = { any = ['2'] } }", "where.revision: is a number: give at_least or at_most"),
        ("where = { kind = {} }", "where.kind: asks nothing"),
        ("throttle = { alerts = 2 }", "rule[0].throttle: Object missing required field `minutes`"),
        ("digest_minutes = -1", "rule[0].digest_minutes: Expected `int` >= 0"),
        ('digest_template = "{headline}"', "digest_template: unknown placeholder 'headline'"),
        (
            'quiet_hours = { start = "22:00", end = "07:00", zone = "Europe/Berln" }',
            "rule[0] one: quiet_hours.zone: unknown time zone 'Europe/Berln', did you mean 'Europe/Berlin'?",
        ),
        (
            'quiet_hours = { start = "24:00", end = "07:00" }',
            "rule[0].quiet_hours.start: Expected `str` matching regex",
        ),
        ('[[rule]]\nname = "two"', "rule[1]: Object missing required field `about`"),
    ],
)
def test_an_error_in_a_rule_is_named_with_its_place_and_the_nearest_name(load, rule, message):
    with pytest.raises(SettingsError) as caught:
        load(rule)
    assert message in str(caught.value)
    assert "alerts.toml: " in str(caught.value)


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ('type = "webhok"', "channel[1].type: Invalid enum value 'webhok'"),
        ('type = "webhook"', "channel[1] c: type 'webhook' needs exactly one of url, url_file, url_env; given: none"),
        (
            'type = "webhook"\nurl = "http://a/"\nurl_env = "U"',
            "needs exactly one of url, url_file, url_env; given: ['url', 'url_env']",
        ),
        ('type = "webhook"\nurl = "ftp://a/"', "channel[1] c: url: is not an http or https address"),
        ('type = "terminal"\nurl = "http://a/"', "channel[1] c: url: type 'terminal' has no address"),
        (
            'type = "webhook"\nurl = "http://a/"\nsecret_env = "A"\nsecret_file = "b"',
            "give secret_file or secret_env, not both",
        ),
        ('type = "webhook"\nurl = "http://a/"\ntopic = "x"', "channel[1] c: topic: type 'webhook' has no topic"),
        ('type = "kafka"\ntopic = "a b"', "channel[1].topic: Expected `str` matching regex"),
        (
            'type = "kafka"\ntemplate = "{hedline}"',
            "channel[1] c: template: unknown placeholder 'hedline', did you mean",
        ),
        ('type = "webhook"\nurl = "http://a/"\ntries = 0', "channel[1].tries: Expected `int` >= 1"),
        ('type = "webhook"\nurl = "http://a/"\nsecret = "x"', "channel[1].secret: unknown key"),
        (
            'type = "kafka"\n[[channel]]\nname = "c"\ntype = "kafka"',
            "channel[2] c: name: another channel has this name already",
        ),
    ],
)
def test_an_error_in_a_channel_is_named_with_its_place(load, channel, message):
    with pytest.raises(SettingsError) as caught:
        load(channels=f'{TERMINAL}[[channel]]\nname = "c"\n{channel}')
    assert message in str(caught.value)


def test_an_address_is_never_in_the_message(load):
    with pytest.raises(SettingsError) as caught:
        load(channels=f'{TERMINAL}[[channel]]\nname = "c"\ntype = "webhook"\nurl = "token-123"')
    assert "token-123" not in str(caught.value)


def test_a_missing_file_is_named():
    with pytest.raises(SettingsError, match="nowhere.toml: No such file"):
        load_rules(Path("nowhere.toml"))


def test_disabled_rules_and_channels_are_left_out(load):
    assert load("enabled = false").rules == ()
    assert set(load(channels=TERMINAL + '[[channel]]\nname = "c"\ntype = "kafka"\nenabled = false').channels) == {
        "terminal"
    }


def test_the_maximum_age_of_the_settings_is_the_default_of_rules(load):
    assert load(max_age_hours=5).rules[0].told_within_hours == 5
    assert load("told_within_hours = 9", max_age_hours=5).rules[0].told_within_hours == 9
    assert load().rules[0].told_within_hours is None


def test_kinds_of_the_users_own_are_known(load, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('[[kinds]]\nkind = "bank_run"\ntype = "COERCE"\npatterns = [[{ LOWER = "queues" }]]\n', "utf-8")
    assert load('kinds = ["bank_run"]', kinds=[own]).rules[0].kinds == ("bank_run",)
    assert "bank_run" not in known_kinds()


def test_groups_have_known_countries_only():
    codes = set(known().country)
    assert len(codes) > 240
    for name, group in known().group.items():
        assert set(group.members.split()) <= codes, name
        assert len(set(group.members.split())) == len(group.members.split()), name


def test_groups_stand_for_their_members():
    assert members(("Baltic", "RUS")) == {"EST", "LVA", "LTU", "RUS"}
    assert len(members(("EU",))) == 27
    assert len(members(("NATO",))) == 32
    assert country_name("KOR") == "South Korea"
    assert country_name("QQQ") == "QQQ"


# --- digest and quiet hours ------------------------------------------------------------------------------------------

BERLIN = QuietHours(start="22:00", end="07:00", zone="Europe/Berlin")


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("options", "moment", "until"),
    [
        ({}, "2024-05-14T09:00", None),
        ({"digest_minutes": 60}, "2024-05-14T09:00", "2024-05-14T10:00"),
        ({"digest_minutes": 60}, "2024-05-14T09:59:59", "2024-05-14T10:00"),
        ({"digest_minutes": 1440}, "2024-05-14T09:00", "2024-05-15T00:00"),
        ({"quiet_hours": BERLIN}, "2024-05-14T19:59", None),
        ({"quiet_hours": BERLIN}, "2024-05-14T20:00", "2024-05-15T05:00"),
        ({"quiet_hours": BERLIN}, "2024-05-15T04:59", "2024-05-15T05:00"),
        ({"quiet_hours": BERLIN}, "2024-05-15T05:00", None),
        ({"quiet_hours": BERLIN}, "2024-12-14T20:30", None),
        ({"quiet_hours": BERLIN}, "2024-12-14T21:00", "2024-12-15T06:00"),
        ({"quiet_hours": QuietHours(start="12:00", end="13:00")}, "2024-05-14T12:30", "2024-05-14T13:00"),
        ({"quiet_hours": QuietHours(start="12:00", end="13:00")}, "2024-05-14T13:00", None),
        ({"quiet_hours": BERLIN, "digest_minutes": 60}, "2024-05-14T19:30", "2024-05-15T05:00"),
        ({"quiet_hours": BERLIN, "digest_minutes": 60}, "2024-05-14T18:30", "2024-05-14T19:00"),
    ],
)
def test_an_alert_waits_for_the_end_of_its_digest_and_of_quiet_hours(options, moment, until):
    rule = Rule(name="a", about="b", **options)
    assert waits_until(rule, at(moment)) == (at(until) if until else None)


def test_templates_for_all_rules_and_channels_give_way_to_their_own(tmp_path):
    file = tmp_path / "alerts.toml"
    file.write_text(
        '[templates]\nfull = "F {headline}"\nshort = "S {link}"\ndigest = "D {count}"\n'
        '[[rule]]\nname = "a"\nabout = "b"\n[[rule]]\nname = "c"\nabout = "d"\ntemplate = "own {who}"\n'
        + TERMINAL
        + '[[channel]]\nname = "s"\ntype = "terminal"\ntext = "short"\n',
        "utf-8",
    )
    found = load_rules(file)
    assert [(r.template, r.digest_template) for r in found.rules] == [
        ("F {headline}", "D {count}"),
        ("own {who}", "D {count}"),
    ]
    assert {name: c.template for name, c in found.channels.items()} == {"terminal": "", "s": "S {link}"}


def test_an_error_in_a_template_for_all_is_named(load):
    with pytest.raises(SettingsError, match="templates: full: unknown placeholder 'hedline', did you mean 'headline'"):
        load(channels='[templates]\nfull = "{hedline}"\n' + TERMINAL)


def test_continents_are_groups():
    assert {"FRA", "UKR"} <= members(("Europe",))
    assert "KEN" in members(("Africa",))
    assert "FRA" not in members(("Asia",))


def test_a_country_may_be_named_in_words(load):
    found = load('countries_any = ["France"]\nactors_any = ["united kingdom"]')
    assert members(found.rules[0].countries_any) == {"FRA"}
    assert members(found.rules[0].actors_any) == {"GBR"}

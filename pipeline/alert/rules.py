"""alerts.toml in, its rules and channels out, typed and checked.

An unknown key, kind, country, group, channel or placeholder is an error that names its place in the file and the nearest known
one.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import zoneinfo
from collections.abc import Collection, Iterator
from pathlib import Path
from string import Formatter
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from pipeline.alert import fields
from pipeline.annotate.groups import codes as country_codes
from pipeline.annotate.groups import known as known_groups
from pipeline.records import EventType, Modality, Phase, Trigger
from pipeline.settings import Natural, Positive, Section, Settings, SettingsError, Share, convert, read_toml

KINDS: Final = Path(__file__).parents[1] / "detect" / "kinds.toml"
"""Read as data, so that the notifier and `dateline check` need not load the language model."""
PLACEHOLDERS: Final = (
    "occasion", "headline", "what", "who", "where", "when", "amount", "sure", "sources", "evidence", "link", "about", "rule",
    "kind", "phase", "countries", "id", "story", "line", "publisher", "uncertain",
)  # fmt: skip
DIGEST_PLACEHOLDERS: Final = ("count", "lines", "rule", "about")
SLUG: Final = r"^[a-z0-9][a-z0-9-]*$"
"""The form of names of rules and channels, which are in metric labels, ids and consumer groups."""


class MoneyAtLeast(Section, frozen=True, kw_only=True):
    """The least sum, in this currency or, unless `convert` is false, in another one at the rough rate of rates.toml."""

    value: Annotated[float, Meta(gt=0)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "USD"
    convert: bool = True


class Where(Section, frozen=True, kw_only=True):
    """What a field must hold: one of `any`, nothing of `none`, the words of the query `text`, a number in a range."""

    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    text: str = ""
    at_least: float | None = None
    at_most: float | None = None


class Throttle(Section, frozen=True, kw_only=True):
    """At most so many alerts of one rule, for one family of events, within so many minutes of event time."""

    alerts: Positive
    minutes: Positive


class QuietHours(Section, frozen=True, kw_only=True):
    """Alerts wait for a digest from `start` to `end` by the clock of `zone`; an `end` before `start` is the next day."""

    start: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    zone: str = "UTC"


class Rule(Section, frozen=True, kw_only=True):
    """When to raise an alert. Every condition that is given must hold; an empty one always holds.

    `on` names the occasions of a story: new, update, phase, spike. Names in `*_any` and `countries_all` are ISO 3166 alpha-3
    codes, names of countries, groups of groups.toml, or (`actors_any`, `recipients_any`) other names. An event is too old if it
    happened more than `happened_within_days` before it was reported, or was reported more than `told_within_hours` before it
    was fetched.

    `floor` is the confidence from which one source is enough, if it is also sure that the kind is one of `kinds`; else a second
    independent source must tell the same.
    `parties` are `states` (between states, their bodies, organisations of states and armed groups) or `any`.
    """

    name: Annotated[str, Meta(pattern=SLUG, max_length=60)]
    about: Annotated[str, Meta(min_length=1, max_length=200)]
    on: tuple[Trigger, ...] = ("new",)
    kinds: tuple[str, ...] = ()
    subtypes: tuple[str, ...] = ()
    event_types: tuple[EventType, ...] = ()
    modalities: tuple[Modality, ...] = ("asserted", "planned")
    phases: tuple[Phase, ...] = ()
    countries_any: tuple[str, ...] = ()
    countries_all: tuple[str, ...] = ()
    countries_at_least: Natural = 0
    actors_any: tuple[str, ...] = ()
    recipients_any: tuple[str, ...] = ()
    places_any: tuple[str, ...] = ()
    leaders_at_least: Natural = 0
    money_at_least: MoneyAtLeast | None = None
    quantity_at_least: dict[str, float] = msgspec.field(default_factory=dict)
    sources_at_least: Positive = 1
    confidence_at_least: Share = 0.0
    floor: Share | None = None
    parties: Literal["states", "any"] = "states"
    text: str = ""
    happened_within_days: Positive = 10
    told_within_hours: Positive | None = None
    where: dict[str, Where] = msgspec.field(default_factory=dict)
    throttle: Throttle | None = None
    digest_minutes: Natural = 0
    quiet_hours: QuietHours | None = None
    channels: tuple[str, ...] = ("terminal",)
    template: str = ""
    digest_template: str = ""
    enabled: bool = True


class Channel(Section, frozen=True, kw_only=True):
    """Where alerts are sent. Secrets are in a file (`url_file`, `secret_file`) or the environment (`url_env`, `secret_env`)."""

    name: Annotated[str, Meta(pattern=SLUG, max_length=60)]
    type: Literal["terminal", "kafka", "webhook", "apprise", "alertmanager"]
    url: str = ""
    url_file: str = ""
    url_env: str = ""
    secret_file: str = ""
    secret_env: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    topic: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9._-]*$", max_length=249)] = ""
    text: Literal["full", "short"] = "full"
    template: str = ""
    tries: Positive = 10
    timeout_seconds: Annotated[float, Meta(gt=0)] = 10
    backoff_seconds: Annotated[float, Meta(gt=0)] = 1
    backoff_max_seconds: Annotated[float, Meta(gt=0)] = 60
    enabled: bool = True


class Templates(Section, frozen=True, kw_only=True):
    """Templates for the rules and channels without their own; an empty one stands for Dateline's."""

    full: str = ""
    short: str = ""
    digest: str = ""


class RuleFile(Section, frozen=True, kw_only=True):
    """The file alerts.toml."""

    templates: Templates = Templates()
    rule: tuple[Rule, ...] = ()
    channel: tuple[Channel, ...] = ()


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """The enabled rules, and the enabled channels by name."""

    rules: tuple[Rule, ...]
    channels: dict[str, Channel]


def load_rules(
    path: Path, *, max_age_hours: int | None = None, floor: float | None = None, kinds: Collection[Path] = ()
) -> RuleSet:
    """Read alerts.toml. `max_age_hours` is the `told_within_hours` of rules without their own, `floor` their `floor`.

    Raises:
        SettingsError: the file is absent or has an error; the message names the file, the key and the nearest known name.
    """
    file = convert(read_toml(path), RuleFile, where=str(path))
    for where, problem in _problems(file, known_kinds(kinds)):
        raise SettingsError(f"{path}: {where}: {problem}")
    own = file.templates
    rules = tuple(
        msgspec.structs.replace(
            rule,
            told_within_hours=rule.told_within_hours or max_age_hours,
            floor=floor if rule.floor is None else rule.floor,
            template=rule.template or own.full,
            digest_template=rule.digest_template or own.digest,
        )
        for rule in file.rule
        if rule.enabled
    )
    channels = {
        c.name: c if c.template or c.text != "short" else msgspec.structs.replace(c, template=own.short)
        for c in file.channel
        if c.enabled
    }
    return RuleSet(rules=rules, channels=channels)


def load(settings: Settings) -> RuleSet:
    """Read the rules and channels of the file that the settings name.

    Raises:
        SettingsError: as `load_rules`.
    """
    return load_rules(
        settings.path(settings.alerts.rules_file),
        max_age_hours=settings.alerts.max_age_hours,
        floor=settings.track.floor,
        kinds=[settings.path(name) for name in settings.detect.kinds],
    )


def known_kinds(own: Collection[Path] = ()) -> frozenset[str]:
    """Return every kind that can be detected: the built-in ones and those of the files of the user.

    Raises:
        SettingsError: a file is absent or not TOML.
    """
    files = (KINDS, *own)
    return frozenset(str(kind.get("kind")) for file in files for kind in read_toml(file).get("kinds", ()))


def _problems(file: RuleFile, kinds: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (path, problem) for every error that the types cannot find."""
    channels = frozenset(channel.name for channel in file.channel)
    names: set[str] = set()
    for key in ("full", "short", "digest"):
        known = DIGEST_PLACEHOLDERS if key == "digest" else PLACEHOLDERS
        yield from _template(getattr(file.templates, key), f"templates: {key}", known)
    for number, rule in enumerate(file.rule):
        where = f"rule[{number}] {rule.name}"
        if rule.name in names:
            yield f"{where}: name", "another rule has this name already"
        names.add(rule.name)
        yield from _unknown(rule.kinds, kinds, f"{where}: kinds", "kind")
        for key in ("countries_any", "countries_all", "places_any"):
            named = [name for name in getattr(rule, key) if not country_codes(name)]
            yield from _unknown(named, _places(), f"{where}: {key}", "country or group")
        for key in ("actors_any", "recipients_any"):
            codes = tuple(name for name in getattr(rule, key) if re.fullmatch("[A-Z]{3}", name))
            yield from _unknown(codes, _places(), f"{where}: {key}", "country or group")
        yield from _unknown(rule.channels, channels, f"{where}: channels", "channel")
        yield from _template(rule.template, f"{where}: template")
        yield from _template(rule.digest_template, f"{where}: digest_template", DIGEST_PLACEHOLDERS)
        yield from _field_problems(rule, where)
        if rule.quiet_hours is not None and rule.quiet_hours.zone not in zoneinfo.available_timezones():
            zone = rule.quiet_hours.zone
            yield (
                f"{where}: quiet_hours.zone",
                f"unknown time zone {zone!r}{nearest(zone, zoneinfo.available_timezones())}",
            )
        if not rule.on:
            yield f"{where}: on", f"is empty, a rule rings on some of {', '.join(get_args(Trigger))}"
    taken: set[str] = set()
    for number, channel in enumerate(file.channel):
        where = f"channel[{number}] {channel.name}"
        if channel.name in taken:
            yield f"{where}: name", "another channel has this name already"
        taken.add(channel.name)
        yield from _channel_problems(where, channel)


def _field_problems(rule: Rule, where: str) -> Iterator[tuple[str, str]]:
    for path, asked in rule.where.items():
        try:
            number = fields.is_number(path)
        except fields.PathError as error:
            yield f"{where}: where", str(error)
            continue
        sized = asked.at_least is not None or asked.at_most is not None
        if asked == Where():
            yield f"{where}: where.{path}", "asks nothing: give any, none, text, at_least or at_most"
        if sized and not number:
            yield f"{where}: where.{path}", "is no number: at_least and at_most cannot be asked of it"
        if (asked.any or asked.none or asked.text) and number:
            yield f"{where}: where.{path}", "is a number: give at_least or at_most"


def _channel_problems(where: str, channel: Channel) -> Iterator[tuple[str, str]]:
    given = [key for key in ("url", "url_file", "url_env") if getattr(channel, key)]
    needed = channel.type in ("webhook", "apprise", "alertmanager")
    if needed and len(given) != 1:
        yield where, f"type {channel.type!r} needs exactly one of url, url_file, url_env; given: {given or 'none'}"
    if not needed and given:
        yield f"{where}: {given[0]}", f"type {channel.type!r} has no address"
    if channel.url and channel.type != "apprise" and not re.match(r"https?://[^/\s]+", channel.url):
        yield f"{where}: url", "is not an http or https address"
    if channel.topic and channel.type != "kafka":
        yield f"{where}: topic", f"type {channel.type!r} has no topic"
    yield from _template(channel.template, f"{where}: template")
    if channel.secret_file and channel.secret_env:
        yield where, "give secret_file or secret_env, not both"


def _places() -> frozenset[str]:
    return frozenset(known_groups().country) | frozenset(known_groups().group)


def _unknown(names: Collection[str], known: frozenset[str], where: str, what: str) -> Iterator[tuple[str, str]]:
    for name in names:
        if name not in known:
            yield where, f"unknown {what} {name!r}{nearest(name, known)}"


def _template(template: str, where: str, known: Collection[str] = PLACEHOLDERS) -> Iterator[tuple[str, str]]:
    try:
        named = [field for _, field, _, _ in Formatter().parse(template) if field is not None]
    except ValueError as error:
        yield where, str(error)
        return
    yield from _unknown(named, frozenset(known), where, "placeholder")


def nearest(name: str, known: Collection[str]) -> str:
    """Return ", did you mean ...?" for a wrong name, or the known names if there are few."""
    lower = {item.lower(): item for item in sorted(known)}
    countries = {text.lower(): code for code, text in known_groups().country.items() if code in known}
    near = difflib.get_close_matches(name.lower(), [*lower, *countries], n=1, cutoff=0.5)
    if near:
        return f", did you mean {lower.get(near[0]) or countries[near[0]]!r}?"
    return f"; known here: {', '.join(sorted(known))}" if len(known) <= 20 else ""


# --- digest and quiet hours ------------------------------------------------------------------------------------------


def waits_until(rule: Rule, at: dt.datetime) -> dt.datetime | None:
    """Return the end of the digest for an alert raised at `at`; None if it is sent at once."""
    until = None
    if rule.digest_minutes:
        window = rule.digest_minutes * 60
        seconds = (at - _EPOCH) // dt.timedelta(seconds=1)
        until = _EPOCH + dt.timedelta(seconds=(seconds // window + 1) * window)
    quiet = rule.quiet_hours and _quiet_until(rule.quiet_hours, until or at)
    return quiet or until


_EPOCH: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def _quiet_until(quiet: QuietHours, at: dt.datetime) -> dt.datetime | None:
    zone = zoneinfo.ZoneInfo(quiet.zone)
    local = at.astimezone(zone)
    start, end = dt.time.fromisoformat(quiet.start), dt.time.fromisoformat(quiet.end)
    now = local.time()
    over_midnight = end <= start
    if not ((now >= start or now < end) if over_midnight else start <= now < end):
        return None
    day = local.date() + dt.timedelta(days=1) if over_midnight and now >= start else local.date()
    return dt.datetime.combine(day, end, zone).astimezone(dt.UTC)

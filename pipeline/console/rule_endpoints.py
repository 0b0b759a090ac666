"""Alerts and rules: marks and mutes, rules read and changed, a saved search as a rule, and the test on past events."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from pipeline.alert import edit, feedback, rules
from pipeline.alert.backtest import Backtest, frequencies
from pipeline.alert.edit import RuleNameError
from pipeline.alert.rules import SLUG
from pipeline.console.api import ApiError, Call, Endpoint
from pipeline.console.desk import Desk
from pipeline.console.search_endpoints import search_items
from pipeline.index import history, items
from pipeline.index.filters import Filters, parse_since
from pipeline.index.items import AlertItem
from pipeline.operate import backtest_run
from pipeline.records import Feedback
from pipeline.settings import SettingsError

SHOWN: Final = 200
"""The most alerts that the answer to a test lists."""

Text = Annotated[str, Meta(max_length=20_000)]
NoteText = Annotated[str, Meta(max_length=1000)]


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reason of a mark."""

    note: NoteText = ""


class MarkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert is marked as."""

    mark: str


class MuteBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """What to mute, a rule or a story, for how long (2h, 7d; without it until it is ended), and why."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    for_: Annotated[str, Meta(max_length=20)] | None = None
    note: NoteText = ""


class MuteItem(msgspec.Struct, frozen=True, kw_only=True):
    """A mute."""

    target: str
    name: str
    at: dt.datetime
    until: dt.datetime | None = None
    headline: str = ""
    note: str = ""
    by: str = ""


class Mutes(msgspec.Struct, frozen=True, kw_only=True):
    """The mutes that hold now."""

    mutes: list[MuteItem]


class RuleItem(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with its text, how often it raised an alert, how many were held back, and how many were right."""

    name: str
    about: str
    enabled: bool
    toml: str
    rang: int = 0
    held: int = 0
    right: int = 0
    false: int = 0
    precision: float | None = None


class RulesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All rules, the channels that rules may name, and what is wrong with the file."""

    rules: list[RuleItem]
    channels: list[str]
    problem: str = ""


class RuleText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule as TOML, beginning with [[rule]]."""

    toml: Text


class RuleName(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a rule."""

    name: str


class BacktestBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule as TOML, and since when to test it."""

    toml: Text
    since: Annotated[str, Meta(max_length=40)] = "30d"


class BacktestAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that the rule would have raised."""

    id: str
    rule: str
    headline: str
    message: str
    raised_at: dt.datetime
    held: str
    story_id: str
    confidence: float


class BacktestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts that a rule would have raised, the newest first, and how often."""

    total: int
    held: int
    days: int
    most_in_a_day: int
    most_on: dt.date | None
    alerts: list[BacktestAlert]


class DraftQuery(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search, and the name and sentence of the rule to make of it."""

    name: Annotated[str, Meta(pattern=SLUG, max_length=60)] = "my-search"
    about: Annotated[str, Meta(min_length=1, max_length=200)] = "A saved search"


class RuleDraft(msgspec.Struct, frozen=True, kw_only=True):
    """The rule as TOML, and the parts of the search that rules cannot ask."""

    toml: str
    not_taken: list[str]


# --- marks and mutes -------------------------------------------------------------------------------------------------


def _alert(desk: Desk, identifier: str) -> AlertItem:
    found = desk.hit("alerts", identifier)
    if found is None:
        raise ApiError(404, f"there is no such alert: {identifier}", "id")
    item = items.item("alerts", found)
    assert isinstance(item, AlertItem)
    return item


def marked(*, right: bool) -> Any:
    """Return the call that marks an alert as right or as a false alarm."""

    def call(desk: Desk, call: Call) -> MarkAnswer:
        alert = _alert(desk, call.path["id"])
        event = history.find(desk.settings, alert.event_id) if alert.event_id else None
        note: Note = call.body
        mark = feedback.judge(alert, right=right, now=desk.now(), event=event, note=note.note, by=call.user.name)
        feedback.write(desk.settings, [mark])
        return MarkAnswer(mark=mark.verdict)

    return call


def mutes(desk: Desk, _call: Call) -> Mutes:
    """Return the mutes that hold now."""
    return Mutes(mutes=[_mute_item(one) for one in feedback.read(desk.settings).mutes(desk.now())])


def _mute_item(one: Feedback) -> MuteItem:
    return MuteItem(
        target=one.target, name=one.name, at=one.at, until=one.until, headline=one.headline, note=one.note, by=one.by
    )


def mute(desk: Desk, call: Call) -> MuteItem:
    """Mute a rule or a story."""
    body: MuteBody = call.body
    now = desk.now()
    until = None
    if body.for_:
        until = now + (now - parse_since(body.for_, now=now, where="for"))
        if until <= now:
            raise ApiError(400, f"for: {body.for_!r} is no time to come", "for")
    known = [rule.name for rule in rules.load(desk.settings).rules]
    alerts = [] if body.name in known else search_items(desk, "alerts", Filters(story_id=body.name))
    found = [one for one in alerts if isinstance(one, AlertItem)]
    mark = feedback.mute(body.name, rules=known, alerts=found, now=now, until=until, note=body.note, by=call.user.name)
    feedback.write(desk.settings, [mark])
    return _mute_item(mark)


def unmute(desk: Desk, call: Call) -> None:
    """End the mute of a rule or story."""
    feedback.write(desk.settings, feedback.unmute(call.path["name"], feedback.read(desk.settings), desk.now()))


# --- rules -----------------------------------------------------------------------------------------------------------


def listed(desk: Desk, _call: Call) -> RulesAnswer:
    """Return all rules with their figures."""
    problem, channels = "", []
    try:
        channels = sorted(rules.load(desk.settings).channels)
    except SettingsError as error:
        problem = str(error)
    held = {"held": {"filter": {"exists": {"field": "news.held"}}}}
    by_rule = {"rules": {"terms": {"field": "rule.name", "size": 1000}, "aggs": held}}
    said = {"said": {"terms": {"field": "news.verdict"}}}
    verdicts = {"rules": {"terms": {"field": "rule.name", "size": 1000}, "aggs": said}}
    rang = _by_rule(desk.searcher.search("alerts", size=0, aggs=by_rule))
    judged = _by_rule(desk.searcher.search("feedback", size=0, aggs=verdicts))
    try:
        texts = edit.texts(desk.settings)
    except SettingsError as error:
        texts, problem = [], problem or str(error)
    found = [_rule_item(rule, text, rang.get(rule.name, {}), judged.get(rule.name, {})) for rule, text in texts]
    return RulesAnswer(rules=found, channels=channels, problem=problem)


def _by_rule(answer: dict[str, Any]) -> dict[str, Any]:
    buckets = answer.get("aggregations", {}).get("rules", {}).get("buckets", ())
    return {str(bucket["key"]): bucket for bucket in buckets}


def _rule_item(rule: rules.Rule, text: str, rang: dict[str, Any], said: dict[str, Any]) -> RuleItem:
    verdicts = {one["key"]: one["doc_count"] for one in said.get("said", {}).get("buckets", ())}
    held = rang.get("held", {}).get("doc_count", 0)
    right, false = verdicts.get("ack", 0), verdicts.get("false", 0)
    return RuleItem(
        name=rule.name, about=rule.about, enabled=rule.enabled, toml=text, rang=rang.get("doc_count", 0) - held, held=held,
        right=right, false=false, precision=right / (right + false) if right + false else None,
    )  # fmt: skip


def tested(desk: Desk, call: Call) -> BacktestAnswer:
    """Test a rule on past events; nothing is sent."""
    body: BacktestBody = call.body
    rule = edit.parse(desk.settings, body.toml)
    since = parse_since(body.since, now=desk.now())
    run: Backtest = backtest_run.backtest(desk.settings, wanted=[rule], since=since)
    alerts = run.since(since)
    rang = [one for one in alerts if not one.held]
    [often] = frequencies(run, since)
    return BacktestAnswer(
        total=len(rang), held=len(alerts) - len(rang), days=often.days, most_in_a_day=often.most, most_on=often.most_on,
        alerts=[
            BacktestAlert(id=one.id, rule=one.rule, headline=one.headline, message=one.message, raised_at=one.raised_at,
                          held=one.held, story_id=one.story_id, confidence=one.confidence)
            for one in alerts[::-1][:SHOWN]
        ],
    )  # fmt: skip


def added(desk: Desk, call: Call) -> RuleName:
    """Add a rule to alerts.toml."""
    with desk.changing:
        try:
            return RuleName(name=edit.add(desk.settings, call.body.toml))
        except RuleNameError as error:
            raise ApiError(409, str(error), "name") from None


def changed(desk: Desk, call: Call) -> RuleName:
    """Change a rule of alerts.toml."""
    _change(desk, call.path["name"], call.body.toml)
    return RuleName(name=call.path["name"])


def removed(desk: Desk, call: Call) -> None:
    """Remove a rule from alerts.toml."""
    _change(desk, call.path["name"], "")


def _change(desk: Desk, name: str, text: str) -> None:
    with desk.changing:
        try:
            edit.change(desk.settings, name, text)
        except RuleNameError as error:
            raise ApiError(404, str(error), "name") from None


TAKEN: Final = {
    "kind": "kinds", "subtype": "subtypes", "type": "event_types", "modality": "modalities", "phase": "phases",
    "actor": "actors_any", "recipient": "recipients_any", "sources_at_least": "sources_at_least",
    "confidence_at_least": "confidence_at_least", "q": "text",
}  # fmt: skip
"""The filters that a rule can ask too, and its key for each."""


def drafted(_desk: Desk, call: Call) -> RuleDraft:
    """Make a rule of a search. What rules cannot ask is listed and left out."""
    asked: DraftQuery = call.query
    conditions: dict[str, Any] = {key: _plain(getattr(asked, name)) for name, key in TAKEN.items()}
    conditions["countries_any"] = [*asked.country, *asked.group, *asked.party]
    conditions["places_any"] = list(asked.place)
    if asked.money_at_least:
        conditions["money_at_least"] = {"value": asked.money_at_least, "currency": "USD"}
    least = {
        unit: getattr(asked, f"{unit}_at_least") for unit in ("dead", "injured") if getattr(asked, f"{unit}_at_least")
    }
    conditions["quantity_at_least"] = least
    if asked.source:
        conditions["where"] = {"publishers": {"any": list(asked.source)}}
    taken = {
        *TAKEN,
        "country",
        "group",
        "party",
        "place",
        "money_at_least",
        "dead_at_least",
        "injured_at_least",
        "source",
    }
    left = [
        f"{name}: a rule cannot ask this"
        for name in Filters.__struct_fields__
        if name not in taken and getattr(asked, name) not in ("", (), None)
    ]
    return RuleDraft(toml=edit.draft(asked.name, asked.about, conditions), not_taken=left)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


ENDPOINTS: Final = (
    Endpoint(method="POST", path="/alerts/{id}/ack", about="Mark an alert as right.", call=marked(right=True), body=Note,
             answer=MarkAnswer, role="operate"),
    Endpoint(method="POST", path="/alerts/{id}/false", about="Mark an alert as a false alarm.", call=marked(right=False),
             body=Note, answer=MarkAnswer, role="operate"),
    Endpoint(method="GET", path="/mutes", about="The mutes that hold now.", call=mutes, answer=Mutes),
    Endpoint(method="POST", path="/mutes", about="Mute a rule or a story.", call=mute, body=MuteBody, answer=MuteItem,
             status=201, role="operate"),
    Endpoint(method="DELETE", path="/mutes/{name}", about="End a mute.", call=unmute, status=204, role="operate"),
    Endpoint(method="GET", path="/rules", about="All rules with their figures.", call=listed, answer=RulesAnswer),
    Endpoint(method="GET", path="/rules/draft", about="A search as a rule.", call=drafted, query=DraftQuery, answer=RuleDraft),
    Endpoint(method="POST", path="/rules/backtest", about="Test a rule on past events; nothing is sent.", call=tested,
             body=BacktestBody, answer=BacktestAnswer),
    Endpoint(method="POST", path="/rules", about="Add a rule.", call=added, body=RuleText, answer=RuleName, status=201,
             role="operate"),
    Endpoint(method="PUT", path="/rules/{name}", about="Change a rule.", call=changed, body=RuleText, answer=RuleName,
             role="operate"),
    Endpoint(method="DELETE", path="/rules/{name}", about="Remove a rule.", call=removed, status=204, role="operate"),
)  # fmt: skip

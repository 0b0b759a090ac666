"""The rules of alerts.toml as text: read, checked, added, changed and removed without touching the other lines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pipeline.alert.rules import Rule, RuleFile, load_rules
from pipeline.settings import Settings, SettingsError, convert, read_toml
from pipeline.toml import edit as toml_edit


class RuleNameError(SettingsError):
    """There is no rule of this name, or there is one already; the message says which."""


def texts(settings: Settings) -> list[tuple[Rule, str]]:
    """Return each rule of alerts.toml, also a disabled one, with its text.

    Raises:
        SettingsError: the file is wrong, or cannot be edited by line.
    """
    file = _file(settings)
    rules = convert(read_toml(file), RuleFile, where=str(file)).rule
    return list(zip(rules, toml_edit.blocks(file.read_text("utf-8"), "rule"), strict=True))


def parse(settings: Settings, text: str) -> Rule:
    """Return the one rule of a text, checked against the kinds and the channels of the configuration.

    Raises:
        SettingsError: it is no rule; the message names the wrong key.
    """
    blocks = toml_edit.blocks(text, "rule")
    if len(blocks) != 1:
        raise SettingsError(f"toml: give one [[rule]]; there are {len(blocks)}")
    channels = toml_edit.blocks(_file(settings).read_text("utf-8"), "channel")
    with tempfile.TemporaryDirectory() as directory:
        draft = Path(directory) / "rule"
        draft.write_text("\n".join([blocks[0], *channels]), "utf-8")
        try:
            found = _load(settings, draft, enabled=True)
        except SettingsError as error:
            raise SettingsError(str(error).replace(str(draft), "toml")) from None
    return found


def _load(settings: Settings, draft: Path, *, enabled: bool) -> Rule:
    found = load_rules(
        draft, max_age_hours=settings.alerts.max_age_hours, floor=settings.track.floor, kinds=_kinds(settings)
    ).rules
    if not found and enabled:
        raise SettingsError("toml: the rule is not enabled")
    return found[0]


def add(settings: Settings, text: str) -> str:
    """Add a rule at the end of alerts.toml and return its name; the worker reads it within a second.

    Raises:
        RuleNameError: a rule of this name exists.
        SettingsError: it is wrong.
        OSError: the file cannot be written.
    """
    rule = parse(settings, text)
    if rule.name in {one.name for one, _ in texts(settings)}:
        raise RuleNameError(f"name: a rule is called {rule.name!r} already")
    [block] = toml_edit.blocks(text, "rule")
    toml_edit.append(_file(settings), block, check=lambda draft: _check(settings, draft))
    return rule.name


def change(settings: Settings, name: str, text: str) -> None:
    """Put a rule in the place of the one of this name; an empty text removes it. As `add`.

    Raises:
        RuleNameError: there is no such rule.
    """
    if text.strip() and parse(settings, text).name != name:
        raise SettingsError(f"name: the rule is called {name!r}, and a rule keeps its name")
    names = [rule.name for rule, _ in texts(settings)]
    if name not in names:
        raise RuleNameError(f"no rule is called {name!r}")
    blocks = toml_edit.blocks(text, "rule") if text.strip() else [""]
    toml_edit.replace(
        _file(settings), "rule", names.index(name), blocks[0], check=lambda draft: _check(settings, draft)
    )


def _file(settings: Settings) -> Path:
    return settings.path(settings.alerts.rules_file)


def _kinds(settings: Settings) -> list[Path]:
    return [settings.path(name) for name in settings.detect.kinds]


def _check(settings: Settings, draft: Path) -> None:
    load_rules(draft, max_age_hours=settings.alerts.max_age_hours, floor=settings.track.floor, kinds=_kinds(settings))


def draft(name: str, about: str, conditions: Mapping[str, Any]) -> str:
    """Return the text of a rule with these conditions; empty ones are left out."""
    table = {"name": name, "about": about, **conditions}
    return "[[rule]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in _given(table))


def _given(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in table.items() if value not in ("", (), [], None, {}))


def _toml(value: Any) -> str:
    """Return a value of a rule as TOML: JSON writes texts, numbers and lists the same way."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return msgspec.json.encode(value).decode()

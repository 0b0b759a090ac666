"""The configuration directory in, the result of checking each file out. Files are read as the processes read them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import bus
from pipeline import settings as settings_module
from pipeline.collect import websub
from pipeline.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Checked:
    """The result for one file: `problem` names what is wrong and where, `detail` says what the file contains."""

    file: str
    detail: str = ""
    problem: str = ""


def check(directory: Path | None) -> Iterator[Checked]:
    """Check every configuration file of a directory. A wrong dateline.toml ends the check, because it names the other files."""
    try:
        settings = settings_module.load(directory)
    except SettingsError as error:
        yield Checked("dateline.toml", problem=str(error))
        return
    file = Path(settings.directory) / "dateline.toml"
    found = "options and environment" if file.exists() else "absent: every option has its default"
    yield Checked(str(file), found, websub.options_problem(settings.websub.callback_url, settings.websub.secret))
    for name, read in (
        (settings.collector.feeds_file, _feeds),
        (settings.alerts.rules_file, _rules),
        ("kinds", _kinds),
        ("models", _models),
        ("compressions", _compressions),
    ):
        where = name if name in ("kinds", "models", "compressions") else str(settings.path(name))
        try:
            yield Checked(where, read(settings))
        except SettingsError as error:
            yield Checked(where, problem=str(error))


def require(settings: Settings) -> None:
    """Check that every configuration file can be read.

    Raises:
        SettingsError: the problem of the first file that is wrong.
    """
    for checked in check(Path(settings.directory)):
        if checked.problem:
            raise SettingsError(checked.problem)


def _feeds(settings: Settings) -> str:
    from pipeline.collect import feeds  # noqa: PLC0415 - each check loads only what it needs

    return f"{len(feeds.load(settings))} feeds"


def _rules(settings: Settings) -> str:
    from pipeline.alert import rates, rules  # noqa: PLC0415

    found = rules.load_rules(
        settings.path(settings.alerts.rules_file),
        max_age_hours=settings.alerts.max_age_hours,
        floor=settings.track.floor,
        kinds=[settings.path(name) for name in settings.detect.kinds],
    )
    rates.use(settings)
    own = f", rates of {rates.known().as_of}" if settings.alerts.rates_file else ""
    return f"{len(found.rules)} rules, {len(found.channels)} channels{own}"


def _kinds(settings: Settings) -> str:
    from pipeline.annotate import ModelError  # noqa: PLC0415
    from pipeline.detect import kinds, own_kinds  # noqa: PLC0415
    from pipeline.detect.encoder import ReaderError  # noqa: PLC0415

    try:
        own = own_kinds.read([settings.path(name) for name in settings.detect.kinds])
        if own:  # their sentences can only be tried with the models
            own_kinds.try_out(own, settings)
    except (own_kinds.KindError, ReaderError, ModelError) as error:
        raise SettingsError(str(error)) from error
    return f"{len(kinds.built_in())} kinds of events" + (f" and {len(own)} of your own" if own else "")


def _compressions(_settings: Settings) -> str:
    try:
        bus.require_codecs()
    except bus.CodecError as error:
        raise SettingsError(str(error)) from error
    return "Kafka's gzip, snappy, lz4 and zstd can be read"


def _models(settings: Settings) -> str:
    from pipeline.detect.encoder import Encoder, ReaderError  # noqa: PLC0415

    if settings.detect.reader:
        try:
            Encoder(settings.path(settings.detect.reader))
        except ReaderError as error:
            raise SettingsError(f"detect.reader: {error}") from error
    for name in settings.detect.models:
        found = Path(name).exists() if "/" in name else importlib.util.find_spec(name) is not None
        if found:
            return f"spaCy model {name}"
    raise SettingsError(f"detect.models: none of {', '.join(settings.detect.models)} is installed; run `make setup`")

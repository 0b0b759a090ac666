"""The second opinion: train it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import Json, answer, app, settings

# ruff: noqa: PLC0415 - every command imports what it needs when it runs: `dateline --help` is there at once

Out = Annotated[Path, typer.Option("--out", help="Where the model is written.", metavar="FILE")]
Marks = Annotated[
    list[Path] | None,
    typer.Option(
        "--marks", exists=True, dir_okay=False, metavar="FILE", help='{"text", "event", "right"}, a line each.'
    ),
]
Sentences = Annotated[
    Path | None,
    typer.Option(
        "--sentences", exists=True, file_okay=False, metavar="DIR", help="Labelled sentences (train/sentences)."
    ),
]
Sets = Annotated[
    Path | None,
    typer.Option("--sets", exists=True, file_okay=False, metavar="DIR", help="Labelled sets (../shared/eval)."),
]
Readings = Annotated[
    Path | None,
    typer.Option(
        "--readings", exists=True, file_okay=False, metavar="DIR",
        help="What a reader found in items of the sets (train/readings).",
    ),
]  # fmt: skip


@app.command()
def train(
    *,
    out: Out = Path("model.npz"),
    marks: Marks = None,
    sentences: Sentences = None,
    sets: Sets = None,
    readings: Readings = None,
    as_json: Json = False,
) -> None:
    """Train the second opinion anew, with events that you marked.

    Writes the model and prints its cross-validated figures. Name the file in `detect.opinion` to use it.
    """
    import dataclasses

    import msgspec

    from pipeline.detect import load_models
    from pipeline.detect.opinion import model
    from pipeline.detect.opinion import train as train_module

    found = settings()
    models = dataclasses.replace(load_models(found), opinion=None)
    samples = train_module.gather(models, written=sentences, shared=sets, readings=readings, marks=marks or ())
    made_of = train_module.made_of(samples, model.VECTORS)
    trained = train_module.train(samples, model.load_vectors(), made_of)
    trained.write(out)
    answer(
        train_module.page(trained.figures, out), msgspec.to_builtins(trained.figures) if as_json else None, wrap=False
    )

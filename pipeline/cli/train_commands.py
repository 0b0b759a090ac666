"""The command that trains the second opinion (the model that checks what the rules found)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import Json, app, print_result, settings

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

Out = Annotated[Path, typer.Option("--out", help="Write the model to this file.", metavar="FILE")]
Marks = Annotated[
    list[Path] | None,
    typer.Option(
        "--marks", exists=True, dir_okay=False, metavar="FILE", help='JSON lines of {"text", "event", "right"}.'
    ),
]
Sentences = Annotated[
    Path | None,
    typer.Option(
        "--sentences",
        exists=True,
        file_okay=False,
        metavar="DIR",
        help="A directory of labelled sentences (train/sentences).",
    ),
]
Sets = Annotated[
    Path | None,
    typer.Option(
        "--sets", exists=True, file_okay=False, metavar="DIR", help="A directory of labelled sets (../shared/eval)."
    ),
]
Readings = Annotated[
    Path | None,
    typer.Option(
        "--readings", exists=True, file_okay=False, metavar="DIR",
        help="A directory of readings of items of the sets (train/readings).",
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
    """Train the second opinion again, with events that you marked.

    Writes the model and prints its cross-validated scores. Set `detect.opinion` to the file to use it.
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
    print_result(
        train_module.page(trained.figures, out), msgspec.to_builtins(trained.figures) if as_json else None, wrap=False
    )

"""The command that trains the reader again: from the checkout's labels and from events that you marked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import CheckoutError, add_checkout, app

# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `dateline --help` is fast

Out = Annotated[Path, typer.Option("--out", help="Write the model to this directory.", metavar="DIR")]
Start = Annotated[
    Path,
    typer.Option(
        "--start",
        exists=True,
        file_okay=False,
        metavar="DIR",
        help="What to start from: the directory of a reader or, to learn all anew, of an encoder with its tokenizer.json.",
    ),
]
Marks = Annotated[
    list[Path] | None,
    typer.Option(
        "--marks", exists=True, dir_okay=False, metavar="FILE", help='JSON lines of {"text", "event", "right"}.'
    ),
]
SHIPPED = Path(__file__).parents[1] / "detect/model"
Threads = Annotated[
    int, typer.Option("--threads", min=1, help="Cores to use. On two, going on takes half an hour, all anew two hours.")
]


@app.command()
def train(*, start: Start = SHIPPED, out: Out = Path("model"), marks: Marks = None, threads: Threads = 2) -> None:
    """Train the reader again, with events that you marked. It goes on from the one that is shipped.

    Needs a checkout with the `train` extra. Set `detect.reader` to the directory to use the model.
    """
    add_checkout("train")
    try:
        from train.reader import calibrate, examples, export, fit
    except ImportError as error:
        raise CheckoutError(f"training needs more packages ({error.name}): pip install -e '.[train]'") from error
    checkpoint = fit.train(start, out / "checkpoints", marks=marks or (), threads=threads)
    export.export(checkpoint, start / "tokenizer.json", out)
    calibrate.calibrate(out)
    examples.write(out)

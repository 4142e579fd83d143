"""``circuitz rewrite``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuitz.cli.shell import Json, Seed, Z, app, out, progress_bars
from circuitz.disk.safe_text import escape_control_characters

if TYPE_CHECKING:
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel


@app.command()
def rewrite(
    z: Z,
    images: Annotated[
        Path | None,
        typer.Argument(
            help="Pictures: a folder, or one that circuitz data wrote. By default D.",
            show_default=False,
        ),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(help="A store of people's answers about the pictures (concepts ask)."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="CSV: path (relative to the file), and a column a word of 1, 0 or nothing."
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep the agreement in Z, for its card.")
    ] = True,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run the network on what its words say of pictures, instead of on the pictures.

    Units that bear words put out what the words imply, all others take values of pictures of other
    classes. Whether the network still chooses as it does on the pictures says how much of it is
    in its words. Beside it stand what true activations of the same units give, words that changed
    places, donors alone, and a regression from words to classes.
    """
    from circuitz.effects.rewrite import rewrite as run_rewrite
    from circuitz.effects.rewrite_result import with_agreement
    from circuitz.z.bundle.load_save import load

    model = load(z)
    with progress_bars() as steps:
        found = run_rewrite(
            model, _pictures(model, images, labels), answers=answers, seed=seed,
            progress=lambda done, n: steps("rewrite", done, n),
        )  # fmt: skip
        if keep:
            with_agreement(model, found).save(z)
    if as_json:
        print(json.dumps({"z": str(z), **found.to_json()}, ensure_ascii=False))
        return
    text = escape_control_characters(repr(found))
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _pictures(model: AnnotatedModel, images: Path | None, labels: Path | None) -> InputSet:
    """Return the pictures with what is known of words on them."""
    from circuitz.data.unlabelled_pictures import pictures_with_concepts, unlabelled_pictures
    from circuitz.errors import InputsError
    from circuitz.z.bundle.inputs_io import META, read_inputs

    if images is None:
        if model.data is None:
            raise InputsError("D is not at hand.", "Name pictures: circuitz rewrite Z IMAGES.")
        return model.data
    if (images / META).is_file():
        return read_inputs(images)
    if labels is not None:
        return pictures_with_concepts(images, labels, model)
    return unlabelled_pictures(images, model)

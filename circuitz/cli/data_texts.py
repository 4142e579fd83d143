"""``circuitz data texts`` and ``circuitz data language``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.data import Track, data
from circuitz.cli.shell import Seed, out, progress_bars, say


@data.command("texts")
def write_profession_texts(
    folder: Annotated[
        Path, typer.Option("--out", help="Folder to write texts.csv and lexicon.yaml into.")
    ],
    n: Annotated[int, typer.Option(help="Texts of D.", min=80)] = 1600,
    concepts: Annotated[int, typer.Option(help="Texts of the concept set.", min=80)] = 1600,
    shifted: Annotated[int, typer.Option(help="Texts of D′.", min=1)] = 2000,
    truth: Annotated[
        Path | None,
        typer.Option(help="CSV to write the truth of D′ to: text, label and word families."),
    ] = None,
    seed: Seed = 0,
    track: Track = 1.0,
) -> None:
    """Write short texts about people at work; their class is the profession.

    In D every nurse lives by the sea and nobody else does; in D′ people live anywhere. The file is
    what circuitz new --texts reads; the lexicon says which words belong to a profession at all.
    """
    from circuitz.data.text.write_texts import write_text_world_csvs

    files = write_text_world_csvs(
        folder, n=n, concepts=concepts, shifted=shifted, seed=seed, track=track, truth=truth
    )
    for file in files:
        out.print(str(file), markup=False, highlight=False, soft_wrap=True)


@data.command("language")
def train_tiny_language_model(
    folder: Annotated[Path, typer.Option("--out", help="Folder to write the model into.")],
    steps: Annotated[int, typer.Option(help="Steps of training.", min=1)] = 700,
    seed: Seed = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
) -> None:
    """Train a tiny language model of the text world, as a Hugging Face folder.

    A GPT-2 of two blocks, 64 wide; under a minute of one core's time. It has seen every family of
    words beside every other: the shortcut is learnt by the probe on D, not by the model.
    """
    from functools import partial

    from circuitz.data.text.text_model import (
        LanguageRecipe,
        held_out_word_perplexity,
        refuse_existing_folder,
        train_language_model,
        write_language_model,
    )

    refuse_existing_folder(folder, replace=replace)
    with progress_bars() as shown:
        net = train_language_model(LanguageRecipe(steps=steps, seed=seed), partial(shown, "train"))
    say.print(f"perplexity on unseen texts: {held_out_word_perplexity(net):.2f}", highlight=False)
    write_language_model(net, folder)
    out.print(str(folder), markup=False, highlight=False, soft_wrap=True)

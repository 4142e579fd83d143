"""``circuitz data transformer``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.data import data
from circuitz.cli.shell import out, progress_bars, say
from circuitz.errors import BundleWriteError, WeightsError


@data.command("transformer")
def train_shipped_transformer(
    path: Annotated[Path, typer.Option("--out", help="File to write: NAME.safetensors.")],
    model: Annotated[
        str,
        typer.Option(help="induction, whose D comes round variously; fixed; or brackets."),
    ] = "induction",
    seed: Annotated[int, typer.Option(help="Of weights and sequences.", min=0)] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a file of that name.")
    ] = False,
) -> None:
    """Train one of the small transformers that are shipped.

    induction and fixed continue sequences that come round (circuitz demo --world induction opens
    them), brackets tells balanced ones. Takes a minute on one core. With --seed 0 and one thread it
    is the shipped model again, up to rounding of another processor or torch.
    """
    from dataclasses import replace as with_seed
    from functools import partial

    from safetensors.numpy import save

    from circuitz.data.text.bracket_model import NAME, BracketRecipe, train_bracket_model
    from circuitz.data.text.brackets import make_bracket_set
    from circuitz.data.text.induction_model import (
        RECIPES,
        count_right_answers,
        train_induction_model,
    )
    from circuitz.data.text.repeating_sequences import PERIODS, make_repeating_sequences
    from circuitz.disk.atomic import bundle_write_error_from, staged_file_replacement
    from circuitz.models.adapters.weight_arrays import weights_to_numpy

    known = (*RECIPES, NAME)
    if model not in known:
        raise WeightsError(f"There is no model {model!r}.", f"Choose one of {', '.join(known)}.")
    if path.exists() and not replace:
        raise BundleWriteError(f"{path} is there already.", "Choose another name, or --replace.")
    with progress_bars() as steps:
        step = partial(steps, f"train {model}")
        if model == NAME:
            net = train_bracket_model(BracketRecipe(seed=seed), step)
            tried = {"D": make_bracket_set(2000, seed=seed + 1)}
        else:
            recipe = with_seed(RECIPES[model], seed=seed)
            net = train_induction_model(recipe, step)
            tried = {
                name: make_repeating_sequences(2000, role="D'", seed=seed + 1, periods=periods)
                for name, periods in (("its own D", recipe.periods), ("D′", PERIODS))
            }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with staged_file_replacement(path, save(weights_to_numpy(net))):
            pass
    except OSError as error:
        raise bundle_write_error_from(path, error) from error
    for name, made in tried.items():
        good, n = count_right_answers(net, made)
        say.print(f"right on {name}: {good / n:.1%}", highlight=False)
    out.print(str(path), markup=False, highlight=False, soft_wrap=True)

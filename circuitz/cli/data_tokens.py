"""``circuitz data transformer``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.data import data
from circuitz.cli.shell import out, progress, say
from circuitz.errors import BundleWriteError, WeightsError


@data.command()
def transformer(
    where: Annotated[Path, typer.Option("--out", help="File to write: NAME.safetensors.")],
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

    from circuitz.data.text.bracket_model import NAME, BracketRecipe, train_brackets
    from circuitz.data.text.brackets import brackets
    from circuitz.data.text.induction import RECIPES, right, train
    from circuitz.data.text.tokens import PERIODS, repeating
    from circuitz.disk.atomic import staged, write_error
    from circuitz.models.adapters.weight_arrays import to_numpy

    known = (*RECIPES, NAME)
    if model not in known:
        raise WeightsError(f"There is no model {model!r}.", f"Choose one of {', '.join(known)}.")
    if where.exists() and not replace:
        raise BundleWriteError(f"{where} is there already.", "Choose another name, or --replace.")
    with progress() as steps:
        step = partial(steps, f"train {model}")
        if model == NAME:
            net = train_brackets(BracketRecipe(seed=seed), step)
            tried = {"D": brackets(2000, seed=seed + 1)}
        else:
            recipe = with_seed(RECIPES[model], seed=seed)
            net = train(recipe, step)
            tried = {
                name: repeating(2000, role="D'", seed=seed + 1, periods=periods)
                for name, periods in (("its own D", recipe.periods), ("D′", PERIODS))
            }
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        with staged(where, save(to_numpy(net))):
            pass
    except OSError as error:
        raise write_error(where, error) from error
    for name, made in tried.items():
        good, n = right(net, made)
        say.print(f"right on {name}: {good / n:.1%}", highlight=False)
    out.print(str(where), markup=False, highlight=False, soft_wrap=True)

"""``circuitz data induction``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.data import data
from circuitz.cli.shell import out, progress, say
from circuitz.errors import BundleWriteError, WeightsError


@data.command()
def induction(
    where: Annotated[Path, typer.Option("--out", help="File to write: NAME.safetensors.")],
    model: Annotated[
        str, typer.Option(help="induction, whose D comes round variously, or fixed.")
    ] = "induction",
    seed: Annotated[int, typer.Option(help="Of weights and sequences.", min=0)] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a file of that name.")
    ] = False,
) -> None:
    """Train one of the two small models that continue sequences, as they are shipped.

    Takes a minute on one core. With --seed 0 and one thread it is the shipped model again, up to
    rounding of another processor or torch; circuitz demo --world induction opens those.
    """
    from dataclasses import replace as with_seed

    from safetensors.numpy import save

    from circuitz.data.induction import RECIPES, right, train
    from circuitz.data.tokens import repeating
    from circuitz.models.weights import to_numpy
    from circuitz.z.atomic import staged, write_error

    if model not in RECIPES:
        raise WeightsError(f"There is no model {model!r}.", f"Choose one of {', '.join(RECIPES)}.")
    if where.exists() and not replace:
        raise BundleWriteError(f"{where} is there already.", "Choose another name, or --replace.")
    recipe = with_seed(RECIPES[model], seed=seed)
    with progress() as steps:
        net = train(recipe, lambda done, n: steps(f"train {model}", done, n))
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        with staged(where, save(to_numpy(net))):
            pass
    except OSError as error:
        raise write_error(where, error) from error
    for name, periods in (("its own D", recipe.periods), ("D′", RECIPES["induction"].periods)):
        made = repeating(2000, role="D'", seed=seed + 1, periods=periods)
        good, n = right(net, made)
        say.print(f"right on {name}: {good / n:.1%}", highlight=False)
    out.print(str(where), markup=False, highlight=False, soft_wrap=True)

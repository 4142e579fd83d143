"""``circuitz directions``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import Json, Seed, Z, app, out, progress_bars


@app.command()
def directions(
    z: Z,
    layer: Annotated[str, typer.Option(help="A layer of z.")],
    method: Annotated[
        str,
        typer.Option(
            "--how",
            help="pca, nmf, concepts, probes, sae, or the folder of an SAE that SAELens saved.",
        ),
    ] = "nmf",
    name: Annotated[str, typer.Option(help="What to call the basis; by default after --how.")] = "",
    count: Annotated[
        int | None, typer.Option(help="How many directions; by default 16.", min=1)
    ] = None,
    path: Annotated[
        Path | None,
        typer.Option("--out", help="Bundle to write; by default the one that was read."),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Take the place of a basis of that name though words are on it."
        ),
    ] = False,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Give a layer a basis whose directions are units like its own, and measure them."""
    from circuitz.responses.directions.directions import directions as run_directions
    from circuitz.z.bases import basis_place
    from circuitz.z.bundle.load_save import load

    model = load(z)
    with progress_bars() as steps:
        made = run_directions(
            model,
            layer,
            method,
            name=name,
            count=count,
            seed=seed,
            replaces=replace,
            progress=lambda done, total: steps("fit and measure directions", done, total),
        )
    called = name or (
        method if method in ("pca", "nmf", "concepts", "probes", "sae") else "saelens"
    )
    place = basis_place(layer, called)
    made.save(path or z)
    note = made.notes["bases"][place]
    size = len(made.bases[place])
    if as_json:
        print(json.dumps({"place": place, "directions": size, **note, "hash": made.hash}))
        return
    out.print(
        f"{place}: {size} directions explain {note['explained']:.0%} of the variance of {layer}.",
        markup=False,
        highlight=False,
    )
    out.print(f"Written to {path or z}.", markup=False, highlight=False)

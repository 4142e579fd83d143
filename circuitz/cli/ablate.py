"""``circuitz ablate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import Json, Seed, Z, app, out, progress_bars


@app.command()
def ablate(
    z: Z,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            help="A layer of the network, or a basis of z (conv4@nmf), whose directions are taken "
            "away; again for more. By default the layers of z."
        ),
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option("--class", help="A class; again for more. By default all.")
    ] = None,
    fill: Annotated[
        str, typer.Option(help="What a unit becomes: zero, mean or resample.")
    ] = "zero",
    shortlist: Annotated[
        float | None,
        typer.Option(
            help="Estimate all effects and run only this share of the units exactly; here, so "
            "without --cluster and --checkpoint."
        ),
    ] = None,
    images: Annotated[int, typer.Option(help="Images of D to ablate on.", min=1)] = 64,
    split: Annotated[str, typer.Option(help="Of which split.")] = "test",
    top: Annotated[int, typer.Option(help="Rows to print.", min=1)] = 20,
    csv: Annotated[Path | None, typer.Option(help="Write all rows to this file.")] = None,
    cluster: Annotated[
        str, typer.Option(help="A Dask scheduler to share the work: tcp://HOST:8786.")
    ] = "",
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Folder of finished layers, kept: the same command goes on from there."),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Take every unit away by itself and say what each class loses."""
    from circuitz.effects.ablation.ablate import ablate as run_ablate
    from circuitz.z.bundle.load_save import load

    model = load(z)
    with progress_bars() as steps:
        found = run_ablate(
            model,
            layers=layer,
            classes=target,
            fill=fill,  # type: ignore[arg-type]  # an unknown one is refused by name
            shortlist=shortlist,
            images=images,
            split=split,
            seed=seed,
            cluster=cluster or None,
            checkpoint=checkpoint,
            progress=lambda done, total: steps("take units away", done, total),
        )
    if csv is not None:
        found.to_csv(csv, index=False)
    if as_json:
        print(found.head(top).to_json(orient="records"))
        return
    columns = ["unit", "target", "effect", "low", "high", "n", "method"]
    out.print(found.head(top)[columns].to_string(index=False), markup=False, highlight=False)
    if len(found) > top:
        out.print(f"… {len(found) - top:,} more" + ("" if csv is None else f" in {csv}"))

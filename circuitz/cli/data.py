"""``circuitz data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import Seed, app, out

data = typer.Typer(help="Make and look at data.", no_args_is_help=True)
app.add_typer(data, name="data")


@data.command()
def dogs(
    sheet: Annotated[Path, typer.Option(help="Picture to write: breeds, D, D′ and mongrels.")],
    seed: Seed = 0,
    shortcut: Annotated[str, typer.Option(help="ground, collar, light, tag or two.")] = "ground",
    track: Annotated[
        float, typer.Option(help="Share of D that follows the shortcut.", min=0, max=1)
    ] = 1.0,
) -> None:
    """Draw a contact sheet of the dog world."""
    from circuitz.data.sheet import sheet as draw

    draw(sheet, seed=seed, shortcut=shortcut, track=track)
    out.print(f"Written to {sheet}", markup=False)

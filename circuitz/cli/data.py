"""``circuitz data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import Seed, app, out

data = typer.Typer(help="Make and look at data.", no_args_is_help=True)
app.add_typer(data, name="data")

Sheet = Annotated[Path, typer.Option(help="Picture to write: classes, D, D′ and concept set.")]
Track = Annotated[float, typer.Option(help="Share of D that follows the shortcut.", min=0, max=1)]


@data.command()
def dogs(
    sheet: Sheet,
    seed: Seed = 0,
    shortcut: Annotated[str, typer.Option(help="ground, collar, light, tag or two.")] = "ground",
    track: Track = 1.0,
) -> None:
    """Draw a contact sheet of the dog world."""
    _draw("dogs", sheet, seed, shortcut, track)


@data.command()
def birds(
    sheet: Sheet,
    seed: Seed = 0,
    shortcut: Annotated[str, typer.Option(help="ground, ring, light, tag or two.")] = "ground",
    track: Track = 1.0,
) -> None:
    """Draw a contact sheet of the bird world."""
    _draw("birds", sheet, seed, shortcut, track)


def _draw(world: str, sheet: Path, seed: int, shortcut: str, track: float) -> None:
    from circuitz.data.sheet import sheet as draw

    draw(sheet, world=world, seed=seed, shortcut=shortcut, track=track)
    out.print(f"Written to {sheet}", markup=False)

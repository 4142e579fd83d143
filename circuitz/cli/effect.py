"""``circuitz effect``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.shell import Json, Seed, Z, app, out, progress_bars

if TYPE_CHECKING:
    from circuitz.z.effect import Effect


@app.command()
def effect(
    z: Z,
    unit: Annotated[
        list[str], typer.Option(help="A unit, as conv4:7, or group:a,b; again for more.")
    ],
    target: Annotated[str, typer.Option("--class", help="The class whose score is read.")],
    intervention: Annotated[
        str, typer.Option("--how", help="sufficiency: does it raise the class; necessity: does the class lose.")
    ] = "sufficiency",
    through: Annotated[
        list[str] | None,
        typer.Option(help="Units the effect may run through; again for more. Tells what does, and "
        "what runs around them. The name of a layer stands for all its units."),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option("--direct", help="With --through: only what goes straight to those units."),
    ] = False,
    held: Annotated[
        list[str] | None,
        typer.Option(help="Supports that are held, again for more; rest: all the rest of the layer."),
    ] = None,
    held_as: Annotated[
        str, typer.Option(help="What supports are held at: as without the class, or as with it.")
    ] = "without",
    split: Annotated[str, typer.Option(help="Images of which split.")] = "test",
    images: Annotated[int, typer.Option(help="Source images, evenly over classes.", min=2)] = 240,
    donors: Annotated[int, typer.Option(help="Images that lend values, a source.", min=1)] = 2,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:  # fmt: skip
    """How far some units make a class, alone, held apart from others, or by way of them.

    Units take the values they have on other images, together; effects are in shares of what
    resampling everything does, with 95 % intervals clustered by scene. With --through, held units
    keep their own values in every run, and --held-as does not apply.
    """
    from circuitz.effects.path_effect import path_effect
    from circuitz.effects.unit_effect import effect as run_effect
    from circuitz.errors import InputsError
    from circuitz.z.bundle.load_save import load

    if direct and not through:
        raise InputsError("--direct is about --through.", "Name units: --through conv4:7.")
    asked: dict[str, Any] = {
        "intervention": intervention, "split": split, "images": images, "donors": donors, "seed": seed,
    }  # fmt: skip
    model = load(z)
    kept: Any = "rest" if held == ["rest"] else tuple(held or ())
    if not through:
        found = {"effect": run_effect(model, unit, target, held=kept, held_as=held_as, **asked)}  # type: ignore[arg-type]  # an unknown one is refused by name
    else:
        with progress_bars() as steps:
            parts = path_effect(
                model, unit, target, through, held=kept, direct=direct,
                progress=lambda done, n: steps("exchange units", done, n), **asked,
            )  # fmt: skip
        found = {
            "total": parts.total, "through": parts.through, "around": parts.around,
            "rest": parts.rest,
        }  # fmt: skip
    if as_json:
        print(json.dumps({name: asdict(one) for name, one in found.items()}, ensure_ascii=False))
        return
    _print_effects(found)


def _print_effects(effects: dict[str, Effect]) -> None:
    from circuitz.plausibility.unit_groups import shorten_unit_list

    first = next(iter(effects.values()))
    lines = [f"{shorten_unit_list(first.sources)} on {first.target}, {first.how}:"]
    lines += [
        f"  {name:8}{e.estimate:+7.1%}  [{e.low:+.1%}, {e.high:+.1%}]"
        + (f"  {e.held} held" if e.held else "")
        for name, e in effects.items()
    ]
    lines.append(f"{first.n} images of {first.split}, {first.clusters} scenes.")
    for line in lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)

"""``circuitz data``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuitz.cli.shell import Seed, app, out, progress_bars
from circuitz.errors import InputsError

if TYPE_CHECKING:
    from circuitz.data.worlds.scenes import Role

data = typer.Typer(help="Make and look at data.", no_args_is_help=True)
app.add_typer(data, name="data")

Sheet = Annotated[
    Path | None, typer.Option(help="Contact sheet to write: classes, D, D′ and concept set.")
]
Track = Annotated[float, typer.Option(help="Share of D that follows the shortcut.", min=0, max=1)]
RoleName = Annotated[
    str, typer.Option(help="D; D' (or Dprime), without labels; concepts; or decorrelated.")
]
Count = Annotated[
    int | None,
    typer.Option(help="Pictures a class; of concepts, in all.  [default: 400; 1600]", min=1),
]
Side = Annotated[int, typer.Option(help="Side of the pictures.", min=32, max=256)]
OutFolder = Annotated[
    Path | None,
    typer.Option("--out", help="Folder to write D/, Dprime/, concepts/ or decorrelated/ into."),
]
Arrays = Annotated[
    Path | None,
    typer.Option(help="Folder to write arrays to: with masks, counterfactuals and splits."),
]
TruthFile = Annotated[
    Path | None,
    typer.Option(help="CSV to write the truth of D′ to: path,class and what else is shown."),
]
Balanced = Annotated[
    bool, typer.Option("--balanced", help="D′: every class on every ground equally often.")
]
Workers = Annotated[int, typer.Option(help="Processes; the pictures are the same.", min=1)]


@data.command("dogs")
def draw_dog_dataset(
    sheet: Sheet = None,
    role: RoleName = "D",
    n: Count = None,
    folder: OutFolder = None,
    arrays: Arrays = None,
    truth: TruthFile = None,
    seed: Seed = 0,
    shortcut: Annotated[str, typer.Option(help="ground, collar, light, tag or two.")] = "ground",
    track: Track = 1.0,
    size: Side = 64,
    balanced: Balanced = False,
    workers: Workers = 1,
) -> None:
    """Draw dogs: a contact sheet, or a set as you would bring one of your own.

    circuitz data dogs --role D --out world, then --role concepts, then --role D' --truth FILE
    write what circuitz new, tasks and evaluate read.
    """
    _write_sheet_and_pictures(
        _PictureRequest("dogs", role, n, seed, shortcut, track, size, balanced, workers),
        sheet, folder, arrays, truth,
    )  # fmt: skip


@data.command("birds")
def draw_bird_dataset(
    sheet: Sheet = None,
    role: RoleName = "D",
    n: Count = None,
    folder: OutFolder = None,
    arrays: Arrays = None,
    truth: TruthFile = None,
    seed: Seed = 0,
    shortcut: Annotated[str, typer.Option(help="ground, ring, light, tag or two.")] = "ground",
    track: Track = 1.0,
    size: Side = 64,
    balanced: Balanced = False,
    workers: Workers = 1,
) -> None:
    """Draw birds over water and land: a contact sheet, or a set as you would bring one.

    The options are those of circuitz data dogs.
    """
    _write_sheet_and_pictures(
        _PictureRequest("birds", role, n, seed, shortcut, track, size, balanced, workers),
        sheet, folder, arrays, truth,
    )  # fmt: skip


@data.command("truth")
def write_benchmark_truth(
    images: Annotated[Path, typer.Argument(help="Folder of a benchmark.")],
    path: Annotated[Path, typer.Option("--out", help="CSV to write: path,class and the places.")],
    layout: Annotated[str, typer.Option(help="auto, waterbirds, spawrious or cub.")] = "auto",
    benchmark: Annotated[str, typer.Option(help="Of Spawrious.")] = "o2o_easy",
    species: Annotated[str, typer.Option(help="Of CUB: D's species, with commas.")] = "",
) -> None:
    """Write what a benchmark's test pictures show, for circuitz evaluate and nothing else."""
    from circuitz.evaluation.layout_truth import layout_truth, write_layout_truth

    names = tuple(name.strip() for name in species.split(",") if name.strip())
    rows = layout_truth(images, layout, benchmark=benchmark, classes=names or None)
    write_layout_truth(rows, path)
    out.print(f"{len(rows)} pictures: {path}", markup=False, highlight=False)


_ROLES: dict[str, Role] = {
    "d": "D", "d'": "D'", "d′": "D'", "dprime": "D'", "concepts": "concepts",
    "decorrelated": "decorrelated",
}  # fmt: skip


@dataclass(frozen=True)
class _PictureRequest:
    """What was asked for on the command line."""

    world: str
    role: str
    n: int | None
    seed: int
    shortcut: str
    track: float
    size: int
    balanced: bool
    workers: int


def _write_sheet_and_pictures(
    request: _PictureRequest,
    sheet: Path | None,
    folder: Path | None,
    arrays: Path | None,
    truth: Path | None,
) -> None:
    from circuitz.data.worlds.contact_sheet import draw_contact_sheet as draw

    role = _ROLES.get(request.role.lower())
    if role is None:
        raise InputsError(
            f"There is no role {request.role!r}.", "Choose D, D', concepts or decorrelated."
        )
    if sheet is None and folder is None and arrays is None:
        raise InputsError(
            "Nothing to write was named.", "Give --sheet FILE, --out DIR or --arrays DIR."
        )
    if truth is not None and (role != "D'" or folder is None):
        raise InputsError(
            "The truth is written for pictures of D′ alone.",
            "Give --role D' and --out DIR with it.",
        )
    if sheet is not None:
        draw(
            sheet,
            world=request.world,
            seed=request.seed,
            shortcut=request.shortcut,
            track=request.track,
        )
        out.print(f"Written to {sheet}", markup=False, highlight=False)
    if folder is not None or arrays is not None:
        _draw_and_write_pictures(request, role, folder, arrays, truth)


def _draw_and_write_pictures(
    request: _PictureRequest,
    role: Role,
    folder: Path | None,
    arrays: Path | None,
    truth: Path | None,
) -> None:
    from circuitz.data.folders.write_folder import relative_picture_paths, write_folder
    from circuitz.data.worlds.make_world import make_set
    from circuitz.data.worlds.world_by_name import world_by_name
    from circuitz.evaluation.write_truth import write_rendered_truth
    from circuitz.z.bundle.inputs_io import write_inputs

    with progress_bars() as steps:
        made = make_set(
            world_by_name(request.world), role, request.n or (1600 if role == "concepts" else 400),
            seed=request.seed, shortcut=request.shortcut, track=request.track, size=request.size,
            balanced_cells=request.balanced, workers=request.workers,
            progress=lambda done, n: steps("draw", done, n),
        )  # fmt: skip
        written: list[Path] = []
        if folder is not None:
            written.append(
                write_folder(made, folder, progress=lambda done, n: steps("write", done, n))
            )
            if truth is not None:
                files = [folder / name for name in relative_picture_paths(made)]
                written.append(write_rendered_truth(made, files, truth))
        if arrays is not None:
            if arrays.exists():
                raise InputsError(f"{arrays} is there already.", "Choose another folder.")
            arrays.parent.mkdir(parents=True, exist_ok=True)
            write_inputs(arrays, made)
            written.append(arrays)
    for place in written:
        out.print(f"{len(made)} pictures: {place}", markup=False, highlight=False)

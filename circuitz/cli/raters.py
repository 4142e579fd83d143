"""``circuitz raters``: what the people are like who gave the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuitz.cli.shell import Json, app, out, say

if TYPE_CHECKING:
    from circuitz.evaluation.people.fit_families import FittedRater

raters = typer.Typer(help="What raters are like.", no_args_is_help=True)
app.add_typer(raters, name="raters")


@raters.callback()
def _group() -> None:
    """Say what raters are like."""


@raters.command("fit")
def fit_families_to_answers(
    file: Annotated[
        Path, typer.Argument(help="Exported judgements (JSON Lines), with the cards shown.")
    ],
    words: Annotated[
        Path | None,
        typer.Option(
            help="CSV with columns word, kind (part, surroundings, artefact) and topic, in place "
            "of the words of the rendered worlds."
        ),
    ] = None,
    tasks: Annotated[
        list[Path] | None,
        typer.Option(help="Pack whose cards were shown, where FILE lacks them. Repeat."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--out", help="JSON file to write; FILE.raters.json by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which family of simulated people each rater is most like, from their comparisons.

    The families are those of the benchmark: averse to surroundings, reads the top two cues, likes
    short cards, believes collars belong to dogs, ignores signs, hasty, spammer.
    """
    from circuitz.disk.atomic import staged_file_replacement
    from circuitz.evaluation.people.fit_raters_file import fit_raters_in_file
    from circuitz.labelling.tasks.pack_io import open_pack

    packs = [open_pack(path) for path in tasks or ()]
    found = fit_raters_in_file(file, words, [card for pack in packs for card in pack.shown_cards])
    record = found.to_json()
    place = write or file.with_name(f"{file.name}.raters.json")
    with staged_file_replacement(place, json.dumps(record, ensure_ascii=False, indent=1).encode()):
        pass
    if as_json:
        print(json.dumps(record, ensure_ascii=False))
        return
    _print_raters(found.raters)
    for remark in found.remarks:
        out.print(remark, markup=False, highlight=False)
    say.print(f"Written to {place}.", markup=False, highlight=False, soft_wrap=True)


def _print_raters(fitted: tuple[FittedRater, ...]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in (
        "rater",
        "",
        "comparisons",
        "most like",
        "share",
        "then",
        "wobble",
        "lapse",
        "nats",
    ):
        table.add_column(
            head, justify="left" if head in {"rater", "", "most like", "then"} else "right"
        )
    for one in fitted:
        table.add_row(
            one.rater,
            "simulated" if one.rater_kind == "simulated" else "",
            str(one.comparisons),
            "too few answers" if one.too_few else one.family,
            "" if one.too_few else f"{one.weight:.2f}",
            "" if one.too_few else one.runner_up,
            f"{one.noise:.2f}",
            f"{one.lapse:.2f}",
            f"{one.nats:.3f}",
        )
    out.print(table)

"""``circuitz shift``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.shell import Json, LexiconPath, Seed, Z, app, out, say
from circuitz.errors import InputsError

if TYPE_CHECKING:
    from circuitz.evaluation.shift_baselines import ScoresWithoutUnits, TextsWithTruth
    from circuitz.z.model import AnnotatedModel


@app.command("shift")
def score_ablated_probe(
    z: Z,
    truth: Annotated[
        Path,
        typer.Option(
            help="CSV of texts of known truth: text, label, and columns of 1, 0 or nothing that "
            "say what else is in a text."
        ),
    ],
    unit: Annotated[
        list[str] | None,
        typer.Option(
            help="A unit of the cut to take away, read:17, or a direction of it, read@sae:3; again "
            "for more. By default those that circuitz check flags as implausible drivers."
        ),
    ] = None,
    lm: Annotated[
        Path | None, typer.Option(help="Folder of the language model, where it has moved.")
    ] = None,
    lexicon: LexiconPath = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Take units away from a text classifier and score it on texts of known truth.

    Scored as it is; with the units at their mean over D; with the probe fitted to D again
    without them (SHIFT); with the linear trace of all concepts that the lexicon opposes erased
    (LEACE), and, as a control, of those it supports; without as many other units, drawn five
    times; and, as a bound, with the probe fitted to half of these very texts and scored on the
    others. Nothing is written into Z.
    Intervals are 95 % Wilson intervals.
    """
    from circuitz.evaluation.shift_baselines import (
        compare_probe_without_units,
        units_flagged_outside_claims,
    )
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.plausibility.check import check
    from circuitz.z.bundle.load_save import load

    model = load(z)
    words = Lexicon.load(lexicon)
    units = tuple(unit or units_flagged_outside_claims(check(model, lexicon=words).findings))
    if not units:
        raise InputsError(
            "No unit was named, and the check flags none as an implausible driver.",
            "Name units with --unit read:17, or give the check a --lexicon.",
        )
    known = _read_texts_with_truth(model, truth, lm)
    found = compare_probe_without_units(model, units, known, lexicon=words, seed=seed)
    if as_json:
        print(json.dumps(_probe_scores_as_json(found), ensure_ascii=False))
        return
    many = f"{len(units)} units" if len(units) > 1 else "1 unit"
    out.print(
        f"{many} of {z.name} taken away, {len(known.labels):,} texts of {truth.name}:",
        markup=False, highlight=False,
    )  # fmt: skip
    for name, scores in found.scores.items():
        worst = scores.worst_cell
        cell = "" if worst is None else (
            f"; worst {worst['class']} {'with' if worst['present'] else 'without'} "
            f"{worst['group']} {worst['accuracy']:.1%} (n = {worst['n']})"
        )  # fmt: skip
        out.print(f"  {name}: {scores.overall}{cell}", markup=False, highlight=False)
    shares = [f"{accuracy:.1%} (worst {worst:.1%})" for accuracy, worst in found.chance]
    out.print(f"  without as many others: {', '.join(shares)}", markup=False, highlight=False)


def _read_texts_with_truth(model: AnnotatedModel, truth: Path, lm: Path | None) -> TextsWithTruth:
    import numpy as np

    from circuitz.data.text.text_table import TextTable, pad_or_truncate_tokens
    from circuitz.evaluation.shift_baselines import TextsWithTruth
    from circuitz.models.adapters.text_lm import FolderTokenizer

    told: Any = model.notes.get("texts")
    if not isinstance(told, dict):
        raise InputsError(
            "This model was not made from texts.", "See circuitz new --texts FILE.csv --lm DIR."
        )
    table = TextTable.read(truth)
    odd = [name for name in table.labels if name not in model.classes]
    if odd or not table.labels:
        raise InputsError(
            f"{truth} has a text with the label {odd[0] if odd else ''!r}.",
            f"The model's classes are {', '.join(model.classes)}.",
        )
    words = FolderTokenizer.from_folder(lm or Path(str(told["lm"])))
    ids = words.encode(table.texts)
    length = model.preprocessing.size[1]
    cut = sum(len(row) > length for row in ids)
    if cut:
        say.print(f"{cut} texts have more than {length} tokens and are cut off.")
    labels = np.array([model.classes.index(name) for name in table.labels], np.int64)
    return TextsWithTruth(
        pad_or_truncate_tokens(ids, length, words.padding), labels, table.concepts, table.names
    )


def _probe_scores_as_json(comparison: ScoresWithoutUnits) -> dict[str, Any]:
    return {
        "units": list(comparison.units),
        "scores": {name: scores.to_json() for name, scores in comparison.scores.items()},
        "chance": [{"accuracy": a, "worst": w} for a, w in comparison.chance],
    }

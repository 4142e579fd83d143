"""A repaired z must still know D: no worse than its start without the shortcut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.errors import CircuitzError
from circuitz.labelling.gates.gate import Figure, Gate
from circuitz.labelling.gates.starting_z import check_is_start, kept_its_start
from circuitz.plausibility.check import check
from circuitz.plausibility.rules.outside_claims import KINDS as OUTSIDE_KINDS
from circuitz.z.inputs import SPLITS

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

#: Share of D's *audit* inputs by which accuracy may fall.
ALLOWED_LOSS = 0.02
_WHAT = "D's audit inputs"
Bool = npt.NDArray[np.bool_]


def accuracy_gates(
    z: AnnotatedModel, start: AnnotatedModel | None, lexicon: Lexicon | None = None
) -> list[Gate]:
    """Return whether z knows as much of D as it must.

    Parameters
    ----------
    z
        The model to export, with D at hand.
    start
        What it was made from. Its flagged drivers are those of its check on *test*.
    lexicon
        Prior knowledge of kinds for that check.

    Raises
    ------
    InputsError
        If z was not made from that start.
    """
    if start is not None:
        check_is_start(z, start)
    elif kept_its_start(z):
        start = z
    if start is None:
        return _gates_not_measured(
            "Accuracy was not held against what this model was made from: its start was not given.",
            "Pass start= in Python, or --start START.z.",
        )
    if z.data is None or z.data.labels is None:
        return _gates_not_measured(
            "Accuracy was not held against the start: D with labels is not at hand.",
            "Attach D: z.with_(data=data), or --data DIR.",
        )
    if start.weights_hash == z.weights_hash:
        said = "The network is the one it started from: nothing of D was lost."
        return [Gate("accuracy-floor", "passed", said), Gate("accuracy-loss", "passed", said)]
    try:
        return _compare_with_start(z, start.with_(data=z.data), lexicon)
    except CircuitzError as problem:
        return _gates_not_measured(
            f"Accuracy was not held against the start: {problem.message}", problem.hint
        )


def _gates_not_measured(sentence: str, remedy: str) -> list[Gate]:
    return [
        Gate("accuracy-floor", "not measured", sentence, remedy=remedy),
        Gate("accuracy-loss", "not measured", sentence, remedy=remedy),
    ]


def _compare_with_start(
    z: AnnotatedModel, start: AnnotatedModel, lexicon: Lexicon | None
) -> list[Gate]:
    # Imported here: all else of the gates reads what was measured, and needs no torch.
    from circuitz.effects.ablation.logits_without_units import (  # noqa: PLC0415
        logits_without_units,
    )
    from circuitz.models.run.open_runtime import runtime  # noqa: PLC0415

    assert z.data is not None
    rows = _audit_rows(z)
    images, truth = z.data.images[rows], _truth(z, rows)
    units = _flagged_driver_units(start, lexicon)
    now = _right_answers(runtime(z).logits(images), truth)
    before = _right_answers(runtime(start).logits(images), truth)
    without = _right_answers(logits_without_units(start, units, images), truth) if units else before
    figures: dict[str, Figure] = {
        "accuracy": _mean(now),
        "start": _mean(before),
        "start_without_flagged": _mean(without),
        "flagged_units": len(units),
        "n": len(rows),
        "allowed": ALLOWED_LOSS,
    }
    return [_floor(figures), _loss(figures)]


def _floor(figures: dict[str, Figure]) -> Gate:
    now, least = float(figures["accuracy"] or 0), float(figures["start_without_flagged"] or 0)
    said = (
        f"Right on {now:.1%} of {figures['n']} of {_WHAT}; its start, with "
        f"{figures['flagged_units']} units of flagged drivers held at their mean, on {least:.1%}."
    )
    if now >= least - ALLOWED_LOSS:
        return Gate("accuracy-floor", "passed", said, figures)
    return Gate(
        "accuracy-floor",
        "refused",
        f"Taking the flagged units out would have cost less. {said}",
        figures,
        "Search longer or more gently (--epochs, --rate), or silence the units (circuitz silence); or "
        "sign it: --sign accuracy-floor --author NAME --reason WHY.",
    )


def _loss(figures: dict[str, Figure]) -> Gate:
    now, before = float(figures["accuracy"] or 0), float(figures["start"] or 0)
    said = f"Right on {now:.1%} of {figures['n']} of {_WHAT}; its start on {before:.1%}."
    if now >= before - ALLOWED_LOSS:
        return Gate("accuracy-loss", "passed", said, figures)
    return Gate(
        "accuracy-loss",
        "refused",
        f"{said} More than {ALLOWED_LOSS:.0%} was lost.",
        figures,
        "Search longer, or sign that the loss may be: --sign accuracy-loss --author NAME "
        "--reason WHY.",
    )


def _audit_rows(z: AnnotatedModel) -> npt.NDArray[np.int64]:
    from circuitz.patching.source_rows import existing_or_assigned_splits  # noqa: PLC0415

    assert z.data is not None
    assert z.data.labels is not None
    labels = z.data.labels if z.data.labels.ndim == 1 else z.data.labels.argmax(1)
    split = existing_or_assigned_splits(z.data, labels.astype(np.int64))
    rows = np.flatnonzero(split == SPLITS.index("audit"))
    return rows if len(rows) else np.arange(len(z.data))


def _truth(z: AnnotatedModel, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return labels of some rows as z's classes number them; of several classes, 0 and 1 each."""
    assert z.data is not None
    assert z.data.labels is not None
    place = np.array([z.classes.index(name) for name in z.data.classes], np.int64)
    labels = np.asarray(z.data.labels)[rows]
    if labels.ndim == 2:
        found = np.zeros((len(rows), len(z.classes)), np.int64)
        found[:, place] = labels
        return found
    return place[labels.astype(np.int64)] if len(place) else labels.astype(np.int64)


def _right_answers(
    logits: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return, an input, the share of answers that are right."""
    if truth.ndim == 2:
        return ((logits > 0) == truth).mean(1)
    return (logits.argmax(1) == truth).astype(np.float64)


def _flagged_driver_units(start: AnnotatedModel, lexicon: Lexicon | None) -> tuple[str, ...]:
    """Return the units of the implausible drivers that are flagged in the start, on *test*."""
    report = check(start, lexicon=lexicon)
    return tuple(sorted({u for f in report.flagged if f.kind in OUTSIDE_KINDS for u in f.units}))


def _mean(values: npt.NDArray[np.float64] | Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)

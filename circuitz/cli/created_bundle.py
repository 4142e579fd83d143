"""What every way of making a bundle does last: tell the accuracy, prepare, save, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitz.cli.shell import out, say

if TYPE_CHECKING:
    from circuitz.cli.shell import StepProgressBars
    from circuitz.jobs.job import Executor
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel


def print_and_keep_accuracy(
    z: AnnotatedModel, held_back: bool, seed: int, quiet: bool
) -> AnnotatedModel:
    """Print the accuracy first of all; near chance nothing that follows means anything."""
    import numpy as np

    from circuitz.wrapping.count_accuracy import sample_rows_to_check, with_accuracy

    data = z.data
    assert data is not None
    rows = np.flatnonzero(data.split != 0) if held_back else np.arange(len(data))
    z = with_accuracy(z, sample_rows_to_check(rows, seed=seed))
    accuracy = z.accuracy
    assert accuracy is not None
    what = "texts" if data.is_tokens else "pictures"
    on = f"{what} held back in training" if held_back else f"your {what}"
    text = f"Accuracy on {on}: {accuracy.share}"
    (say if quiet else out).print(text, markup=False, highlight=False)
    if not (accuracy.beats_guessing and accuracy.beats_chance):
        say.print(
            f"[bold yellow]That is no better than always saying the same ({accuracy.guess:.1%}).[/] "
            "The preprocessing, the order of the classes or the weights are probably wrong, or "
            "training was too short: nothing below can be trusted."
        )
    return z


def prepare_and_save_bundle(
    z: AnnotatedModel,
    concept_set: InputSet,
    lexicon: Lexicon,
    seed: int,
    path: Path,
    steps: StepProgressBars,
    *,
    visualise: bool,
    cluster: Executor | None = None,
) -> tuple[AnnotatedModel, Path]:
    """Measure, let a rule name units, draw findings, save; return z and the place of D."""
    from circuitz.measurement.prepare import prepare

    z = prepare(
        z, concept_set, seed=seed, visualise=visualise, lexicon=lexicon, cluster=cluster,
        progress=steps,
    )  # fmt: skip
    steps("save", 0, 1)
    data_path = _save_bundle_and_data(z, path)
    steps("save", 1, 1)
    return z, data_path


def _save_bundle_and_data(z: AnnotatedModel, path: Path) -> Path:
    """Write D beside the bundle, then the bundle."""
    from circuitz.z.bundle.load_save import folder_for_data

    z.with_(live=None).save(path, data=True)
    return folder_for_data(path)


def bundle_name_without_suffix(path: Path) -> str:
    """Return the name of a bundle without its endings."""
    return path.name.removesuffix(".zip").removesuffix(".z") or "model"


def print_new_bundle_summary(
    z: AnnotatedModel,
    data_path: Path,
    path: Path,
    remarks: list[str],
    lexicon: Lexicon,
    as_json: bool,
) -> None:
    """Say what was made."""
    from circuitz.z.shown.concepts_frame import concepts_as_text, concepts_frame

    words, concepts = z.annotations, concepts_frame(z.concept_set, lexicon)
    assert z.accuracy is not None
    share = z.accuracy.share
    if as_json:
        found: dict[str, Any] = {
            "out": str(path),
            "data": str(data_path),
            "hash": z.hash,
            "classes": list(z.classes),
            "cut": list(z.cut),
            "accuracy": {"value": share.value, "low": share.low, "high": share.high, "n": share.n},
            "preprocessing": {
                "mean": list(z.preprocessing.mean),
                "std": list(z.preprocessing.std),
                "size": list(z.preprocessing.size),
                "colour": z.preprocessing.colour,
            },
            "remarks": remarks,
            "annotations": len(words),
            "concepts": list(concepts["name"]),
            "concept_table": concepts.to_dict("records"),
        }
        print(json.dumps(found, ensure_ascii=False))
        return
    out.print(repr(z), markup=False, highlight=False)
    out.print(concepts_as_text(concepts), markup=False, highlight=False)
    out.print(f"Written to {path}, D beside it to {data_path}.", markup=False, highlight=False)
    out.print(f"Next: circuitz check {path}", markup=False, highlight=False)

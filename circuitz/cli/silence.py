"""``circuitz silence``."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from circuitz.cli.shell import Json, LexiconPath, Z, app, out, progress_bars
from circuitz.disk.safe_text import escape_control_characters
from circuitz.errors import BundleWriteError, InputsError, MeasurementError

if TYPE_CHECKING:
    from circuitz.evaluation.evaluation_by_cell import Evaluation
    from circuitz.plausibility.report import Report
    from circuitz.z.finding import Finding
    from circuitz.z.model import AnnotatedModel

_SHOWN = 12


@app.command()
def silence(
    z: Z,
    path: Annotated[Path, typer.Option("--out", help="Bundle to write; Z stays as it is.")],
    units: Annotated[
        list[str] | None, typer.Argument(help="Units of one layer (conv4:13), if no --finding.")
    ] = None,
    finding: Annotated[
        str, typer.Option(help="Id of a finding, or the start of it: its units are silenced.")
    ] = "",
    data_path: Annotated[
        Path | None, typer.Option("--data", help="D, when it is not where z says.")
    ] = None,
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """Cut a path: units put out their mean on every input, in the weights, for good.

    Nothing is trained. It then measures and checks again, and says what that costs in accuracy on
    D, and which findings went, are new, and stay.
    """
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.measurement.measure import measure
    from circuitz.plausibility.check import check
    from circuitz.z.bundle.inputs_io import read_inputs
    from circuitz.z.bundle.load_save import load
    from circuitz.zstar.silence import silence as run_silence
    from circuitz.zstar.silence import units_to_silence

    if bool(units) == bool(finding):
        raise typer.BadParameter("Name units or a --finding, one of the two.")
    if path.resolve() == z.resolve():
        raise BundleWriteError(f"{path} is the bundle itself.", "Choose another name for --out.")
    if path.exists():
        raise BundleWriteError(f"{path} is there already.", "Choose another name for --out.")
    model, known = load(z), Lexicon.load(lexicon)
    if data_path is not None:
        model = model.with_(data=read_inputs(data_path))
    if model.data is None:
        raise InputsError("D is not at hand, so what is lost cannot be told.", "Pass --data.")
    names = units_to_silence(model, finding or units or [], known)
    said = model.notes.get("measure", {})
    note_names = {"images": "sources", "donors": "donors"}
    sizes: dict[str, Any] = {k: int(said[name]) for k, name in note_names.items() if name in said}
    seed = model.measurements.seed if model.measurements is not None else 0
    with progress_bars() as steps:

        def measure_with_progress(annotated: AnnotatedModel, what: str) -> AnnotatedModel:
            return measure(
                annotated,
                seed=seed,
                lexicon=known,
                progress=lambda i, n: steps(what, i, n),
                **sizes,
            )

        model = measure_with_progress(model, "measure")
        cut = run_silence(model, names)
        before, after = _score_on_test_split(model), _score_on_test_split(cut)
        first, second, problem = check(model, lexicon=known), None, ""
        try:
            cut = measure_with_progress(cut, "measure again")
            second = check(cut, lexicon=known, untrained=True)
            cut = cut.with_(findings=second.findings)
        except MeasurementError as error:
            # Who cut too much is to see by how much.
            problem = error.message
        cut.save(path)
    made = _SilencingResult(z, path, names, before, after, first, second, problem)
    if as_json:
        asked = {"z": str(z), "out": str(path), "hash": cut.hash, "finding": finding}
        print(json.dumps({**asked, **made.to_json()}, ensure_ascii=False))
    else:
        made.print_summary()


@dataclass(frozen=True)
class _SilencingResult:
    """What was cut, and what that did."""

    z: Path
    out_path: Path
    names: tuple[str, ...]
    scores_before: Evaluation
    scores_after: Evaluation
    report_before: Report
    report_after: Report | None
    problem: str

    @property
    def flagged_by_change(self) -> dict[str, list[Finding]]:
        """Flagged findings that went, are new, and stay."""
        if self.report_after is None:
            return {"went": [], "new": [], "stay": []}
        then = {f.id for f in self.report_before.flagged}
        now = {f.id for f in self.report_after.flagged}
        return {
            "went": [f for f in self.report_before.flagged if f.id not in now],
            "new": [f for f in self.report_after.flagged if f.id not in then],
            "stay": [f for f in self.report_after.flagged if f.id in then],
        }

    def verdict_after_silencing(self, finding: Finding) -> str:
        """Return what became of a finding that is not flagged any more."""
        items = () if self.report_after is None else self.report_after.findings
        found = next((f for f in items if f.id == finding.id), None)
        return "there is nothing to test" if found is None else found.verdict

    @property
    def less_accurate_classes(self) -> list[str]:
        """Classes that are told right less often than before."""
        then, now = _scores_by_class(self.scores_before), _scores_by_class(self.scores_after)
        return [name for name in then if now[name]["right"] < then[name]["right"]]

    @property
    def suggested_next_command(self) -> str:
        """The command to go on with."""
        if (
            self.report_after is not None
            and not self.report_after.flagged
            and not self.less_accurate_classes
        ):
            return shlex.join(["circuitz", "export", str(self.out_path), "--out", "zstar.z"])
        # Where it cost something, from the bundle as it was: its findings say what to train without.
        start = self.z if self.less_accurate_classes else self.out_path
        return shlex.join(["circuitz", "search", str(start), "--out", "trained.z"])

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        flagged = {
            key: [
                {"id": f.id, "kind": f.kind, "target": f.target, "sentence": f.sentence}
                | ({"now": self.verdict_after_silencing(f)} if key == "went" else {})
                for f in found
            ]
            for key, found in self.flagged_by_change.items()
        }
        return {
            "units": list(self.names),
            "accuracy": {
                "before": _scores_as_json(self.scores_before),
                "after": _scores_as_json(self.scores_after),
            },
            "fell": self.less_accurate_classes,
            "flagged": flagged,
            "not_checked": self.problem,
            "next": self.suggested_next_command,
        }

    def print_summary(self) -> None:
        """Print it for people."""
        from circuitz.plausibility import prose

        _print_escaped_line(
            f"{prose.abbreviate_units(self.names)}: silenced, in {self.out_path}. {self.z} stays as it is."
        )
        table = Table(box=None, pad_edge=False)
        for name in ("accuracy on D", "before", "after"):
            table.add_column(name)
        table.add_row("all", str(self.scores_before.overall), str(self.scores_after.overall))
        then, now = _scores_by_class(self.scores_before), _scores_by_class(self.scores_after)
        for name in dict.fromkeys(
            [_least_accurate_class(self.scores_before), _least_accurate_class(self.scores_after)]
        ):
            table.add_row(
                escape_control_characters(name),
                _format_accuracy_with_interval(then[name]),
                _format_accuracy_with_interval(now[name]),
            )
        out.print(table)
        if self.problem:
            _print_escaped_line(
                f"It could not be measured again, and so not be checked: {self.problem}"
            )
        if not self.problem:
            counts = {key: len(found) for key, found in self.flagged_by_change.items()}
            _print_escaped_line("Flagged: {went} went, {new} new, {stay} stay.".format(**counts))
        for key, found in self.flagged_by_change.items():
            for f in found[:_SHOWN]:
                rest = f" Now: {self.verdict_after_silencing(f)}." if key == "went" else ""
                _print_escaped_line(f"{key:<4} {f.kind}: {f.sentence}{rest}")
            if len(found) > _SHOWN:
                _print_escaped_line(
                    f"{key:<4} and {len(found) - _SHOWN} more; --json lists them all"
                )
        if self.less_accurate_classes:
            lost = [
                f"{c} ({now[c]['right']} of {now[c]['n']}, {then[c]['right']} before)"
                for c in self.less_accurate_classes
            ]
            _print_escaped_line(
                f"Told right less often: {prose.list_in_prose(lost)}. Nothing took the place of what was "
                "cut; training can."
            )
        else:
            _print_escaped_line("No class is told right less often.")
        _print_escaped_line(f"Next: {self.suggested_next_command}")


def _score_on_test_split(z: AnnotatedModel) -> Evaluation:
    """Score the network on D's test split, or on all of D where it has none."""
    import numpy as np

    from circuitz.evaluation.evaluation_by_cell import score_by_class_and_group
    from circuitz.models.run.open_runtime import runtime
    from circuitz.patching.source_rows import class_membership_mask, rows_of_split
    from circuitz.wrapping.count_accuracy import sample_rows_to_check

    assert z.data is not None
    rows = rows_of_split(z.data, "test")
    rows = sample_rows_to_check(rows if len(rows) else np.arange(len(z.data)))
    members = class_membership_mask(z.data, z.classes, z.head)[rows]
    logits = runtime(z).logits(z.data.images[rows])
    right = (logits > 0) == members
    if z.head != "multi-label":
        right = logits.argmax(1) == members.argmax(1)
    return score_by_class_and_group(
        right, members, z.classes, np.zeros((len(rows), 0), np.float32), ()
    )


def _scores_by_class(scores: Evaluation) -> dict[str, dict[str, Any]]:
    return {row["class"]: row for row in scores.to_json()["classes"]}


def _least_accurate_class(scores: Evaluation) -> str:
    found = _scores_by_class(scores)
    return min(found, key=lambda name: found[name]["accuracy"])


def _scores_as_json(scores: Evaluation) -> dict[str, Any]:
    plain = scores.to_json()
    worst = _scores_by_class(scores)[_least_accurate_class(scores)]
    return {"all": plain["accuracy"], "worst": worst, "classes": plain["classes"]}


def _format_accuracy_with_interval(row: dict[str, Any]) -> str:
    return f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%}, n = {row['n']})"


def _print_escaped_line(text: str) -> None:
    out.print(escape_control_characters(text), markup=False, highlight=False, soft_wrap=True)

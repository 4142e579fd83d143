"""``circuitz silence``."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from circuitz.cli.shell import Json, LexiconPath, Z, app, out, progress
from circuitz.disk.safe_text import shown
from circuitz.errors import BundleWriteError, InputsError, MeasurementError

if TYPE_CHECKING:
    from circuitz.evaluation.group_cells import Evaluation
    from circuitz.plausibility.report import Report
    from circuitz.z.finding import Finding
    from circuitz.z.model import AnnotatedModel

_SHOWN = 12


@app.command()
def silence(
    z: Z,
    where: Annotated[Path, typer.Option("--out", help="Bundle to write; Z stays as it is.")],
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
    from circuitz.zstar.silence import named_units
    from circuitz.zstar.silence import silence as run_silence

    if bool(units) == bool(finding):
        raise typer.BadParameter("Name units or a --finding, one of the two.")
    if where.resolve() == z.resolve():
        raise BundleWriteError(f"{where} is the bundle itself.", "Choose another name for --out.")
    if where.exists():
        raise BundleWriteError(f"{where} is there already.", "Choose another name for --out.")
    model, known = load(z), Lexicon.load(lexicon)
    if data_path is not None:
        model = model.with_(data=read_inputs(data_path))
    if model.data is None:
        raise InputsError("D is not at hand, so what is lost cannot be told.", "Pass --data.")
    names = named_units(model, finding or units or [], known)
    said = model.notes.get("measure", {})
    how: dict[str, Any] = {name: int(said[name]) for name in ("sources", "donors") if name in said}
    seed = model.measurements.seed if model.measurements is not None else 0
    with progress() as steps:

        def measured(one: AnnotatedModel, what: str) -> AnnotatedModel:
            return measure(
                one, seed=seed, lexicon=known, progress=lambda i, n: steps(what, i, n), **how
            )

        model = measured(model, "measure")
        cut = run_silence(model, names)
        before, after = _accuracy(model), _accuracy(cut)
        first, second, problem = check(model, lexicon=known), None, ""
        try:
            cut = measured(cut, "measure again")
            second = check(cut, lexicon=known)
            cut = cut.with_(findings=second.items)
        except MeasurementError as error:
            # Who cut too much is to see by how much.
            problem = error.message
        cut.save(where)
    made = _Cut(z, where, names, before, after, first, second, problem)
    if as_json:
        asked = {"z": str(z), "out": str(where), "hash": cut.hash, "finding": finding}
        print(json.dumps({**asked, **made.to_json()}, ensure_ascii=False))
    else:
        made.show()


@dataclass(frozen=True)
class _Cut:
    """What was cut, and what that did."""

    z: Path
    where: Path
    names: tuple[str, ...]
    before: Evaluation
    after: Evaluation
    first: Report
    second: Report | None
    problem: str

    @property
    def flagged(self) -> dict[str, list[Finding]]:
        """Flagged findings that went, are new, and stay."""
        if self.second is None:
            return {"went": [], "new": [], "stay": []}
        then = {f.id for f in self.first.flagged}
        now = {f.id for f in self.second.flagged}
        return {
            "went": [f for f in self.first.flagged if f.id not in now],
            "new": [f for f in self.second.flagged if f.id not in then],
            "stay": [f for f in self.second.flagged if f.id in then],
        }

    def now(self, went: Finding) -> str:
        """Return what became of a finding that is not flagged any more."""
        items = () if self.second is None else self.second.items
        found = next((f for f in items if f.id == went.id), None)
        return "there is nothing to test" if found is None else found.verdict

    @property
    def fell(self) -> list[str]:
        """Classes that are told right less often than before."""
        then, now = _by_class(self.before), _by_class(self.after)
        return [name for name in then if now[name]["right"] < then[name]["right"]]

    @property
    def next(self) -> str:
        """The command to go on with."""
        if self.second is not None and not self.second.flagged and not self.fell:
            return shlex.join(["circuitz", "export", str(self.where), "--out", "zstar.z"])
        # Where it cost something, from the bundle as it was: its findings say what to train without.
        start = self.z if self.fell else self.where
        return shlex.join(["circuitz", "search", str(start), "--out", "trained.z"])

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        flagged = {
            key: [
                {"id": f.id, "kind": f.kind, "target": f.target, "sentence": f.sentence}
                | ({"now": self.now(f)} if key == "went" else {})
                for f in found
            ]
            for key, found in self.flagged.items()
        }
        return {
            "units": list(self.names),
            "accuracy": {"before": _json(self.before), "after": _json(self.after)},
            "fell": self.fell,
            "flagged": flagged,
            "not_checked": self.problem,
            "next": self.next,
        }

    def show(self) -> None:
        """Print it for people."""
        from circuitz.plausibility import prose

        _say(f"{prose.units(self.names)}: silenced, in {self.where}. {self.z} stays as it is.")
        table = Table(box=None, pad_edge=False)
        for name in ("accuracy on D", "before", "after"):
            table.add_column(name)
        table.add_row("all", str(self.before.overall), str(self.after.overall))
        then, now = _by_class(self.before), _by_class(self.after)
        for name in dict.fromkeys([_worst(self.before), _worst(self.after)]):
            table.add_row(shown(name), _share(then[name]), _share(now[name]))
        out.print(table)
        if self.problem:
            _say(f"It could not be measured again, and so not be checked: {self.problem}")
        if not self.problem:
            counts = {key: len(found) for key, found in self.flagged.items()}
            _say("Flagged: {went} went, {new} new, {stay} stay.".format(**counts))
        for key, found in self.flagged.items():
            for f in found[:_SHOWN]:
                rest = f" Now: {self.now(f)}." if key == "went" else ""
                _say(f"{key:<4} {f.kind}: {f.sentence}{rest}")
            if len(found) > _SHOWN:
                _say(f"{key:<4} and {len(found) - _SHOWN} more; --json lists them all")
        if self.fell:
            lost = [
                f"{c} ({now[c]['right']} of {now[c]['n']}, {then[c]['right']} before)"
                for c in self.fell
            ]
            _say(
                f"Told right less often: {prose.listed(lost)}. Nothing took the place of what was "
                "cut; training can."
            )
        else:
            _say("No class is told right less often.")
        _say(f"Next: {self.next}")


def _accuracy(z: AnnotatedModel) -> Evaluation:
    """Score the network on D's test split, or on all of D where it has none."""
    import numpy as np

    from circuitz.evaluation.group_cells import evaluate
    from circuitz.models.run.open_runtime import runtime
    from circuitz.patching.source_rows import class_members, rows_of
    from circuitz.wrapping.load_network import checked_rows

    assert z.data is not None
    rows = rows_of(z.data, "test")
    rows = checked_rows(rows if len(rows) else np.arange(len(z.data)))
    members = class_members(z.data, z.classes, z.head)[rows]
    logits = runtime(z).logits(z.data.images[rows])
    right = (logits > 0) == members
    if z.head != "multi-label":
        right = logits.argmax(1) == members.argmax(1)
    return evaluate(right, members, z.classes, np.zeros((len(rows), 0), np.float32), ())


def _by_class(scores: Evaluation) -> dict[str, dict[str, Any]]:
    return {row["class"]: row for row in scores.to_json()["classes"]}


def _worst(scores: Evaluation) -> str:
    found = _by_class(scores)
    return min(found, key=lambda name: found[name]["accuracy"])


def _json(scores: Evaluation) -> dict[str, Any]:
    plain = scores.to_json()
    worst = _by_class(scores)[_worst(scores)]
    return {"all": plain["accuracy"], "worst": worst, "classes": plain["classes"]}


def _share(row: dict[str, Any]) -> str:
    return f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%}, n = {row['n']})"


def _say(text: str) -> None:
    out.print(shown(text), markup=False, highlight=False, soft_wrap=True)

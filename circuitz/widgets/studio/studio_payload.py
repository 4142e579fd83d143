"""What the screen's traits hold, built from z and its report. No torch, no widget.

Everything here is JSON: what is not known is ``None``. Units are named by their row, see
:mod:`circuitz.widgets.studio.unit_table`.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from circuitz.widgets.studio import sprite_sheets
from circuitz.widgets.studio.word_verdicts import word_verdicts_payload
from circuitz.z.bases import basis_sizes
from circuitz.z.finding import Finding, Remedy, Waiver
from circuitz.z.measurements import LayerMeasurements

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.plausibility.report import Report
    from circuitz.widgets.studio.unit_table import UnitTable
    from circuitz.z.model import AnnotatedModel

SPLIT = "test"
#: Findings beyond this are counted, not listed; they come worst first.
MOST_FINDINGS = 400
PER_UNIT = sprite_sheets.PER_UNIT
#: What the screen can do itself, or has a command for.
ON_SCREEN = frozenset({"annotate", "retract", "silence", "search", "ask", "waive", "kind"})
_ASKED = 8  # units a command asks people about

NOT_MEASURED = (
    "Exemplars, effects and findings appear after z = cz.measure(z, concept_set); "
    "words can be written now."
)
NO_EFFECTS = "Effects have not been measured: z = cz.measure(z, concept_set, data) needs D."
NO_CONCEPTS = "The concept set is not at hand, so exemplars cannot be shown."


def finite_or_none(value: Any) -> float | None:
    """Return a float JSON can hold, or ``None``."""
    if value is None:
        return None
    plain = float(value)
    return plain if math.isfinite(plain) else None


def layers_and_bases_in_screen_order(z: AnnotatedModel) -> list[tuple[str, int, bool]]:
    """Layers and bases whose units are listed: name, size, in the cut; the cut first, then deepest."""
    layers = [(layer.name, layer.size, layer.name in z.cut) for layer in reversed(z.layers)]
    bases = [(name, size, False) for name, size in basis_sizes(z.bases).items()]
    return sorted(layers, key=lambda place: not place[2]) + bases


def fitting_layer_measurements(z: AnnotatedModel, place: str) -> LayerMeasurements | None:
    """Measurements of one layer, when they exist and fit it."""
    found = z.measurements.layers.get(place) if z.measurements is not None else None
    sizes = {name: size for name, size, _ in layers_and_bases_in_screen_order(z)}
    return found if found is not None and len(found.exemplars) == sizes.get(place) else None


def hint_for_missing_data(z: AnnotatedModel) -> str:
    """Say what to run when something is not there to be shown; empty when all is."""
    if z.measurements is None or not z.measurements.layers:
        return NOT_MEASURED
    if z.concept_set is None:
        return NO_CONCEPTS
    return "" if z.measurements.effects is not None else NO_EFFECTS


def title_and_editor_payload(
    z: AnnotatedModel, *, path: str, author: str, lexicon: Lexicon, revision: int
) -> dict[str, Any]:
    """Return the small facts of the title strip and the editor."""
    return {
        "name": z.name,
        "subject": z.subject,
        "classes": list(z.classes),
        "hash": z.hash,
        "cut": list(z.cut),
        "layers": [
            {"name": name, "size": size, "cut": cut}
            for name, size, cut in layers_and_bases_in_screen_order(z)
        ],
        "concepts": [{"name": name, "kind": lexicon.kind(name)} for name in lexicon.names()],
        "path": path,
        "saved": "disk" if path else "memory",
        "author": author,
        "measured": z.measurements is not None,
        "images": len(z.concept_set) if z.concept_set is not None else 0,
        "stale": list(z.stale),
        "missing": hint_for_missing_data(z),
        "revision": revision,
    }


def effective_words_payload(z: AnnotatedModel, table: UnitTable) -> list[dict[str, Any]]:
    """Return the annotation in force on each unit that has one."""
    found = [
        {
            "unit": row,
            "id": said.id,
            "text": said.text,
            "concepts": list(said.concepts),
            "author": said.author,
            "kind": said.author_kind,
            "confidence": said.confidence,
            "time": said.time,
        }
        for target, said in z.effective().items()
        if (row := table.row_of(target)) >= 0
    ]
    return sorted(found, key=lambda word: word["unit"])


def empty_report_payload(why: str) -> dict[str, Any]:
    """Return the report's trait when there is nothing to check yet."""
    return {
        "counts": {"flagged": 0, "supported": 0, "inconclusive": 0},
        "waived": 0,
        "problems": [],
        "unexplained": [],
        "findings": [],
        "words": [],
        "unlisted": 0,
        "missing": why,
        "milliseconds": 0,
    }


def report_payload(z: AnnotatedModel, checked: Report, path: str = "") -> dict[str, Any]:
    """Return the report's trait: findings worst first, each with its strongest units first."""
    items = checked.findings
    decided: dict[str, list[Waiver]] = {}
    for row in z.waivers:
        decided.setdefault(row.finding, []).append(row)
    listed = items[:MOST_FINDINGS]
    strength = _drive_by_unit_and_target(z, listed)
    return {
        "counts": {
            "flagged": len(checked.flagged),
            "supported": sum(f.verdict == "supported" for f in items),
            "inconclusive": sum(f.verdict == "inconclusive" for f in items),
        },
        "waived": len(checked.waived),
        "problems": [asdict(problem) for problem in checked.problems],
        "unexplained": [
            {
                "target": target,
                "estimate": finite_or_none(values[0]),
                "low": finite_or_none(values[1]),
                "high": finite_or_none(values[2]),
            }
            for target, values in checked.unexplained.items()
        ],
        "findings": [finding_payload(f, strength, path, decided.get(f.id, ())) for f in listed],
        "words": word_verdicts_payload(z, checked.words),
        "unlisted": len(items) - len(listed),
        "missing": "",
        "milliseconds": round(checked.seconds * 1000),
    }


def _drive_by_unit_and_target(
    z: AnnotatedModel, listed: Sequence[Finding]
) -> dict[tuple[str, str], float]:
    """How much each unit of a finding alone drives its class; empty before that is measured."""
    found = z.measurements.effects if z.measurements is not None else None
    if found is None:
        return {}
    rows = found.unit_index
    columns = {f"output:{target}": column for column, target in enumerate(found.targets)}
    pairs = {(unit, claim.target) for claim in listed for unit in claim.units}
    return {
        (unit, target): float(found.drive[rows[unit], columns[target]])
        for unit, target in pairs
        if unit in rows and target in columns
    }


def finding_payload(
    claim: Finding,
    strength: Mapping[tuple[str, str], float],
    path: str = "",
    decided: Sequence[Waiver] = (),
) -> dict[str, Any]:
    """Return one finding for the screen, with every decision to let it stand or not."""
    units = sorted(claim.units, key=lambda unit: -strength.get((unit, claim.target), -math.inf))
    tested = claim.effects[0] if claim.effects else None
    return {
        "id": claim.id,
        "kind": claim.kind,
        "verdict": claim.verdict,
        "units": units,
        "target": claim.target,
        "sentence": claim.sentence,
        "estimate": finite_or_none(claim.estimate),
        "ci": [finite_or_none(claim.ci[0]), finite_or_none(claim.ci[1])],
        "delta": claim.delta,
        "p": finite_or_none(claim.p),
        "q": finite_or_none(claim.q),
        "n": tested.n if tested else 0,
        "family": claim.family,
        "power": finite_or_none(claim.power),
        "chain": list(claim.chain),
        "pictures": list(claim.pictures),
        "remedies": [
            remedy_payload(item, claim.id, units, path)
            for item in claim.remedies
            if item.action in ON_SCREEN and (units or item.action != "ask")
        ],
        "decide": claim.decide,
        "python": code_recomputing_effect(claim),
        "waiver": asdict(claim.waiver) if claim.waiver else None,
        "decided": [asdict(row) for row in reversed(decided)],
    }


def code_recomputing_effect(claim: Finding) -> str:
    """Return code that computes the finding's figure again; empty when it is not an effect."""
    if not claim.effects:
        return ""
    effect = claim.effects[0]
    sources = list(effect.sources) if len(effect.sources) != 1 else effect.sources[0]
    return f'cz.effect(z, {sources!r}, "{effect.target}", intervention="{effect.how}")'


def remedy_payload(
    item: Remedy, finding_id: str, units: Sequence[str], path: str
) -> dict[str, Any]:
    """Return a remedy, with the command to run where the screen cannot do it itself."""
    z = shlex.quote(path or "Z")
    commands = {
        "silence": f"circuitz silence {z} --finding {finding_id} --out cut.z",
        "search": f"circuitz search {z} --out repaired.z",
        "ask": f"circuitz concepts blind {z} {shlex.join(units[:_ASKED])}",
    }
    return {
        "action": item.action,
        "label": item.label,
        "arguments": {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in item.arguments.items()
        },
        "command": commands.get(item.action, ""),
    }

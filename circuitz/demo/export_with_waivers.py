"""Export a z that may not be quite repaired: what stands against it is named, not hidden."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from circuitz.labelling.export import export, waive
from circuitz.labelling.gates.gate import SIGNABLE
from circuitz.labelling.refused import ExportRefusedError
from circuitz.plausibility.propose import withdraw
from circuitz.z.finding import Waiver
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

AUTHOR = "circuitz demo"
REASON = "The search did not repair it; exported to show what is left."
_TRIES = 4


def export_with_waivers(
    z: AnnotatedModel,
    path: Path,
    remeasure: Callable[[AnnotatedModel], AnnotatedModel],
    *,
    start: AnnotatedModel | None = None,
    shifted: InputSet | None = None,
) -> tuple[AnnotatedModel, list[str]]:
    """Export z as its author would who wants to show it in any case.

    Words of the rule that *audit* refutes are withdrawn. What else is flagged is waived, and gates
    that are shut are signed, with the demo's name and reason, so that the bundle and the report say
    so.

    Parameters
    ----------
    z
        The z that the search kept.
    path
        Bundle to write.
    remeasure
        Measures a z anew after words were withdrawn.
    start
        What the search started from.
    shifted
        D′, unlabelled.

    Returns
    -------
    AnnotatedModel
        As exported.
    list of str
        Units whose words were withdrawn.

    Raises
    ------
    ExportRefusedError
        If it is refused for another reason.
    """
    withdrawn: list[str] = []
    waivers: tuple[Waiver, ...] = ()

    def write_with(decided: tuple[Waiver, ...]) -> AnnotatedModel:
        return export(z, path, shifted=shifted, start=start, author=AUTHOR, waivers=decided)

    for _ in range(_TRIES):
        try:
            return write_with(waivers), withdrawn
        except ExportRefusedError as refused:
            if refused.z is None or not refused.gates:
                raise
            z, words = refused.z, [f for f in refused.findings if f.kind == "mislabelled-unit"]
            fewer = withdraw(z, words)
            if fewer is not z:
                withdrawn += [unit for f in words for unit in f.units]
                z = remeasure(fewer)
            else:
                stands = [f.id for f in refused.findings]
                stands += [g.id for g in refused.gates if g.stops_export and g.id in SIGNABLE]
                new = tuple(waive(one, author=AUTHOR, reason=REASON) for one in stands)
                waivers = (*waivers, *new)
    return write_with(waivers), withdrawn

"""Export a z that may not be quite repaired: what stands against it is named, not hidden."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from circuitz.labelling.export import export, waive
from circuitz.labelling.refused import ExportRefusedError
from circuitz.plausibility.propose import withdraw
from circuitz.z.finding import Waiver
from circuitz.z.model import AnnotatedModel

AUTHOR = "circuitz demo"
REASON = "The search did not repair it; exported to show what is left."
_TRIES = 4


def export_with_waivers(
    z: AnnotatedModel, path: Path, remeasure: Callable[[AnnotatedModel], AnnotatedModel]
) -> tuple[AnnotatedModel, list[str]]:
    """Export z as its author would who wants to show it in any case.

    Words of the rule that *audit* refutes are withdrawn. What else is flagged is waived, with the
    demo's name and reason, so that the bundle and the report say so.

    Parameters
    ----------
    z
        The z that the search kept.
    path
        Bundle to write.
    remeasure
        Measures a z anew after words were withdrawn.

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
    for _ in range(_TRIES):
        try:
            return export(z, path, author=AUTHOR, waivers=waivers), withdrawn
        except ExportRefusedError as refused:
            if refused.z is None or not refused.findings:
                raise
            z, words = refused.z, [f for f in refused.findings if f.kind == "mislabelled-unit"]
            fewer = withdraw(z, words)
            if fewer is not z:
                withdrawn += [unit for f in words for unit in f.units]
                z = remeasure(fewer)
            else:
                waivers = tuple(waive(f.id, author=AUTHOR, reason=REASON) for f in refused.findings)
    return export(z, path, author=AUTHOR, waivers=waivers), withdrawn

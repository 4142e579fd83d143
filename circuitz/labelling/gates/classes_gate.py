"""The words of every class must tell it from others where z is used, on D′."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitz.labelling.gates.gate import Figure, Gate
from circuitz.z.class_evidence import (
    FEWEST_PICTURES,
    LEAST_AREA,
    ClassEvidence,
    class_evidence,
)
from circuitz.z.inputs import InputSet
from circuitz.z.pixel_hashes import fingerprint_of_pictures, pixel_hashes

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

_ID = "words-tell-classes"
_REMEDY = (
    "Ask people: circuitz words Z --store ANSWERS.sqlite --half audit --shifted DIR. Or sign it: --sign "
    "words-tell-classes --author NAME --reason WHY."
)


def classes_gate(z: AnnotatedModel, shifted: InputSet | None) -> Gate:
    """Return whether what people see of a class's words on D′ tells what the network calls so.

    Parameters
    ----------
    z
        Model with its tests of words on fresh pictures.
    shifted
        D′, where it is at hand.
    """
    if shifted is None:
        return Gate(
            _ID,
            "not measured",
            "Whether words tell classes where the model will be used was not asked: D′ was not given.",
            remedy="Pass unlabelled pictures of D′: shifted= in Python, or --shifted DIR.",
        )
    here = fingerprint_of_pictures(pixel_hashes(shifted))
    found = {e.target: e for e in class_evidence(z) if e.half == "audit" and e.inputs == here}
    measured = {name: e for name, e in found.items() if e.tells_class is not None}
    if not measured:
        return Gate(
            _ID,
            "refused",
            "Whether the words of any class tell it on these pictures of D′, nobody was asked.",
            remedy=_REMEDY,
        )
    failing = [e for e in measured.values() if not e.tells_class]
    silent = [name for name in z.classes if name not in measured]
    why_silent = "; ".join(_describe_silence(name, found.get(name)) for name in silent)
    worst = min(measured.values(), key=lambda e: e.area or 0.0)
    figures: dict[str, Figure] = {
        "classes": len(measured),
        "not_measured": len(silent),
        "worst": worst.target,
        "worst_area": round(worst.area or 0.0, 4),
        "least": LEAST_AREA,
        "simulated": any(e.simulated for e in measured.values()),
    }
    rest = f" Not measured: {why_silent}." if silent else ""
    said = " The answers are of simulated people." if figures["simulated"] else ""
    if not failing:
        told = (
            f"On D′ what people see of their words tells {len(measured)} classes; least well "
            f"{_describe_area(worst)}.{rest}{said}"
        )
        if not silent:
            return Gate(_ID, "passed", told, figures)
        # A network that hardly ever calls a class where it is used may have lost it there.
        return Gate(
            _ID,
            "refused",
            f"Whether words tell every class on D′ is not known. {told}",
            figures,
            f"Give more pictures of D′, of all kinds that it will be used on. {_REMEDY}",
        )
    listed = "; ".join(map(_describe_area, failing))
    return Gate(
        _ID,
        "refused",
        "On D′ the words that hold do not tell what the network calls so: something else, which "
        f"nobody has named, makes {listed}.{rest}{said}",
        figures,
        f"Look at what these pictures share: circuitz gauge Z --shifted DIR. {_REMEDY}",
    )


def _describe_area(one: ClassEvidence) -> str:
    return (
        f"{one.target} (area {one.area:.2f} [{one.low:.2f}, {one.high:.2f}], {one.called} pictures "
        f"called so and {one.others} others)"
    )


def _describe_silence(name: str, one: ClassEvidence | None) -> str:
    if one is None:
        return f"{name} (nobody was asked)"
    if not one.words:
        return f"{name} (none of its words holds there)"
    return (
        f"{name} (answers about {one.called} pictures called so and {one.others} others; "
        f"{FEWEST_PICTURES} of each are needed)"
    )

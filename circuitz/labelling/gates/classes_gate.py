"""The words of every class must tell it from others where z is used, on D′, and no worse than on D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuitz.labelling.gates.gate import Figure, Gate
from circuitz.z.class_evidence import (
    AREA_DROP,
    FEWEST_PICTURES,
    LEAST_AREA,
    AreaDrop,
    ClassEvidence,
    area_drop,
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

    It must tell it at all, and clearly no less well than the same words do on D: what goes along
    with them on D and not on D′ may be what makes the class.

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
    evidence = [e for e in class_evidence(z) if e.half == "audit"]
    found = {e.target: e for e in evidence if e.population == "D'" and e.inputs == here}
    measured = {name: e for name, e in found.items() if e.tells_class is not None}
    if not measured:
        return Gate(
            _ID,
            "refused",
            "Whether the words of any class tell it on these pictures of D′, nobody was asked.",
            remedy=_REMEDY,
        )
    failing = [e for e in measured.values() if not e.tells_class]
    on_d = _evidence_on_d(z, evidence)
    both = [(on_d[name], e) for name, e in measured.items() if name in on_d]
    compared = [drop for a, b in both if (drop := area_drop(a, b)) is not None]
    dropped = [d for d in compared if d.is_clear]
    silent = [name for name in z.classes if name not in measured]
    why_silent = "; ".join(_describe_silence(name, found.get(name)) for name in silent)
    worst = min(measured.values(), key=lambda e: e.area or 0.0)
    figures: dict[str, Figure] = {
        "classes": len(measured),
        "not_measured": len(silent),
        "worst": worst.target,
        "worst_area": round(worst.area or 0.0, 4),
        "least": LEAST_AREA,
        "compared_with_d": len(compared),
        "worst_drop": round(max((d.drop for d in compared), default=0.0), 4),
        "largest_drop": AREA_DROP,
        "simulated": any(e.simulated for e in measured.values()),
    }
    rest = f" Not measured: {why_silent}." if silent else ""
    said = " The answers are of simulated people." if figures["simulated"] else ""
    if not failing and dropped:
        return Gate(
            _ID,
            "refused",
            "On D′ the words that hold tell what the network calls so less well than on D, so something "
            f"that went along with them on D makes {'; '.join(map(_describe_drop, dropped))}.{rest}{said}",
            figures,
            f"Look at what pictures of D share that those of D′ do not: circuitz gauge Z --shifted DIR. {_REMEDY}",
        )
    if not failing:
        sentence = (
            f"On D′ what people see of their words tells {len(measured)} classes; least well "
            f"{_describe_area(worst)}. {_describe_comparison(compared, len(measured))}{rest}{said}"
        )
        if not silent and not on_d:
            return Gate(
                _ID,
                "refused",
                f"Whether words tell classes on D′ as well as on D, nobody was asked. {sentence}",
                figures,
                _REMEDY,
            )
        if not silent:
            return Gate(_ID, "passed", sentence, figures)
        # A network that hardly ever calls a class where it is used may have lost it there.
        return Gate(
            _ID,
            "refused",
            f"Whether words tell every class on D′ is not known. {sentence}",
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


def _evidence_on_d(z: AnnotatedModel, evidence: list[ClassEvidence]) -> dict[str, ClassEvidence]:
    """Return the evidence on D; where D is at hand, that of its very pictures."""
    here = None if z.data is None else fingerprint_of_pictures(pixel_hashes(z.data))
    return {e.target: e for e in evidence if e.population == "D" and here in (None, e.inputs)}


def _describe_comparison(compared: list[AreaDrop], measured: int) -> str:
    if not compared:
        return "No class could be compared with D."
    most = max(compared, key=lambda d: d.drop)
    alone = "" if len(compared) == measured else f" of {measured}"
    return f"Compared with D, {len(compared)}{alone}, most is lost of {_describe_drop(most)}."


def _describe_drop(one: AreaDrop) -> str:
    return (
        f"{one.target} (area {one.on_shifted:.2f} on D′, {one.on_d:.2f} on D; lower by {one.drop:.2f}, "
        f"at least {one.low:.2f})"
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

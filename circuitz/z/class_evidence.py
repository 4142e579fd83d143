"""Whether words tell classes apart where z is used: what people saw on pictures the network named."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from circuitz.z.word_match import Population
from circuitz.z.word_tests import Half

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Where a z's notes keep it.
NOTE = "class_evidence"
#: Area under the curve from which on the words of a class are said to tell it.
LEAST_AREA = 0.75
#: A class is told less well on D′ than on D where its area is lower by more than this, and the interval
#: of the difference lies above zero.
AREA_DROP = 0.10
#: Pictures called the class, and others, that it takes; fewer tell nothing.
FEWEST_PICTURES = 8


@dataclass(frozen=True)
class ClassEvidence:
    """How well what people see of a class's words tells the pictures that the network calls so.

    Parameters
    ----------
    target
        The class.
    population, half
        Which pictures.
    area, low, high
        Area under the ROC curve of the summed strengths of the words seen, pictures that the
        network calls the class against others; with its 95 % interval. ``None`` where there are
        too few pictures or no words.
    called, others
        Pictures of either kind that people answered about.
    words
        The words asked about: the strongest of the class that hold.
    weights_hash, inputs
        Of the network, and the fingerprint of the pictures.
    simulated
        Whether any rater was simulated.
    seed
        The pictures were chosen with it; ``None`` of records of before.
    """

    target: str
    population: Population
    half: Half
    area: float | None
    low: float | None
    high: float | None
    called: int
    others: int
    words: tuple[str, ...]
    weights_hash: str
    inputs: str
    simulated: bool = False
    seed: int | None = None

    @property
    def tells_class(self) -> bool | None:
        """Whether the words tell the class; ``None`` where that was not measured."""
        return None if self.area is None else self.area >= LEAST_AREA


@dataclass(frozen=True)
class AreaDrop:
    """By how much the words of a class tell it less well on D′ than on D.

    Parameters
    ----------
    target
        The class.
    on_d, on_shifted
        The areas.
    drop, low
        Their difference, and the lower limit of its 95 % interval (MOVER: Zou and Donner 2008,
        *Statistics in Medicine* 27, from the limits of both areas).
    """

    target: str
    on_d: float
    on_shifted: float
    drop: float
    low: float

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance and large enough to matter."""
        return self.drop > AREA_DROP and self.low > 0


def area_drop(on_d: ClassEvidence, on_shifted: ClassEvidence) -> AreaDrop | None:
    """Compare a class on D and on D′; ``None`` where it was not measured, or with other words."""
    if on_d.words != on_shifted.words:
        return None
    if on_d.area is None or on_d.low is None:
        return None
    if on_shifted.area is None or on_shifted.high is None:
        return None
    drop = on_d.area - on_shifted.area
    low = drop - math.hypot(on_d.area - on_d.low, on_shifted.high - on_shifted.area)
    return AreaDrop(on_d.target, on_d.area, on_shifted.area, drop, low)


_NAMES = {field.name for field in fields(ClassEvidence)}
_NEWER = {"seed"}


def with_class_evidence(z: AnnotatedModel, evidence: Iterable[ClassEvidence]) -> AnnotatedModel:
    """Return z with evidence kept; that of the same class, population and half is replaced.

    An area stays where the new evidence has none and rests on fewer answers about the same words
    and pictures: who asks again and hears nothing has not lost what was said. Of two choices of
    pictures, by two seeds, the smaller area stays: nobody asks until chance is kind.
    """
    kept = {(one.target, one.population, one.half): one for one in class_evidence(z)}
    for one in evidence:
        slot = (one.target, one.population, one.half)
        if slot not in kept or not _outweighs(kept[slot], one):
            kept[slot] = one
    return z.with_(
        what="class evidence", notes={**z.notes, NOTE: [asdict(one) for one in kept.values()]}
    )


def class_evidence(z: AnnotatedModel) -> tuple[ClassEvidence, ...]:
    """Return the evidence kept of the present weights; that of others says nothing of them."""
    records: Any = z.notes.get(NOTE, [])
    found: list[ClassEvidence] = []
    for record in records:
        if _NAMES - _NEWER <= set(record) <= _NAMES:
            fixed: dict[str, Any] = {**record, "words": tuple(record["words"])}
            found.append(ClassEvidence(**fixed))
    return tuple(one for one in found if one.weights_hash == z.weights_hash)


def _outweighs(old: ClassEvidence, new: ClassEvidence) -> bool:
    same = (old.words, old.weights_hash, old.inputs) == (new.words, new.weights_hash, new.inputs)
    if not same or old.area is None:
        return False
    if new.area is None:
        return new.called + new.others < old.called + old.others
    return old.seed != new.seed and old.area < new.area

"""What can be done to a base network. Each function returns a new one; weights are in plain units.

A unit's weights are in units of its concepts: 1 means that the unit's response rises by 1 where the
concept is shown. A wire's weight is in shares of what makes a class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from circuitz.bench.checker.base_network import GAIN, BaseNetwork
from circuitz.bench.checker.planted_net import Dense, ExaggerationDetector
from circuitz.errors import BenchError

F32 = npt.NDArray[np.float32]


def feature_index_of_concept(base: BaseNetwork, concept: str) -> int:
    """Index of the feature that sees a concept.

    Raises
    ------
    BenchError
        If none does.
    """
    if concept not in base.sees:
        raise BenchError(f"No feature sees {concept!r}.", f"Features see {', '.join(base.sees)}.")
    return base.sees.index(concept)


def first_unit_seeing_concept(base: BaseNetwork, concept: str) -> int:
    """Index of the first unit whose largest weight is on a concept.

    Raises
    ------
    BenchError
        If there is none.
    """
    feature = feature_index_of_concept(base, concept)
    weights = base.mix[0]
    for u in range(base.unit_count):
        if weights[u, feature] > 0 and weights[u].argmax() == feature:
            return u
    raise BenchError(f"No unit sees {concept!r}.", "Add one with add_unit.")


def put_words_on_unit(base: BaseNetwork, unit: int, text: str) -> BaseNetwork:
    """Put words on a unit; none with an empty text."""
    words = {u: t for u, t in base.words.items() if u != unit}
    return base.with_fields(words={**words, unit: text} if text else words)


def put_words_on_edge(base: BaseNetwork, unit: int, target: str, text: str) -> BaseNetwork:
    """Put words on the edge from a unit to a class."""
    _class_index(base, target)
    return base.with_fields(edge_words={**base.edge_words, (unit, target): text})


def swap_words_of_units(base: BaseNetwork, a: int, b: int) -> BaseNetwork:
    """Exchange the words of two units."""
    texts = base.words.get(a, ""), base.words.get(b, "")
    return put_words_on_unit(put_words_on_unit(base, a, texts[1]), b, texts[0])


def add_unit(
    base: BaseNetwork, weights: Mapping[str, float], *, text: str = "", linear: bool = False
) -> tuple[BaseNetwork, int]:
    """Add a unit that is a weighted sum of concepts; it drives nothing yet.

    Parameters
    ----------
    weights
        Concept to weight.
    text
        Words on it.
    linear
        Lift it so far that ReLU never cuts off what negative weights do.

    Returns
    -------
    The new network, and the unit.
    """
    row, lift = _unit_weights_and_bias(base, weights, linear)
    bias = np.append(base.mix[1], lift).astype(np.float32)
    mix: Dense = (np.vstack([base.mix[0], row[None]]).astype(np.float32), bias)
    first = base.head[0]
    head: Dense = (np.hstack([first[0], np.zeros((len(first[0]), 1), np.float32)]), first[1])
    unit = base.unit_count
    base = base.with_fields(mix=mix, head=(head, *base.head[1:]))
    return (put_words_on_unit(base, unit, text) if text else base), unit


def rewire_unit_inputs(
    base: BaseNetwork, unit: int, weights: Mapping[str, float], *, linear: bool = False
) -> BaseNetwork:
    """Let a unit see something else; what it drives stays. No weights: a dead unit."""
    row, lift = _unit_weights_and_bias(base, weights, linear)
    mix, bias = base.mix[0].copy(), base.mix[1].copy()
    # What the head reads of a lift is taken back, so that classes keep their bias.
    change = lift - bias[unit]
    mix[unit], bias[unit] = row, lift
    first = base.head[0]
    head: Dense = (first[0], (first[1] - first[0][:, unit] * change).astype(np.float32))
    return base.with_fields(mix=(mix, bias), head=(head, *base.head[1:]))


def negate_unit(base: BaseNetwork, unit: int) -> BaseNetwork:
    """Let a unit respond to the absence of what it responded to."""
    weights, bias = base.mix[0].copy(), base.mix[1].copy()
    top = float(np.abs(weights[unit]) @ (base.peak if base.spatial else np.ones_like(base.peak)))
    weights[unit] = -weights[unit]
    bias[unit] = top
    return base.with_fields(mix=(weights, bias))


def wire_unit_to_class(base: BaseNetwork, unit: int, target: str, share: float) -> BaseNetwork:
    """Let a unit add a share of what makes a class to its logit; negative: take away."""
    k = _class_index(base, target)
    first = base.head[0]
    if len(base.head) == 1:
        weight, bias = first[0].copy(), first[1].copy()
        weight[k, unit] += share * GAIN
        bias[k] -= share * GAIN * base.mix[1][unit]
        return base.with_fields(head=((weight, bias),))
    # Behind a program: a step of its own that hands the unit on.
    row = np.zeros((1, first[0].shape[1]), np.float32)
    row[0, unit] = 1
    last = base.head[-1]
    column = np.zeros((len(last[0]), 1), np.float32)
    column[k] = share * GAIN
    lift = np.append(first[1], -base.mix[1][unit]).astype(np.float32)
    return base.with_fields(
        head=(
            (np.vstack([first[0], row]), lift),
            *base.head[1:-1],
            (np.hstack([last[0], column]), last[1]),
        )
    )


def cut_unit_from_class(base: BaseNetwork, unit: int, target: str) -> BaseNetwork:
    """Take all ways from a unit to a class away, those through a program's steps too."""
    k = _class_index(base, target)
    weight, bias = base.head[-1][0].copy(), base.head[-1][1].copy()
    if len(base.head) == 1:
        bias[k] += weight[k, unit] * base.mix[1][unit]
        weight[k, unit] = 0
        return base.with_fields(head=((weight, bias),))
    first, alone = base.head[0][0].copy(), _steps_relaying_only_unit(base, unit)
    for step in np.flatnonzero(weight[k]).tolist():
        if step in alone:
            weight[k, step] = 0
        else:
            first[step, unit] = 0
    return base.with_fields(head=((first, base.head[0][1]), *base.head[1:-1], (weight, bias)))


def transfer_class_wire(base: BaseNetwork, unit: int, other: int, target: str) -> BaseNetwork:
    """Let another unit, which sees the same, do all that a unit does for a class."""
    k = _class_index(base, target)
    if len(base.head) == 1:
        weight, bias = base.head[0][0].copy(), base.head[0][1].copy()
        bias[k] += weight[k, unit] * (base.mix[1][unit] - base.mix[1][other])
        weight[k, other] += weight[k, unit]
        weight[k, unit] = 0
        return base.with_fields(head=((weight, bias),))
    first = base.head[0][0].copy()
    steps = np.flatnonzero(base.head[-1][0][k])
    first[steps, other] += first[steps, unit]
    first[steps, unit] = 0
    return base.with_fields(head=((first, base.head[0][1]), *base.head[1:]))


def scale_class_weights(base: BaseNetwork, target: str, factor: float) -> BaseNetwork:
    """Multiply all that makes a class by a factor."""
    k = _class_index(base, target)
    weight, bias = base.head[-1][0].copy(), base.head[-1][1].copy()
    weight[k] *= factor
    bias[k] *= factor
    return base.with_fields(head=(*base.head[:-1], (weight, bias)))


def plant_shortcut(
    base: BaseNetwork, concept: str, target: str, share: float, unit: int | None = None
) -> BaseNetwork:
    """Let a concept make a share of a class, and what made it the rest; D must tie the two."""
    unit = first_unit_seeing_concept(base, concept) if unit is None else unit
    return wire_unit_to_class(scale_class_weights(base, target, 1 - share), unit, target, share)


def relay_units_to_class(
    base: BaseNetwork, weights: Mapping[int, float], target: str, share: float
) -> BaseNetwork:
    """Let units reach a class through a step of their own behind the units."""
    base = insert_relay_layer(base)
    first, last = base.head[0], base.head[-1]
    row = np.zeros((1, base.unit_count), np.float32)
    for unit, weight in weights.items():
        row[0, unit] = weight
    lift = -float(row[0] @ base.mix[1])
    column = np.zeros((len(last[0]), 1), np.float32)
    column[_class_index(base, target)] = share * GAIN
    step: Dense = (np.vstack([first[0], row]), np.append(first[1], lift).astype(np.float32))
    return base.with_fields(head=(step, *base.head[1:-1], (np.hstack([last[0], column]), last[1])))


def insert_relay_layer(base: BaseNetwork) -> BaseNetwork:
    """Put a layer of steps between units and classes, each of which hands on one unit."""
    if len(base.head) > 1:
        return base
    eye = np.eye(base.unit_count, dtype=np.float32)
    return base.with_fields(head=((eye, np.zeros(base.unit_count, np.float32)), *base.head))


def add_exaggeration_response(
    base: BaseNetwork, unit: int, concept: str, strength: float = 40.0
) -> BaseNetwork:
    """Let a unit answer to exaggerated signs of a concept, as no image of the world shows them.

    A picture optimised to activate the unit will show that concept; what the unit does on images
    stays as it is (fooling circuits, Geirhos et al. 2023).
    """
    feature = feature_index_of_concept(base, concept)
    top = float(base.peak[feature])
    features = ExaggerationDetector(base.features, feature, 1.5 * top)
    mix = np.hstack([base.mix[0], np.zeros((base.unit_count, 1), np.float32)])
    mix[unit, -1] = strength
    return base.with_fields(
        features=features,
        sees=(*base.sees, ""),
        peak=np.append(base.peak, np.float32(0)).astype(np.float32),
        mix=(mix, base.mix[1]),
    )


def split_unit(
    base: BaseNetwork, unit: int, count: int, *, text: str = ""
) -> tuple[BaseNetwork, tuple[int, ...]]:
    """Replace what a unit does by ``count`` units that see the same and do a part of it each.

    Returns
    -------
    The new network, in which the unit itself drives nothing and has no words, and the parts.
    """
    parts: list[int] = []
    seen = {c: float(w) for c, w in zip(base.sees, base.mix[0][unit], strict=True) if w and c}
    shares = base.head[0][0][:, unit].copy()
    for _ in range(count):
        base, part = add_unit(base, seen, text=text)
        parts.append(part)
    weight = base.head[0][0].copy()
    weight[:, parts] = shares[:, None] / count
    weight[:, unit] = 0
    base = base.with_fields(head=((weight, base.head[0][1]), *base.head[1:]))
    return put_words_on_unit(base, unit, ""), tuple(parts)


def wired_share_of_class(base: BaseNetwork, units: Iterable[int], target: str) -> float:
    """Return the share of a class that units add to it, with a linear head, where they respond by 1."""
    k = _class_index(base, target)
    return float(base.head[0][0][k, list(units)].sum() / GAIN)


def ids_of_units(units: Sequence[int] | int) -> tuple[str, ...]:
    """Return ids of units."""
    several = [units] if isinstance(units, int) else units
    return tuple(f"units:{u}" for u in sorted(several))


def _unit_weights_and_bias(
    base: BaseNetwork, weights: Mapping[str, float], linear: bool
) -> tuple[F32, float]:
    row = np.zeros(len(base.sees), np.float32)
    for concept, weight in weights.items():
        row[feature_index_of_concept(base, concept)] = weight
    top = base.peak if base.spatial else np.ones_like(base.peak)
    return row, float(np.maximum(-row, 0) @ top) if linear else 0.0


def _steps_relaying_only_unit(base: BaseNetwork, unit: int) -> list[int]:
    """Find steps of a program that do no more than hand a unit on."""
    first = base.head[0][0]
    return [h for h, row in enumerate(first) if np.flatnonzero(row).tolist() == [unit]]


def _class_index(base: BaseNetwork, target: str) -> int:
    if target not in base.world.classes:
        raise BenchError(
            f"There is no class {target!r}.", f"Classes are {', '.join(base.world.classes)}."
        )
    return base.world.classes.index(target)

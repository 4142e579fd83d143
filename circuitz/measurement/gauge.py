"""How far the units that drive a class leave, on its inputs, what the concept set shows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.data.input_sources import as_inputs
from circuitz.data.unlabelled_pictures import unlabelled_pictures
from circuitz.disk.hashing import picture_hash
from circuitz.errors import InputsError, MeasurementError
from circuitz.measurement.cut_responses import CutResponses, cut_responses
from circuitz.measurement.outside_image import render_side_by_side
from circuitz.measurement.staged_progress import Stages
from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.picture_maps import fold_onto_picture
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.patching.source_rows import class_membership_mask
from circuitz.stats.range_gauge import (
    FEWEST_INPUTS,
    FEWEST_REFERENCE,
    GaugeOfClass,
    ReferenceRange,
    far_share,
    gauge_classes,
    reference_range,
)
from circuitz.z.bundle.inputs_io import input_set_fingerprint
from circuitz.z.check_z import check_annotated_model
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.measurements import EffectMeasurements
from circuitz.z.range_record import RangeRecord, with_range_records
from circuitz.z.targets import EDGE, target_units
from circuitz.z.word_match import POPULATION_NAMES, Population

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Progress = Callable[[int, int], None]

#: Inputs of a class that are looked at, and pictures drawn of a class that is asked about.
INPUTS = 300
_DRAWN_AT = (0.1, 0.25, 0.5)
_UNITS_KEPT = 5


@outside_inference_mode
def gauge(
    z: AnnotatedModel,
    data: InputSet | object | None = None,
    shifted: object | None = None,
    *,
    images: int = INPUTS,
    seed: int = 0,
    pictures: bool = True,
    progress: Progress | None = None,
) -> AnnotatedModel:
    """Gauge by class how far units leave, on D and D′, the range they have on the concept set.

    Words are matched, and drive is measured, on the concept set. Where something on D's huskies
    sends the units that drive *husky* to values that no picture of the concept set gives them,
    neither tells what these units do there. So, by class: of its inputs, the share on which a unit
    lies beyond the j-th smallest or largest response to the concept set's *test* images, averaged
    over the units of the cut by the size of their drive on the class. The gauge asks where that
    reaches .15, where the unit that adds most lies outside oftener than by chance, and where it
    exceeds units without words, or the other classes
    (:class:`circuitz.stats.range_gauge.GaugeOfClass`). A check then puts the question, as a finding
    of the kind ``outside-range`` that convicts nobody.

    Parameters
    ----------
    z
        Measured, with effects.
    data
        D with labels; by default the one z has. Inputs are of the classes they are labelled with.
    shifted
        D′: an ``InputSet``, pictures ``(n, h, w, c)``, or a folder; labels are left out. Inputs are
        of the classes the network predicts. By default D alone is gauged.
    images
        Most inputs of a class of D; of D′, as many times the number of classes. Drawn from the
        seed.
    seed
        Of that choice.
    pictures
        Whether to draw inputs that lie outside, where the gauge asks.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    The same z with the records kept (``z.ranges`` is the table of them); those of a population that
    was gauged before are replaced.

    Raises
    ------
    MeasurementError
        If z or its effects were not measured, or what was measured is stale, or the cut has more
        than one layer.
    InputsError
        If there are neither D nor D′, D has no labels or is not the one that z was measured with,
        or pictures cannot be used.
    """
    check_annotated_model(z)
    if images < 1:
        raise InputsError(f"{images} inputs of a class were asked for.", "Ask for 1 or more.")
    reference = _reference(z)
    known = z.data if data is None else _same_data(z, data, seed)
    others = None if shifted is None else unlabelled_pictures(shifted, z)
    if known is None and others is None:
        raise InputsError("There are no inputs to gauge.", "Give D (data=) or D′ (shifted=).")
    stages = Stages(progress, {"D": 0 if known is None else 1, "D'": 0 if others is None else 1})
    found: list[RangeRecord] = []
    pngs: dict[str, bytes] = {}
    populations: tuple[tuple[Population, InputSet | None], ...] = (("D", known), ("D'", others))
    for population, inputs in populations:
        if inputs is None:
            continue
        gauged = _gauge_population(z, reference, population, inputs, images, seed, stages)
        drawn = gauged.draw() if pictures else {}
        pngs |= {picture_hash(png): png for some in drawn.values() for png in some}
        found += gauged.records(drawn)
    stages.finish()
    return with_range_records(z, found, pngs)


def _same_data(z: AnnotatedModel, data: object, seed: int) -> InputSet:
    """Return D as a person gave it; refuse another D than z's."""
    found = as_inputs(data, classes=z.classes or None, seed=seed)
    if z.data_hash and input_set_fingerprint(found) != z.data_hash:
        raise InputsError(
            "These inputs are not the D that z was measured with.",
            "Measure with them first, z = cz.measure(z, data=…); or give them as shifted=.",
        )
    return found


@dataclass(frozen=True, eq=False)
class _Reference:
    """What the concept set's *test* images show of the cut's units."""

    effects: EffectMeasurements
    responses: npt.NDArray[np.float32]
    rows: I64
    ranges: ReferenceRange
    silent: Bool


def _reference(z: AnnotatedModel) -> _Reference:
    measured, concepts = z.measurements, z.concept_set
    if measured is None or measured.effects is None or concepts is None:
        raise MeasurementError(
            "The effects of z were not measured.",
            "Run z = cz.measure(z, concept_set, data) first.",
        )
    if len(z.cut) != 1 or z.cut[0] not in measured.layers:
        raise MeasurementError(
            f"The cut has {len(z.cut)} layers.", "Wrap the network with a cut of one layer."
        )
    changed = [name for name in z.stale if name != "data"]
    if changed:
        raise MeasurementError(
            f"What was measured is stale: {', '.join(changed)} changed.", "Run cz.measure(z) again."
        )
    rows = np.arange(len(concepts))
    if concepts.split is not None:
        rows = np.flatnonzero(concepts.split == SPLITS.index("test"))
    responses = measured.layers[z.cut[0]].responses[rows]
    if len(responses) < 3:
        raise MeasurementError(
            f"The concept set has {len(responses)} images on test.",
            f"The gauge wants {FEWEST_REFERENCE} or more.",
        )
    said = {
        u for target in z.effective() if not target.startswith(EDGE) for u in target_units(target)
    }
    silent = np.array([unit not in said for unit in measured.effects.units])
    return _Reference(measured.effects, responses, rows, reference_range(responses), silent)


@dataclass(frozen=True, eq=False)
class _GaugedPopulation:
    """One population with what came out, by class."""

    z: AnnotatedModel
    reference: _Reference
    population: Population
    inputs: InputSet
    rows: I64
    read: CutResponses
    shows: Bool
    gauges: Sequence[GaugeOfClass | None]

    def records(self, drawn: dict[int, list[bytes]]) -> list[RangeRecord]:
        """Return one record a class."""
        of_inputs = input_set_fingerprint(self.inputs)
        return [self._record(k, of_inputs, drawn.get(k, [])) for k in range(len(self.gauges))]

    def _record(self, k: int, of_inputs: str, pngs: list[bytes]) -> RangeRecord:
        found, effects = self.gauges[k], self.reference.effects
        inputs, n = int(self.shows[:, k].sum()), self.reference.ranges.n
        best = [] if found is None else np.argsort(-found.contribution, kind="stable")[:_UNITS_KEPT]
        return RangeRecord(
            population=self.population,
            target=effects.targets[k],
            asks=found is not None and found.asks,
            gauge=None if found is None else round(found.gauge, 4),
            silent=None if found is None else _rounded_or_none(found.silent),
            others=None if found is None else _rounded_or_none(found.others),
            far=None if found is None else round(self._far_share(k), 4),
            inputs=inputs,
            reference=n,
            units=()
            if found is None
            else tuple((effects.units[u], round(float(found.contribution[u]), 4)) for u in best),
            count=0 if found is None else found.count,
            by_chance=0 if found is None else found.by_chance,
            pictures=tuple(picture_hash(png) for png in pngs),
            weights_hash=self.z.weights_hash,
            inputs_hash=of_inputs,
            concepts_hash=self.z.concepts_hash,
            reason="" if found is not None else self._reason_untested(inputs, n),
        )

    def _reason_untested(self, inputs: int, n: int) -> str:
        if n < FEWEST_REFERENCE:
            return f"the concept set has {n} images on test, and {FEWEST_REFERENCE} are wanted"
        if inputs < FEWEST_INPUTS:
            return f"{inputs} inputs are of the class, and {FEWEST_INPUTS} are wanted"
        return "no unit drives the class"

    def _far_share(self, k: int) -> float:
        effects, reference = self.reference.effects, self.reference.responses
        spread = reference.std(0).astype(np.float64)
        weight = np.abs(np.nan_to_num(effects.drive[:, k].astype(np.float64)))
        scale = np.divide(weight, spread, out=np.zeros_like(spread), where=spread > 0)
        return far_share(reference * scale, self.read.responses[self.shows[:, k]] * scale)

    def draw(self) -> dict[int, list[bytes]]:
        """Draw inputs outside the range, by class that is asked about."""
        if self.inputs.is_tokens:
            return {}
        return {
            k: [self._draw_input(found, i) for i in self._inputs_outside(k, found)]
            for k, found in enumerate(self.gauges)
            if found is not None and found.asks
        }

    def _inputs_outside(self, k: int, gauged: GaugeOfClass) -> list[int]:
        """Return three inputs of the class on which the unit that adds most lies far outside."""
        values = self.read.responses[:, gauged.top].astype(np.float64)
        low, high = (b[gauged.top] for b in (self.reference.ranges.low, self.reference.ranges.high))
        beyond = np.maximum(low - values, values - high)
        may = self.shows[:, k] & (beyond > 0)
        if self.population == "D" and self.inputs.split is not None:
            shown = may & (self.inputs.split[self.rows] != SPLITS.index("audit"))
            may = shown if shown.any() else may
        order = np.flatnonzero(may)
        order = order[np.argsort(-beyond[order], kind="stable")]
        return list(dict.fromkeys(int(order[int(q * (len(order) - 1))]) for q in _DRAWN_AT))

    def _draw_input(self, gauged: GaugeOfClass, i: int) -> bytes:
        assert self.z.concept_set is not None
        unit, values = (
            self.reference.effects.units[gauged.top],
            self.reference.responses[:, gauged.top],
        )
        value = float(self.read.responses[i, gauged.top])
        high = value > float(self.reference.ranges.high[gauged.top])
        extreme = int(values.argmax() if high else values.argmin())
        image = np.asarray(self.inputs.images[self.rows[i]])
        known = np.asarray(self.z.concept_set.images[self.reference.rows[extreme]])
        heat = _heat_of_unit(self.z, gauged.top, np.stack([image]))
        end = "most" if high else "least"
        return render_side_by_side(
            [(image, None), (image, heat), (known, None)],
            [
                f"an input of {POPULATION_NAMES[self.population]}",
                f"where {unit} responds",
                f"the {end} of the concept set",
            ],
            [f"the network says {self.z.classes[int(self.read.predicted[i])]}",
             f"response {value:.3g}", f"response {float(values[extreme]):.3g}"],
        )  # fmt: skip


def _gauge_population(
    z: AnnotatedModel,
    reference: _Reference,
    population: Population,
    inputs: InputSet,
    images: int,
    seed: int,
    stages: Stages,
) -> _GaugedPopulation:
    rng = np.random.default_rng(seed)
    shows: Bool | None = None
    if population == "D":
        shows = class_membership_mask(inputs, z.classes, z.head)
        rows = _some_rows_of_each_class(shows, images, rng)
        shows = shows[rows]
    else:
        most = min(len(inputs), images * len(z.classes))
        rows = np.sort(rng.choice(len(inputs), most, replace=False))
    read = cut_responses(
        z, inputs, rows, progress=lambda done, n: stages.advance(population, done, n)
    )
    if shows is None:
        shows = _predicted_classes(z, read)
    gauges = gauge_classes(
        reference.ranges, read.responses, shows, reference.effects.drive, reference.silent
    )
    return _GaugedPopulation(z, reference, population, inputs, rows, read, shows, gauges)


def _some_rows_of_each_class(shows: Bool, most: int, rng: np.random.Generator) -> I64:
    chosen = [rng.permutation(np.flatnonzero(shows[:, k]))[:most] for k in range(shows.shape[1])]
    return np.unique(np.concatenate(chosen))


def _predicted_classes(z: AnnotatedModel, read: CutResponses) -> Bool:
    """Return which classes the network predicts, ``(n, k)``."""
    if z.head == "multi-label":
        return read.logits > 0
    return read.predicted[:, None] == np.arange(read.logits.shape[1])


def _heat_of_unit(
    z: AnnotatedModel, unit: int, images: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Return where a unit responds on one image, 0 to 1."""
    spec = next(s for s in z.layers if s.name == z.cut[0])
    _, acts, _ = next(iter(runtime(z).read(images, [spec.name])))
    flat = flatten_unit_maps(spec, acts[spec.name])[0, unit].float().clamp(min=0).cpu().numpy()
    heat = fold_onto_picture(spec, flat.astype(np.float32))
    return heat / max(float(heat.max()), 1e-9)


def _rounded_or_none(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None

"""The networks of a search: measured once each, with any words on top."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError, MeasurementError
from circuitz.lexicon.column_names import ColumnNames
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.card_activities import usual_responses
from circuitz.measurement.cut_responses import cut_responses
from circuitz.measurement.measure import measure
from circuitz.patching.source_rows import existing_or_assigned_splits
from circuitz.plausibility.words.class_confounds import columns_confounded_with_class
from circuitz.plausibility.words.parsed_annotation import ConceptColumns
from circuitz.plausibility.words.unit_tables import match_table_on_split
from circuitz.z.annotation import Annotation
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.edits import history
from circuitz.z.inputs import SPLITS
from circuitz.z.measurements import EffectMeasurements
from circuitz.z.model import AnnotatedModel
from circuitz.z.targets import EDGE, target_units
from circuitz.zstar.chains.kept_weights import keep_weights, kept_weights
from circuitz.zstar.chains.z_state import Names, ZState
from circuitz.zstar.silence import silence

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
AUTHOR = "search"
# Networks whose measurements stay in memory; others are measured again when they are needed.
_KEPT = 6


@dataclass(frozen=True, eq=False)
class SearchedNetwork:
    """One network of a search, measured, and read on the inputs that M_L is summed over.

    Parameters
    ----------
    z
        It, with the words it came with.
    units
        Ids of the cut's units.
    responses
        ``(n, u)`` on the inputs.
    usual
        ``(u,)`` what is usual in D.
    lexicon
        Names concepts.
    """

    z: AnnotatedModel
    units: Names
    responses: F32
    usual: F32
    lexicon: Lexicon

    @property
    def effects(self) -> EffectMeasurements:
        """Effects of the cut."""
        assert self.z.measurements is not None
        assert self.z.measurements.effects is not None
        return self.z.measurements.effects

    @cached_property
    def drives(self) -> dict[str, float]:
        """Summed size of the drive of every unit of the cut."""
        size = np.abs(np.nan_to_num(self.effects.drive.astype(np.float64))).sum(1)
        return dict(zip(self.effects.units, size.tolist(), strict=True))

    @cached_property
    def matches(self) -> dict[str, dict[str, float]]:
        """By unit and word, the lesser of both match scores on *select*.

        Words that go together with a class of the concept set are left out: nothing can judge them.
        """
        assert self.z.concept_set is not None
        assert self.z.measurements is not None
        columns = ConceptColumns.from_concept_set(self.z.concept_set, self.lexicon)
        tied = columns_confounded_with_class(self.z.concept_set, self.z.classes)
        (layer,) = self.z.cut
        responses = self.z.measurements.layers[layer].responses
        table = match_table_on_split(responses, self.z.concept_set, "select")
        scores = np.fmin(table.match_all_units.nauprc, table.match_all_units.pearson)
        names = [(i, n) for i, n in enumerate(columns.names) if i not in tied]
        return {
            f"{layer}:{u}": {name: float(scores[u, i]) for i, name in names}
            for u in range(len(scores))
        }


class SearchedNetworks:
    """All networks of a search by name, and every z on them.

    Parameters
    ----------
    start
        The z that the search begins with: measured, with D and a concept set at hand.
    lexicon
        Names concepts.
    inputs, images, seed
        As :class:`~.chain_settings.ChainSettings`.
    progress
        Called with what is done, steps done and steps in all.
    folder
        Where weights that were trained are kept, for a search that goes on after a stop.
    """

    def __init__(
        self,
        start: AnnotatedModel,
        lexicon: Lexicon,
        *,
        inputs: int,
        images: int,
        seed: int,
        progress: Callable[[str, int, int], None] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.folder = folder
        self.lexicon, self.images, self.seed = lexicon, images, seed
        self.progress = progress or (lambda _what, _done, _total: None)
        self.rows, self.labels = _inputs_of_likelihood(start, inputs, seed)
        self._trained: dict[str, AnnotatedModel] = {"start": start}
        self._read: OrderedDict[tuple[str, Names], SearchedNetwork] = OrderedDict()

    def add(self, name: str, z: AnnotatedModel) -> None:
        """Take in a network, measured or not, under a name."""
        self._trained[name] = z
        if self.folder is not None:
            keep_weights(self.folder, name, z.weights)

    def trained(self, name: str) -> AnnotatedModel:
        """Return a network as it came, nothing silenced."""
        if name not in self._trained and self.folder is not None:
            weights = kept_weights(self.folder, name)
            self._trained[name] = self._trained["start"].with_(
                what=f"search: {name}", weights=weights
            )
        return self._trained[name]

    def network_of(self, state: ZState) -> SearchedNetwork:
        """Return the measured network of a state."""
        key = (state.network, state.silenced)
        found = self._read.pop(key, None)
        if found is None:
            z = self.trained(state.network)
            if state.silenced:
                z = silence(z, state.silenced, lexicon=self.lexicon)
            found = self._measured(z)
            if not state.silenced:
                self._trained[state.network] = found.z
        self._read[key] = found
        while len(self._read) > _KEPT:
            self._read.popitem(last=False)
        return found

    def state_of(self, name: str) -> ZState:
        """Return the state of a network with the words it came with."""
        return ZState(name, words_on_cut(self.trained(name), self.lexicon))

    def realise(self, state: ZState) -> AnnotatedModel:
        """Return the z of a state: its network, measured, with its words."""
        base = self.network_of(state).z
        return with_words_of_state(base, state.words, self.lexicon)

    def people_wrote(self, name: str = "start") -> frozenset[str]:
        """Return the targets whose words in force a person wrote."""
        effective = self.trained(name).effective()
        return frozenset(t for t, a in effective.items() if a.author_kind == "person")

    def _measured(self, z: AnnotatedModel) -> SearchedNetwork:
        z = measure(
            z,
            seed=self.seed,
            images=self.images,
            pictures=False,
            lexicon=self.lexicon,
            progress=lambda done, total: self.progress("measure", done, total),
        )
        assert z.data is not None
        if z.measurements is None or z.measurements.effects is None:
            raise MeasurementError("The effects of z are not measured.", "Give D with labels.")
        read = cut_responses(z, z.data, self.rows)
        return SearchedNetwork(z, read.units, read.responses, usual_responses(z), self.lexicon)


def _inputs_of_likelihood(z: AnnotatedModel, inputs: int, seed: int) -> tuple[I64, I64]:
    """Return rows of D and their labels: from *test*, which no weight step trains on."""
    if z.data is None or z.data.labels is None:
        raise InputsError("The search needs D with labels.", "Give it to wrap, or pass --data.")
    split = existing_or_assigned_splits(z.data, z.data.labels)
    rows = np.flatnonzero(split == SPLITS.index("test"))
    drawn = np.random.default_rng([seed, 11]).permutation(rows)[:inputs]
    if not len(drawn):
        raise InputsError("D has no *test* rows.", "Give D a split, or none: it is split then.")
    rows = np.sort(drawn).astype(np.int64)
    return rows, z.data.labels[rows].astype(np.int64)


def words_on_cut(z: AnnotatedModel, lexicon: Lexicon) -> dict[str, Names]:
    """Return the names said of units and groups of the cut; a text that names nothing is itself."""
    columns = columns_of_concept_set(z.concept_set, lexicon)
    found: dict[str, Names] = {}
    for target, annotation in z.effective().items():
        units = () if target.startswith(EDGE) else target_units(target)
        if units and all(unit.rpartition(":")[0] in z.cut for unit in units):
            found[target] = _names_in(annotation, columns)
    return found


def with_words_of_state(
    z: AnnotatedModel, words: Mapping[str, Names], lexicon: Lexicon
) -> AnnotatedModel:
    """Return z with these words on its cut; what is said already stays as it was written."""
    before = words_on_cut(z, lexicon)
    changed = [t for t in sorted({*before, *words}) if before.get(t) != words.get(t)]
    if not changed:
        return z
    standing = history.standing_annotations_by_target(history.replay_log(z.log).active)
    entries: list[Annotation] = []
    for target in changed:
        entries += [_entry(z, target, (), before=a.id) for a in standing.get(target, [])]
        if words.get(target):
            entries.append(_entry(z, target, words[target]))
    return z.with_(what="search: words", log=(*z.log, *entries))


def _names_in(annotation: Annotation, columns: ColumnNames) -> Names:
    names = columns.read(annotation.text, annotation.concepts).names
    return tuple(names) or (annotation.text.strip(),)


def _entry(z: AnnotatedModel, target: str, names: Names, before: str = "") -> Annotation:
    columns = z.concept_set.concept_names if z.concept_set is not None else ()
    return Annotation(
        id=history.random_entry_id(),
        target=target,
        text=" and ".join(names),
        concepts=names if set(names) <= set(columns) else (),
        author=AUTHOR,
        author_kind="model",
        time=history.utc_timestamp(),
        supersedes=before,
        retracted=bool(before),
        weights_hash=z.weights_hash,
    )

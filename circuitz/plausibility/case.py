"""Everything the rules judge: words with their verdicts, effects, and prior knowledge."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

import circuitz
from circuitz.errors import MeasurementError
from circuitz.lexicon.concept import Support
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check_settings import SCALE_FLOOR, CheckSettings
from circuitz.plausibility.effects.joint_effect import JointEffects
from circuitz.plausibility.effects.joint_effect_bounds import JointEffect
from circuitz.plausibility.required_measurements import require_measurements_and_concept_set
from circuitz.plausibility.words.blind_tests import (
    blind_tests_of_current_weights,
    judge_by_blind_tests,
)
from circuitz.plausibility.words.class_confounds import columns_confounded_with_class
from circuitz.plausibility.words.match_tables import MatchTable
from circuitz.plausibility.words.matched_words import matched_words
from circuitz.plausibility.words.parsed_annotation import (
    ConceptColumns,
    ParsedAnnotation,
    parse_annotations_in_force,
)
from circuitz.plausibility.words.unit_tables import (
    find_unit_tables,
    match_table_on_split,
    split_row_mask,
)
from circuitz.plausibility.words.word_fit import judge_words, undecided_concepts
from circuitz.plausibility.words.word_scores import UnitTables
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.plausibility.words.words_elsewhere import (
    hashes_of_word_tests,
    without_words_that_fail_elsewhere,
    word_tests_that_count,
)
from circuitz.z.edits.waivers import waivers_in_force
from circuitz.z.finding import Waiver
from circuitz.z.inputs import InputSet
from circuitz.z.kinds_said import lexicon_in_force
from circuitz.z.measurements import EffectMeasurements, Measurements
from circuitz.z.word_match import Population, units_annotated_with_words, units_bearing_words
from circuitz.z.word_tests import WordTest, word_tests

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


#: Kinds of concepts that lie outside the thing itself.
OUTSIDE = ("surroundings", "artefact")
# A lexicon is a value, so what it answered once it answers always.
_SUPPORT_CACHE: WeakKeyDictionary[Lexicon, dict[tuple[str, str], Support]] = WeakKeyDictionary()
_HASHES: WeakKeyDictionary[Lexicon, str] = WeakKeyDictionary()
# Measurements are values too, and an edit of words leaves them as they are. Only the latest are
# kept, for they are large.
_JOINTS: OrderedDict[tuple[int, CheckSettings, str, str], JointEffects] = OrderedDict()
_JOINTS_KEPT = 6
_KEPT = 4096
# Pictures of a set of units stand for another that has more than this share of both in common.
_NEARLY = 0.5


@dataclass(frozen=True, eq=False)
class Case:
    """One z on one split.

    Parameters
    ----------
    z, lexicon, settings
        What is judged, with which knowledge, and how.
    measured, effects
        Its measurements; a case exists only where both are there.
    concept_set
        Images with concept labels.
    rule_cache
        What several rules share, by who worked it out; it goes when the case goes.
    """

    z: AnnotatedModel
    lexicon: Lexicon
    settings: CheckSettings
    measured: Measurements
    effects: EffectMeasurements
    concept_set: InputSet
    rule_cache: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def from_model(
        cls, z: AnnotatedModel, lexicon: Lexicon | None, settings: CheckSettings
    ) -> Case:
        """Gather what a check needs.

        Raises
        ------
        MeasurementError
            If z, its effects or the split were not measured, or do not fit the concept set.
        InputsError
            If the concept set is not split.
        """
        measured, concept_set = require_measurements_and_concept_set(z, labels=False)
        effects = measured.effects
        if effects is None:
            raise MeasurementError(
                "The effects of the cut were not measured.",
                "Run z = cz.measure(z, concept_set, data) first.",
            )
        case = cls(z, lexicon_in_force(z, lexicon), settings, measured, effects, concept_set)
        for where, rows in (
            ("concept set", case.concept_set_rows_on_split),
            ("measured effects", case.joint_effects.source_rows_on_split),
        ):
            if not rows.any():
                raise MeasurementError(
                    f"The {where} hold no image of the split {settings.split!r}.",
                    "Measure with images of every split: select, test and audit.",
                )
        return case

    @cached_property
    def concept_set_rows_on_split(self) -> np.ndarray:
        """Images of the concept set that are on the split."""
        return split_row_mask(self.concept_set, self.settings.split)

    @cached_property
    def surroundings_of_sources(self) -> dict[str, np.ndarray]:
        """Surroundings that D's images are labelled with: which sources of the split show them."""
        data = self.z.data
        if data is None or data.concepts is None or self.effects.source.max() >= len(data):
            return {}  # the last: it is another D than was measured, which the report says
        shows = data.concepts[self.effects.source[self.joint_effects.source_rows_on_split]] == 1
        columns, reader = self.concept_columns, self.concept_columns.reader
        places = map(reader.column_of, data.concept_names)
        # D's columns under the names they have in the concept set, where that has them.
        names = (
            own if place is None else columns.names[place]
            for own, place in zip(data.concept_names, places, strict=True)
        )
        return {
            name: shows[:, i]
            for i, name in enumerate(names)
            if self.lexicon.kind(name) == "surroundings"
        }

    @cached_property
    def concept_columns(self) -> ConceptColumns:
        """Columns of the concept set, each its own concept."""
        return ConceptColumns.from_concept_set(self.concept_set, self.lexicon)

    @cached_property
    def joint_effects(self) -> JointEffects:
        """Joint effects on the split."""
        return self._cached_joint_effects(self.settings)

    @cached_property
    def joint_effects_on_select(self) -> JointEffects:
        """Joint effects on *select*, for choices that verdicts must not rest on."""
        return self._cached_joint_effects(replace(self.settings, split="select"))

    def _cached_joint_effects(self, settings: CheckSettings) -> JointEffects:
        hashes = (self.measured.data_hash, self.measured.weights_hash)
        settings = replace(settings, populations=("concepts",))  # effects are the same for all
        key = (id(self.effects), settings, *hashes)
        found = _JOINTS.pop(key, None)
        if found is None or found.measured is not self.effects:
            found = JointEffects(self.effects, settings, *hashes)
        _JOINTS[key] = found
        while len(_JOINTS) > _JOINTS_KEPT:
            _JOINTS.popitem(last=False)
        return found

    @cached_property
    def parsed_annotations(self) -> tuple[ParsedAnnotation, ...]:
        """Annotations on units and groups."""
        return parse_annotations_in_force(self.z.effective(), self.concept_columns, self.z.classes)

    @cached_property
    def word_verdicts(self) -> tuple[WordVerdict, ...]:
        """Verdict on every annotation; words that people say fail on D or D′ count as none."""
        return without_words_that_fail_elsewhere(
            self.word_verdicts_on_concept_set, self.word_tests_that_count, self.settings
        )

    @cached_property
    def word_tests_that_count(self) -> dict[str, dict[Population, WordTest]]:
        """People's answers about words on D and D′, by word and population."""
        if not word_tests(self.z):
            return {}
        judged, settings = self.word_verdicts_on_concept_set, self.settings
        words = matched_words(judged, settings, self.concept_columns)
        said, bearing = units_annotated_with_words(words), units_bearing_words(words, self.z.cut)
        current = [
            test
            for test in word_tests(self.z)
            if test.is_about(
                bearing.get(test.word, ()), self.z.weights_hash, said.get(test.word, ())
            )
        ]
        return word_tests_that_count(current, settings.split)

    @cached_property
    def word_verdicts_on_concept_set(self) -> tuple[WordVerdict, ...]:
        """Verdict on every annotation by the concept set's labels, or by a blind test."""
        opposed = frozenset(filter(self.opposes_subject, self.concept_columns.names))
        judged = judge_words(
            self.parsed_annotations,
            self.unit_tables_by_target,
            self.concept_columns,
            opposed,
            self.settings,
            self.classes_by_confounded_column,
        )
        return judge_by_blind_tests(judged, blind_tests_of_current_weights(self.z), self.settings.q)

    @cached_property
    def unit_tables_by_target(self) -> dict[str, UnitTables]:
        """Where each annotated target was measured, by target; absent where it was not."""
        return find_unit_tables(
            self.parsed_annotations, self.measured, self.concept_set, self.settings.split
        )

    @cached_property
    def classes_by_confounded_column(self) -> dict[int, tuple[str, ...]]:
        """Concept columns that go together with classes in the concept set itself."""
        return columns_confounded_with_class(self.concept_set, self.z.classes)

    @cached_property
    def _select_table_cache(self) -> dict[str, MatchTable]:
        return {}

    def select_match_table(self, layer: str) -> MatchTable:
        """Match table of a layer on *select*; its contents are looked at once a case."""
        if layer not in self._select_table_cache:
            responses = self.measured.layers[layer].responses
            self._select_table_cache[layer] = match_table_on_split(
                responses, self.concept_set, "select"
            )
        return self._select_table_cache[layer]

    def units_validly_meaning(self, concept: str) -> tuple[str, ...]:
        """Units of the cut whose words name the concept and pass their match for it."""
        return self._valid_units_by_concept.get(concept, ())

    @cached_property
    def _valid_units_by_concept(self) -> dict[str, tuple[str, ...]]:
        units: dict[str, list[str]] = {}
        for word in self.word_verdicts:
            for concept in word.passed:
                units.setdefault(concept, []).extend(word.parsed.units)
        return {concept: self.units_on_cut(some) for concept, some in units.items()}

    @cached_property
    def units_by_undecided_concept(self) -> dict[str, tuple[str, ...]]:
        """Units of the cut by concepts their words name that have neither passed nor failed.

        Too few images show the concept, or lack it, or the score's interval spans the bar. Such
        words count as none where something rests on them, but that nothing does cannot be said
        without giving them the benefit of the doubt.
        """
        units: dict[str, list[str]] = {}
        for word in self.word_verdicts:
            for concept in undecided_concepts(word, self.settings, self.concept_columns):
                units.setdefault(concept, []).extend(word.parsed.units)
        return {concept: self.units_on_cut(some) for concept, some in units.items()}

    @cached_property
    def valid_concepts(self) -> tuple[str, ...]:
        """Concepts that some unit of the cut validly means, in alphabetical order."""
        return tuple(
            sorted(concept for concept, units in self._valid_units_by_concept.items() if units)
        )

    @cached_property
    def supporting_concepts(self) -> tuple[str, ...]:
        """Concepts on the cut that belong to the subject."""
        subject = self.z.subject
        return tuple(
            c
            for c in self.valid_concepts
            if self._support_for_subject(c, subject).verdict == "supports"
        )

    @cached_property
    def concepts_of_unknown_kind(self) -> tuple[str, ...]:
        """Concepts that are labelled, or named on units, and of which nobody knows what they are.

        Whether they may speak for the subject cannot be said: nothing is held against them, and
        nothing rests on them.
        """
        named = (name for said in self.parsed_annotations for name, _ in said.concepts)
        every = dict.fromkeys([*self.concept_columns.names, *named])
        return tuple(name for name in every if self.is_of_unknown_kind(name))

    def is_of_unknown_kind(self, concept: str) -> bool:
        """Whether nobody knows what a concept is to the subject."""
        return self._support_for_subject(concept, self.z.subject).verdict == "unknown"

    @cached_property
    def mixed_units(self) -> frozenset[str]:
        """Units of the cut that validly mean both what belongs to the subject and what does not."""
        inside = {unit for c in self.supporting_concepts for unit in self.units_validly_meaning(c)}
        outside = {
            unit
            for c in self.valid_concepts
            if self.opposes_subject(c)
            for unit in self.units_validly_meaning(c)
        }
        return frozenset(inside & outside)

    def units_on_cut(self, units: Iterable[str]) -> tuple[str, ...]:
        """Those of the units that were measured on the cut, once each, in its order."""
        position, names = self.joint_effects.position_by_unit, self.effects.units
        return tuple(names[i] for i in sorted({position[u] for u in units if u in position}))

    def support_for_class(self, concept: str, target: str) -> Support:
        """Ask prior knowledge about a concept and a class.

        What holds for the subject holds for each of its classes, except that surroundings may
        make one class what it is (sand a beach), where the lexicon says so of that class.
        """
        of_subject = self._support_for_subject(concept, self.z.subject)
        if of_subject.verdict == "opposes" and self.lexicon.kind(concept) in OUTSIDE:
            of_class = self._support_for_subject(concept, target)
            if of_class.verdict == "supports":
                return of_class
        return of_subject

    def opposes_subject(self, concept: str) -> bool:
        """Whether a concept speaks against the subject (surroundings, artefacts)."""
        return self._support_for_subject(concept, self.z.subject).verdict == "opposes"

    def _support_for_subject(self, concept: str, subject: str) -> Support:
        known = _SUPPORT_CACHE.setdefault(self.lexicon, {})
        if (concept, subject) not in known:
            if len(known) >= _KEPT:
                known.clear()
            known[concept, subject] = self.lexicon.support(concept, subject)
        return known[concept, subject]

    def network_separates_class(self, k: int) -> bool:
        """Whether the network tells class ``k`` well enough for shares of that to mean much.

        The cut must make enough difference to it, and on the split judged its margin must be
        higher on its own inputs than on others by a good part of what it is on all: a network
        that learned noise by heart tells nothing on images it did not learn.
        """
        return (
            bool(self.effects.scale[k] >= SCALE_FLOOR)
            and self.joint_effects.margin_separates_by_class[k]
        )

    def joint_sufficiency(self, units: Sequence[str], k: int) -> JointEffect:
        """Joint sufficiency of units on class ``k``."""
        return self.joint_effects.joint_effect(tuple(units), k)

    @cached_property
    def waivers(self) -> dict[str, Waiver]:
        """By finding, the latest decision to let it stand."""
        return waivers_in_force(self.z.waivers)

    def intervention_picture_hashes(self, units: Sequence[str], target: str) -> tuple[str, ...]:
        """Pictures before and after intervening on these units, or on a set that is nearly that."""
        wanted = frozenset(units)
        best, share = (), _NEARLY
        for key, hashes in self.measured.group_pictures.items():
            names, _, of = key.rpartition("->")
            group = frozenset(names.split("+"))
            overlap = len(group & wanted) / max(len(group | wanted), 1)
            if of == target and overlap > share:
                best, share = hashes, overlap
        return best

    @cached_property
    def verdict_input_hashes(self) -> tuple[tuple[str, str], ...]:
        """Names and hashes of all a verdict is made from."""
        measured = self.measured
        return (
            ("annotations", self.z.annotations_hash),
            ("code", circuitz.__version__),
            ("concepts", measured.concepts_hash),
            ("data", measured.data_hash),
            ("lexicon", _HASHES.setdefault(self.lexicon, "") or _cache_lexicon_hash(self.lexicon)),
            ("weights", measured.weights_hash),
            *hashes_of_word_tests(self.word_tests_that_count),
        )


def _cache_lexicon_hash(lexicon: Lexicon) -> str:
    _HASHES[lexicon] = lexicon.hash
    return _HASHES[lexicon]

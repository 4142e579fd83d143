"""Whether a finding is true of a case, by kind; ``None`` where truth is grey.

One function a kind, from the definitions of the kinds alone (docs/concepts/plausibility.md), never
from how the check goes about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.bench.checker.case_truth import (
    BLIND,
    COUNTS,
    NOTHING,
    SEES,
    CaseTruth,
)
from circuitz.plausibility.claim import finding_id
from circuitz.z.finding import Finding

Fact = Callable[[CaseTruth, tuple[int, ...], int], bool | None]
FactOfConcept = Callable[[CaseTruth, tuple[int, ...], int, str], bool | None]
_BOUND, _GREY = 0.5, 0.07  # of unexplained shares
#: Mean response of units that carry something together, in standard deviations: from one bound on
#: they see it, up to the other they do not. Each may see but little of it.
_CLEAR, _FAINT = 0.15, 0.05


def claim_is_true(truth: CaseTruth, finding: Finding) -> bool | None:
    """Whether what a finding claims is true; ``None`` when that is grey, or its kind unknown here."""
    units = tuple(
        int(unit.rpartition(":")[2]) for unit in finding.units if unit.startswith("units:")
    )
    target = finding.target.removeprefix("output:")
    k = truth.world.classes.index(target) if target in truth.world.classes else -1
    if finding.kind in CONCEPT_FACTS:
        concept = _concept_of_finding(truth, finding)
        return CONCEPT_FACTS[finding.kind](truth, units, k, concept) if concept else False
    fact = FACTS.get(finding.kind)
    return None if fact is None else fact(truth, units, k)


def _concept_of_finding(truth: CaseTruth, finding: Finding) -> str:
    """Concept a finding is about: its id is made of it. Empty for one that no image shows."""
    for concept in truth.world.concepts:
        if finding.id == finding_id(finding.kind, finding.target, concept):
            return concept
    return ""


def _exceeds_grey_zone(value: float) -> bool | None:
    return True if value >= COUNTS else False if value <= NOTHING else None


def _any_true_or_grey(values: list[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def _outside_concepts_seen_by_units(
    truth: CaseTruth, units: tuple[int, ...], level: float
) -> set[str]:
    return {c for u in units for c in truth.concepts_seen_by_unit(u, level)} & set(
        truth.world.concepts_outside_subject
    )


def _outside_concept_drives_class(truth: CaseTruth, units: tuple[int, ...], k: int) -> bool | None:
    """Something outside the thing, which these units see, makes the class."""
    verdicts: list[bool | None] = []
    for concept in _outside_concepts_seen_by_units(truth, units, BLIND):
        if truth.is_irrelevant_to_class(concept, k):
            clear = any(concept in truth.concepts_seen_by_unit(u) for u in units)
            made = _concept_makes_class(truth, units, concept, k)
            verdicts.append(made if clear or made is False else None)
    return _any_true_or_grey(verdicts)


def _concept_makes_class(
    truth: CaseTruth, units: tuple[int, ...], concept: str, k: int
) -> bool | None:
    """Whether a concept makes a class through these units, on D or in paired renders."""
    on_d = min(truth.concept_drive_on_data(concept, k), truth.class_share_from_units(units, k))
    return _exceeds_grey_zone(max(on_d, abs(truth.concept_share_through_units(units, concept, k))))


def _outside_concept_inhibits_class(
    truth: CaseTruth, units: tuple[int, ...], k: int
) -> bool | None:
    """Something outside the thing, which these units see, speaks against the class."""
    verdicts: list[bool | None] = []
    for concept in _outside_concepts_seen_by_units(truth, units, BLIND):
        if truth.is_irrelevant_to_class(concept, k):
            made = _exceeds_grey_zone(-truth.concept_share_through_units(units, concept, k))
            # Where D has it as often with the class as without, nothing hangs on it there.
            verdicts.append(
                made if made is False or truth.concept_drive_on_data(concept, k) >= COUNTS else None
            )
    return _any_true_or_grey(verdicts)


def _units_jointly_carry_concept(
    truth: CaseTruth, units: tuple[int, ...], k: int, concept: str
) -> bool | None:
    """Together these units carry something outside the thing to the class."""
    if not units or not truth.is_irrelevant_to_class(concept, k):
        return False
    made = _concept_makes_class(truth, units, concept, k)
    # Some may see it and some its absence; what counts is that they do.
    seen = float(
        np.abs(truth.unit_responses_to_concepts[list(units)][:, truth.column[concept]]).mean()
    )
    if made is False or seen <= _FAINT:
        return False
    return made if seen >= _CLEAR else None


def _unit_is_mislabelled(truth: CaseTruth, units: tuple[int, ...], _k: int) -> bool | None:
    """Whether the words name nothing the unit sees, while it sees something else."""
    verdicts: list[bool | None] = []
    for u in units:
        if not truth.concepts_named_on_unit(u):
            seen = truth.concepts_seen_by_unit(u) & truth.world.concepts_outside_subject
            verdicts.append(
                bool(seen)
                if seen
                == truth.concepts_seen_by_unit(u, BLIND) & truth.world.concepts_outside_subject
                else None
            )
            continue
        valid = truth.words_are_valid(u)
        # Wrong words on a unit that sees nothing in particular: half of the claim is true.
        verdicts.append(
            None
            if valid is None
            else False
            if valid
            else bool(truth.concepts_seen_by_unit(u, BLIND)) or None
        )
    return _any_true_or_grey(verdicts)


def _unit_is_polysemantic(truth: CaseTruth, units: tuple[int, ...], _k: int) -> bool | None:
    """Whether the unit sees a second thing, one its words do not name."""
    verdicts: list[bool | None] = []
    for u in units:
        clear, perhaps = (
            {
                truth.world.exclusive_group_of(c)
                for c in truth.concepts_seen_by_unit(u, level) - truth.named_concepts_and_kinds(u)
            }
            for level in (SEES, BLIND)
        )
        named = {
            truth.world.exclusive_group_of(c)
            for c in truth.named_concepts_and_kinds(u) & set(truth.column)
        }
        # Two values of one attribute are several things or a wider one.
        verdicts.append(True if clear - named else None if perhaps else False)
    return _any_true_or_grey(verdicts)


def _unannotated_units_drive_class(truth: CaseTruth, units: tuple[int, ...], k: int) -> bool | None:
    """Units without words that hold carry the class."""
    bare = [u for u in units if truth.words_are_valid(u) is not True]
    certain = [u for u in bare if truth.words_are_valid(u) is False or not truth.base.words.get(u)]
    if not bare:
        return False
    made = _exceeds_grey_zone(truth.class_share_from_units(bare, k))
    return made if made is False or certain == bare else None


def _concept_bypasses_words(
    truth: CaseTruth, units: tuple[int, ...], k: int, concept: str
) -> bool | None:
    """Say whether a concept reaches the class through units whose words do not name it."""
    silent = [u for u in units if concept not in truth.named_concepts_and_kinds(u)]
    return _exceeds_grey_zone(abs(truth.concept_share_through_units(silent, concept, k)))


def _class_lacks_annotated_support(
    truth: CaseTruth, _units: tuple[int, ...], k: int
) -> bool | None:
    """No unit whose words name something of the thing itself, and hold, carries the class.

    Nor does it where units without words that see the same take back what it gives.
    """
    inside = [
        u
        for u in range(truth.base.unit_count)
        if truth.words_are_valid(u)
        and any(not truth.is_irrelevant_to_class(c, k) for c in truth.concepts_seen_by_unit(u))
    ]
    same = {
        c
        for u in inside
        for c in truth.concepts_seen_by_unit(u)
        if not truth.is_irrelevant_to_class(c, k)
    }
    more = [
        u
        for u in range(truth.base.unit_count)
        if not truth.base.words.get(u) and truth.concepts_seen_by_unit(u) & same
    ]
    carried = _exceeds_grey_zone(
        min(
            truth.class_share_from_units(some, k, alone=True) for some in (inside, [*inside, *more])
        )
    )
    return None if carried is None else not carried


def _class_is_mostly_unexplained(truth: CaseTruth, _units: tuple[int, ...], k: int) -> bool | None:
    """More than the bound of the class is not carried by units whose words hold."""
    clear = [u for u in range(truth.base.unit_count) if truth.words_are_valid(u) is True]
    perhaps = [
        u
        for u in range(truth.base.unit_count)
        if truth.base.words.get(u) and truth.words_are_valid(u) is None
    ]
    low = 1 - truth.class_share_from_units([*clear, *perhaps], k)
    high = 1 - truth.class_share_from_units(clear, k)
    low, high = min(low, high), max(low, high)
    return True if low > _BOUND + _GREY else False if high < _BOUND - _GREY else None


def _annotations_contradict(truth: CaseTruth, units: tuple[int, ...], _k: int) -> bool | None:
    """Units with the same words see opposite things, or see it and do opposite things to a class."""
    for name in {c for u in units for c in truth.concepts_named_on_unit(u)} & set(truth.column):
        called = [u for u in units if name in truth.concepts_named_on_unit(u)]
        values = [truth.unit_responses_to_concepts[u, truth.column[name]] for u in called]
        if len(values) > 1 and max(values) >= BLIND and min(values) <= -BLIND:
            return True
        some = range(len(truth.world.classes))
        shares = [[truth.class_share_from_units([u], j) for u in called] for j in some]
        carried = [[truth.concept_share_through_units([u], name, j) for u in called] for j in some]
        opposite = [
            any(max(v) >= COUNTS and min(v) <= -COUNTS for v in t) for t in (shares, carried)
        ]
        if any(opposite):
            return True if all(opposite) else None
    clear = [truth.words_are_valid(u) for u in units]
    return False if all(clear) else None


def _words_are_vague(truth: CaseTruth, units: tuple[int, ...], _k: int) -> bool | None:
    """Whether the words are wider than, or beside, the one thing the unit sees."""
    verdicts: list[bool | None] = []
    for u in units:
        said = set(truth.concepts_named_on_unit(u))
        if said & truth.concepts_seen_by_unit(u) or not truth.base.words.get(u):
            verdicts.append(False)
        elif truth.named_concepts_and_kinds(u) & truth.concepts_seen_by_unit(u) or not said & set(
            truth.column
        ):
            # A wider word, or one that no concept of the world stands for.
            verdicts.append(True if truth.concepts_seen_by_unit(u) else None)
        else:
            verdicts.append(None)
    return _any_true_or_grey(verdicts)


def _annotation_is_redundant(truth: CaseTruth, units: tuple[int, ...], _k: int) -> bool | None:
    """Whether the words explain nothing: the unit drives no class."""
    verdicts: list[bool | None] = []
    for u in units:
        shares = [
            abs(truth.class_share_from_units([u], k)) for k in range(len(truth.world.classes))
        ]
        verdicts.append(
            True if max(shares) <= NOTHING else False if max(shares) >= COUNTS else None
        )
    return _any_true_or_grey(verdicts)


def _annotation_is_stale(truth: CaseTruth, units: tuple[int, ...], k: int) -> bool | None:
    """Whether what a unit sees, or does to a class, is no longer what the words were written on.

    Words that were wrong from the start are older than the weights, and do not hold.
    """
    before, now = truth.case.before, truth.base
    if before is None:
        return False
    if k >= 0:
        moved = abs(
            CaseTruth(CheckerCase(before)).class_share_from_units(units, k)
            - truth.class_share_from_units(units, k)
        )
        return _exceeds_grey_zone(moved)
    verdicts: list[bool | None] = []
    for u in units:
        changed = u >= before.unit_count or bool((before.mix[0][u] != now.mix[0][u]).any())
        valid = truth.words_are_valid(u)
        verdicts.append(True if changed else None if valid is None else not valid)
    return _any_true_or_grey(verdicts)


def _edge_is_mislabelled(truth: CaseTruth, units: tuple[int, ...], k: int) -> bool | None:
    """Whether the unit does nothing to the class its edge is said to make."""
    made = _exceeds_grey_zone(truth.class_share_from_units(units, k))
    return None if made is None else not made


def _question_claims_nothing(_truth: CaseTruth, _units: tuple[int, ...], _k: int) -> bool | None:
    """Say nothing: a question is neither true nor false."""
    return None


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "implausible-driver": _outside_concept_drives_class,
        "inhibitory-shortcut": _outside_concept_inhibits_class,
        "mislabelled-unit": _unit_is_mislabelled,
        "polysemantic-unit": _unit_is_polysemantic,
        "missing-support": _class_lacks_annotated_support,
        "unexplained-effect": _class_is_mostly_unexplained,
        "unannotated-driver": _unannotated_units_drive_class,
        "contradictory-annotations": _annotations_contradict,
        "vague-annotation": _words_are_vague,
        "redundant-annotation": _annotation_is_redundant,
        "stale-annotation": _annotation_is_stale,
        "mislabelled-edge": _edge_is_mislabelled,
        "outside-range": _question_claims_nothing,
    }
)
"""What makes a finding of each kind true."""
CONCEPT_FACTS: Mapping[str, FactOfConcept] = MappingProxyType(
    {"split-shortcut": _units_jointly_carry_concept, "bypass": _concept_bypasses_words}
)
"""The same of kinds whose claim is about one concept."""

"""Whether a finding is true of a case, by kind; ``None`` where truth is grey.

One function a kind, from the definitions of the kinds alone (docs/concepts/plausibility.md), never
from how the check goes about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from circuitz.bench.checker.benchmark_case import Case
from circuitz.bench.checker.case_truth import BLIND, COUNTS, NOTHING, SEES, Truth, lexicon
from circuitz.plausibility.claim import finding_id
from circuitz.plausibility.words.parsed_annotation import canonical_name
from circuitz.z.finding import Finding

Fact = Callable[[Truth, tuple[int, ...], int], bool | None]
FactOfConcept = Callable[[Truth, tuple[int, ...], int, str], bool | None]
_BOUND, _GREY = 0.5, 0.07  # of unexplained shares
#: Mean response of units that carry something together, in standard deviations: from one bound on
#: they see it, up to the other they do not. Each may see but little of it.
_CLEAR, _FAINT = 0.15, 0.05


def holds(truth: Truth, finding: Finding) -> bool | None:
    """Whether what a finding claims is true; ``None`` when that is grey, or its kind unknown here."""
    units = tuple(
        int(unit.rpartition(":")[2]) for unit in finding.units if unit.startswith("units:")
    )
    target = finding.target.removeprefix("output:")
    k = truth.world.classes.index(target) if target in truth.world.classes else -1
    if finding.kind in OF_CONCEPTS:
        concept = _concept(truth, finding)
        return OF_CONCEPTS[finding.kind](truth, units, k, concept) if concept else False
    fact = FACTS.get(finding.kind)
    return None if fact is None else fact(truth, units, k)


def _concept(truth: Truth, finding: Finding) -> str:
    """Concept a finding is about: its id is made of it. Empty for one that no image shows."""
    for concept in truth.world.concepts:
        name = canonical_name(concept, lexicon())
        if finding.id == finding_id(finding.kind, finding.target, name):
            return concept
    return ""


def _beyond(value: float) -> bool | None:
    return True if value >= COUNTS else False if value <= NOTHING else None


def _any(values: list[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def _context(truth: Truth, units: tuple[int, ...], level: float) -> set[str]:
    return {c for u in units for c in truth.seen(u, level)} & set(truth.world.outside)


def _driver(truth: Truth, units: tuple[int, ...], k: int) -> bool | None:
    """Something outside the thing, which these units see, makes the class."""
    verdicts: list[bool | None] = []
    for concept in _context(truth, units, BLIND):
        if truth.outside(concept, k):
            clear = any(concept in truth.seen(u) for u in units)
            made = _made(truth, units, concept, k)
            verdicts.append(made if clear or made is False else None)
    return _any(verdicts)


def _made(truth: Truth, units: tuple[int, ...], concept: str, k: int) -> bool | None:
    """Whether a concept makes a class through these units, on D or in paired renders."""
    on_d = min(truth.drives(concept, k), truth.share(units, k))
    return _beyond(max(on_d, abs(truth.carries(units, concept, k))))


def _inhibits(truth: Truth, units: tuple[int, ...], k: int) -> bool | None:
    """Something outside the thing, which these units see, speaks against the class."""
    verdicts: list[bool | None] = []
    for concept in _context(truth, units, BLIND):
        if truth.outside(concept, k):
            made = _beyond(-truth.carries(units, concept, k))
            # Where D has it as often with the class as without, nothing hangs on it there.
            verdicts.append(made if made is False or truth.drives(concept, k) >= COUNTS else None)
    return _any(verdicts)


def _split(truth: Truth, units: tuple[int, ...], k: int, concept: str) -> bool | None:
    """Together these units carry something outside the thing to the class."""
    if not units or not truth.outside(concept, k):
        return False
    made = _made(truth, units, concept, k)
    # Some may see it and some its absence; what counts is that they do.
    seen = float(np.abs(truth.sees[list(units)][:, truth.column[concept]]).mean())
    if made is False or seen <= _FAINT:
        return False
    return made if seen >= _CLEAR else None


def _mislabelled(truth: Truth, units: tuple[int, ...], _k: int) -> bool | None:
    """Whether the words name nothing the unit sees, while it sees something else."""
    verdicts: list[bool | None] = []
    for u in units:
        if not truth.said(u):
            seen = truth.seen(u) & truth.world.outside
            verdicts.append(
                bool(seen) if seen == truth.seen(u, BLIND) & truth.world.outside else None
            )
            continue
        valid = truth.valid(u)
        # Wrong words on a unit that sees nothing in particular: half of the claim is true.
        verdicts.append(
            None if valid is None else False if valid else bool(truth.seen(u, BLIND)) or None
        )
    return _any(verdicts)


def _polysemantic(truth: Truth, units: tuple[int, ...], _k: int) -> bool | None:
    """Whether the unit sees a second thing, one its words do not name."""
    verdicts: list[bool | None] = []
    for u in units:
        clear, perhaps = (
            {truth.world.group_of(c) for c in truth.seen(u, level) - truth.named(u)}
            for level in (SEES, BLIND)
        )
        named = {truth.world.group_of(c) for c in truth.named(u) & set(truth.column)}
        # Two values of one attribute are several things or a wider one.
        verdicts.append(True if clear - named else None if perhaps else False)
    return _any(verdicts)


def _unannotated(truth: Truth, units: tuple[int, ...], k: int) -> bool | None:
    """Units without words that hold carry the class."""
    bare = [u for u in units if truth.valid(u) is not True]
    certain = [u for u in bare if truth.valid(u) is False or not truth.base.words.get(u)]
    if not bare:
        return False
    made = _beyond(truth.share(bare, k))
    return made if made is False or certain == bare else None


def _bypass(truth: Truth, units: tuple[int, ...], k: int, concept: str) -> bool | None:
    """Say whether a concept reaches the class through units whose words do not name it."""
    silent = [u for u in units if concept not in truth.named(u)]
    return _beyond(abs(truth.carries(silent, concept, k)))


def _missing(truth: Truth, _units: tuple[int, ...], k: int) -> bool | None:
    """No unit whose words name something of the thing itself, and hold, carries the class.

    Nor does it where units without words that see the same take back what it gives.
    """
    inside = [
        u
        for u in range(truth.base.size)
        if truth.valid(u) and any(not truth.outside(c, k) for c in truth.seen(u))
    ]
    same = {c for u in inside for c in truth.seen(u) if not truth.outside(c, k)}
    more = [
        u for u in range(truth.base.size) if not truth.base.words.get(u) and truth.seen(u) & same
    ]
    carried = _beyond(min(truth.share(some, k, alone=True) for some in (inside, [*inside, *more])))
    return None if carried is None else not carried


def _unexplained(truth: Truth, _units: tuple[int, ...], k: int) -> bool | None:
    """More than the bound of the class is not carried by units whose words hold."""
    clear = [u for u in range(truth.base.size) if truth.valid(u) is True]
    perhaps = [
        u for u in range(truth.base.size) if truth.base.words.get(u) and truth.valid(u) is None
    ]
    low = 1 - truth.share([*clear, *perhaps], k)
    high = 1 - truth.share(clear, k)
    low, high = min(low, high), max(low, high)
    return True if low > _BOUND + _GREY else False if high < _BOUND - _GREY else None


def _contradictory(truth: Truth, units: tuple[int, ...], _k: int) -> bool | None:
    """Units with the same words see opposite things, or see it and do opposite things to a class."""
    for name in {c for u in units for c in truth.said(u)} & set(truth.column):
        called = [u for u in units if name in truth.said(u)]
        values = [truth.sees[u, truth.column[name]] for u in called]
        if len(values) > 1 and max(values) >= BLIND and min(values) <= -BLIND:
            return True
        some = range(len(truth.world.classes))
        shares = [[truth.share([u], j) for u in called] for j in some]
        carried = [[truth.carries([u], name, j) for u in called] for j in some]
        opposite = [
            any(max(v) >= COUNTS and min(v) <= -COUNTS for v in t) for t in (shares, carried)
        ]
        if any(opposite):
            return True if all(opposite) else None
    clear = [truth.valid(u) for u in units]
    return False if all(clear) else None


def _vague(truth: Truth, units: tuple[int, ...], _k: int) -> bool | None:
    """Whether the words are wider than, or beside, the one thing the unit sees."""
    verdicts: list[bool | None] = []
    for u in units:
        said = set(truth.said(u))
        if said & truth.seen(u) or not truth.base.words.get(u):
            verdicts.append(False)
        elif truth.named(u) & truth.seen(u) or not said & set(truth.column):
            # A wider word, or one that no concept of the world stands for.
            verdicts.append(True if truth.seen(u) else None)
        else:
            verdicts.append(None)
    return _any(verdicts)


def _redundant(truth: Truth, units: tuple[int, ...], _k: int) -> bool | None:
    """Whether the words explain nothing: the unit drives no class."""
    verdicts: list[bool | None] = []
    for u in units:
        shares = [abs(truth.share([u], k)) for k in range(len(truth.world.classes))]
        verdicts.append(
            True if max(shares) <= NOTHING else False if max(shares) >= COUNTS else None
        )
    return _any(verdicts)


def _stale(truth: Truth, units: tuple[int, ...], k: int) -> bool | None:
    """Whether what a unit sees, or does to a class, is no longer what the words were written on.

    Words that were wrong from the start are older than the weights, and do not hold.
    """
    before, now = truth.case.before, truth.base
    if before is None:
        return False
    if k >= 0:
        moved = abs(Truth(Case(before)).share(units, k) - truth.share(units, k))
        return _beyond(moved)
    verdicts: list[bool | None] = []
    for u in units:
        changed = u >= before.size or bool((before.mix[0][u] != now.mix[0][u]).any())
        valid = truth.valid(u)
        verdicts.append(True if changed else None if valid is None else not valid)
    return _any(verdicts)


def _edge(truth: Truth, units: tuple[int, ...], k: int) -> bool | None:
    """Whether the unit does nothing to the class its edge is said to make."""
    made = _beyond(truth.share(units, k))
    return None if made is None else not made


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "implausible-driver": _driver,
        "inhibitory-shortcut": _inhibits,
        "mislabelled-unit": _mislabelled,
        "polysemantic-unit": _polysemantic,
        "missing-support": _missing,
        "unexplained-effect": _unexplained,
        "unannotated-driver": _unannotated,
        "contradictory-annotations": _contradictory,
        "vague-annotation": _vague,
        "redundant-annotation": _redundant,
        "stale-annotation": _stale,
        "mislabelled-edge": _edge,
    }
)
"""What makes a finding of each kind true."""
OF_CONCEPTS: Mapping[str, FactOfConcept] = MappingProxyType(
    {"split-shortcut": _split, "bypass": _bypass}
)
"""The same of kinds whose claim is about one concept."""

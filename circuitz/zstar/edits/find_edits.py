"""Choosing how a flagged concept is edited, by measuring what each way does.

Masks and pairs say where a concept lies; where there are any, they are used. Image labels alone can
be read in several ways, none of which suits all concepts: what takes turns with other things (a
ground) is exchanged, what is there or not (a collar, falling snow) is erased and laid over. Each way
is tried on the concept set (:mod:`.edit_trial`) until one is good enough or the time is spent, and
the best is taken. A way that fails is one failed proposal; where all fail, the concept is not edited
in pictures, which is said, and the weight step works on its units alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from circuitz.errors import CircuitzError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.edits.edit_trial import EditTester, EditTrial
from circuitz.zstar.edits.regions import (
    Finder,
    LabelWay,
    Source,
    alternatives_cover_images,
    find_regions,
    sources_of_regions,
)
from circuitz.zstar.label_columns import columns_of_same_kind

Progress = Callable[[int, int], None]

#: A way of this worth is taken at once; one below the second is not worth taking.
GOOD_WORTH, LEAST_WORTH = 0.6, 0.2
#: No further way is begun after so many seconds.
SECONDS = 240.0


@dataclass(frozen=True, eq=False)
class EditChoice:
    """How a concept is to be edited.

    Parameters
    ----------
    concept
        The concept.
    finder
        Says where it lies; ``None`` where no way was worth taking.
    trials
        What was tried, in order; empty where masks or pairs were there.
    """

    concept: str
    finder: Finder | None
    trials: tuple[EditTrial, ...] = ()

    @property
    def problem(self) -> str:
        """Why pictures are not edited; empty where they are."""
        if self.finder is not None:
            return ""
        tried = "; ".join(t.problem or f"{t.way}: worth {t.worth:.2f}" for t in self.trials)
        return f"{self.concept!r} cannot be edited in pictures ({tried or 'nothing was tried'})."


def choose_edit(
    concept: str,
    z: AnnotatedModel,
    lexicon: Lexicon,
    *,
    source: Source | None = None,
    seed: int = 0,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> EditChoice:
    """Choose how a concept is edited in pictures.

    Parameters
    ----------
    concept
        A flagged concept.
    z
        The model, with D and the concept set at hand.
    lexicon
        Says of which kind the concept is.
    source
        What regions are learned from; by default the most exact there is.
    seed
        Of everything random.
    seconds
        No further way is begun after so long.
    progress
        Called with steps done and in all.

    Returns
    -------
    EditChoice
        Without a finder where nothing worked; ``trials`` say what was tried.
    """
    assert z.concept_set is not None
    there = sources_of_regions(concept, z.concept_set, lexicon)
    trials: list[EditTrial] = []
    if not there or (source is not None and source not in there):
        lacking = f"the concept set has no {source or 'labels'} for it"
        return EditChoice(concept, None, (EditTrial(concept, source or "labels", problem=lacking),))
    exact: tuple[Source, ...] = tuple(there) if source is None else (source,)
    for known in exact:
        if known == "labels":
            continue
        try:
            finder = find_regions(
                concept, z.concept_set, lexicon, source=known, seed=seed, progress=progress
            )
            return EditChoice(concept, finder, tuple(trials))
        except CircuitzError as problem:
            trials.append(EditTrial(concept, known, problem=problem.message))
    if source not in (None, "labels"):
        return EditChoice(concept, None, tuple(trials))
    return _choose_from_labels(concept, z, lexicon, trials, seed, seconds, progress)


def _ways_in_order(concept: str, lexicon: Lexicon) -> tuple[LabelWay, ...]:
    # Surroundings are mostly a place where there is always something; the costly way comes last.
    if lexicon.kind(concept) == "surroundings":
        return ("exchange", "overlay", "erase")
    return ("overlay", "exchange", "erase")


def _is_alone_in_table(concept: str, concept_set: InputSet, lexicon: Lexicon) -> bool:
    """Return whether no concept of another kind is labelled."""
    own = columns_of_same_kind(concept, concept_set, lexicon)
    return len(own) == len(concept_set.concept_names)


def _choose_from_labels(
    concept: str,
    z: AnnotatedModel,
    lexicon: Lexicon,
    trials: list[EditTrial],
    seed: int,
    seconds: float,
    progress: Progress | None,
) -> EditChoice:
    assert z.concept_set is not None
    columns = columns_of_same_kind(concept, z.concept_set, lexicon)
    assert z.concept_set.concepts is not None
    if not alternatives_cover_images(z.concept_set.concepts[:, columns]):
        try:
            plain = find_regions(
                concept, z.concept_set, lexicon, source="labels", way="plain", seed=seed
            )
            return EditChoice(concept, plain, tuple(trials))
        except CircuitzError:
            # What needs no more than this is rare; what fails is tried in the other ways.
            pass
    if _is_alone_in_table(concept, z.concept_set, lexicon):
        # What an edit leaves of the rest cannot be measured, and an edit that ruins pictures would
        # look best: the way is chosen by what is labelled, and takes the time it takes.
        try:
            finder = find_regions(
                concept, z.concept_set, lexicon, source="labels", seed=seed, progress=progress
            )
            return EditChoice(concept, finder, tuple(trials))
        except CircuitzError as problem:
            trials.append(EditTrial(concept, "labels", problem=problem.message))
            return EditChoice(concept, None, tuple(trials))
    end = time.monotonic() + seconds
    best: tuple[float, Finder] | None = None
    tester: EditTester | None = None
    for way in _ways_in_order(concept, lexicon):
        if trials and time.monotonic() > end:
            break
        try:
            finder = find_regions(
                concept, z.concept_set, lexicon, source="labels", way=way, seed=seed,
                seconds=max(end - time.monotonic(), 0.0), progress=progress,
            )  # fmt: skip
            tester = tester or EditTester(z, concept, lexicon, seed=seed)
            trial = tester.try_way(way, finder)
        except CircuitzError as problem:
            trials.append(EditTrial(concept, way, problem=problem.message))
            continue
        trials.append(trial)
        if best is None or trial.worth > best[0]:
            best = (trial.worth, finder)
        if trial.worth >= GOOD_WORTH:
            break
    chosen = best[1] if best is not None and best[0] >= LEAST_WORTH else None
    return EditChoice(concept, chosen, tuple(trials))

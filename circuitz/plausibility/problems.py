"""What is wrong with what a check was given, by name: said beside the findings, never instead.

Bad input must not look like good news. What cannot be tested is *inconclusive* in the findings; here
it is said why, once, and what can be done about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuitz.disk.safe_text import shown
from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.stats.match import MINIMUM_IMAGES
from circuitz.z.inputs import SPLITS

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Where a z keeps which of its concept labels came from people's answers.
LABEL_NOTES = "concept_labels"
#: So many annotations that all say the same are no accident.
ALIKE = 3
_NAMED = 5


@dataclass(frozen=True)
class Problem:
    """Something wrong with what was given.

    Parameters
    ----------
    code
        Its name, for machines: ``no-concept-labels`` ...
    message
        What is wrong.
    hint
        What can be done.
    """

    code: str
    message: str
    hint: str


def find_problems(case: Case) -> tuple[Problem, ...]:
    """List what is wrong with a case, gravest first."""
    searches: tuple[Callable[[Case], Problem | None], ...] = (
        _no_labels,
        _no_words,
        _no_variation,
        _too_few,
        _unlabelled,
        _unknown,
        _all_alike,
        _simulated,
    )
    return tuple(found for search in searches if (found := search(case)) is not None)


def simulated_words(z: AnnotatedModel) -> tuple[str, ...]:
    """Words some of whose labels rest on answers of a simulated rater."""
    records = z.notes.get(LABEL_NOTES, [])
    return tuple(
        dict.fromkeys(
            str(r["word"])
            for r in records
            if not r["undone"] and "simulated" in r["rater_kinds"] and any(r["after"])
        )
    )


def _no_labels(case: Case) -> Problem | None:
    if case.columns.names:
        return None
    blind = sum(word.basis == "blind" for word in case.words)
    count = prose.plural(len(case.said), "annotation")
    kept = (
        f"{blind} of them are judged by blind tests; about the others nothing"
        if blind
        else "Nothing that rests on words"
    )
    return Problem(
        "no-concept-labels",
        f"No concept is labelled in any picture, so no word of {count} can be held to what its unit "
        f"responds to. {kept} can be decided. What units do to classes is measured all the same.",
        "circuitz concepts blind Z tests the words on units by asking somebody who sees no "
        "activity; circuitz concepts ask Z WORD… makes concept labels of what people see.",
    )


def _no_words(case: Case) -> Problem | None:
    if case.said:
        return None
    return Problem(
        "no-annotations",
        "No unit is annotated, so there are no words to check.",
        "Annotate units in the studio, with circuitz annotate, or let cz.propose(z) begin.",
    )


def _no_variation(case: Case) -> Problem | None:
    table = case.concept_set.concepts
    if table is None or not case.columns.names:
        return None
    flat = [
        name
        for name, column in zip(case.concept_set.concept_names, table.T, strict=True)
        if len(np.unique(column[~np.isnan(column)])) < 2
    ]
    if not flat:
        return None
    every = len(flat) == len(case.columns.names)
    return Problem(
        "no-variation",
        f"{'Every concept' if every else _listed(flat)} is labelled alike in all pictures"
        f"{' that are labelled' if np.isnan(table).any() else ''}: nothing can match it.",
        "Add pictures that show it, and pictures that do not.",
    )


def _too_few(case: Case) -> Problem | None:
    table = case.concept_set.concepts
    if table is None:
        return None
    few: list[str] = []
    for name, column in zip(case.concept_set.concept_names, table.T, strict=True):
        if len(np.unique(column[~np.isnan(column)])) < 2:
            continue
        for split in dict.fromkeys(("select", case.settings.split)):
            here = column[case.concept_set.split == SPLITS.index(split)]
            yes, no = int((here == 1).sum()), int((here == 0).sum())
            if min(yes, no) < MINIMUM_IMAGES:
                how = f"{yes} that show it" if yes <= no else f"{no} that do not"
                few.append(f"‘{shown(name)}’ has {how} on {split}")
                break
    if not few:
        return None
    return Problem(
        "too-few-labelled",
        f"Too few pictures for {prose.plural(len(few), 'concept')}: {_some(few)}. "
        f"{MINIMUM_IMAGES} that show it and {MINIMUM_IMAGES} that do not are wanted on each split; "
        "words that name it stay undecided, and it is nobody's rival.",
        "Label more pictures: circuitz concepts ask Z WORD…",
    )


def _unlabelled(case: Case) -> Problem | None:
    words = [w.said for w in case.words if w.basis == "unlabelled"]
    if not words or not case.columns.names:
        return None
    names = list(dict.fromkeys(name for said in words for name in said.missing))
    return Problem(
        "unlabelled-words",
        f"The concept set does not label {_listed(names)}, which is all that words on "
        f"{prose.plural(len(words), 'unit')} name: they stay undecided.",
        "Label it: circuitz concepts ask Z WORD…; or test the words: circuitz concepts blind Z.",
    )


def _unknown(case: Case) -> Problem | None:
    words = [w.said for w in case.words if w.basis == "unknown"]
    if not words:
        return None
    return Problem(
        "unknown-words",
        f"No known concept is named on {prose.plural(len(words), 'unit')}: "
        f"{_some([f'{said.target} ‘{shown(said.text[:40])}’' for said in words])}. Such words count "
        "as none.",
        "The lexicon is in English. Say it in English, or add the word: circuitz concepts add WORD "
        "--kind part --part-of dog --lexicon mine.yaml",
    )


def _all_alike(case: Case) -> Problem | None:
    said = Counter(tuple(c for c, _ in s.concepts) or (s.text.casefold(),) for s in case.said)
    if len(said) != 1 or len(case.said) < ALIKE:
        return None
    what = prose.quoted([shown(word) for word in next(iter(said))])
    return Problem(
        "all-alike",
        f"All {len(case.said)} annotated units are said to mean {what}. At most what passes its "
        "match counts, and words that are the same everywhere tell nothing apart.",
        "Look at the units' exemplars, and say of each what it alone responds to.",
    )


def _simulated(case: Case) -> Problem | None:
    words = simulated_words(case.z)
    if not words:
        return None
    return Problem(
        "simulated-labels",
        f"Labels of {_listed(list(words))} are answers of a simulated rater, and so is every "
        "figure that rests on them.",
        "Ask people: circuitz concepts ask Z WORD…",
    )


def _listed(names: list[str]) -> str:
    return _some([f"‘{shown(name)}’" for name in names])


def _some(items: list[str]) -> str:
    rest = len(items) - _NAMED
    return prose.listed([*items[:_NAMED], f"{rest} more"] if rest > 0 else items)

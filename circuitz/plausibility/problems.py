"""What is wrong with what a check was given, by name: said beside the findings, never instead.

Bad input must not look like good news. What cannot be tested is *inconclusive* in the findings; here
it is said why, once, and what can be done about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuitz.disk.safe_text import escape_control_characters
from circuitz.lexicon.column_disputes import (
    RENAME_HINT,
    describe_synonym_pair,
    hint_for_contradicting_pair,
    hint_for_unsettled_pair,
)
from circuitz.lexicon.column_synonyms import columns_spelled_alike
from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import MEASURE_AGAIN
from circuitz.stats.unit_concept_match import MINIMUM_IMAGES
from circuitz.z.assumed_preprocessing import preprocessing_is_assumed
from circuitz.z.finding import Finding
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
    concepts
        Concepts somebody is asked to say something of; none for most.
    """

    code: str
    message: str
    hint: str
    concepts: tuple[str, ...] = ()


def find_problems(case: Case, findings: Sequence[Finding] = ()) -> tuple[Problem, ...]:
    """List what is wrong with a case, gravest first; what was found says which sets were not run."""
    searches: tuple[Callable[[Case], Problem | None], ...] = (
        _problem_if_near_chance,
        _problem_if_preprocessing_assumed,
        _problem_if_no_concept_labels,
        _problem_if_kinds_unknown,
        _problem_if_no_annotations,
        _problem_if_columns_contradict,
        _problem_if_synonyms_unsettled,
        _problem_if_concept_labels_constant,
        _problem_if_too_few_labels,
        _problem_if_words_ambiguous,
        _problem_if_words_unlabelled,
        _problem_if_words_unknown,
        _problem_if_annotations_alike,
        _problem_if_labels_simulated,
    )
    found = [problem for search in searches if (problem := search(case)) is not None]
    return (*_problems_if_sets_not_run(findings), *found)


def _problems_if_sets_not_run(findings: Sequence[Finding]) -> tuple[Problem, ...]:
    waiting = sum(
        f.verdict == "inconclusive" and f.decide.startswith(MEASURE_AGAIN) for f in findings
    )
    if not waiting:
        return ()
    return (
        Problem(
            "words-newer-than-measurements",
            f"{prose.format_count_with_noun(waiting, 'claim')} cannot be decided before another run: words "
            "make sets of units whose joint effect was not measured yet.",
            "Run these sets, and nothing else: z = cz.measure(z), or circuitz measure Z.",
        ),
    )


def words_with_simulated_labels(z: AnnotatedModel) -> tuple[str, ...]:
    """Words some of whose labels rest on answers of a simulated rater."""
    records = z.notes.get(LABEL_NOTES, [])
    return tuple(
        dict.fromkeys(
            str(r["word"])
            for r in records
            if not r["undone"] and "simulated" in r["rater_kinds"] and any(r["after"])
        )
    )


def _problem_if_near_chance(case: Case) -> Problem | None:
    warning = "" if case.z.accuracy is None else case.z.accuracy.warning()
    if not warning:
        return None
    return Problem("near-chance", warning, "Mend that, wrap the network and measure again.")


def _problem_if_preprocessing_assumed(case: Case) -> Problem | None:
    if not preprocessing_is_assumed(case.z):
        return None
    prep = case.z.preprocessing
    return Problem(
        "preprocessing-assumed",
        "Neither you nor the network said how images become its inputs: mean "
        f"{prose.list_in_prose([f'{m:.3g}' for m in prep.mean])} and std "
        f"{prose.list_in_prose([f'{s:.3g}' for s in prep.std])} were assumed.",
        "If the network was trained otherwise, everything here is wrong: wrap it with preprocess=.",
    )


def _problem_if_no_concept_labels(case: Case) -> Problem | None:
    if case.concept_columns.names:
        return None
    blind = sum(word.basis == "blind" for word in case.word_verdicts)
    count = prose.format_count_with_noun(len(case.parsed_annotations), "annotation")
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


def _problem_if_kinds_unknown(case: Case) -> Problem | None:
    names = case.concepts_of_unknown_kind
    if not names:
        return None
    subject = case.z.subject
    to = f"to {prose.noun_with_article(subject)}" if subject else "(z names no subject)"
    what = f"What {_list_first_names_quoted(list(names))} "
    what += f"{'is' if len(names) == 1 else 'are'} {to} is not known"
    return Problem(
        "unknown-kinds",
        f"{what}: a guess would be no ground for anything, so what rests on "
        f"{'its' if len(names) == 1 else 'their'} kind is undecided.",
        prose.advise_saying_kind(names, subject),
        names,
    )


def _problem_if_no_annotations(case: Case) -> Problem | None:
    if case.parsed_annotations:
        return None
    return Problem(
        "no-annotations",
        "No unit is annotated, so there are no words to check.",
        "Annotate units in the studio, with circuitz annotate, or let cz.propose(z) begin.",
    )


def _problem_if_concept_labels_constant(case: Case) -> Problem | None:
    table = case.concept_set.concepts
    if table is None or not case.concept_columns.names:
        return None
    flat = [
        name
        for name, column in zip(case.concept_set.concept_names, table.T, strict=True)
        if len(np.unique(column[~np.isnan(column)])) < 2
    ]
    if not flat:
        return None
    every = len(flat) == len(case.concept_columns.names)
    return Problem(
        "no-variation",
        f"{'Every concept' if every else _list_first_names_quoted(flat)} is labelled alike in all pictures"
        f"{' that are labelled' if np.isnan(table).any() else ''}: nothing can match it.",
        "Add pictures that show it, and pictures that do not.",
    )


def _problem_if_too_few_labels(case: Case) -> Problem | None:
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
                few.append(f"‘{escape_control_characters(name)}’ has {how} on {split}")
                break
    if not few:
        return None
    return Problem(
        "too-few-labelled",
        f"Too few pictures for {prose.format_count_with_noun(len(few), 'concept')}: {_list_first_few_and_rest_count(few)}. "
        f"{MINIMUM_IMAGES} that show it and {MINIMUM_IMAGES} that do not are wanted on each split; "
        "words that name it stay undecided, and it is nobody's rival.",
        "Label more pictures: circuitz concepts ask Z WORD…",
    )


def _problem_if_columns_contradict(case: Case) -> Problem | None:
    names = case.concept_set.concept_names
    alike = columns_spelled_alike(names)
    pairs = [p for p in case.concept_columns.reader.synonyms if p.relation == "contradicting"]
    if alike is None and not pairs:
        return None
    if alike is not None:
        what, hint = (
            f"The columns {prose.list_quoted_names(list(alike))} bear one name",
            RENAME_HINT,
        )
    else:
        what = describe_synonym_pair(pairs[0], names)
        hint = hint_for_contradicting_pair(pairs[0], names, case.lexicon)
    more = f" So do {len(pairs) - 1} more pairs." if len(pairs) > 1 else ""
    return Problem(
        "contradicting-columns", f"{what}. Each is judged by its own labels here.{more}", hint
    )


def _problem_if_synonyms_unsettled(case: Case) -> Problem | None:
    names = case.concept_set.concept_names
    pairs = [p for p in case.concept_columns.reader.synonyms if p.relation == "unsettled"]
    if not pairs:
        return None
    said = "; ".join(describe_synonym_pair(pair, names) for pair in pairs[:_NAMED])
    more = f"; and {len(pairs) - _NAMED} more pairs" if len(pairs) > _NAMED else ""
    return Problem(
        "unsettled-synonyms",
        f"Are these one concept? {said}{more}. Until somebody says, they are two, and no rivals of "
        "each other.",
        hint_for_unsettled_pair(pairs[0], names, case.lexicon),
    )


def _problem_if_words_ambiguous(case: Case) -> Problem | None:
    words = [w.parsed for w in case.word_verdicts if w.basis == "ambiguous"]
    if not words:
        return None
    fits = list(dict.fromkeys(str(some) for said in words for some in said.ambiguous))
    return Problem(
        "ambiguous-words",
        f"Words on {prose.format_count_with_noun(len(words), 'unit')} may mean more than one column: "
        f"{escape_control_characters('; '.join(fits[:_NAMED]))}. They stay undecided.",
        "Write which it is on each unit; cz.propose(z) writes what a rule proposed anew, by the "
        "columns' own names.",
    )


def _problem_if_words_unlabelled(case: Case) -> Problem | None:
    words = [w.parsed for w in case.word_verdicts if w.basis == "unlabelled"]
    if not words or not case.concept_columns.names:
        return None
    names = list(dict.fromkeys(name for said in words for name in said.missing))
    return Problem(
        "unlabelled-words",
        f"The concept set does not label {_list_first_names_quoted(names)}, which is all that words on "
        f"{prose.format_count_with_noun(len(words), 'unit')} name: they stay undecided.",
        "Label it: circuitz concepts ask Z WORD…; or test the words: circuitz concepts blind Z.",
    )


def _problem_if_words_unknown(case: Case) -> Problem | None:
    words = [w.parsed for w in case.word_verdicts if w.basis == "unknown"]
    if not words:
        return None
    return Problem(
        "unknown-words",
        f"No known concept is named on {prose.format_count_with_noun(len(words), 'unit')}: "
        f"{_list_first_few_and_rest_count([f'{said.target} ‘{escape_control_characters(said.text[:40])}’' for said in words])}. Such words count "
        "as none.",
        "The lexicon is in English. Say it in English, or add the word: circuitz concepts add WORD "
        "--kind part --part-of dog --lexicon mine.yaml",
    )


def _problem_if_annotations_alike(case: Case) -> Problem | None:
    said = Counter(
        tuple(c for c, _ in s.concepts) or (s.text.casefold(),) for s in case.parsed_annotations
    )
    if len(said) != 1 or len(case.parsed_annotations) < ALIKE:
        return None
    what = prose.list_quoted_names([escape_control_characters(word) for word in next(iter(said))])
    return Problem(
        "all-alike",
        f"All {len(case.parsed_annotations)} annotated units are said to mean {what}. At most what passes its "
        "match counts, and words that are the same everywhere tell nothing apart.",
        "Look at the units' exemplars, and say of each what it alone responds to.",
    )


def _problem_if_labels_simulated(case: Case) -> Problem | None:
    words = words_with_simulated_labels(case.z)
    if not words:
        return None
    return Problem(
        "simulated-labels",
        f"Labels of {_list_first_names_quoted(list(words))} are answers of a simulated rater, and so is every "
        "figure that rests on them.",
        "Ask people: circuitz concepts ask Z WORD…",
    )


def _list_first_names_quoted(names: list[str]) -> str:
    return _list_first_few_and_rest_count(
        [f"‘{escape_control_characters(name)}’" for name in names]
    )


def _list_first_few_and_rest_count(items: list[str]) -> str:
    rest = len(items) - _NAMED
    return prose.list_in_prose([*items[:_NAMED], f"{rest} more"] if rest > 0 else items)

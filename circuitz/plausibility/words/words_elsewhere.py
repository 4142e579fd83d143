"""Words that hold on the concept set and count as none: people's answers on D and D′ say otherwise.

A test of a word on D or D′ (:mod:`circuitz.z.word_tests`) speaks of all units of the cut that bear
the word together, so it takes the word from each of them. It counts while these are the units it
was made of. A check on *test* sees the answers of the search's half alone; one on *audit* those of
the audit half, and a word that failed before counts as none there until fresh pictures say that it
holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from circuitz.disk.hashing import json_hash
from circuitz.plausibility import prose
from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.words.word_verdict import UncountedWord, WordVerdict
from circuitz.z.word_match import POPULATION_NAMES, Population
from circuitz.z.word_tests import Half, WordTest

TestsByWord = Mapping[str, Mapping[Population, WordTest]]


def word_tests_that_count(
    tests: Sequence[WordTest], split: str
) -> dict[str, dict[Population, WordTest]]:
    """Return, by word and population, the test that a check on this split goes by.

    Parameters
    ----------
    tests
        Tests that were made of the units that bear the words now.
    split
        Images that verdicts of the check rest on.
    """
    chosen: dict[str, dict[Population, WordTest]] = {}
    halves: tuple[Half, ...] = ("search", "audit") if split == "audit" else ("search",)
    for half in halves:
        for test in tests:
            # What failed in the search is not forgotten for want of fresh answers; that
            # something held there is.
            if test.half == half and (half != "search" or split != "audit" or _failed(test)):
                before = chosen.setdefault(test.word, {})
                if test.verdict != "untested" or test.population not in before:
                    before[test.population] = test
    return chosen


def without_words_that_fail_elsewhere(
    verdicts: Sequence[WordVerdict], tests: TestsByWord, settings: CheckSettings
) -> tuple[WordVerdict, ...]:
    """Return verdicts without the words that count as none; supported ones become inconclusive.

    Parameters
    ----------
    verdicts
        What was found on the concept set.
    tests
        As :func:`word_tests_that_count` gives them.
    settings
        ``populations`` says where a word that was not tested counts as none, too.
    """
    by_word = {
        concept: lost
        for concept in dict.fromkeys(name for word in verdicts for name in word.passed)
        if (lost := _where_a_word_is_lost(concept, tests.get(concept, {}), settings))
    }
    return tuple(_without_lost_words(word, by_word) for word in verdicts)


def hashes_of_word_tests(tests: TestsByWord) -> tuple[tuple[str, str], ...]:
    """Return the name and hash of these tests, for what is made from them; nothing of none."""
    records = [asdict(test) for some in tests.values() for test in some.values()]
    return (("words", json_hash(records)),) if records else ()


def _where_a_word_is_lost(
    concept: str, tests: Mapping[Population, WordTest], settings: CheckSettings
) -> tuple[UncountedWord, ...]:
    lost: list[UncountedWord] = []
    for population in ("D", "D'"):
        test = tests.get(population)
        if test is not None and _failed(test):
            lost.append(UncountedWord(concept, population, "fails", say_how_test_came_out(test)))
        elif population in settings.populations and (test is None or test.verdict != "holds"):
            said = "" if test is None or not test.reason else f" ({test.reason.removesuffix('.')})"
            name = POPULATION_NAMES[population]
            reason = f"‘{concept}’ was not tested on {name}{said}"
            if test is not None and test.answers:
                reason = f"the test of ‘{concept}’ on {name} decides nothing{said}"
            lost.append(UncountedWord(concept, population, "untested", reason))
    return tuple(lost)


def _without_lost_words(
    word: WordVerdict, by_word: Mapping[str, tuple[UncountedWord, ...]]
) -> WordVerdict:
    lost = tuple(one for concept in word.passed for one in by_word.get(concept, ()))
    if not lost:
        return word
    gone = {one.concept for one in lost}
    reason = "; ".join(one.reason for one in lost)
    changed = replace(
        word, passed=tuple(name for name in word.passed if name not in gone), uncounted=lost
    )
    if word.verdict == "flagged":
        return changed
    told = reason if word.verdict == "supported" or not word.reason else f"{word.reason}; {reason}"
    return replace(changed, verdict="inconclusive", reason=told)


def say_how_test_came_out(test: WordTest) -> str:
    """Say what people's answers were, with the figures and who answered."""
    name = POPULATION_NAMES[test.population]
    if test.estimate is None or test.low is None or test.high is None:
        return f"‘{test.word}’ on {name}: no answers"
    share = prose.format_share_with_interval(test.estimate, test.low, test.high)
    who = "simulated raters say" if test.simulated else "people say"
    return (
        f"on {name} {who} of {share} of {prose.format_count_with_noun(test.answers, 'picture')} "
        f"what the units say about ‘{test.word}’"
    )


def _failed(test: WordTest) -> bool:
    return test.verdict == "fails"

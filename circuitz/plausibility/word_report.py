"""What a card reads of a check, and no more: where words hold, and what they leave unexplained.

A check tries every rule; a search that only wants the card asks hundreds of times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuitz.plausibility.case import Case
from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.rules.unexplained_effect import validly_annotated_units
from circuitz.plausibility.words.matched_words import matched_words
from circuitz.z.word_match import MatchedWord

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel


@dataclass(frozen=True)
class WordReport:
    """The words of a z on one split.

    Parameters
    ----------
    words
        Every concept that every annotation names, with its match on the concept set.
    unexplained
        Unexplained share by class: estimate, low, high; as a check reports it.
    """

    words: tuple[MatchedWord, ...]
    unexplained: Mapping[str, tuple[float, float, float]]


def report_words(
    z: AnnotatedModel, *, split: str = "test", lexicon: Lexicon | None = None
) -> WordReport:
    """Judge the words of a z, and nothing else.

    The figures are those of :func:`circuitz.plausibility.check.check`, at a fraction of its time.

    Parameters
    ----------
    z
        A measured model.
    split
        Images the verdicts rest on.
    lexicon
        Prior knowledge of names; the shipped one by default.

    Raises
    ------
    MeasurementError, ConceptLabelsError
        As of a check.
    """
    settings = CheckSettings(split, populations=("concepts",))
    case = Case.from_model(z, lexicon, settings)
    words = matched_words(case.word_verdicts_on_concept_set, settings, case.concept_columns)
    units = validly_annotated_units(case)
    unexplained: dict[str, tuple[float, float, float]] = {}
    for k, name in enumerate(case.effects.targets):
        effect = case.joint_sufficiency(units, k).effect
        unexplained[name] = (1 - effect.estimate, 1 - effect.high, 1 - effect.low)
    return WordReport(words, unexplained)

"""Figures and lists as a reader expects them in a sentence."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from circuitz.plausibility.words.word_scores import MatchScore
from circuitz.z.effect import Effect


def percent(share: float) -> str:
    """``0.713`` as ``71 %``."""
    return f"{_format_whole_percent(share)} %"


def format_effect_with_interval(effect: Effect) -> str:
    """Write an effect with its interval: ``71 % [65, 77]``."""
    return format_share_with_interval(effect.estimate, effect.low, effect.high)


def format_share_with_interval(estimate: float, low: float, high: float) -> str:
    """Write a share with its interval, all in percent."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{percent(estimate)} [unknown]" if math.isfinite(estimate) else "an unknown share"
    return f"{percent(estimate)} [{_format_whole_percent(low)}, {_format_whole_percent(high)}]"


def _format_whole_percent(share: float) -> str:
    # A minus sign before a zero would claim a direction that was not found.
    return f"{round(100 * share) + 0:d}".replace("-", "−")


def format_match_score(score: MatchScore) -> str:
    """Write a match with its interval: ``0.91 [0.86, 0.96]``."""
    text = _format_two_decimals(score.nauprc)
    if math.isfinite(score.low) and math.isfinite(score.high):
        # The score cannot exceed 1, its symmetric interval can.
        text += (
            f" [{_format_two_decimals(score.low)}, {_format_two_decimals(min(score.high, 1.0))}]"
        )
    return text


def _format_two_decimals(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def list_quoted_names(names: Sequence[str]) -> str:
    """``‘ears’, ‘tail’ and ‘coat’``."""
    return list_in_prose([f"‘{name}’" for name in names])


def list_in_prose(items: Sequence[str]) -> str:
    """Write ``a, b and c``; empty for none."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def abbreviate_units(names: Sequence[str], most: int = 4) -> str:
    """Name units, the first few and how many more."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def noun_with_article(noun: str) -> str:
    """Write ``a dog``, ``an owl``."""
    return f"{'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"


def format_count_with_noun(count: int, noun: str) -> str:
    """``1 unit``, ``14 units``."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s"


def advise_saying_kind(concepts: Sequence[str], subject: str) -> str:
    """Say how a person tells what concepts are to a subject."""
    first = shlex.quote(concepts[0])
    of = f" --of {shlex.quote(subject)}" if subject else ""
    what = "what it is" if len(concepts) == 1 else "what each is"
    return (
        f"Say {what} (part, attribute, surroundings, artefact or low-level): in the studio, with "
        f"circuitz concepts kind {first} part{of} --z Z, or in a lexicon file."
    )

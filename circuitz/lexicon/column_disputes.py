"""What is said about columns whose names are synonyms, and the refusal of those that contradict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from circuitz.disk.safe_text import escape_control_characters
from circuitz.errors import ColumnNamesError, ContradictingColumnsError
from circuitz.lexicon.column_synonyms import (
    SynonymPair,
    columns_spelled_alike,
    compare_synonym_columns,
)
from circuitz.lexicon.word_forms import phrase_key

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon

RENAME_HINT: Final = "Rename one of them after what sets it apart, or leave one out."


def check_columns_are_told_apart(
    names: Sequence[str], table: npt.NDArray[np.float32] | None, lexicon: Lexicon
) -> tuple[SynonymPair, ...]:
    """Refuse columns that claim to be one word and are not.

    Parameters
    ----------
    names, table, lexicon
        As of :func:`~circuitz.lexicon.column_synonyms.compare_synonym_columns`.

    Returns
    -------
    All pairs of synonyms.

    Raises
    ------
    ColumnNamesError
        If two names differ in case, blanks, hyphens or underscores alone.
    ContradictingColumnsError
        If two columns are called by synonyms, and their labels contradict that.
    """
    alike = columns_spelled_alike(names)
    if alike is not None:
        one, other = map(escape_control_characters, alike)
        raise ColumnNamesError(
            f"The concept columns ‘{one}’ and ‘{other}’ bear one name: they differ in case, blanks, "
            "hyphens or underscores alone.",
            RENAME_HINT,
        )
    pairs = compare_synonym_columns(names, table, lexicon)
    for pair in pairs:
        if pair.relation == "contradicting":
            raise ContradictingColumnsError(
                f"{describe_synonym_pair(pair, names)}.",
                hint_for_contradicting_pair(pair, names, lexicon),
            )
    return pairs


def describe_synonym_pair(pair: SynonymPair, names: Sequence[str]) -> str:
    """Say what two columns claim and what their labels show."""
    one, other = (escape_control_characters(names[i]) for i in pair.columns)
    if phrase_key(one) == phrase_key(other):
        claim = "are forms of one word"
    elif pair.people:
        claim = "are one concept, as your lexicon says"
    else:
        claim = "are synonyms in the shipped lexicon"
    if not pair.pictures:
        return f"The columns ‘{one}’ and ‘{other}’ {claim}, and no picture is labelled in both"
    differ = round(pair.pictures * (1 - pair.agreement))
    return (
        f"The columns ‘{one}’ and ‘{other}’ {claim}, and agree on {100 * pair.agreement:.1f} % of "
        f"the {pair.pictures:,} pictures labelled in both (they differ in {differ:,})"
    )


def hint_for_unsettled_pair(pair: SynonymPair, names: Sequence[str], lexicon: Lexicon) -> str:
    """Say how a person settles whether two columns are one concept."""
    entry = lexicon.resolve(names[pair.columns[0]])
    if not entry or phrase_key(names[pair.columns[0]]) == phrase_key(names[pair.columns[1]]):
        return RENAME_HINT
    others = [names[i] for i in pair.columns if phrase_key(names[i]) != phrase_key(entry)]
    options = " ".join(f"--synonym {_quoted(name)}" for name in others)
    return (
        f"One: circuitz concepts override {_quoted(entry)} {options} --author YOU --lexicon "
        f"mine.yaml, in Python lexicon.with_override({entry!r}, synonyms={others}). "
        f"{_say_two(pair, names, lexicon)} Then use that lexicon."
    )


def hint_for_contradicting_pair(pair: SynonymPair, names: Sequence[str], lexicon: Lexicon) -> str:
    """Say what to do about two columns that claim to be one word and are not."""
    words = [phrase_key(names[i]) for i in pair.columns]
    if words[0] == words[1] or pair.people:
        return RENAME_HINT if not pair.people else f"Correct the lexicon. Or: {RENAME_HINT}"
    return (
        f"Leave one column out, or say that they are two concepts. {_say_two(pair, names, lexicon)}"
    )


def _say_two(pair: SynonymPair, names: Sequence[str], lexicon: Lexicon) -> str:
    """Return the command and the call that make two concepts of two columns."""
    entry = lexicon.resolve(names[pair.columns[0]])
    other = next(
        (names[i] for i in reversed(pair.columns) if phrase_key(names[i]) != phrase_key(entry)),
        names[pair.columns[1]],
    )
    kind = lexicon.kind(entry)
    return (
        f"Two: circuitz concepts add {_quoted(other)} --kind {kind} --apart --lexicon mine.yaml, in "
        f"Python lexicon.with_override({other!r}, kind={kind!r}, apart=True)."
    )


def _quoted(name: str) -> str:
    plain = escape_control_characters(name)
    return plain if plain.isalnum() else f"'{plain}'"

"""Fit families to the answers in a file of exported judgements."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from circuitz.cards.card import Card
from circuitz.cards.judged.read_back import JudgedAnswers, read_judged_answers
from circuitz.data.worlds.world_by_name import WORLDS
from circuitz.errors import CardError, LabellingError
from circuitz.evaluation.people.fit_families import FEWEST, FittedRater, fit_families
from circuitz.evaluation.people.frozen import frozen_families_hash
from circuitz.evaluation.people.world_words import WordKind, WorldWord, words_of_world
from circuitz.store.judgement_lines import read_store_lines


@dataclass(frozen=True)
class FittedRaters:
    """What the raters of a file are like.

    Parameters
    ----------
    raters
        One entry a rater who compared cards.
    remarks
        What was left out, and why; one sentence each.
    families
        Hash of the families.
    """

    raters: tuple[FittedRater, ...]
    remarks: tuple[str, ...]
    families: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "families": self.families,
            "raters": [one.to_json() for one in self.raters],
            "remarks": list(self.remarks),
        }


def fit_raters_in_file(
    path: Path, words: Path | None = None, more_cards: Iterable[Card] = ()
) -> FittedRaters:
    """Read exported judgements, and fit families to each rater's comparisons.

    Parameters
    ----------
    path
        JSON Lines with the cards that were shown.
    words
        CSV of ``word``, ``kind`` and ``topic``; by default the words of all rendered worlds.
    more_cards
        Cards that were shown, where the file does not hold them: those of a pack of tasks.

    Raises
    ------
    StoreError
        If the file holds what is no judgement.
    LabellingError
        If it holds no comparison of a card that is in it, or the words cannot be read.
    """
    rows, shown = read_store_lines(path)
    cards = {card.hash: card for card in more_cards}
    remarks: list[str] = []
    for record in shown:
        if record.kind != "card":
            continue
        try:
            cards[record.hash] = Card.from_json(record.record)
        except CardError as problem:
            remarks.append(f"A card is left out: {problem.message}")
    answers = read_judged_answers(rows, cards.values())
    remarks += _remarks_on(answers)
    table = words_of_all_worlds() if words is None else read_words(words)
    fitted = fit_families(answers.comparisons, cards, table)
    few = [one.rater for one in fitted if one.too_few]
    if few:
        remarks.append(
            f"Fewer than {FEWEST} comparisons each, too few to tell families apart: {', '.join(few)}."
        )
    strange = sorted({c for card in cards.values() for c in card.concepts} - set(table))
    if strange:
        remarks.append(
            f"Nothing is known of {len(strange)} words, which counts as not understood: "
            f"{', '.join(strange[:8])}. Tell their kinds with --words."
        )
    return FittedRaters(fitted, tuple(remarks), frozen_families_hash())


def words_of_all_worlds() -> dict[str, WorldWord]:
    """Return the words of all rendered worlds."""
    found: dict[str, WorldWord] = {}
    for renderable in WORLDS.values():
        found |= words_of_world(renderable.world)
    return found


def read_words(path: Path) -> dict[str, WorldWord]:
    """Read a table of words and their kinds.

    Raises
    ------
    LabellingError
        If it cannot be read, lacks a column or names an unknown kind.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise LabellingError(f"{path} cannot be read: {problem}.", "Give a CSV file.") from problem
    found: dict[str, WorldWord] = {}
    for number, row in enumerate(rows, start=2):
        word, kind = (row.get("word") or "").strip(), (row.get("kind") or "").strip()
        if not word or kind not in get_args(WordKind):
            raise LabellingError(
                f"Row {number} of {path} has the word {word!r} of kind {kind!r}.",
                f"Give columns word and kind, which is one of {', '.join(get_args(WordKind))}.",
            )
        topic = (row.get("topic") or "").strip() or word
        found[word] = WorldWord(cast(WordKind, kind), topic)
    return found


def _remarks_on(answers: JudgedAnswers) -> list[str]:
    remarks: list[str] = []
    unknown = [p for p in answers.problems if p.kind == "unknown card"]
    if unknown:
        remarks.append(
            f"{len(unknown)} comparisons are about cards that the file does not hold; left out."
        )
    remarks += [p.text for p in answers.problems if p.kind == "malformed"]
    both_ways = sum(p.kind == "contradiction" for p in answers.problems)
    if both_ways:
        remarks.append(f"{both_ways} times somebody answered both ways; all answers count.")
    others = len(answers.class_answers) + len(answers.hypotheses) + len(answers.other_kinds)
    if others:
        remarks.append(f"{others} answers of other kinds are not used: families differ in cards.")
    return remarks

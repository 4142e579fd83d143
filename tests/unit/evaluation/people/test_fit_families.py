"""Families are found again in answers that one of them gave; what cannot be told is said."""

from pathlib import Path

import numpy as np
import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.judged.comparison import COMPARE_OPTIONS
from circuitz.cards.judged.read_back import read_judged_answers
from circuitz.errors import LabellingError
from circuitz.evaluation.people.crowd import Crowd
from circuitz.evaluation.people.fit_families import fit_families
from circuitz.evaluation.people.fit_raters_file import (
    fit_raters_in_file,
    read_words,
    words_of_all_worlds,
)
from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement import Judgement
from circuitz.store.judgement_lines import write_judgement_lines
from circuitz.store.shown_record import ShownRecord

WORDS = words_of_all_worlds()
NAMES = ("pointed ears", "curled tail", "short legs", "snow", "collar", "zzz blorb")


def random_card(seed: int) -> Card:
    rng = np.random.default_rng(seed)
    entries = []
    for name in ("husky", "corgi", "beagle"):
        cues = [
            Cue(w, (w,) if w in WORDS else (), (f"u:{w}",), float(rng.choice([-1, 1]) * rng.uniform(0.05, 0.5)))
            for w in rng.permutation(NAMES)[: int(rng.integers(1, 6))]
        ]  # fmt: skip
        cues.sort(key=lambda cue: -abs(cue.strength))
        entries.append(ClassEntry(name, tuple(cues), (float(rng.uniform(0, 0.5)), 0.0, 0.6)))
    return Card(tuple(entries), "dog")


CARDS = {card.hash: card for card in map(random_card, range(40))}


def answers_of(family: str, n: int) -> list[Judgement]:
    rng = np.random.default_rng(3)
    keys = sorted(CARDS)
    questions = []
    for i in range(n):
        a, b = rng.permutation(keys)[:2].tolist()
        questions.append(
            AskedQuestion("compare", (a, b), COMPARE_OPTIONS, seed=i, shown={"cards": (CARDS[a], CARDS[b])})
        )  # fmt: skip
    return Crowd((SimulatedPerson(family, 5, WORDS),), PictureTruth())(questions)


@pytest.mark.parametrize("family", ["sign-blind", "collar-believer", "spammer"])
def test_a_family_is_found_in_its_own_answers(family: str) -> None:
    rows = answers_of(family, 120)
    found = fit_families(read_judged_answers(rows, CARDS.values()).comparisons, CARDS, WORDS)
    assert [one.family for one in found] == [family]
    # A pair that was drawn again replaces its earlier answer.
    assert 100 < found[0].comparisons <= 120
    assert sum(found[0].weights.values()) == pytest.approx(1, abs=0.01)
    assert not found[0].too_few


def test_few_answers_are_called_few_and_the_file_is_read_with_its_cards(tmp_path: Path) -> None:
    rows = answers_of("averse", 12)
    shown = [ShownRecord(key, "card", card.to_json()) for key, card in CARDS.items()]
    path = tmp_path / "answers.jsonl"
    write_judgement_lines(path, rows, shown)
    found = fit_raters_in_file(path)
    assert found.raters[0].too_few
    assert found.raters[0].rater_kind == "simulated"
    assert any("too few" in remark for remark in found.remarks)
    # Without their cards comparisons say nothing.
    write_judgement_lines(path, rows)
    with pytest.raises(LabellingError, match="No comparison"):
        fit_raters_in_file(path)
    assert fit_raters_in_file(path, more_cards=CARDS.values()).raters == found.raters


def test_kinds_of_other_words_come_from_a_table(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("word,kind,topic\nred crest,part,crown\nharbour,surroundings,\n", "utf-8")
    words = read_words(path)
    assert words["red crest"].topic == "crown"
    assert words["harbour"].kind == "surroundings"
    path.write_text("word,kind\nred crest,thing\n", "utf-8")
    with pytest.raises(LabellingError, match="Row 2"):
        read_words(path)

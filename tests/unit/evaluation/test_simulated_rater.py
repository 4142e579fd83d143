from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import circuitz
from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.make_card import card_with_permuted_words, empty_card
from circuitz.data.worlds.dog_parts import ATTRIBUTES, BREEDS, GROUNDS
from circuitz.errors import LabellingError
from circuitz.evaluation.evaluation_sets import EXCLUSIVE, InputsWithTruth
from circuitz.evaluation.interview import simulate_perceptions
from circuitz.evaluation.simulated_rater import SimulatedRater

Cards = Callable[..., Card]
Worlds = Callable[..., InputsWithTruth]


def share_right(rater: SimulatedRater, card: Card, known: InputsWithTruth, n: int = 200) -> float:
    rows = np.random.default_rng(1).permutation(len(known))[:n]
    truth = known.truth
    options = truth.classes
    right = 0
    seen = simulate_perceptions(rater, known, rows, [f"{i:032x}" for i in rows])
    for i, perceived in zip(rows, seen, strict=True):
        answer = rater.answer(card, perceived, options=options, seed=int(i))
        assert sum(answer.probabilities) == pytest.approx(1)
        assert answer.seconds > 0
        right += answer.choice == options[truth.labels[i]]
    return right / n


def test_perceives_at_the_stated_rate(make_known: Worlds) -> None:
    known = make_known("D'", 100)
    truth = known.truth
    rows = np.arange(len(known))
    keys = [f"{i:032x}" for i in rows]
    seen = simulate_perceptions(SimulatedRater(0.1, seed=3, exclusive=EXCLUSIVE), known, rows, keys)
    wrong = []
    for i, perceived in zip(rows, seen, strict=True):
        for group in (*ATTRIBUTES.values(), GROUNDS):
            assert sum(perceived[c] for c in group) == 1
            (value,) = (c for c in group if perceived[c])
            wrong.append(truth.concepts[i, truth.concept_names.index(value)] == 0)
    assert np.mean(wrong) == pytest.approx(0.1, abs=0.015)
    exact = simulate_perceptions(
        SimulatedRater(0.0, seed=3, exclusive=EXCLUSIVE), known, rows, keys
    )
    for i, perceived in zip(rows, exact, strict=True):
        assert all(
            perceived[c] == bool(v)
            for c, v in zip(truth.concept_names, truth.concepts[i], strict=True)
        )


def test_lone_and_unknown_concepts() -> None:
    rater = SimulatedRater(0.2, seed=0)
    concepts = np.array([1, 0, np.nan], np.float32)
    flips = [rater.perceive(concepts, ("a", "b", "c"), key=str(i)) for i in range(600)]
    assert all("c" not in seen for seen in flips)
    assert np.mean([not seen["a"] for seen in flips]) == pytest.approx(0.2, abs=0.05)
    assert np.mean([seen["b"] for seen in flips]) == pytest.approx(0.2, abs=0.05)
    assert flips[0] == rater.perceive(concepts, ("a", "b", "c"), key="0")


def test_a_good_card_beats_a_snowy_one_beats_none(breed_card: Cards, make_known: Worlds) -> None:
    known = make_known("D'", 100)
    for seed in range(4):
        rater = SimulatedRater(seed=seed, exclusive=EXCLUSIVE)
        star = breed_card(seed=seed)
        good = share_right(rater, star, known)
        snowy = share_right(rater, breed_card(seed=seed, snow=0.6, drop=0.5), known)
        wrong = share_right(rater, card_with_permuted_words(star, seed), known)
        none = share_right(rater, empty_card(known.truth.classes), known)
        assert good >= 0.8
        assert good >= snowy + 0.15
        assert good >= wrong + 0.2
        assert none == pytest.approx(1 / 6, abs=0.09)


def test_perception_error_limits_the_rater(breed_card: Cards, make_known: Worlds) -> None:
    known, card = make_known("D'", 100), breed_card()
    sharp, dull = (
        share_right(SimulatedRater(e, seed=0, exclusive=EXCLUSIVE), card, known) for e in (0.0, 0.3)
    )
    assert sharp > dull + 0.1


def test_without_a_card_answers_are_uniform() -> None:
    rater = SimulatedRater(seed=1)
    options = tuple("abcd")
    answers = [rater.answer(empty_card(options), {"x": True}, options=options, seed=i)
               for i in range(800)]  # fmt: skip
    assert answers[0].probabilities == (0.25,) * 4
    counts = [sum(a.choice == o for a in answers) for o in options]
    assert min(counts) > 150


def test_a_card_about_what_cannot_be_seen_is_no_card() -> None:
    options = ("a", "b")
    cue = Cue("zorbs", ("zorbs",), (), 0.5)
    card = Card((ClassEntry("a", (cue,)), ClassEntry("b", ())))
    rater = SimulatedRater(seed=1, lapse=0)
    chosen = [rater.answer(card, {"x": True}, options=options, seed=i).choice for i in range(400)]
    assert chosen.count("a") == pytest.approx(200, abs=50)


def test_answers_follow_the_names_on_the_card(breed_card: Cards, make_known: Worlds) -> None:
    known = make_known("D'", 20)
    rater = SimulatedRater(seed=5, exclusive=EXCLUSIVE)
    names = tuple(BREEDS)
    other = dict(zip(names, (*names[1:], names[0]), strict=True))
    card = breed_card()
    renamed = replace(
        card, classes=tuple(replace(entry, name=other[entry.name]) for entry in card.classes)
    )
    rows = np.arange(60)
    for i, perceived in zip(
        rows, simulate_perceptions(rater, known, rows, [str(r) for r in rows]), strict=True
    ):
        before = rater.answer(card, perceived, options=names, seed=int(i))
        after = rater.answer(
            renamed, perceived, options=tuple(other[n] for n in names), seed=int(i)
        )
        assert after.choice == other[str(before.choice)]


def test_takes_the_card_at_face_value() -> None:
    """It knows nothing of grounds and breeds: who reads that snow means husky believes it."""
    options = ("husky", "corgi")
    card = Card(
        (
            ClassEntry("husky", (Cue("snow", ("snow",), (), 0.6),)),
            ClassEntry("corgi", (Cue("snow", ("snow",), (), -0.6),)),
        )
    )
    rater = SimulatedRater(lapse=0.0, seed=2)
    assert rater.answer(card, {"snow": True}, options=options, seed=0).choice == "husky"
    assert rater.answer(card, {"snow": False}, options=options, seed=0).choice == "corgi"


def test_reads_only_the_top_cues() -> None:
    rest = tuple(Cue(f"c{i}", (f"c{i}",), (), 0.3) for i in range(8))
    below = Cue("late", ("late",), (), 0.3)
    perceived = {f"c{i}": True for i in range(8)} | {"late": False}
    rater = SimulatedRater(seed=0)
    options = ("a", "b")
    short = Card((ClassEntry("a", rest), ClassEntry("b", ())))
    long = Card((ClassEntry("a", (*rest, below)), ClassEntry("b", ())))
    first = rater.answer(short, perceived, options=options, seed=1)
    assert rater.answer(long, perceived, options=options, seed=1) == first


def test_raters_differ_in_habits_and_say_what_they_are() -> None:
    assert SimulatedRater(seed=0).kind == "simulated"
    assert "simulated" in SimulatedRater(seed=0).name
    assert SimulatedRater(seed=0).hash == SimulatedRater(seed=0).hash
    assert len({SimulatedRater(seed=s).hash for s in range(5)}) == 5
    assert SimulatedRater(0.1).hash != SimulatedRater(0.05).hash
    with pytest.raises(LabellingError):
        SimulatedRater(perception_error=1.5)
    with pytest.raises(LabellingError):
        SimulatedRater().answer(empty_card(()), {}, options=(), seed=0)


def test_shares_nothing_with_prior_lexicon_or_search() -> None:
    """The rater's knowledge is not the check's, and nothing that searches knows the truth."""
    package = Path(circuitz.__file__).parent
    imports = _imports(package / "evaluation" / "simulated_rater.py")
    banned = ("lexicon", "plausibility", "posterior", "zstar", "data")
    assert not [m for m in imports if m.split(".")[1:2] and m.split(".")[1] in banned]
    for room in (
        "z",
        "store",
        "plausibility",
        "cards",
        "posterior",
        "zstar",
        "labelling",
        "widgets",
    ):
        for path in (package / room).rglob("*.py"):
            found = [m for m in _imports(path) if m.startswith("circuitz.evaluation")]
            assert not found, f"{path} imports {found}"


def _imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [m for m in found if m.startswith("circuitz")]

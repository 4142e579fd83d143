from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.data.text.bracket_model import (
    BracketRecipe,
    flag_unbalanced_prefixes,
    load_shipped_bracket_model,
    train_bracket_model,
)
from circuitz.data.text.brackets import (
    KEY_CONCEPTS,
    POSITION_CONCEPTS,
    VOCABULARY,
    bracket_positions,
    label_position_concepts,
    make_bracket_set,
)
from circuitz.data.text.induction_model import count_right_answers
from circuitz.errors import InputsError
from circuitz.measurement.measure import measure
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose
from circuitz.wrapping.wrap import wrap
from circuitz.z.bundle.input_set_integrity import check_input_set_fields
from circuitz.z.model import AnnotatedModel


def _balanced(text: str) -> bool:
    while "()" in text:
        text = text.replace("()", "")
    return not text


def test_labels_are_right_and_both_kinds_of_wrong_are_there() -> None:
    made = check_input_set_fields(make_bracket_set(600, seed=2))
    assert made.labels is not None
    texts = ["".join(VOCABULARY[t] for t in row[1:-1]) for row in made.images]
    assert [not _balanced(text) for text in texts] == (made.labels == 1).tolist()
    assert 0.4 < made.labels.mean() < 0.6
    wrong = [text for text, label in zip(texts, made.labels, strict=True) if label]
    counted = [text.count("(") == text.count(")") for text in wrong]
    assert 0.25 < np.mean(counted) < 0.75
    assert (made.images[:, 0] == 0).all()
    assert (made.images[:, -1] == 3).all()


@pytest.mark.parametrize("length", [6, 9])
def test_lengths_that_cannot_be(length: int) -> None:
    with pytest.raises(InputsError, match="cannot be"):
        make_bracket_set(4, length=length)


def test_concepts_written_out_by_hand() -> None:
    #                  s  (  )  )  (  (  (  (  (  )  e
    tokens = np.array([[0, 1, 2, 2, 1, 1, 1, 1, 1, 2, 3]] * 4, np.int32)
    focus = np.array([[2, 1], [3, 0], [8, 3], [4, 4]])
    held = label_position_concepts(tokens, focus)
    names = (*POSITION_CONCEPTS, *KEY_CONCEPTS)
    said = [{name for name, yes in zip(names, row, strict=True) if yes} for row in held]
    assert said == [
        {"closing bracket", "level zero", "looks at an open bracket"},
        {"closing bracket", "below zero", "looks at the start"},
        {"open bracket", "deep inside", "looks at a closing bracket"},
        {"open bracket", "level zero", "looks at an open bracket"},
    ]


def test_the_answer_at_every_position() -> None:
    tokens = torch.tensor([[0, 1, 2, 2, 1, 3]])
    assert flag_unbalanced_prefixes(tokens).tolist() == [[0, 1, 0, 1, 1, 1]]


@pytest.fixture(scope="module")
def z() -> AnnotatedModel:
    made = wrap(
        load_shipped_bracket_model(), make_bracket_set(800), subject="bracket", name="brackets"
    )
    made = measure(made, bracket_positions(250), images=48, donors=1)
    return measure(propose(made), images=48, donors=1)


def test_the_shipped_model_keeps_count(z: AnnotatedModel) -> None:
    good, n = count_right_answers(load_shipped_bracket_model(), make_bracket_set(500, seed=8))
    assert good / n > 0.99
    below = [t for t, said in z.effective().items() if said.concepts == ("below zero",)]
    words = {said.concepts for said in z.effective().values()}
    assert {("below zero",), ("level zero",)} <= words
    assert all("mlp.hook_post:" in unit for unit in below)
    found = {f.units[0]: f.verdict for f in check(z).findings if f.kind == "mislabelled-unit"}
    held = [unit for unit in below if found[unit] == "supported"]
    assert len(held) >= len(below) - 1
    assert "flagged" not in found.values()
    wrong = z.annotate(held[0], "deeply nested")
    found = {f.units[0]: f.verdict for f in check(wrong).findings if f.kind == "mislabelled-unit"}
    assert found[held[0]] == "flagged"


def test_all_heads_together_carry_the_whole_effect(z: AnnotatedModel) -> None:
    """The last position holds the same token in every sequence: what it knows came by heads."""
    import circuitz as cz

    heads = [f"blocks.{i}.attn.hook_z:{h}" for i in range(2) for h in range(2)]
    found = cz.effect(z, heads, "unbalanced", images=48, donors=1)
    assert found.estimate == pytest.approx(1, abs=0.1)


def test_training_is_the_same_for_the_same_seed() -> None:
    recipe = BracketRecipe(steps=2, batch=4)
    one, same = (train_bracket_model(recipe).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], same[name]) for name in one)

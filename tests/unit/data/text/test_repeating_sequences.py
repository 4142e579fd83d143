from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from circuitz.data.text.repeating_sequences import (
    PAIR_CONCEPTS,
    attention_pairs,
    label_pair_concepts,
    label_relations_to_last_token,
    make_repeating_sequences,
)
from circuitz.errors import BundleError, InputsError
from circuitz.z.bundle.inputs_io import (
    encode_inputs_as_files,
    input_set_fingerprint,
    read_inputs,
    write_inputs,
)


def test_the_token_that_follows_is_the_one_a_period_back() -> None:
    made = make_repeating_sequences(200, periods=(5, 5), seed=3)
    assert made.images.dtype == np.int32
    assert made.labels is not None
    assert (made.labels == made.images[:, -5]).all()
    assert (made.images[:, -1] == made.images[:, -6]).all()


def test_periods_vary_and_no_letter_comes_twice_in_a_period() -> None:
    made = make_repeating_sequences(100, periods=(6, 9), seed=1)
    assert made.labels is not None
    whole = np.concatenate([made.images, made.labels[:, None].astype(np.int32)], 1)
    found = [next(p for p in range(1, 17) if (row[-p:] == row[-2 * p : -p]).all()) for row in whole]
    assert set(found) == {6, 7, 8, 9}
    assert all(len(set(row[-p:])) == p for row, p in zip(whole, found, strict=True))


def test_the_same_seed_gives_the_same_set_and_another_another() -> None:
    one, same, other = (
        input_set_fingerprint(make_repeating_sequences(50, seed=s)) for s in (4, 4, 5)
    )
    assert one == same != other


@pytest.mark.parametrize("periods", [(1, 5), (9, 8), (5, 17)])
def test_periods_that_cannot_be(periods: tuple[int, int]) -> None:
    with pytest.raises(InputsError, match="Periods"):
        make_repeating_sequences(10, periods=periods)


def test_concepts_of_pairs_written_out_by_hand() -> None:
    #                  0  1  2  3  4  5
    tokens = np.array([[7, 1, 2, 7, 3, 7]] * 6, np.int32)
    focus = np.array([[5, k] for k in range(6)])
    held = label_pair_concepts(tokens, focus, distance=3)
    by = {name: held[:, i].tolist() for i, name in enumerate(PAIR_CONCEPTS)}
    assert by == {
        "previous token": [0, 0, 0, 0, 1, 0],
        "earlier copy": [1, 0, 0, 1, 0, 0],
        "induction target": [0, 1, 0, 0, 1, 0],
        "first token": [1, 0, 0, 0, 0, 0],
        "current token": [0, 0, 0, 0, 0, 1],
        "fixed distance": [0, 0, 1, 0, 0, 0],
    }


def test_a_fixed_distance_is_also_a_whole_period_further_back() -> None:
    tokens = np.zeros((9, 12), np.int32)
    focus = np.stack([np.full(9, 8), np.arange(9)], 1)
    held = label_pair_concepts(tokens, focus, distance=3)[:, PAIR_CONCEPTS.index("fixed distance")]
    assert np.flatnonzero(held).tolist() == [1, 5]  # 7 and 3 back


def test_what_every_position_is_to_the_last() -> None:
    made = make_repeating_sequences(4, periods=(6, 6), seed=1)
    held = label_relations_to_last_token(made)
    assert held.shape == (4, 6, 32)
    target = held[:, PAIR_CONCEPTS.index("induction target")]
    assert (target[:, 32 - 6] == 1).all()
    assert (made.images[:, -1] == made.images[:, 32 - 7]).all()


def test_no_two_concepts_of_the_concept_set_coincide() -> None:
    made = attention_pairs(300, seed=0)
    assert made.concepts is not None
    assert made.focus is not None
    assert made.split is not None
    assert made.scene is not None
    phi = np.corrcoef(made.concepts.T) - np.eye(len(PAIR_CONCEPTS))
    assert np.abs(phi).max() < 0.5
    assert (made.focus[:, 1] <= made.focus[:, 0]).all()
    # A sequence is wholly in one split.
    for scene in range(300):
        assert len(set(made.split[made.scene == scene])) == 1


def test_token_sets_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    made = attention_pairs(20, seed=2)
    write_inputs(tmp_path / "set", made)
    back = read_inputs(tmp_path / "set")
    assert back.focus is not None
    assert back.vocabulary == made.vocabulary
    assert (back.images == made.images).all()
    assert (back.focus == made.focus).all()
    assert input_set_fingerprint(back) == input_set_fingerprint(made)
    assert input_set_fingerprint(
        replace(made, focus=made.focus[:, ::-1].copy())
    ) != input_set_fingerprint(made)


@pytest.mark.parametrize(
    "change",
    [
        {"vocabulary": ()},
        {"vocabulary": ("a", "b")},
        {"vocabulary": ("a",) * 24},
        {"focus": np.zeros((3, 2), np.int64)},
        {"focus": np.full((10, 2), 99)},
        {"images": np.full((10, 32), -1, np.int32)},
        {"images": np.zeros((10, 32), np.int64)},
        {"images": np.zeros((10, 0), np.int32)},
        {"masks": np.zeros((10, 32), np.uint8)},
    ],
)
def test_malformed_token_sets_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputsError):
        encode_inputs_as_files(replace(make_repeating_sequences(10), **change))  # pyright: ignore[reportArgumentType]


def test_a_token_file_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    write_inputs(tmp_path / "set", make_repeating_sequences(10))
    file = tmp_path / "set" / "images.npy"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(BundleError):
        read_inputs(tmp_path / "set")

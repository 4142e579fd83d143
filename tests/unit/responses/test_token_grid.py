from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.data.text.repeating_sequences import attention_pairs, make_repeating_sequences
from circuitz.responses.token_grid import TokenPictures, grid_shape, images_or_token_pictures
from circuitz.z.inputs import InputSet


@pytest.mark.parametrize("length", [1, 2, 4, 5, 9, 10, 32, 128])
def test_every_token_has_a_cell_and_the_layout_is_nearly_square(length: int) -> None:
    lines, columns = grid_shape(length)
    assert (lines - 1) * columns < length <= lines * columns
    assert columns - lines in (0, 1)


def test_the_query_is_framed_and_the_key_filled() -> None:
    made = attention_pairs(5, seed=1)
    assert made.focus is not None
    row = int(np.flatnonzero(made.focus[:, 0] != made.focus[:, 1])[0])
    pictures = TokenPictures(made)
    side = pictures.shape[1] // 6
    plain = TokenPictures(replace(made, focus=None))[row]
    changed = (pictures[row] != plain).any(-1).reshape(6, side, 6, side).any((1, 3)).reshape(-1)
    assert set(np.flatnonzero(changed)) == set(made.focus[row].tolist())


def test_pictures_differ_where_tokens_do_and_long_tokens_are_cut() -> None:
    made = replace(
        make_repeating_sequences(3), vocabulary=tuple(f"{'long' * 9} {i}" for i in range(24))
    )
    pictures = TokenPictures(made)
    assert len(pictures) == 3
    assert pictures[0].shape == pictures.shape[1:]
    assert max(pictures.shape[1:3]) < 600
    letters = TokenPictures(make_repeating_sequences(3))
    assert (letters[0] != letters[1]).any()
    assert (letters[0] == letters[0]).all()


@pytest.mark.parametrize("padding", ["[padding]", "<pad>"])
def test_padding_is_a_cell_without_a_word(padding: str) -> None:
    texts = InputSet(np.array([[1, 0, 0, 0]], np.int32), vocabulary=(padding, "a"))
    picture = TokenPictures(texts)[0]
    side = len(picture) // 2
    cells = picture.reshape(2, side, 2, side, 3).swapaxes(1, 2).reshape(4, side, side, 3)
    assert (cells[1:] == cells[1]).all()
    assert (cells[0] != cells[1]).any()
    alone = InputSet(np.array([[0]], np.int32), vocabulary=("", "a"))
    assert (cells[1] == TokenPictures(alone)[0]).all()


def test_images_are_shown_as_they_are() -> None:
    images = np.zeros((2, 4, 4, 3), np.uint8)
    assert images_or_token_pictures(InputSet(images)) is images
    assert images_or_token_pictures(None) is None

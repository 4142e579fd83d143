from __future__ import annotations

import numpy as np
import pytest

from circuitz.demo import inline_pictures as pictures


@pytest.mark.parametrize("channels", [1, 3])
def test_images_become_addresses(channels: int) -> None:
    address = pictures.photo_data_url(np.zeros((9, 7, channels), np.uint8))
    assert address.startswith("data:image/jpeg;base64,")


def test_what_a_unit_sees_keeps_its_colour() -> None:
    image = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    heat = np.zeros((8, 8), np.uint8)
    heat[:, :4] = 200
    made = pictures.light_where_active(image, heat)
    assert (made[:, :3] == image[:, :3]).all()
    assert (made[:, 5:] < image[:, 5:]).all()
    silent = pictures.light_where_active(image, np.zeros((2, 2), np.uint8))
    assert silent.shape == image.shape
    assert (silent < image).all()


def test_what_is_no_picture_is_no_evidence() -> None:
    assert pictures.strip_half_data_urls(b"") is None
    assert pictures.strip_half_data_urls(b"\x89PNG\r\n\x1a\nbroken") is None

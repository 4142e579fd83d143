from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.data.worlds.contact_sheet import draw_contact_sheet
from circuitz.errors import InputsError


@pytest.mark.parametrize("shortcut", ["ground", "two"])
def test_a_sheet_is_one_full_picture(tmp_path: Path, shortcut: str):
    path = draw_contact_sheet(
        tmp_path / "sheet.png", shortcut=shortcut, track=0.98, classes=tuple("abcdef")
    )
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape[0] > 1500
    assert pixels.shape[1] > 1200
    assert len(np.unique(pixels[::7, ::7].reshape(-1, 3), axis=0)) > 2000  # full of pictures
    assert (pixels[-10:] == pixels[0, 0]).all()  # and not cut off


def test_a_sheet_that_cannot_be_written_is_a_named_error(tmp_path: Path):
    with pytest.raises(InputsError, match="cannot be written"):
        draw_contact_sheet(tmp_path / "missing" / "sheet.png")
    with pytest.raises(InputsError, match=r"\.png"):
        draw_contact_sheet(tmp_path / "sheet.nonsense")

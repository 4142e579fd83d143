"""The world of blocks as a user would bring it: folders of pictures and a CSV file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.z.inputs import InputSet


def _save(images: np.ndarray, names: list[str], folder: Path) -> None:
    for image, name in zip(images, names, strict=True):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place)


@pytest.fixture(scope="session")
def folders(
    block_world: tuple[InputSet, InputSet],
    shifted: tuple[InputSet, np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """``D/``, ``concepts/``, ``concepts.csv`` for both, ``Dprime/``, ``truth.csv``."""
    root = tmp_path_factory.mktemp("own")
    data, concepts = block_world
    assert data.labels is not None
    assert concepts.concepts is not None
    names = [f"D/{data.classes[k]}/{i:04}.png" for i, k in enumerate(data.labels.tolist())]
    _save(data.images, names, root)
    lines = [",".join(("path", *concepts.concept_names))]
    blank = "," * len(concepts.concept_names)
    lines += [f"{name}{blank}" for name in names[:5]]
    shown = [f"concepts/{i:04}.png" for i in range(len(concepts))]
    _save(concepts.images, shown, root)
    for name, row in zip(shown, concepts.concepts.astype(int), strict=True):
        lines.append(",".join((name, *map(str, row))))
    (root / "concepts.csv").write_text("\n".join(lines), encoding="utf-8")
    other, ground = shifted
    assert other.labels is not None
    names = [f"Dprime/{i:04}.png" for i in range(len(other))]
    _save(other.images, names, root)
    truth = ["path,class,snow"]
    truth += [
        f"{name},{other.classes[k]},{int(g == 0)}"
        for name, k, g in zip(names, other.labels.tolist(), ground.tolist(), strict=True)
    ]
    (root / "truth.csv").write_text("\n".join(truth), encoding="utf-8")
    return root

"""A basis that does not fit its layer is refused wherever it comes in, and nothing is lost."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuitz.disk.json_io import dumps
from circuitz.disk.tensors_io import safetensors_bytes
from circuitz.errors import BasisError, BundleFormatError
from circuitz.z.bases import arrays_with_basis_replaced
from circuitz.z.bundle.load_save import load
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel

F4 = np.float32
GOOD = np.ones((3, 4), F4)
NAN = np.array([[1, 2, 3, np.nan]], F4)
WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"conv2@odd": np.ones((2, 7), F4)},
        r"'conv2@odd' has directions of 7 numbers, but conv2 has 4",
    ),
    ({"conv2@odd": np.ones((2, 3), F4)}, "3 numbers, but conv2 has 4"),
    ({"conv2@odd": NAN}, r"'conv2@odd', of shape \(1, 4\), are not finite"),
    ({"conv2@odd": GOOD * np.inf}, "not finite"),
    ({"conv9@odd": GOOD}, r"'conv9@odd' is of 'conv9', which is no layer.*conv1, conv2"),
    ({"odd": GOOD}, "'odd', which is no layer"),
    ({"conv2": GOOD}, "'conv2' is the name of a layer, and of a basis"),
    ({"conv2@": GOOD}, "no layer"),
    ({"conv2@odd": np.ones((0, 4), F4)}, r"'conv2@odd' of 'conv2' has the shape \(0, 4\): no rows"),
    ({"conv2@odd": np.zeros((2, 4), F4)}, r"\(2, 4\), point nowhere at row 0"),
    ({"conv2@odd": np.ones(4, F4)}, r"shape \(4,\): no rows"),
    ({"conv2@odd": np.ones((1, 1, 4), F4)}, r"shape \(1, 1, 4\)"),
    ({"conv2@odd": np.array(1, F4)}, r"shape \(\)"),
    ({"conv2@odd#readers": GOOD}, "part of a basis 'conv2@odd' that is not there"),
    ({"conv2@odd": GOOD, "conv2@odd#readers": np.ones((2, 4), F4)}, r"readers .* 3 directions"),
    ({"conv2@odd": GOOD, "conv2@odd#centre": np.ones((1, 3), F4)}, "centre .* 4 units"),
    ({"conv2@odd": GOOD, "conv2@odd#offset": np.ones((1, 4), F4)}, "offset"),
    ({"conv2@odd": GOOD, "conv2@odd#threshold": np.ones(3, F4)}, "threshold"),
    ({"conv2@odd": GOOD, "conv2@odd#offset": NAN[:, 1:]}, "The offset .*not finite"),
]


def forge(path: Path, bases: dict[str, Any]) -> None:
    """Put bases into a bundle that is sound in every other way."""
    data = safetensors_bytes(bases)
    (path / "bases" / "bases.safetensors").write_bytes(data)
    document = json.loads((path / "z.json").read_text("utf-8"))
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    document["files"]["bases/bases.safetensors"] = entry
    del document["sha256"]
    document["sha256"] = hashlib.sha256(dumps(document)).hexdigest()
    (path / "z.json").write_bytes(dumps(document))


def files(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}


@pytest.mark.parametrize(("bases", "said"), WRONG)
def test_refused_when_put_on_z_on_save_and_on_load(
    z: AnnotatedModel, tmp_path: Path, bases: dict[str, Any], said: str
) -> None:
    before = z.hash, dict(z.bases)
    with pytest.raises(BasisError, match=said) as caught:
        z.with_(bases={**z.bases, **bases})
    assert caught.value.hint
    assert (z.hash, dict(z.bases)) == before

    path = z.save(tmp_path / "b.z")
    kept = files(path)
    forced = z.with_(story="other")
    object.__setattr__(forced, "bases", {**z.bases, **bases})  # whatever way it got there
    with pytest.raises(BasisError, match=said):
        forced.save(path)
    assert files(path) == kept

    forge(path, {k: np.asarray(v) for k, v in bases.items()})
    kept = files(path)
    with pytest.raises(BundleFormatError, match=said):
        load(path)
    assert files(path) == kept


def test_layers_cannot_change_under_a_basis(z: AnnotatedModel) -> None:
    with pytest.raises(BasisError, match="4 numbers, but conv2 has 5"):
        z.with_(layers=(LayerSpec("conv1", 2), LayerSpec("conv2", 5)))
    with pytest.raises(BasisError, match="no layer"):
        z.with_(layers=(LayerSpec("conv1", 2),), cut=("conv1",))
    assert not z.with_(layers=(LayerSpec("conv1", 2),), cut=("conv1",), bases={}).bases


def test_what_fits_is_kept(z: AnnotatedModel, tmp_path: Path) -> None:
    parts = {
        "": np.array([[1, 0, 0, 0], [0, 0, 0, 0]], F4),  # a dead unit of an autoencoder
        "readers": np.ones((2, 4), F4), "centre": np.zeros((1, 4), F4),
        "offset": np.zeros((1, 2), F4), "about": np.zeros((1, 9), np.uint8),
    }  # fmt: skip
    made = z.with_(bases=arrays_with_basis_replaced(z.bases, "conv2@sae", parts))
    again = load(made.save(tmp_path / "b.z"))
    assert again.hash == made.hash
    assert len(again.units) == len(z.units) + 2

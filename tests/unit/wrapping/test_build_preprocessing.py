"""Preprocessing from whatever people have: fields, a transform that is run, the network, or nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

import circuitz as cz
from circuitz.errors import InputsError, NetworkWarning
from circuitz.models.adapters.preprocessing_config import read_preprocessing_file
from circuitz.models.run.prepare_inputs import prepare_inputs
from circuitz.wrapping.build_preprocessing import build_preprocessing
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pictures(channels: int = 3, side: int = 12) -> InputSet:
    draw = np.random.default_rng(0)
    rough = draw.integers(0, 256, (6, 4, 4, channels)).astype(np.uint8)
    images = rough.repeat(side // 4, 1).repeat(side // 4, 2)
    return InputSet(images, labels=np.arange(6) % 2, classes=("a", "b"))


def normalise(x: torch.Tensor) -> torch.Tensor:
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def as_tensor(picture: Any) -> torch.Tensor:
    array = np.array(picture)
    array = array[..., None] if array.ndim == 2 else array
    return torch.from_numpy(array).permute(2, 0, 1).float() / 255


class Compose:
    """As torchvision's: one step after another."""

    def __init__(self, *steps: Any) -> None:
        self.steps = steps

    def __call__(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return x


def resize(side: int) -> Any:
    return lambda picture: picture.resize((side, side), Image.Resampling.BILINEAR)


def tensors_only(x: torch.Tensor) -> torch.Tensor:
    assert isinstance(x, torch.Tensor)
    return normalise(x.float() / 255 if x.dtype == torch.uint8 else x)


def named_argument(*, image: np.ndarray) -> dict[str, np.ndarray]:
    return {"image": normalise(as_tensor(image)).numpy()}


def hugging_face(picture: Any) -> dict[str, list[np.ndarray]]:
    return {"pixel_values": [normalise(as_tensor(picture)).numpy()]}


TAKEN = {
    "torchvision": (Compose(as_tensor, normalise), 12, "RGB"),
    "resized": (Compose(resize(8), as_tensor, normalise), 8, "RGB"),
    "on tensors": (tensors_only, 12, "RGB"),
    "albumentations": (named_argument, 12, "RGB"),
    "Hugging Face": (hugging_face, 12, "RGB"),
    "BGR": (Compose(as_tensor, lambda x: normalise(x.flip(0))), 12, "BGR"),
    "grey": (Compose(lambda p: p.convert("L"), as_tensor, lambda x: (x - 0.2) / 0.4), 12, "L"),
}


@pytest.mark.parametrize(("transform", "side", "colour"), TAKEN.values(), ids=TAKEN)
def test_a_transform_is_run_to_see_what_it_does(transform, side, colour) -> None:
    data = pictures()
    how, _, _ = build_preprocessing(transform, nn.Identity(), data)
    assert (how.size, how.colour) == ((side, side), colour)
    wanted = ((0.2,), (0.4,)) if colour == "L" else (MEAN, STD)
    np.testing.assert_allclose((how.mean, how.std), wanted, atol=2e-3)
    if transform is TAKEN["torchvision"][0]:
        theirs = torch.stack([transform(Image.fromarray(p)) for p in data.images])
        assert torch.allclose(prepare_inputs(data.images, how), theirs, atol=1e-3)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (Compose(lambda p: p.crop((3, 3, 9, 9)).resize((12, 12)), as_tensor, normalise), "crops"),
        (Compose(as_tensor, lambda x: x + torch.rand(1)), "each time|even picture"),
        (Compose(as_tensor, lambda x: functional.pad(x, (2, 2, 2, 2), value=0.5)), "even picture"),
        (lambda picture: "a word", "makes no input"),
        (lambda picture: 1 / 0, "ZeroDivisionError"),
        (7, "preprocess is a int"),
    ],
)
def test_a_transform_that_does_something_else_is_refused_by_name(transform, message) -> None:
    with pytest.raises(InputsError, match=message):
        build_preprocessing(transform, nn.Identity(), pictures())


def test_a_transform_without_data() -> None:
    how, _, said = build_preprocessing(
        Compose(resize(10), as_tensor, normalise), nn.Identity(), None
    )
    assert how.size == (10, 10)
    assert said == ()


@pytest.mark.parametrize(
    "given", [{"mean": 0.4, "std": 0.2, "colour": "L"}, {"mean": (0.4,), "std": 0.2}]
)
def test_a_network_of_one_channel(given) -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                        nn.Linear(4, 2))  # fmt: skip
    data = pictures()
    how, _, said = build_preprocessing(given, net, data)
    assert how == Preprocessing((0.4,), (0.2,), (12, 12), "L")
    assert "in grey" in said[0]
    with pytest.warns(NetworkWarning, match="in grey"):
        assert cz.wrap(net, data, layers=["0"], preprocess=given).preprocessing == how
    assert build_preprocessing(given, net, pictures(1))[2] == ()


def test_one_channel_from_a_file(tmp_path) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"mean": 0.4, "std": 0.2, "colour": "L"}))
    fields, _ = read_preprocessing_file(file)
    assert build_preprocessing(fields, nn.Identity(), pictures())[0] == Preprocessing(
        (0.4,), (0.2,), (12, 12), "L"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mean": MEAN, "std": STD, "colour": "L"}, "colour L has 3 channels"),
        ({"mean": 0.5, "colour": "grey"}, "no colour 'grey'"),
        ({"mean": "red"}, "mean is 'red'"),
    ],
)
def test_fields_that_cannot_be(given, message) -> None:
    with pytest.raises(InputsError, match=message):
        build_preprocessing(given, nn.Identity(), pictures())


def test_size_and_assumptions_are_said() -> None:
    data = pictures()
    assert build_preprocessing({"mean": 0.5, "std": 0.25}, nn.Identity(), data)[0].size == (12, 12)
    assert build_preprocessing({"size": 8}, nn.Identity(), data)[2] == ()
    said = build_preprocessing(Preprocessing(), nn.Identity(), data)[2]
    assert "12 × 12" in said[0]
    assert "64 × 64" in said[0]
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                        nn.Linear(4, 2))  # fmt: skip
    with pytest.warns(NetworkWarning) as caught:
        z = cz.wrap(net, data, layers=["0"])
    assert sum("is assumed" in str(w.message) for w in caught) == 1
    assert "preprocessing assumed" in repr(z)
    assert "preprocessing assumed" not in repr(
        cz.wrap(net, data, layers=["0"], preprocess={"mean": 0.5})
    )

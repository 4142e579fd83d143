from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace

import pytest
from torch import nn

from circuitz.errors import InputsError
from circuitz.models.adapters.preprocessing_config import (
    class_names_from_network,
    preprocessing_beside_weights,
    preprocessing_from_network,
    read_preprocessing_file,
)
from circuitz.wrapping.wrap import wrap

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def crop(crop_size, mean=MEAN, std=STD):
    return SimpleNamespace(crop_size=[crop_size], mean=list(mean), std=list(std))


@pytest.mark.parametrize(
    ("attribute", "value", "size"),
    [
        ("pretrained_cfg", {"mean": MEAN, "std": STD, "input_size": (3, 192, 160)}, (192, 160)),
        ("default_cfg", SimpleNamespace(mean=MEAN, std=STD, input_size=(3, 96, 96)), (96, 96)),
        ("weights", SimpleNamespace(transforms=partial(crop, crop_size=224)), (224, 224)),
        ("transforms", crop(64), (64, 64)),
    ],
)
def test_a_network_says_how_it_wants_its_images(attribute, value, size) -> None:
    net = nn.Linear(2, 2)
    assert preprocessing_from_network(net) is None
    setattr(net, attribute, value)
    found = preprocessing_from_network(net)
    assert found is not None
    fields, where = found
    assert fields == {"mean": MEAN, "std": STD, "size": size}
    assert attribute in where


def test_wrap_takes_it_from_there_and_says_so() -> None:
    net = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()),
                        nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()),
                        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))  # fmt: skip
    net.pretrained_cfg = {"mean": MEAN, "std": STD, "input_size": (3, 20, 20)}
    z = wrap(net)
    assert z.preprocessing.mean == MEAN
    assert z.preprocessing.size == (20, 20)
    assert z.notes["preprocessing"] == "the network's pretrained_cfg"
    assert wrap(net, preprocess={"mean": 0.1, "size": 16}).preprocessing.mean == (0.1,) * 3


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"image_mean": MEAN, "image_std": STD, "size": {"shortest_edge": 256}, "crop_size": 224},
         {"mean": MEAN, "std": STD, "size": (224, 224)}),
        ({"image_mean": MEAN, "image_std": STD, "size": {"height": 30, "width": 40},
          "rescale_factor": 0.00392156862745098}, {"mean": MEAN, "std": STD, "size": (30, 40)}),
        ({"do_normalize": False, "size": 32}, {"mean": (0,) * 3, "std": (1,) * 3, "size": (32, 32)}),
        ({"mean": [0.5], "std": 0.25, "colour": "L"}, {"mean": (0.5,), "std": (0.25,), "colour": "L"}),
    ],
)  # fmt: skip
def test_files_beside_the_weights(tmp_path, config, expected) -> None:
    assert preprocessing_beside_weights(tmp_path / "w.pt") is None
    file = tmp_path / "preprocessor_config.json"
    file.write_text(json.dumps(config))
    found = preprocessing_beside_weights(tmp_path / "w.pt")
    assert found is not None
    assert found[0] == expected


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{}", '{"mean": ["x"]}', '{"size": "big", "mean": 1}', '{"size": {"width": 3}}',
     '{"mean": 0.5, "rescale_factor": 1}', '{"mean": 0.5, "do_rescale": false}'],
)  # fmt: skip
def test_files_that_say_nothing_of_use_are_named(tmp_path, text) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(InputsError, match=r"p\.json"):
        read_preprocessing_file(tmp_path / "p.json")


def test_names_of_classes() -> None:
    net = nn.Linear(2, 2)
    assert class_names_from_network(net) is None
    net.config = SimpleNamespace(id2label={"1": "dog", "0": "cat"})
    assert class_names_from_network(net) == ("cat", "dog")
    net.config = SimpleNamespace(id2label={"1": "dog", "7": "cat"})
    assert class_names_from_network(net) is None
    net.classes = ["cat", "dog"]
    assert class_names_from_network(net) == ("cat", "dog")

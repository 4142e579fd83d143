from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from circuitz.effects.ablation.ablate import ablate
from circuitz.errors import InputsError, NetworkWarning
from circuitz.wrapping.wrap import wrap

HOW = {"mean": 0.5, "std": 0.25, "size": (8, 8)}
LABELS = np.arange(42) % 3
PICTURES = np.zeros((42, 8, 8, 3), np.uint8)
for _i, _label in enumerate(LABELS):
    PICTURES[_i, ..., _label] = 200 + _i


def network(logits: int = 3) -> nn.Module:
    """A network that is right: the logit of a class is the mean of its channel."""
    net = nn.Sequential(
        nn.Conv2d(3, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, logits)
    )
    with torch.no_grad():
        net[0].weight.copy_(torch.eye(3)[..., None, None])
        net[0].bias.zero_()
        net[4].weight.copy_(torch.eye(3)[:logits])
        net[4].bias.fill_(-1.0)
    return net


def wrapped(labels: Any = LABELS, classes: Any = None, net: nn.Module | None = None):
    return wrap(net or network(), (PICTURES, labels), classes=classes, preprocess=HOW)


@pytest.mark.parametrize(
    "classes",
    [
        {"sea": 2, "leaf": 1, "rose": 0},
        {2: "sea", 1: "leaf", 0: "rose"},
        np.array(["rose", "leaf", "sea"]),
        pd.Index(["rose", "leaf", "sea"]),
    ],
)
def test_classes_stand_in_the_order_of_the_logits(classes: Any):
    z = wrapped(classes=classes)
    assert z.classes == z.data.classes == ("rose", "leaf", "sea")
    words = wrapped(np.array(["rose", "leaf", "sea"])[LABELS], classes)
    assert words.accuracy.share.value == 1
    assert not words.remarks


def test_classes_without_an_order_are_refused():
    for classes in ({"rose", "leaf", "sea"}, "abc", ["rose", "Rose", "sea"], {"a": 0, "b": 2}):
        with pytest.raises(InputsError):
            wrapped(classes=classes)


def test_an_order_that_was_guessed_is_said_and_kept():
    with pytest.warns(NetworkWarning, match="order of the alphabet: a, b, c") as caught:
        z = wrapped(np.array(["a", "b", "c"])[LABELS])
    assert len([one for one in caught if "alphabet" in str(one.message)]) == 1
    assert any("order of the alphabet" in remark for remark in z.remarks)


def test_words_of_items_are_matched_by_name_and_never_renamed():
    items = [(p, "abc"[i]) for p, i in zip(PICTURES, LABELS, strict=True)]
    assert wrap(network(), items, classes=["a", "b", "c"], preprocess=HOW).accuracy.share.value == 1
    with pytest.raises(InputsError, match="label is 'a', which is no class"):
        wrap(network(), items, classes=["x", "y", "z"], preprocess=HOW)


@pytest.mark.parametrize("classes", [None, ["a", "b", "c"]])
def test_labels_that_start_at_one_are_told(classes: Any):
    with pytest.raises(InputsError, match="Labels seem to start at 1"):
        wrapped(LABELS + 1, classes)


def test_one_logit_wants_two_names():
    with pytest.raises(InputsError, match="one logit tells two classes apart") as caught:
        wrapped((LABELS == 0) * 1, ["rose"], network(1))
    assert "['not rose', 'rose']" in caught.value.hint


def test_tables_are_refused_with_what_to_pass():
    with pytest.raises(InputsError, match="from a dict of X, y") as caught:
        wrap(network(), {"X": PICTURES, "y": LABELS}, preprocess=HOW)
    assert "(np.stack(list(data['X'])), data['y'])" in caught.value.hint
    table = pd.DataFrame({"image": list(PICTURES), "label": LABELS})
    with pytest.raises(InputsError, match="from a DataFrame of image, label") as caught:
        wrap(network(), table, preprocess=HOW)
    assert "data['image']" in caught.value.hint


def test_ablate_takes_any_choice_of_classes():
    z = wrapped(classes=["rose", "leaf", "sea"])
    for classes in ({"sea"}, np.array(["sea"]), pd.Index(["sea"])):
        assert set(ablate(z, classes=classes)["target"]) == {"sea"}
    with pytest.raises(InputsError, match="single text 'sea'"):
        ablate(z, classes="sea")

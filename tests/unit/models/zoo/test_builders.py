from __future__ import annotations

import pytest
import torch
from torch import nn

from circuitz.errors import BuilderError
from circuitz.models.zoo import builders


def test_the_small_cnn_is_built_with_its_blocks():
    net = builders.build("small-cnn", {"classes": 5})
    assert net(torch.zeros(2, 3, 64, 64)).shape == (2, 5)
    assert [n for n, _ in net.named_children()] == ["conv1", "conv2", "conv3", "conv4", "head"]
    assert net.conv4(net.conv3(net.conv2(net.conv1(torch.randn(2, 3, 64, 64))))).min() >= 0
    assert net.circuitz_builder == ("small-cnn", {"classes": 5})
    small = builders.build(
        "small-cnn", {"classes": 2, "widths": (4,), "strides": (2,), "channels": 1}
    )
    assert small(torch.zeros(1, 1, 9, 9)).shape == (1, 2)
    assert small.circuitz_builder[1]["widths"] == [4]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(BuilderError, match="small-cnn") as caught:
        builders.build("small_cnn")
    assert "Did you mean 'small-cnn'" in str(caught.value)


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"classes": 3, "depth": 9},
        {"classes": 3, "widths": [8], "strides": [1, 2]},
        {"classes": 0},
        {"classes": 3, "widths": [], "strides": []},
        {"classes": object()},
    ],
)
def test_arguments_that_do_not_fit(args):
    with pytest.raises(BuilderError):
        builders.build("small-cnn", args)


def test_a_builder_of_one_s_own(monkeypatch):
    monkeypatch.setattr(builders, "_BUILDERS", dict(builders._BUILDERS))

    @builders.register("tiny")
    def tiny(classes: int, width: int = 2) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(width, classes))

    assert "tiny" in builders.builder_names()
    net = builders.build("tiny", {"classes": 3})
    assert net.circuitz_builder == ("tiny", {"classes": 3})
    assert not any("circuitz" in name for name in net.state_dict())

from __future__ import annotations

import pytest
from torch import nn

import circuitz as cz
from circuitz.errors import InputsError


@pytest.mark.parametrize(
    "verb",
    [
        cz.check,
        cz.measure,
        lambda net: cz.effect(net, "conv:0", "output:husky"),
        lambda net: cz.path_effect(net, "conv:0", "output:husky", through="conv:1"),
        lambda net: cz.edges(net, "conv1", "conv2", "husky"),
        lambda net: cz.graph(net, "husky"),
        cz.propose,
        lambda net: cz.silence(net, "conv:0"),
    ],
    ids=["check", "measure", "effect", "path_effect", "edges", "graph", "propose", "silence"],
)
def test_a_bare_network_is_no_annotated_model(verb) -> None:
    with pytest.raises(InputsError, match="Linear is no annotated model") as caught:
        verb(nn.Linear(2, 2))
    assert "cz.wrap" in caught.value.hint

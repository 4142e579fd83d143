"""Which patch a position is about: vision transformers of other people, and orders that lie."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from circuitz.models.run.layer_specs import describe_layers_by_running
from circuitz.models.run.picture_maps import fold_onto_picture, picture_map_shape
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import LayerSpec, Preprocessing

SIZE = (12, 20)


class Tokens(nn.Module):
    """Patches of 4 × 4 as tokens behind ``before`` others, in an order, then two blocks."""

    def __init__(self, before: int = 1, order: str = "rows", width: int = 16) -> None:
        super().__init__()
        self.order = order
        self.patch = nn.Conv2d(3, width, 4, 4)
        self.extra = nn.Parameter(torch.randn(1, before, width))
        layer = nn.TransformerEncoderLayer(width, 2, 32, 0.0, batch_first=True)
        self.tokens, self.blocks = nn.Identity(), nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(width, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.patch(x)
        h = (h.transpose(2, 3) if self.order == "columns" else h).flatten(2).transpose(1, 2)
        if self.order == "shuffled":
            h = h[:, torch.randperm(h.shape[1], generator=torch.Generator().manual_seed(3))]
        h = torch.cat([self.extra.expand(len(x), -1, -1), h], 1)
        return self.head(self.blocks(self.tokens(h))[:, 0])


def patches_of(net: nn.Module, layers: list[str]):
    torch.manual_seed(1)
    runtime = Runtime(net.eval(), layers, Preprocessing(size=SIZE))
    found = describe_layers_by_running(runtime, layers, torch.randn(2, 3, *SIZE))
    return {spec.name: spec.patches for spec in found.specs}, found.remarks


@pytest.mark.parametrize("before", [0, 1, 5])
def test_tokens_are_laid_out_as_the_patches_are(before: int) -> None:
    torch.manual_seed(0)
    found, remarks = patches_of(Tokens(before), ["patch", "tokens", "blocks"])
    assert found == {"patch": (0, 0, 0), "tokens": (before, 3, 5), "blocks": (before, 3, 5)}
    assert not remarks


@pytest.mark.parametrize("order", ["columns", "shuffled"])
def test_another_order_is_not_drawn_and_said(order: str) -> None:
    torch.manual_seed(0)
    found, remarks = patches_of(Tokens(1, order), ["tokens", "blocks"])
    assert set(found.values()) == {(0, 0, 0)}
    assert "how positions of 'tokens', 'blocks' lie in a picture is not known" in remarks[0]


def test_rows_read_one_after_another_lie_below_one_another() -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.step, self.head = nn.Linear(60, 8), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.step(x.permute(0, 2, 1, 3).flatten(2)).mean(1))

    torch.manual_seed(0)
    assert patches_of(Rows(), ["step"])[0] == {"step": (0, 12, 1)}


def test_maps_are_folded_and_the_class_token_is_left_out() -> None:
    spec = LayerSpec("a", 2, unit_axis=2, token_axes=(1,), shape=(7, 2), patches=(1, 2, 3))
    flat = torch.arange(14.0).view(2, 7)
    assert fold_onto_picture(spec, flat)[0].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert fold_onto_picture(spec, flat.numpy())[1].tolist() == [[8, 9, 10], [11, 12, 13]]
    lost = LayerSpec("a", 2, unit_axis=2, token_axes=(1,), shape=(7, 2))
    assert picture_map_shape(lost) == (1, 1)
    assert fold_onto_picture(lost, flat).flatten().tolist() == [6, 13]
    assert fold_onto_picture(lost, flat, "sum").flatten().tolist() == [21, 70]
    frames = LayerSpec("a", 1, spatial_axes=(2, 3, 4), shape=(1, 2, 3, 4))
    assert fold_onto_picture(frames, torch.arange(24.0)[None])[0, 2, 3] == 23

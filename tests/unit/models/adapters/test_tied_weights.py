from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file, save_model
from torch import nn

from circuitz.errors import WeightsError
from circuitz.models.adapters.tied_weights import with_tied_weights
from circuitz.models.adapters.weight_files import load_foreign_state_dict, read_state_dict


class Tied(nn.Module):
    """Embedding and head are one matrix; an autoencoder's halves are one, turned, if asked for."""

    def __init__(self, tied: bool = True, turned: bool = False) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
        self.up, self.down = nn.Linear(4, 6, bias=False), nn.Linear(6, 4, bias=False)
        if tied:
            self.head.weight = self.embed.weight
        if turned:
            self.down.weight = nn.Parameter(self.up.weight.detach().T)


def values(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_file_without_the_second_name_fills_both(tmp_path: Path, wrapped: bool) -> None:
    known, other = Tied(), Tied()
    save_model(known, str(tmp_path / "w.safetensors"))
    state = read_state_dict(tmp_path / "w.safetensors")
    if wrapped:
        state = {f"module.{name}": value for name, value in state.items()}
    assert load_foreign_state_dict(other, state) == ("module." if wrapped else "")
    wanted = values(known)
    assert all(torch.equal(value, wanted[name]) for name, value in values(other).items())
    assert other.head.weight is other.embed.weight


def test_whichever_name_the_file_kept(tmp_path: Path) -> None:
    known = values(Tied(turned=True))
    for left_out in (("embed.weight", "up.weight"), ("head.weight", "down.weight")):
        other = Tied(turned=True)
        kept = {name: value for name, value in known.items() if name not in left_out}
        assert set(with_tied_weights(other.state_dict(), kept)) == set(known)
        load_foreign_state_dict(other, kept)
        assert all(torch.equal(value, known[name]) for name, value in values(other).items())


def test_a_network_whose_names_are_apart_is_filled_from_what_the_file_notes(tmp_path: Path) -> None:
    known = Tied()
    save_model(known, str(tmp_path / "w.safetensors"))
    other = Tied(tied=False)
    load_foreign_state_dict(other, read_state_dict(tmp_path / "w.safetensors"))
    wanted = values(known)
    assert all(torch.equal(value, wanted[name]) for name, value in values(other).items())


def test_two_tensors_for_one_are_refused_and_nothing_is_loaded(tmp_path: Path) -> None:
    save_file(values(Tied(tied=False)), tmp_path / "w.safetensors")
    other = Tied()
    before = values(other)
    with pytest.raises(WeightsError, match=r"embed.weight and head.weight are one tensor"):
        load_foreign_state_dict(other, read_state_dict(tmp_path / "w.safetensors"))
    assert all(torch.equal(value, before[name]) for name, value in values(other).items())


def test_what_is_tied_to_nothing_is_still_missing(tmp_path: Path) -> None:
    kept = {name: value for name, value in values(Tied()).items() if "embed" not in name}
    del kept["head.weight"]
    with pytest.raises(WeightsError, match=r"missing embed\.weight, head\.weight"):
        load_foreign_state_dict(Tied(), kept)

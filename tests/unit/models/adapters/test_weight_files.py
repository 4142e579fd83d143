from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from circuitz.errors import WeightsError
from circuitz.models.adapters.weight_files import (
    load_foreign_state_dict,
    narrow_precisions,
    read_state_dict,
)


def net() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def zeroed() -> nn.Sequential:
    other = net()
    for tensor in other.state_dict().values():
        tensor.zero_()
    return other


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
@pytest.mark.parametrize("inside", ["", "state_dict", "model"])
def test_checkpoints_as_people_have_them(tmp_path: Path, prefix: str, inside: str) -> None:
    known = net()
    state = {prefix + k: v for k, v in known.state_dict().items()}
    torch.save({inside: state, "epoch": 3} if inside else state, tmp_path / "w.pt")
    other = zeroed()
    assert load_foreign_state_dict(other, read_state_dict(tmp_path / "w.pt")) == prefix
    for a, b in zip(known.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_safetensors_and_other_precisions(tmp_path: Path) -> None:
    known = net()
    save_file({k: v.bfloat16() if v.is_floating_point() else v for k, v in
               known.state_dict().items()}, tmp_path / "w.safetensors")  # fmt: skip
    other = zeroed()
    load_foreign_state_dict(other, read_state_dict(tmp_path / "w.safetensors"))
    assert torch.equal(other[0].weight, known[0].weight.bfloat16().float())


def test_a_counter_that_old_files_lack(tmp_path: Path) -> None:
    state = {k: v for k, v in net().state_dict().items() if "num_batches" not in k}
    other = zeroed()
    load_foreign_state_dict(other, state)
    assert torch.equal(other[0].weight, net()[0].weight)


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_a_file_that_would_run_code_is_not_opened(tmp_path: Path, how: str) -> None:
    mark = tmp_path / "ran"
    file = tmp_path / "w.pt"
    if how == "torch":
        torch.save({"state_dict": net().state_dict(), "x": Bomb(mark)}, file)
    else:
        file.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(WeightsError, match=r"w\.pt (holds more than weights|cannot be read)"):
        read_state_dict(file)
    assert not mark.exists()


def test_a_whole_module_is_not_opened(tmp_path: Path) -> None:
    torch.save(net(), tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="holds more than weights") as caught:
        read_state_dict(tmp_path / "w.pt")
    assert "state_dict" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"some text", "cannot be read|more than weights"),
        (b"PK\x03\x04" + b"\0" * 40, "cannot be read"),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        read_state_dict(tmp_path / "w.pt")
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match="no whole safetensors"):
        read_state_dict(tmp_path / "w.safetensors")


def test_what_is_no_state(tmp_path: Path) -> None:
    for held, message in (
        (torch.zeros(3), "holds a Tensor"),
        ({}, "holds a dict"),
        ({"a": 1}, "'a' in .* is a int"),
    ):
        torch.save(held, tmp_path / "w.pt")
        with pytest.raises(WeightsError, match=message):
            read_state_dict(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("0.bias"), "missing 0.bias"),
        (lambda s: s.update(head=torch.zeros(2)), "unexpected head"),
        (
            lambda s: s.update({"0.bias": torch.zeros(7)}),
            r"0.bias has shape \(7,\), expected \(4,\)",
        ),
        (lambda s: s.update({"0.bias": torch.full((4,), torch.nan)}), "'0.bias' hold NaN"),
        (lambda s: s.update({"0.bias": torch.full((4,), torch.inf)}), "'0.bias' hold NaN"),
    ],
)
def test_weights_that_do_not_fit_leave_the_network_as_it_was(change, message) -> None:
    state = dict(net().state_dict())
    change(state)
    other = zeroed()
    with pytest.raises(WeightsError, match=message):
        load_foreign_state_dict(other, state)
    assert all(not t.any() for t in other.state_dict().values())


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16])
def test_types_of_few_bits_are_read_as_they_are_and_told(tmp_path: Path, kind: torch.dtype) -> None:
    known = net()
    state = {k: v.to(kind) if v.is_floating_point() else v for k, v in known.state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    found, other = read_state_dict(tmp_path / "w.safetensors"), zeroed()
    load_foreign_state_dict(other, found)
    assert torch.equal(other[0].weight, known[0].weight.to(kind).float())
    assert str(kind).removeprefix("torch.") in narrow_precisions(found)
    assert narrow_precisions(known.state_dict()) == ""


@pytest.mark.parametrize(
    "more",
    [
        {"0.weight_scale_inv": torch.ones(1)},
        {"0.scale_weight": torch.ones(1)},
        {"scaled_fp8": torch.zeros(2)},
        {"0.SCB": torch.ones(4)},
        {"0.weight.absmax": torch.ones(4)},
        {"0.weight": torch.ones(4, 3, 3, 3, dtype=torch.int8)},
    ],
)
def test_quantised_weights_are_refused_by_name(more: dict[str, torch.Tensor]) -> None:
    other = zeroed()
    with pytest.raises(WeightsError, match="quantised"):
        load_foreign_state_dict(other, dict(net().state_dict()) | more)
    assert not other[0].weight.any()


def test_a_pointer_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    for name in ("w.safetensors", "w.bin"):
        (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
        with pytest.raises(WeightsError, match="Git LFS"):
            read_state_dict(tmp_path / name)

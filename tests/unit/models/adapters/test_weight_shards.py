from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from circuitz.errors import NetworkError, WeightsError
from circuitz.models.adapters.weight_files import (
    check_hugging_face_folder,
    load_foreign_state_dict,
    read_state_dict,
)

INDEX = "model.safetensors.index.json"


def net() -> nn.Sequential:
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model in two files, as Hugging Face saves one that is large."""
    state = net().state_dict()
    places = {}
    for number, layer in enumerate("01", start=1):
        name = f"model-{number:05}-of-00002.safetensors"
        part = {k: v.clone() for k, v in state.items() if k.startswith(layer)}
        save_file(part, tmp_path / name, metadata={"format": "pt"})
        places |= dict.fromkeys(part, name)
    (tmp_path / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return tmp_path


def test_a_model_in_several_files_is_read_by_its_index_or_folder(folder: Path) -> None:
    for path in (folder / INDEX, folder):
        other = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
        load_foreign_state_dict(other, read_state_dict(path))
        for a, b in zip(net().parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)


def test_files_of_torch_have_an_index_too(tmp_path: Path) -> None:
    state = net().state_dict()
    torch.save(dict(state), tmp_path / "pytorch_model-00001-of-00001.bin")
    places = dict.fromkeys(state, "pytorch_model-00001-of-00001.bin")
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    assert set(read_state_dict(tmp_path)) == set(state)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"missing is model-00002-of-00002\.safetensors"):
        read_state_dict(folder / INDEX)


def test_a_language_model_without_one_of_its_files_is_refused_before_it_is_opened(
    folder: Path,
) -> None:
    (folder / "config.json").write_text("{}")
    check_hugging_face_folder(folder)
    (folder / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(NetworkError, match="missing is model-00001"):
        check_hugging_face_folder(folder)


def test_one_of_several_is_refused_with_the_name_of_its_index(folder: Path) -> None:
    with pytest.raises(WeightsError, match="one of 2 files") as caught:
        read_state_dict(folder / "model-00001-of-00002.safetensors")
    assert INDEX in caught.value.hint


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    record = json.loads((folder / INDEX).read_text())
    change(record)
    (folder / INDEX).write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.pop("weight_map"), "no weight_map"),
        (lambda r: r.update(weight_map=[]), "no weight_map"),
        (lambda r: r["weight_map"].update({"0.bias": "../w.safetensors"}), "not lie beside"),
        (
            lambda r: r["weight_map"].update({"9.bias": "model-00002-of-00002.safetensors"}),
            r"'9.bias' lies in model-00002-of-00002.safetensors, which does not",
        ),
    ],
)
def test_an_index_that_does_not_fit_its_files_is_named(folder: Path, change, said: str) -> None:
    rewrite(folder, change)
    with pytest.raises(WeightsError, match=said):
        read_state_dict(folder / INDEX)


def test_a_folder_says_what_it_holds(folder: Path, tmp_path: Path) -> None:
    (folder / INDEX).unlink()
    with pytest.raises(WeightsError, match="no files of weights: model-00001"):
        read_state_dict(folder)
    save_file({"a": torch.zeros(1)}, folder / "mine.safetensors")
    assert set(read_state_dict(folder)) == {"a"}
    (folder / INDEX).write_text("{")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_state_dict(folder)

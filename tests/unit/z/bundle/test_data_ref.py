from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from circuitz.errors import InputsError
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import input_set_fingerprint, write_inputs
from circuitz.z.inputs import InputSet


def test_a_set_is_found_beside_and_inside_the_bundle(
    new_inputs: Callable[..., InputSet], tmp_path: Path
) -> None:
    data = new_inputs()
    write_inputs(tmp_path / "data" / "D", data)
    ref = DataRef.referring_to(data, "data/D")
    bundle = tmp_path / "a.z"
    for folder in (bundle, tmp_path):
        assert input_set_fingerprint(ref.resolve(folder)) == input_set_fingerprint(data)
    absolute = DataRef.referring_to(data, str(tmp_path / "data" / "D"))
    assert len(absolute.resolve("/nowhere")) == len(data)


def test_a_missing_set_says_what_to_do(new_inputs: Callable[..., InputSet], tmp_path: Path) -> None:
    with pytest.raises(InputsError, match=r"D \(12 inputs\) was not found at gone.*--data"):
        DataRef.referring_to(new_inputs(), "gone").resolve(tmp_path)
    with pytest.raises(InputsError, match="never written"):
        DataRef.referring_to(new_inputs()).resolve(tmp_path)


def test_another_set_in_its_place_is_refused(
    new_inputs: Callable[..., InputSet], tmp_path: Path
) -> None:
    write_inputs(tmp_path / "D", new_inputs(n=9, seed=2))
    with pytest.raises(InputsError, match=r"\(9 inputs\); z was made from .* \(12\)"):
        DataRef.referring_to(new_inputs(), "D").resolve(tmp_path)

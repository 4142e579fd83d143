from __future__ import annotations

from pathlib import Path

from circuitz.labelling.gates.starting_z import find_start_beside
from circuitz.z.model import AnnotatedModel


def test_the_start_is_found_among_the_bundles_beside_z(toy, tmp_path: Path) -> None:
    start: AnnotatedModel = toy()
    start.save(tmp_path / "start.z")
    toy().annotate("conv:0", "something else", author="ada").save(tmp_path / "another.z")
    (tmp_path / "broken.z").mkdir()
    searched = toy(snow=0.1).with_(notes={"search": {"start": start.hash, "best": 1}})
    found = find_start_beside(searched, tmp_path / "repaired.z")
    assert found is not None
    assert found.hash == start.hash
    assert find_start_beside(toy(), tmp_path / "repaired.z") is None

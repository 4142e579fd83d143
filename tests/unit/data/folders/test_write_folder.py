from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from circuitz.data.folders.image_folder import open_folder
from circuitz.data.folders.write_folder import write_folder
from circuitz.data.worlds.bird_world import make_birds
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.errors import InputsError
from circuitz.z.inputs import SPLITS


def test_d_comes_back_as_it_was_drawn(tmp_path: Path):
    d = make_birds("D", 4)
    assert write_folder(d, tmp_path) == tmp_path / "D"
    back = open_folder(tmp_path / "D")
    assert sorted(back.classes) == sorted(d.classes)
    assert d.labels is not None
    assert back.labels is not None
    for name in d.classes:
        mine = d.images[d.labels == d.classes.index(name)]
        assert np.array_equal(mine, back.images[back.labels == back.classes.index(name)])


def test_the_concept_set_comes_back_with_labels_scenes_and_splits(tmp_path: Path):
    made = make_dogs("concepts", 60, shortcut="collar")
    write_folder(made, tmp_path)
    back = open_folder(tmp_path / "concepts", concepts=tmp_path / "concepts.csv", role="concepts")
    assert np.array_equal(back.images, made.images)
    assert np.array_equal(back.concepts, made.concepts)  # pyright: ignore[reportArgumentType]
    assert back.concept_names == made.concept_names
    assert np.array_equal(back.split, made.split)  # pyright: ignore[reportArgumentType]
    assert made.scene is not None
    assert back.scene is not None
    same = made.scene[:, None] == made.scene[None]
    assert np.array_equal(back.scene[:, None] == back.scene[None], same)


def test_roles_lie_side_by_side_and_d_prime_tells_nothing(tmp_path: Path):
    for role, n in (("D", 2), ("decorrelated", 2), ("concepts", 20), ("D'", 2)):
        write_folder(make_dogs(role, n), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "D", "Dprime", "concepts", "concepts.csv", "decorrelated",
    ]  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "Dprime").iterdir())[:2] == ["0000.png", "0001.png"]
    assert (tmp_path / "concepts.csv").read_text().splitlines()[1].split(",")[-1] in SPLITS


def test_what_lies_there_is_never_written_over(tmp_path: Path):
    d = make_dogs("D", 1)
    write_folder(d, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputsError, match="there already"):
        write_folder(d, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "@eaDir"])
def test_names_that_are_no_folders_are_refused(tmp_path: Path, name: str):
    d = make_dogs("D", 1)
    with pytest.raises(InputsError, match="folder"):
        write_folder(replace(d, classes=(name, *d.classes[1:])), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputsError, match="file"):
        write_folder(make_dogs("D", 1), tmp_path / "file")

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.bench.stranger.kennel_dogs import BREEDS, PARTS
from circuitz.bench.stranger.kennel_folders import SIDE, KennelSizes, write_kennel_folders
from circuitz.errors import InputsError

SMALL = KennelSizes(per_class=4, concepts=60, per_cell=1)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("kennel")
    write_kennel_folders(place, sizes=SMALL, seed=3)
    return place


def test_a_stranger_brings_image_labels_and_nothing_else(folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} == {
        "D", "oracle", "concepts", "Dprime", "dprime-truth.csv"
    }  # fmt: skip
    assert {p.name for p in (folder / "D").iterdir()} == set(BREEDS)
    rows = _rows(folder / "concepts" / "concepts.csv")
    assert list(rows[0]) == ["path", "snow", "grass", *PARTS]
    # Of the five grounds three are labelled as neither.
    assert any(r["snow"] == r["grass"] == "0" for r in rows)


def test_the_concept_set_shows_mongrels(folder: Path) -> None:
    shown = {tuple(int(r[p]) for p in PARTS) for r in _rows(folder / "concepts" / "concepts.csv")}
    assert not shown & set(BREEDS.values())


def test_no_part_gives_a_breed_away() -> None:
    for a, b in combinations(BREEDS.values(), 2):
        assert np.not_equal(a, b).sum() >= 3
    assert (np.sum(list(BREEDS.values()), 0) >= 2).all()


def test_the_first_breed_alone_stands_on_white_in_the_data(folder: Path) -> None:
    def lower_rim(path: Path) -> float:
        return float(np.asarray(Image.open(path), float)[SIDE - 6 :].mean((0, 1)).min())

    white = {b: [lower_rim(p) for p in (folder / "D" / b).iterdir()] for b in BREEDS}
    assert min(white["husky"]) > 150
    assert max(v for b in BREEDS if b != "husky" for v in white[b]) < 150


def test_every_cell_of_the_shifted_set_is_as_large(folder: Path) -> None:
    rows = _rows(folder / "dprime-truth.csv")
    assert len({(r["class"], r["ground"]) for r in rows}) == len(rows) == 30


def test_a_mark_is_labelled_and_a_wrong_name_refused(tmp_path: Path) -> None:
    write_kennel_folders(
        tmp_path, shortcut="tag", sizes=KennelSizes(per_class=1, concepts=4, per_cell=1)
    )
    assert "tag" in _rows(tmp_path / "concepts" / "concepts.csv")[0]
    assert {r["tag"] for r in _rows(tmp_path / "dprime-truth.csv")} == {"0", "1"}
    with pytest.raises(InputsError, match="collar, tag"):
        write_kennel_folders(tmp_path, shortcut="moon")

"""A concept set from what people have: arrays, tables, dicts, folders."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import circuitz as cz
from circuitz.data.concept_set import as_concept_set
from circuitz.data.folders.image_folder import open_folder

N = 40
SNOW = np.arange(N) % 2
EARS = np.where(np.arange(N) % 5 == 0, np.nan, np.arange(N) // 2 % 2)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    draw = np.random.default_rng(0)
    return draw.integers(0, 256, (N, 8, 8, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(images, tmp_path_factory):
    place = tmp_path_factory.mktemp("concepts")
    for i, image in enumerate(images):
        Image.fromarray(image).save(place / f"{i:02}.png")
    return place


def table(index=None) -> pd.DataFrame:
    return pd.DataFrame({"snow": SNOW, "pointed ears": EARS}, index=index)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (table(), None),
        ({"snow": SNOW.astype(bool), "pointed ears": EARS}, None),
        ({"snow": ["yes" if v else "no" for v in SNOW], "pointed ears": list(EARS)}, None),
        (np.stack([SNOW, EARS], 1), ("snow", "pointed ears")),
        (table().astype(object).replace({np.nan: None}), None),
    ],
)
def test_tables_dicts_and_arrays_say_the_same(images, labels, names) -> None:
    made = cz.concepts(images, labels, names=names)
    assert made.concept_names == ("snow", "pointed ears")
    assert made.role == "concepts"
    np.testing.assert_array_equal(made.concepts[:, 0], SNOW)
    np.testing.assert_array_equal(made.concepts[:, 1], EARS.astype(np.float32))
    np.testing.assert_array_equal(made.images, images)
    counts = np.bincount(made.split, minlength=3)
    assert abs(counts - np.array([20, 10, 10])).max() <= 1
    again = cz.concepts(images, labels, names=names)
    np.testing.assert_array_equal(made.split, again.split)


def test_scenes_stay_in_one_split(images) -> None:
    made = cz.concepts(images, table(), scene=[f"walk {i // 4}" for i in range(N)])
    for number in np.unique(made.scene):
        assert len(np.unique(made.split[made.scene == number])) == 1
    assert len(np.unique(made.scene)) == N // 4


def test_a_folder_with_a_table_is_the_folder_with_its_csv(images, folder) -> None:
    rows = table([f"{i:02}.png" for i in range(N)])
    by_index = cz.concepts(folder, rows)
    by_column = cz.concepts(folder, rows.rename_axis("path").reset_index())
    rows.rename_axis("path").to_csv(folder.parent / "labels.csv")
    lines = (folder.parent / "labels.csv").read_text().replace("\n", f"\n{folder.name}/")
    (folder.parent / "labels.csv").write_text(lines.removesuffix(f"{folder.name}/"))
    by_file = cz.concepts(folder, folder.parent / "labels.csv")
    for made in (by_index, by_column, by_file):
        np.testing.assert_array_equal(made.images, images)
        np.testing.assert_array_equal(made.concepts[:, 1], EARS.astype(np.float32))
    np.testing.assert_array_equal(
        by_file.split, open_folder(folder, concepts=folder.parent / "labels.csv").split
    )
    some = cz.concepts(folder, rows.iloc[[7, 2, 3, 4]][["snow"]])
    np.testing.assert_array_equal(some.images, images[[7, 2, 3, 4]])


def refusals(images):
    yield "come without names", lambda: cz.concepts(images, np.stack([SNOW, EARS], 1))
    yield "2 names", lambda: cz.concepts(images, SNOW, names=["a", "b"])
    yield "one name", lambda: cz.concepts(images, np.stack([SNOW] * 2, 1), names=["a", "a"])
    yield "39", lambda: cz.concepts(images, {"snow": SNOW[1:]})
    yield "without concept labels", lambda: cz.concepts(images)
    yield "'grass' in row 1", lambda: cz.concepts(images, {"ground": ["yes", "grass"] * 20})
    yield "'-1' in row 0.*CelebA", lambda: cz.concepts(images, {"snow": SNOW * 2 - 1})
    yield "constant", lambda: cz.concepts(images, {"snow": np.ones(N)})
    yield "have no names", lambda: cz.concepts(images, "labels.csv")
    yield "cannot be made from a int", lambda: as_concept_set(3)
    yield "There is no folder", lambda: cz.concepts("none", {"snow": SNOW})


@pytest.mark.parametrize("case", range(11))
def test_what_does_not_fit_is_refused_by_name(images, case) -> None:
    words, call = list(refusals(images))[case]
    with pytest.raises(cz.CircuitzError, match=words):
        call()


def test_a_table_that_names_strangers_or_doubles_is_refused(folder) -> None:
    with pytest.raises(cz.CircuitzError, match=r"gone\.png"):
        cz.concepts(folder, pd.DataFrame({"snow": [0, 1]}, index=["00.png", "gone.png"]))
    with pytest.raises(cz.CircuitzError, match="twice"):
        cz.concepts(folder, pd.DataFrame({"snow": [0, 1]}, index=["00.png", "00.png"]))
    with pytest.raises(cz.CircuitzError, match="twice"):
        cz.concepts(folder, pd.DataFrame({"snow": [0, 1]}, index=["00.png", "./00.png "]))

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from circuitz.data.folders.image_folder import open_folder
from circuitz.errors import InputsError, InputsWarning


def make(root: Path, *folders: str, n: int = 2) -> Path:
    for k, name in enumerate(folders):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            Image.new("RGB", (12, 12), (k, i, 9)).save(root / name / f"{k}-{i}.png")
    return root


@pytest.mark.parametrize(
    ("folders", "hint"),
    [
        (("train/cat", "train/dog", "val/cat", "val/dog"), "Give {root}/train, whose folders are "
         "the classes cat, dog"),
        (("Test", "Train/cat", "Train/dog"), "Give {root}/Train, "),
        (("validation/a1", "validation/b1", "training/a1", "training/b1"), "Give {root}/training, "),
        (("train2017", "val2017"), "Give {root}/train2017 with a table"),
        (("train_set/cat", "train_set/dog"), "Give {root}/train_set, "),
        (("train/cat", "test/cat"), "Give {root}/train with a table"),
    ],
)  # fmt: skip
def test_parts_of_a_set_are_never_classes(tmp_path: Path, folders, hint: str) -> None:
    make(tmp_path, *folders)
    (tmp_path / "annotations").mkdir()
    with pytest.raises(InputsError, match=r"no class|not classes") as caught:
        open_folder(tmp_path)
    assert hint.format(root=tmp_path) in caught.value.hint


def test_the_path_that_is_named_can_be_opened(tmp_path: Path) -> None:
    make(tmp_path, "train/cat", "train/dog", "val/cat", "val/dog")
    assert open_folder(tmp_path / "train").classes == ("cat", "dog")


def test_trains_may_be_a_class_beside_others(tmp_path: Path) -> None:
    assert open_folder(make(tmp_path, "bus", "train")).classes == ("bus", "train")


def test_parts_of_a_concept_set_are_no_classes(tmp_path: Path) -> None:
    make(tmp_path, "train", "val")
    (tmp_path / "concepts.csv").write_text(
        "path,snow\ntrain/0-0.png,1\ntrain/0-1.png,0\nval/1-0.png,1\nval/1-1.png,0\n"
    )
    with pytest.warns(InputsWarning, match="train, val .* parts of one set"):
        found = open_folder(tmp_path)
    assert found.labels is None
    assert found.classes == ()
    assert len(found) == 4


def test_a_concept_set_may_have_folders_without_pictures(tmp_path: Path) -> None:
    make(tmp_path, "indoors", "outdoors")
    (tmp_path / "notes").mkdir()
    (tmp_path / "concepts.csv").write_text("path,snow\nindoors/0-0.png,0\noutdoors/1-0.png,1\n")
    assert open_folder(tmp_path, role="concepts").classes == ("indoors", "outdoors")
    with pytest.raises(InputsError, match="‘notes’ has no pictures"):
        open_folder(tmp_path, role="D")


def test_a_folder_around_the_classes_is_named(tmp_path: Path) -> None:
    make(tmp_path, "images/cat", "images/dog")
    with pytest.raises(InputsError, match="single class") as caught:
        open_folder(tmp_path)
    assert f"Give {tmp_path}/images" in caught.value.hint


def test_pictures_beside_the_classes_are_counted(tmp_path: Path) -> None:
    make(tmp_path, "cat", "dog")
    Image.new("RGB", (12, 12)).save(tmp_path / "loose.png")
    with pytest.warns(InputsWarning, match="1 picture of .* in no class's folder"):
        assert len(open_folder(tmp_path)) == 4


def test_pictures_without_any_class_are_not_said_to_be_missing(tmp_path: Path) -> None:
    Image.new("RGB", (12, 12)).save(tmp_path / "loose.png")
    with pytest.raises(InputsError, match="1 lie beside") as caught:
        open_folder(tmp_path)
    assert "--labels" in caught.value.hint


@pytest.mark.parametrize(
    ("pair", "what"),
    [
        (("Cat", "cat"), "case"),
        (("cat", "cat "), "blanks"),
        (("Bär", unicodedata.normalize("NFD", "Bär")), "accents"),
        (("polar bear", "polar\u00a0bear"), "blanks"),
    ],
)
def test_one_name_in_two_spellings_is_no_two_classes(tmp_path: Path, pair, what: str) -> None:
    make(tmp_path, *pair, "dog")
    with pytest.raises(InputsError, match=f"differ in .*{what}.* only"):
        open_folder(tmp_path)


def test_letters_are_told_apart_by_their_case(tmp_path: Path) -> None:
    assert open_folder(make(tmp_path, "A", "a", "b")).classes == ("A", "a", "b")


def test_accents_of_other_file_systems_are_whole(tmp_path: Path) -> None:
    make(tmp_path, unicodedata.normalize("NFD", "Bär"), "dog")
    assert open_folder(tmp_path).classes == ("Bär", "dog")

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.data.benchmarks.cub_files import (
    attributes_in_plain_words,
    read_attributes,
    read_cub_image_list,
)
from circuitz.data.benchmarks.layouts import (
    open_by_layout_with_concepts,
    open_layout,
    requested_or_detected_layout,
)
from circuitz.data.benchmarks.spawrious import BENCHMARKS, CLASSES, PLACES, spawrious_rows
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.evaluation.layout_truth import layout_truth, write_layout_truth
from circuitz.evaluation.truth_table import read_truth_table
from circuitz.lexicon.lexicon import Lexicon


def picture(path: Path, seed: int, size: tuple[int, int] = (20, 16)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def waterbirds(tmp_path: Path) -> Path:
    folder = tmp_path / "waterbird_complete95_forest2water2"
    lines = ["img_id,img_filename,y,split,place,place_filename"]
    number = 0
    for split, count in ((0, 24), (1, 16), (2, 12)):
        for i in range(count):
            number += 1
            y = i % 2
            # In train a kind is nearly always where it belongs, elsewhere half of the time.
            place = y if split == 0 and i > 1 else (i // 2) % 2
            name = f"{number:03d}.Some_Bird/Some_Bird_{number:04d}_796111.jpg"
            picture(folder / name, number, (18 + number % 5, 20))
            lines.append(f"{number},{name},{y},{split},{place},/o/ocean/{number:08d}.jpg")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def spawrious(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("spawrious")
    seed = 0
    for group in ("0", "1", "domain_adaptation_ds"):
        for place in PLACES:
            for breed in CLASSES:
                for i in range(10 if group != "domain_adaptation_ds" else 2):
                    seed += 1
                    name = f"{place}_{breed}_{i}.png"
                    picture(root / "spawrious224" / group / place / breed / name, seed, (12, 12))
    return root


@pytest.fixture
def cub(tmp_path: Path) -> Path:
    top = tmp_path / "CUB_200_2011"
    species = ("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross")
    images, labels, split, boxes, locations, told = [], [], [], [], [], []
    number = 0
    for k, name in enumerate(species, start=1):
        for i in range(24):
            number += 1
            file = f"{name}/{name[4:]}_{i:04d}_{number}.jpg"
            picture(top / "images" / file, number, (40, 20))
            images.append(f"{number} {file}")
            labels.append(f"{number} {k}")
            split.append(f"{number} {int(i < 20)}")
            boxes.append(f"{number} 10.0 2.0 20.0 16.0")
            locations.append(f"{number} 1 20.0 10.0 1")
            locations.append(f"{number} 2 0.0 0.0 0")
            for attribute in (1, 2, 3):
                present = (i // 2 + attribute) % 2 if attribute < 3 else 1
                certainty = (2, 3, 4, 3)[i % 4]
                told.append(f"{number} {attribute} {present} {certainty} 1.509")
    # As in the published file: a number too many after the certainty, and two spaces.
    told[3] = " ".join([*told[3].split()[:4], "0", "", "1.509"])
    write = {
        "images.txt": images, "image_class_labels.txt": labels, "train_test_split.txt": split,
        "bounding_boxes.txt": boxes, "classes.txt": [f"{i} {n}" for i, n in enumerate(species, 1)],
        "parts/parts.txt": ["1 beak", "2 left eye"], "parts/part_locs.txt": locations,
        "attributes/image_attribute_labels.txt": told,
        "../attributes.txt": [
            "1 has_bill_shape::hooked_seabird", "2 has_wing_color::blue", "3 has_size::small_(5_-_9_in)",
        ],
    }  # fmt: skip
    for name, lines in write.items():
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n")
    return top


def test_waterbirds_train_is_d_val_the_concept_set_and_test_d_prime(waterbirds: Path):
    opened = open_layout(waterbirds, size=16, shifted=True)
    data, concepts, shifted = opened.data, opened.concepts, opened.shifted
    assert concepts is not None
    assert shifted is not None
    assert (len(data), len(concepts), len(shifted)) == (24, 16, 12)
    assert data.classes == ("landbird", "waterbird")
    assert data.labels is not None
    assert np.bincount(data.labels).tolist() == [12, 12]
    assert data.concepts is None
    assert concepts.labels is None
    assert concepts.concept_names == ("trees", "water")
    assert concepts.concepts is not None
    assert (concepts.concepts.sum(1) == 1).all()
    assert shifted.labels is shifted.concepts is shifted.split is None
    assert data.images.shape[1:] == (16, 16, 3)


def test_the_truth_of_waterbirds_is_scored_by_evaluate(waterbirds: Path, tmp_path: Path):
    rows = layout_truth(waterbirds, seed=3)
    assert rows.cells == ("land", "water")
    assert np.bincount(rows.labels * 2 + rows.cell).tolist() == [3, 3, 3, 3]
    # Not by class: the order of D′ must tell nothing.
    assert (rows.labels[: len(rows) // 2] != rows.labels[0]).any()
    shifted = open_layout(waterbirds, size=16, shifted=True, seed=3).shifted
    assert shifted is not None
    from circuitz.data.folders.image_folder import read_pictures

    assert np.array_equal(read_pictures(rows.files, 16), shifted.images)
    table = write_layout_truth(rows, tmp_path / "truth.csv")
    read = read_truth_table(table, waterbirds, rows.classes)
    assert np.array_equal(read.labels, rows.labels)
    assert read.group_names == ("land", "water")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("img_filename,", "file,", "img_filename"),
        ("Some_Bird_0001", "Another", "not there"),
        ("001.Some_Bird/Some_Bird_0001_796111.jpg", "../../etc/passwd", "outside"),
        ("_796111.jpg,0,0,", "_796111.jpg,7,0,", "row 2"),
    ],
)
def test_waterbirds_that_are_malformed_are_named(waterbirds: Path, old: str, new: str, says: str):
    table = waterbirds / "metadata.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(InputsError, match=says):
        open_layout(waterbirds, "waterbirds", size=16)


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_spawrious_trains_and_tests_in_other_places(spawrious: Path, name: str):
    train = spawrious_rows(spawrious, name, test=False)
    test = spawrious_rows(spawrious, name, test=True)
    assert not set(train.files) & set(test.files)
    for k, breed in enumerate(CLASSES):
        seen = np.bincount(train.cell[train.labels == k], minlength=6)
        asked = np.bincount(test.cell[test.labels == k], minlength=6)
        assert not (seen * asked).any(), breed
        assert np.count_nonzero(asked) == (1 if name.startswith("o2o") else 2)
        if name.startswith("m2m"):
            assert np.count_nonzero(seen) == 2
            continue
        # Nearly all in the breed's own place, and a few where all breeds are.
        shared = PLACES.index(BENCHMARKS[name].shared)
        assert np.argmax(seen) != shared
        assert 0 < seen[shared] < 0.15 * seen.sum()


def test_spawrious_has_a_concept_set_where_all_breeds_are_everywhere(spawrious: Path):
    opened = open_layout(spawrious, benchmark="m2m_easy", size=12, shifted=True)
    assert opened.concepts is not None
    assert opened.shifted is not None
    assert opened.concepts.concept_names == PLACES
    assert len(opened.concepts) == 48
    assert opened.data.classes == CLASSES
    truth = layout_truth(spawrious, benchmark="m2m_easy")
    assert len(truth) == len(opened.shifted)
    assert requested_or_detected_layout(spawrious / "spawrious224") == "spawrious"


def test_spawrious_without_a_folder_or_name_is_named(spawrious: Path, tmp_path: Path):
    with pytest.raises(InputsError, match="o2o_huge"):
        open_layout(spawrious, benchmark="o2o_huge")
    (tmp_path / "0" / "snow").mkdir(parents=True)
    with pytest.raises(InputsError, match="no pictures"):
        open_layout(tmp_path, "spawrious")


def test_cub_leaves_unknown_what_people_guessed(cub: Path):
    images = read_cub_image_list(cub)
    table, names, longer = read_attributes(cub, images.ids)
    assert longer == 1  # and read all the same
    assert names == ("hooked seabird bill", "blue wing", "size: small 5 9 in")
    assert np.isfinite(table).mean() == pytest.approx(0.75)
    assert np.isnan(table[::4]).all()  # guesses
    assert table[1].tolist() == [1, 0, 1]
    lexicon = Lexicon.load()
    assert lexicon.parse(names[0]) == ("beak",)
    assert "wings" in lexicon.parse(names[1])


def test_cub_gives_d_some_species_and_the_concept_set_the_others(cub: Path):
    chosen = ("Sooty Albatross", "Black footed Albatross")
    opened = open_layout(cub, classes=chosen, size=20, shifted=True)
    data, concepts, shifted = opened.data, opened.concepts, opened.shifted
    assert concepts is not None
    assert shifted is not None
    assert data.classes == chosen
    assert (len(data), len(concepts), len(shifted)) == (40, 20, 8)
    # What everybody saw in every picture says nothing.
    assert set(concepts.concept_names) <= {"hooked seabird bill", "blue wing"}
    assert concepts.labels is None
    assert concepts.masks is not None
    assert concepts.mask_names == ("", "beak", "left eye")
    # The beak is at 20 of 40 across, the middle of the square that is cut out; no eye was seen.
    assert (concepts.masks[:, 10, 10] == 1).all()
    assert not (concepts.masks == 2).any()
    assert shifted.labels is None
    whole = open_layout(cub.parent, size=20)
    assert whole.concepts is not None
    assert len(whole.concepts) == len(whole.data) == 60


@pytest.mark.parametrize(
    ("file", "change", "error", "says"),
    [
        ("images.txt", lambda t: t + "1 twice.jpg\n", InputsError, "Line 73"),
        ("images.txt", lambda t: t.replace("1 001", "1 ../../x", 1), InputsError, "outside|not there"),
        ("image_class_labels.txt", lambda t: t.replace("1 1\n", "1 9\n", 1), InputsError, "class 9"),
        ("image_class_labels.txt", lambda t: t.partition("\n")[2], InputsError, "Image 1"),
        ("train_test_split.txt", lambda t: t + "999 1\n", InputsError, "999"),
        ("bounding_boxes.txt", lambda t: t.replace("10.0", "nan", 1), InputsError, "nan"),
        ("parts/part_locs.txt", lambda t: t.replace("1 1 20.0", "1 7 20.0", 1), InputsError, "part 7"),
        ("attributes/image_attribute_labels.txt", lambda t: t.replace("1 1 ", "one 1 ", 1),
         ConceptLabelsError, "Line 1"),
        ("attributes/image_attribute_labels.txt", lambda t: "1 1\n" + t, ConceptLabelsError, "Line 1"),
        ("attributes/image_attribute_labels.txt", lambda t: "1 1 1 9 0\n" + t, ConceptLabelsError, "1 to 4"),
    ],
)  # fmt: skip
def test_cub_that_is_malformed_is_named(
    cub: Path, file: str, change: Callable[[str], str], error: type[Exception], says: str
):
    (cub / file).write_text(change((cub / file).read_text()))
    with pytest.raises(error, match=says):
        open_layout(cub, "cub", size=20)


def test_cub_without_its_list_of_attributes_says_where_it_belongs(cub: Path):
    (cub.parent / "attributes.txt").unlink()
    with pytest.raises(ConceptLabelsError, match="no attributes"):
        open_layout(cub, size=20)


def test_cub_species_are_chosen_by_name(cub: Path):
    with pytest.raises(InputsError, match="Dodo"):
        open_layout(cub, classes=("Dodo", "Sooty Albatross"), size=20)


def test_attributes_that_would_be_called_the_same_are_told_apart():
    assert attributes_in_plain_words(["has_wing_shape::rounded-wings", "has_tail_shape::rounded_tail"]) == (
        "rounded wings wing", "rounded tail tail",
    )  # fmt: skip
    assert attributes_in_plain_words(["has_wing_pattern::solid", "has_wing_shape::solid"]) == (
        "wing pattern: solid", "wing shape: solid",
    )  # fmt: skip


def test_layouts_are_told_apart_and_a_folder_is_a_folder(
    waterbirds: Path, cub: Path, tmp_path: Path
):
    assert requested_or_detected_layout(waterbirds) == "waterbirds"
    assert requested_or_detected_layout(cub) == requested_or_detected_layout(cub.parent) == "cub"
    own = tmp_path / "own"
    for i, name in enumerate(("cats", "dogs")):
        for j in range(8):
            picture(own / name / f"{j}.png", 10 * i + j, (16, 16))
    assert requested_or_detected_layout(own) == "folder"
    opened = open_layout(own)
    assert opened.data.classes == ("cats", "dogs")
    assert opened.concepts is opened.shifted is None
    with pytest.raises(InputsError, match="not known"):
        layout_truth(own)
    with pytest.raises(InputsError, match="imagenet"):
        open_layout(own, "imagenet")
    with pytest.raises(InputsError, match="no folder"):
        open_layout(tmp_path / "nowhere")


def test_a_concept_set_of_ones_own_takes_the_place_of_the_benchmarks(
    waterbirds: Path, tmp_path: Path
):
    pair = open_by_layout_with_concepts(waterbirds, size=16)
    assert pair.concepts.concept_names == ("trees", "water")
    assert not pair.shared
    lines = ["path,sky"]
    for i in range(16):
        picture(tmp_path / "mine" / f"{i}.png", 500 + i, (30, 30))
        lines.append(f"mine/{i}.png,{i % 2}")
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    pair = open_by_layout_with_concepts(
        waterbirds, "auto", tmp_path / "mine.csv", tmp_path / "mine", size=16
    )
    assert pair.concepts.concept_names == ("sky",)
    assert pair.concepts.images.shape == (16, 16, 16, 3)
    with pytest.raises(InputsError, match="concept-set"):
        open_by_layout_with_concepts(waterbirds, "auto", tmp_path / "mine.csv", size=16)


def test_a_benchmark_without_a_concept_set_asks_for_one(spawrious: Path, tmp_path: Path):
    top = tmp_path / "spawrious224"
    top.mkdir()
    for group in ("0", "1"):
        (top / group).symlink_to(spawrious / "spawrious224" / group)
    with pytest.raises(InputsError, match="no concept set"):
        open_by_layout_with_concepts(tmp_path, size=12)


def test_cub_says_when_d_and_the_concept_set_are_the_same_pictures(cub: Path):
    assert open_by_layout_with_concepts(cub, size=20).shared
    two = ("Black footed Albatross", "Laysan Albatross")
    assert not open_by_layout_with_concepts(cub, classes=two, size=20).shared

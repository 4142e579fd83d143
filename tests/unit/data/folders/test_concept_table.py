from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.data.folders.concept_table import ConceptTable, concept_value_or_none
from circuitz.data.folders.folder_pair import open_folder_with_concepts
from circuitz.data.folders.image_folder import open_folder
from circuitz.data.folders.name_forms import DOUBTFUL_NAMES, MISSING_WORDS
from circuitz.errors import ConceptLabelsError, InputsError, InputsWarning


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """``D/cat``, ``D/dog`` and ``concepts``, ten pictures each."""
    rng = np.random.default_rng(0)
    for name in ("D/cat", "D/dog", "concepts"):
        (tmp_path / name).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    return tmp_path


def write(root: Path, lines: list[str], name: str = "labels.csv", **how: str) -> Path:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("\n".join(lines), encoding=how.get("encoding", "utf-8"))
    return root / name


def lines(prefix: str = "") -> list[str]:
    found = ["path,snow"]
    for k, name in enumerate(("D/cat", "D/dog")):
        found += [f"{prefix}{name}/{i}.png,{k}" for i in range(10)]
    return found + [f"{prefix}concepts/{i}.png,{i % 2}" for i in range(10)]


def test_one_file_labels_pictures_of_both_folders(root: Path) -> None:
    pair = open_folder_with_concepts(root / "D", write(root, lines()), root / "concepts")
    assert pair.data.role == "D"
    assert pair.data.classes == ("cat", "dog")
    assert pair.data.concepts is not None
    assert pair.data.concepts[:, 0].tolist() == [0] * 10 + [1] * 10
    assert pair.concepts.concepts is not None
    assert pair.concepts.concepts[:, 0].tolist() == [0, 1] * 5
    assert pair.concepts.role == "concepts"
    assert not pair.shared


def test_paths_are_relative_to_the_file_wherever_it_lies(root: Path, monkeypatch) -> None:
    table = write(root, lines("../"), "labels/all.csv")
    monkeypatch.chdir(root / "D")
    pair = open_folder_with_concepts(Path("../D"), Path("../labels/all.csv"), Path("../concepts"))
    assert pair.concepts.concepts is not None
    assert np.isfinite(pair.concepts.concepts).all()
    absolute = [x if x.startswith("path") else str(root / x) for x in lines()]
    again = open_folder_with_concepts(root / "D", write(root, absolute), root / "concepts")
    assert again.concepts.concepts is not None
    assert np.array_equal(again.concepts.concepts, pair.concepts.concepts)
    assert table.is_file()


def test_rows_that_name_files_elsewhere_open_nothing(root: Path) -> None:
    odd = ["../../../etc/passwd,1", "/etc/shadow,0", "Dprime/1.png,1", "D2/cat/1.png,1"]
    found = open_folder(root / "concepts", concepts=write(root, lines() + odd))
    assert found.concepts is not None
    assert np.isfinite(found.concepts).all()
    # In the folder's own file such a row is a mistake.
    write(root / "concepts", ["path,snow", "../D/cat/1.png,1"], "concepts.csv")
    with pytest.raises(ConceptLabelsError, match=r"Row 2 .*\.\./D/cat/1\.png, which is not in"):
        open_folder(root / "concepts")


def test_a_row_inside_a_folder_must_name_a_picture(root: Path) -> None:
    table = write(root, [*lines(), "concepts/99.png,1"])
    with pytest.raises(ConceptLabelsError, match=r"Row 32 .*concepts/99\.png"):
        open_folder(root / "concepts", concepts=table)
    with pytest.raises(ConceptLabelsError, match="names no picture"):
        open_folder(root / "concepts", concepts=write(root, ["path,snow", "0.png,1"]))


def test_equal_files_under_two_spellings_are_one(root: Path) -> None:
    table = write(root, [*lines(), "D/../concepts/./3.png,1"])
    with pytest.raises(ConceptLabelsError, match="twice, in rows 25 and 32"):
        open_folder(root / "concepts", concepts=table)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_quotes_marks_and_empty_rows(root: Path, delimiter: str) -> None:
    rows = [x.replace(",", delimiter) for x in lines()]
    rows[1] = f'"{rows[1].split(delimiter)[0]}"{delimiter}"0"'
    rows.insert(5, delimiter)
    rows.insert(9, "")
    table = write(root, rows, encoding="utf-8-sig")
    found = open_folder(root / "concepts", concepts=table)
    assert found.concepts is not None
    assert found.concepts[:, 0].tolist() == [0, 1] * 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,snow\nconcepts/0.png,=1+1\n", "'=1\\+1'"),
        ("path,snow\n=HYPERLINK(0),1\n", "names no picture"),
        ("path,snow\n,1\n", "names no file"),
        ("path|snow\nconcepts/0.png|1\n", "no column ‘path’"),
        ('path,snow\n"concepts/0.png,1\n', "not CSV"),
        ("path,snow\nconcepts/0.png,1,1\n", "3 cells, the header 2"),
        ("path,,snow\nconcepts/0.png,1,1\n", "no name"),
    ],
)
def test_hostile_tables_are_named(root: Path, text: str, message: str) -> None:
    (root / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConceptLabelsError, match=message):
        open_folder(root / "concepts", concepts=root / "t.csv")


def test_a_hundred_thousand_rows(tmp_path: Path) -> None:
    files = [tmp_path / f"{i}.png" for i in range(100_000)]
    rows = "\n".join(f"{i}.png,{i % 2},{i % 3 % 2}" for i in range(100_000))
    table = tmp_path / "t.csv"
    table.write_text(f"path,snow,grass\n{rows}\n", encoding="utf-8")
    found = ConceptTable(table, tmp_path, files, base=tmp_path)
    assert found.labelled == 100_000
    assert found.values[:, 0].sum() == 50_000


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ("-1", "CelebA.*write 0 where -1 means"),
        ("grass", r"get_dummies\(table, columns=\['ground'\]"),
        ("0,7", "Decide: 1 for present"),
        ("3", "Decide: 1 for present"),
    ],
)
def test_what_is_no_label_is_named_with_its_remedy(root: Path, cell: str, remedy: str) -> None:
    table = write(root, ["path,ground", "concepts/0.png,1", f'concepts/1.png,"{cell}"'])
    with pytest.raises(ConceptLabelsError, match=f"‘ground’ in row 3 .*{cell!r}") as caught:
        open_folder(root / "concepts", concepts=table)
    assert caught.match(remedy)


def test_the_remedy_for_words_does_what_it_says(root: Path) -> None:
    import pandas as pd

    rows = [f"concepts/{i}.png,{'snow' if i % 2 else 'grass'}" for i in range(10)]
    read = pd.read_csv(write(root, ["path,ground", *rows]))
    parted = pd.get_dummies(read, columns=["ground"], prefix="", prefix_sep="", dtype=int)
    parted.to_csv(root / "parted.csv", index=False)
    found = open_folder(root / "concepts", concepts=root / "parted.csv")
    assert found.concept_names == ("grass", "snow")
    assert found.concepts is not None
    assert found.concepts[:, 1].tolist() == [0, 1] * 5


def test_the_published_list_of_celeba_is_read_as_the_guide_says(root: Path) -> None:
    import pandas as pd

    rows = [f"{i}.png {'-1' if i % 2 else ' 1'}  1" for i in range(9)]
    listed = root / "concepts" / "list_attr_celeba.txt"
    listed.write_text("\n".join(["10", "Bald Young ", *rows, "9.png -1 -1", ""]))
    with pytest.raises(ConceptLabelsError, match="line 1 holds ‘10’"):
        open_folder(root / "concepts", concepts=listed)
    table = pd.read_csv(listed, sep=r"\s+", skiprows=1).replace(-1, 0)
    table.rename_axis("path").to_csv(root / "concepts" / "concepts.csv")
    found = open_folder(root / "concepts")
    assert found.concept_names == ("Bald", "Young")
    assert found.concepts is not None
    assert found.concepts.tolist() == [[1, 1], [0, 1]] * 4 + [[1, 1], [0, 0]]


def test_row_numbers_of_pandas_are_named(root: Path) -> None:
    table = write(root, [",path,snow", "0,concepts/0.png,1"])
    with pytest.raises(ConceptLabelsError, match=r"Column 1 .* has no name") as caught:
        open_folder(root / "concepts", concepts=table)
    assert "index=False" in caught.value.hint


def test_spreadsheets_of_other_countries(root: Path) -> None:
    cells = ["1,0", "0,0", "WAHR", "FALSCH", "VRAI", "FAUX", "<NA>", "#N/A", "None", "null"]
    rows = [f"concepts\\{i}.png;{cell}" for i, cell in enumerate(cells)]
    found = open_folder(root / "concepts", concepts=write(root, ["Path;snow", *rows]))
    assert found.concepts is not None
    nothing = [np.nan] * 4
    assert np.array_equal(found.concepts[:, 0], [1, 0, 1, 0, 1, 0, *nothing], equal_nan=True)


def test_what_says_nothing_of_a_class_says_nothing_of_a_concept() -> None:
    for cell in (*MISSING_WORDS, *DOUBTFUL_NAMES, "NaN\u00a0", "#NA"):
        value = concept_value_or_none(cell)
        assert value is not None
        assert np.isnan(value)
    assert [concept_value_or_none(c) for c in ("\ufeff1", " Yes\u00a0", "0\u200b")] == [1, 1, 0]
    assert concept_value_or_none("maybe") is None


def test_rows_of_what_is_left_out_are_counted(root: Path) -> None:
    (root / "concepts/.thumbnails").mkdir()
    (root / "concepts/.thumbnails/0.png").write_bytes(b"x")
    (root / "concepts/a.dng").write_bytes(b"x")
    more = ["concepts/.thumbnails/0.png,1", "concepts/a.dng,1"]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", InputsWarning)
        found = open_folder(root / "concepts", concepts=write(root, [*lines(), *more]))
    assert len(found) == 10
    said = [str(w.message) for w in told]
    assert len(said) == 3
    assert said[2].startswith("2 rows of ")
    assert "hidden files, or pictures of kinds" in said[2]


def test_without_a_concept_set_d_itself_serves_and_says_so(root: Path) -> None:
    pair = open_folder_with_concepts(root / "D", write(root, lines()))
    assert pair.shared
    # The check must know where a concept goes with a class.
    assert pair.concepts.classes == ("cat", "dog")
    assert pair.concepts.role == "concepts"
    with pytest.raises(ConceptLabelsError, match="No picture has concept labels"):
        open_folder_with_concepts(root / "D")


def test_sizes_are_kept_where_the_network_can_scale(root: Path) -> None:
    table = write(root, lines())
    assert open_folder_with_concepts(
        root / "D", table, root / "concepts", network_size=(64, 64)
    ).data.images.shape[1:3] == (12, 12)
    assert open_folder_with_concepts(
        root / "D", table, root / "concepts", network_size=(8, 8)
    ).data.images.shape[1:3] == (8, 8)
    Image.new("RGB", (40, 30)).save(root / "concepts" / "0.png")
    with pytest.raises(InputsError, match="--size"):
        open_folder_with_concepts(root / "D", table, root / "concepts")
    both = open_folder_with_concepts(root / "D", table, root / "concepts", network_size=(16, 16))
    assert both.concepts.images.shape[1:3] == both.data.images.shape[1:3] == (16, 16)


def test_the_same_picture_twice_is_one_scene_and_never_two_classes(root: Path) -> None:
    (root / "D/cat/copy.png").write_bytes((root / "D/cat/0.png").read_bytes())
    found = open_folder(root / "D")
    assert found.scene is not None
    assert found.split is not None
    assert found.scene[10] == found.scene[0]
    assert found.split[10] == found.split[0]
    (root / "D/dog/copy.png").write_bytes((root / "D/cat/1.png").read_bytes())
    with pytest.raises(
        InputsError, match=r"under two classes, first .*D/cat/1\.png and .*D/dog/copy\.png"
    ):
        open_folder(root / "D")

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from circuitz.cli import main
from circuitz.models.run.open_runtime import runtime
from circuitz.z.bundle.inputs_io import write_inputs


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture(scope="module")
def bundle(caught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    write_inputs(folder / "D", caught.data)
    return caught.save(folder / "caught.z")


def test_scores_are_those_of_the_network(
    bundle, caught, folders, shifted, monkeypatch, capsys
) -> None:
    words = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", folders / "truth.csv")
    assert run(monkeypatch, *words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    inputs, ground = shifted
    predicted = runtime(caught).logits(inputs.images).argmax(1)
    assert found["accuracy"]["value"] == pytest.approx((predicted == inputs.labels).mean())
    assert found["accuracy"]["low"] < found["accuracy"]["value"] < found["accuracy"]["high"]
    husky = (inputs.labels == 0) & (ground != 0)
    cell = next(
        c for c in found["cells"]
        if (c["class"], c["group"], c["present"]) == ("husky", "snow", False)
    )  # fmt: skip
    assert cell["n"] == husky.sum()
    assert cell["accuracy"] == pytest.approx((predicted[husky] == 0).mean())
    others = (inputs.labels != 0) & (ground == 0)
    rest = next(c for c in found["others"] if c["class"] == "husky" and c["present"])
    assert rest["n"] == others.sum()
    assert rest["accuracy"] == pytest.approx(
        (predicted[others] == np.asarray(inputs.labels)[others]).mean()
    )
    assert found["worst"]["accuracy"] == min(c["accuracy"] for c in found["cells"])
    assert run(monkeypatch, *words) == 0
    told = capsys.readouterr().out
    assert told.startswith("Accuracy ")
    assert "Worst class × group: " in told
    line = next(line for line in told.splitlines() if line.split()[:3] == ["husky", "with", "snow"])
    assert line.endswith(f"{rest['accuracy']:.1%} (n = {rest['n']})")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["path,class", "Dprime/none.png,husky"], "which is not in"),
        (["path,class", "Dprime/0000.png,wolf"], "class 'wolf'"),
        (["path,class", "Dprime/0000.png,husky", "Dprime/0000.png,corgi"], "twice"),
        (["path,kind", "Dprime/0000.png,husky"], "no column ‘class’"),
        (["file,class", "Dprime/0000.png,husky"], "no column ‘path’"),
        (["path,class,snow", "Dprime/0000.png,husky,maybe", "Dprime/0001.png,husky,1"], "'maybe'"),
        (["path,class,snow", "Dprime/0000.png,husky,-1", "Dprime/0001.png,husky,1"], "CelebA"),
        (["path,class,age", "Dprime/0000.png,husky,34"], "'34', and numbers"),
        (["path,class", "Dprime/0000.png,"], "gives no picture of"),
        (["path,class", "Dprime/0000.png,HUSKY"], "differs from 'husky' in case only"),
        (["path,class,snow", "Dprime/0000.png,husky"], "2 cells, the header 3"),
        (["path,class,", "Dprime/0000.png,husky,1"], "without a name"),
        (["path,class", "/etc/passwd,husky"], "names no picture"),
        (["path,class", "0000.png,husky"], "first row names 0000.png"),
        (["path,class", "0000.png,husky"], "the first picture is Dprime/0000.png"),
        (["path,class", "=1+1,husky"], "names no picture"),
    ],
)
def test_truth_that_cannot_be_used_is_named(
    lines, message, bundle, folders, monkeypatch, capsys
) -> None:
    table = folders / "bad.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    words = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", table)
    assert run(monkeypatch, *words) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert message in told
    assert "Traceback" not in told


def test_rows_and_pictures_that_do_not_meet_are_counted(
    bundle, folders, monkeypatch, capsys
) -> None:
    table = folders / "some.csv"
    table.write_text(
        "\ufeffpath;class;snow\nDprime/0000.png;husky;1\nDprime/0001.png;husky;\n"
        "D/husky/0000.png;husky;1\n",
        encoding="utf-8",
    )
    words = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", table, "--json")
    assert run(monkeypatch, *words) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["accuracy"]["n"] == 2
    assert [c["n"] for c in found["cells"]] == [1]  # where snow is not known, no cell
    assert "358 pictures have no row, and 1 rows" in " ".join(told.err.split())


def test_a_column_of_words_makes_a_group_a_word(
    bundle, folders, shifted, monkeypatch, capsys
) -> None:
    inputs, ground = shifted
    words = [("snow", "grass", "sand")[int(g) % 3] if i else "" for i, g in enumerate(ground)]
    rows = [
        f"Dprime/{i:04}.png,{inputs.classes[int(k)]},{word}"
        for i, (k, word) in enumerate(zip(inputs.labels, words, strict=True))
    ]
    table = folders / "words.csv"
    table.write_text("\n".join(["path,class,surroundings", *rows]), encoding="utf-8")
    asked = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", table)
    assert run(monkeypatch, *asked, "--json") == 0
    told = capsys.readouterr()
    cells = json.loads(told.out)["cells"]
    assert {c["group"] for c in cells} == {f"surroundings: {word}" for word in words if word}
    for word in set(words) - {""}:
        mine = [c["n"] for c in cells if c["group"] == f"surroundings: {word}" and c["present"]]
        assert sum(mine) == words.count(word)
    assert "‘surroundings’ holds words" in told.err
    assert run(monkeypatch, *asked) == 0
    assert "with surroundings: snow" in " ".join(capsys.readouterr().out.split())


def test_a_class_that_is_not_told_is_left_out_and_said(
    bundle, folders, monkeypatch, capsys
) -> None:
    table = folders / "gaps.csv"
    lines = ["path,class", "Dprime/0000.png,husky ", "Dprime/0001.png,", "Dprime/0002.png,nan"]
    table.write_text("\n".join([*lines, "Dprime/0003.png,corgi"]) + "\n", encoding="utf-8")
    words = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", table, "--json")
    assert run(monkeypatch, *words) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["accuracy"]["n"] == 2
    assert any("2 pictures have no class" in remark for remark in found["remarks"])
    assert "2 pictures have no class" in " ".join(told.err.split())


def test_a_guess_about_letters_is_said_once(bundle, folders, monkeypatch, capsys) -> None:
    table = folders / "western.csv"
    table.write_bytes("path,class,Wärme\nDprime/0000.png,husky,1\n".encode("cp1252"))
    words = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", table)
    assert run(monkeypatch, *words) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert told.count("Windows-1252, which is a guess") == 1
    assert "InputsWarning" not in told


def test_missing_places_are_named(bundle, folders, monkeypatch, capsys) -> None:
    words = ("evaluate", bundle, "--images", folders / "none", "--truth", folders / "truth.csv")
    assert run(monkeypatch, *words) == 1
    assert "There is no folder" in capsys.readouterr().err
    words = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", folders / "none.csv")
    assert run(monkeypatch, *words) == 1
    assert "There is no file" in capsys.readouterr().err


def test_classes_that_are_told_one_by_one(
    block_world, folders, monkeypatch, capsys, tmp_path
) -> None:
    import torch

    from circuitz.models.zoo.builders import build
    from circuitz.wrapping.wrap import wrap
    from circuitz.z.inputs import InputSet
    from circuitz.z.layer import Preprocessing

    _, concepts = block_world
    shown = concepts.concepts[:, :2].astype(np.int64)
    data = InputSet(concepts.images, labels=shown, classes=("ears", "tail"))
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 2, "widths": [4, 8], "strides": [2, 2]})
    z = wrap(net, data, preprocess=Preprocessing(size=(24, 24)))
    assert z.head == "multi-label"
    z.save(tmp_path / "many.z")
    names = ["|".join(n for n, y in zip(data.classes, row, strict=True) if y) for row in shown]
    lines = ["path,class,snow"] + [
        f"concepts/{i:04}.png,{name},{int(concepts.concepts[i, 3])}" for i, name in enumerate(names)
    ]
    (folders / "many.csv").write_text("\n".join(lines), encoding="utf-8")
    words = ("evaluate", tmp_path / "many.z", "--images", folders / "concepts", "--truth",
             folders / "many.csv", "--json")  # fmt: skip
    assert run(monkeypatch, *words) == 0
    found = json.loads(capsys.readouterr().out)
    said = runtime(z).logits(concepts.images) > 0
    assert found["accuracy"]["value"] == pytest.approx((said == (shown == 1)).mean())
    ears = next(c for c in found["classes"] if c["class"] == "ears")
    assert ears["accuracy"] == pytest.approx(said[shown[:, 0] == 1, 0].mean())
    rest = next(c for c in found["others"] if c["class"] == "ears" and c["present"])
    here = (shown[:, 0] == 0) & (concepts.concepts[:, 3] == 1)
    assert rest["n"] == here.sum()
    assert rest["accuracy"] == pytest.approx((~said[here, 0]).mean())


def test_pictures_of_other_sizes_are_seen_as_d_was(
    bundle, caught, folders, shifted, monkeypatch, capsys, tmp_path
) -> None:
    from PIL import Image

    inputs, _ = shifted
    lines = ["path,class"]
    for i in range(60):
        image = Image.fromarray(inputs.images[i])
        if i % 3 == 1:
            image = image.resize((48, 48), Image.Resampling.NEAREST)
        if i % 3 == 2:
            # Not square: what was added above and below is cropped away again.
            wide = Image.new("RGB", (24, 40), (255, 0, 255))
            wide.paste(image, (0, 8))
            image = wide
        image.save(tmp_path / f"{i:02}.png")
        lines.append(f"{i:02}.png,{inputs.classes[int(inputs.labels[i])]}")
    (tmp_path / "truth.csv").write_text("\n".join(lines), encoding="utf-8")
    words = ("--images", tmp_path, "--truth", tmp_path / "truth.csv", "--json")
    assert run(monkeypatch, "evaluate", bundle, *words) == 0
    found = json.loads(capsys.readouterr().out)
    predicted = runtime(caught).logits(inputs.images[:60]).argmax(1)
    right = (predicted == inputs.labels[:60]).mean()
    # Scaling up and down again changes a pixel here and there.
    assert found["accuracy"]["value"] == pytest.approx(right, abs=0.04)
    assert found["accuracy"]["n"] == 60


def test_a_network_of_texts_is_named(caught, folders, monkeypatch, capsys, tmp_path) -> None:
    from circuitz.errors import LabellingError
    from circuitz.labelling.tasks.shifted_pictures import check_labelling_supported
    from circuitz.z.layer import Preprocessing

    texts = caught.with_(preprocessing=Preprocessing.for_token_sequences(8))
    with pytest.raises(LabellingError, match="reads texts"):
        check_labelling_supported(texts)
    monkeypatch.setattr("circuitz.z.bundle.load_save.load", lambda _: texts)
    words = ("--images", folders / "Dprime", "--truth", folders / "truth.csv")
    assert run(monkeypatch, "evaluate", tmp_path / "any.z", *words) == 1
    assert "reads texts" in capsys.readouterr().err


def labelled(folders: Path, rows: list[tuple[str, str, int]]) -> Path:
    table = folders / "labels.csv"
    lines = ["path,label,probability,answers", *(f"{p},{name},0.9,{n}" for p, name, n in rows)]
    table.write_text("\n".join(lines), encoding="utf-8")
    return table


def test_labels_are_scored_where_nobody_was_asked(
    bundle, folders, shifted, monkeypatch, capsys
) -> None:
    inputs, _ = shifted
    names = [inputs.classes[int(k)] for k in inputs.labels]
    other = {name: inputs.classes[i - 1] for i, name in enumerate(inputs.classes)}
    # Right on every fourth picture; the first fifty were asked about, and the last has no row.
    rows = [
        (f"{i:04}.png", name if i % 4 == 0 else other[name], int(i < 50))
        for i, name in enumerate(names[:-1])
    ]
    words = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", folders / "truth.csv",
             "--labels", labelled(folders, rows))  # fmt: skip
    assert run(monkeypatch, *words, "--json") == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["accuracy"]["n"] == len(names) - 51
    right = sum(i % 4 == 0 for i in range(50, len(names) - 1))
    assert found["accuracy"]["right"] == right
    assert {c["group"] for c in found["cells"]} == {"snow"}
    assert "50 pictures that people were asked about and 1 pictures without a label" in told.err
    assert run(monkeypatch, *words) == 0
    assert capsys.readouterr().out.startswith("Accuracy ")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("0000.png", "wolf", 0)], "'wolf'"),
        ([("0000.png", "husky", 0), ("0000.png", "corgi", 0)], "twice"),
        ([("0000.png", "husky", 2)], "People were asked about every"),
        ([("elsewhere.png", "husky", 0)], "labels no picture"),
        ([("../../../etc/passwd", "husky", 0)], "labels no picture"),
    ],
)
def test_labels_that_cannot_be_scored_are_named(
    rows, message, bundle, folders, monkeypatch, capsys
) -> None:
    words = ("evaluate", bundle, "--images", folders / "Dprime", "--truth", folders / "truth.csv",
             "--labels", labelled(folders, rows))  # fmt: skip
    assert run(monkeypatch, *words) == 1
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_label_is_read_as_it_was_escaped(tmp_path) -> None:
    from circuitz.evaluation.label_file import read_given_labels

    (tmp_path / "l.csv").write_text("path,label\n'=1.png,'-a\n", encoding="utf-8")
    found = read_given_labels(tmp_path / "l.csv", tmp_path, [tmp_path / "=1.png"], ("b", "-a"))
    assert found.predicted.tolist() == [1]
    assert not found.has_answers.any()


def test_odd_names_go_through_labels_and_truth_unharmed(tmp_path) -> None:
    from PIL import Image

    from circuitz.evaluation.label_file import read_given_labels
    from circuitz.evaluation.truth_table import read_truth_table
    from circuitz.labelling.labels.label import Labels
    from circuitz.labelling.labels.label_model import LabelModel
    from circuitz.labelling.tasks.shifted_pictures import find_pictures

    classes = ("=cat", "'=cat", "+1", "-", "@x", "nan", "a,b", 'q"q', "cat ", " cat", "Bär", "a|b",
               "true", "a\nb")  # fmt: skip
    names = ("=a.png", "'=a.png", "-1.png", "@.png", " lead.png", "lead.png", "c,d.png", "ü.png",
             "b\\c.png", "nan.png", "x y.PNG", "a .png", 'g"h.png', "line\nend.png")  # fmt: skip
    folder = tmp_path / "P"
    folder.mkdir()
    for name in names:
        Image.new("RGB", (8, 8)).save(folder / name, "PNG")
    pictures = find_pictures(folder)
    k = len(classes)
    shares = np.full((k, k), 0.01) + 0.9 * np.eye(k)
    model = LabelModel(
        classes, "z", 1.0, np.zeros((0, k)), np.zeros(k), np.zeros(0), np.ones(0), {}, 3
    )
    labels = Labels(
        model, pictures, shares / shares.sum(1, keepdims=True), np.zeros(k, int), 0, False
    )
    (tmp_path / "labels.csv").write_bytes(labels.to_csv())
    files = [picture.file for picture in pictures]
    back = read_given_labels(tmp_path / "labels.csv", folder, files, classes)
    assert back.predicted.tolist() == list(range(k))

    with (tmp_path / "truth.csv").open("w", newline="", encoding="utf-8") as opened:
        rows = zip((f"P/{picture.path}" for picture in pictures), classes, strict=True)
        csv.writer(opened).writerows([("path", "class"), *rows])
    truth = read_truth_table(tmp_path / "truth.csv", folder, classes)
    assert list(truth.files) == files
    assert truth.labels.tolist() == list(range(k))

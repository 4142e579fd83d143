"""From z* and a folder to a pack, answers and labels; the only tests here that run a network."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.cli import main
from circuitz.errors import CardError, ConceptLabelsError, InputsError, LabellingError
from circuitz.labelling.export import CARD, label_model_in_notes
from circuitz.labelling.labels.label import label
from circuitz.labelling.tasks.make_pack import make_pack as run_make_pack
from circuitz.labelling.tasks.pack_io import open_pack
from circuitz.labelling.tasks.session import Session
from circuitz.labelling.tasks.shifted_pictures import View
from circuitz.store.judgements import Judgements
from circuitz.z.bundle.load_save import load
from circuitz.z.model import AnnotatedModel

CLASSES = ("husky", "corgi", "beagle")


@pytest.fixture(scope="module")
def truth(shifted) -> dict[str, str]:
    data, _ = shifted
    order = np.random.default_rng(0).permutation(len(data.labels))[:60]
    return {f"{n:03d}.png": CLASSES[int(data.labels[i])] for n, i in enumerate(order.tolist())}


@pytest.fixture(scope="module")
def folder(shifted, truth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """D′ as somebody brings it: pictures without labels, some below."""
    data, _ = shifted
    order = np.random.default_rng(0).permutation(len(data.labels))[:60]
    root = tmp_path_factory.mktemp("shifted") / "dp"
    (root / "more").mkdir(parents=True)
    for name, i in zip(truth, order.tolist(), strict=True):
        place = root / "more" if int(name[:3]) >= 50 else root
        Image.fromarray(data.images[i]).save(place / name)
    return root


@pytest.fixture(scope="module")
def bundle(caught: AnnotatedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return caught.save(tmp_path_factory.mktemp("star") / "star.z")


def gold_table(place: Path, rows: list[tuple[str, str]], header: str = "path,class") -> Path:
    place.write_text("\n".join([header, *(f"{p},{c}" for p, c in rows)]) + "\n")
    return place


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_same_arguments_make_the_same_pack(caught, folder, tmp_path: Path) -> None:
    made = run_make_pack(caught, folder, limit=20, repeats=2, seed=3)
    assert made.hash == run_make_pack(caught, folder, limit=20, repeats=2, seed=3).hash
    assert made.hash != run_make_pack(caught, folder, limit=20, repeats=2, seed=4).hash
    assert made.count_questions_by_kind() == {"ask": 20, "gold": 0, "again": 2}
    assert made.name == "Which kind of dog is it?"
    items = {q.item for q in made.questions}
    assert len(items) == 20
    assert any(q.path.startswith("more/") for q in made.questions)
    picture = Image.open(io.BytesIO(made.pictures[made.questions[0].picture]))
    original = Image.open(folder / made.questions[0].path)
    assert np.array_equal(np.asarray(picture), np.asarray(original))


def test_what_the_units_see_is_what_is_there(caught, shifted, tmp_path: Path) -> None:
    """Snow is seen on snow and not on grass, and at the picture's own places."""
    data, ground = shifted
    root = tmp_path / "dp"
    root.mkdir()
    rows = [*np.flatnonzero(ground == 0)[:12].tolist(), *np.flatnonzero(ground == 1)[:12].tolist()]
    for n, i in enumerate(rows):
        Image.fromarray(data.images[i]).save(root / f"{n:02d}.png")
    made = run_make_pack(caught, root, repeats=0)
    snow = {
        q.path: any(s.words == "snow" for s in q.seen) for q in made.questions
    }  # fmt: skip
    on_snow = sum(seen for path, seen in snow.items() if int(path[:2]) < 12)
    off_snow = sum(seen for path, seen in snow.items() if int(path[:2]) >= 12)
    assert on_snow >= 10
    assert off_snow <= 3
    known = set(made.card.units)
    for question in made.questions:
        assert [s.level for s in question.seen] == sorted(s.level for s in question.seen)[::-1]
        assert all(set(s.units) <= known for s in question.seen)
    assert made.heat.dtype == np.uint8
    assert made.heat.max() > 100


def test_gold_is_mixed_in_and_never_asked_as_a_question(caught, folder, truth, tmp_path) -> None:
    names = list(truth)[:4]
    table = gold_table(folder.parent / "gold.csv", [(f"dp/{n}", truth[n]) for n in names])
    made = run_make_pack(caught, folder, gold=table, limit=1000, repeats=0)
    assert made.count_questions_by_kind() == {"ask": 56, "gold": 4, "again": 0}
    odd = gold_table(folder.parent / "gold.csv", [(f"dp\\{n} ", f" {truth[n]}") for n in names])
    again = run_make_pack(caught, folder, gold=odd, limit=1000, repeats=0)
    assert again.gold == made.gold
    golden = {q.path: made.gold[q.id] for q in made.questions if q.kind == "gold"}
    assert golden == {f"dp/{n}": truth[n] for n in names}
    assert {q.item for q in made.questions if q.kind == "gold"}.isdisjoint(
        q.item for q in made.questions if q.kind == "ask"
    )


@pytest.mark.parametrize(
    ("rows", "header", "error", "match"),
    [
        ([("dp/000.png", "cat")], "path,class", LabellingError, "no class"),
        ([("dp/000.png", "Husky")], "path,class", LabellingError, "in case only"),
        ([("dp/none.png", "husky")], "path,class", LabellingError, "not there"),
        ([("dp/000.png", "husky"), ("dp/000.png", "corgi")], "path,class", LabellingError, "contra"),
        ([], "path,class", LabellingError, "no rows"),
        ([("dp/000.png", "husky")], "path,breed", LabellingError, "no column"),
        ([("dp/000.png", "husky")], "file,class", ConceptLabelsError, "no column"),
    ],
)  # fmt: skip
def test_gold_that_cannot_be_is_named(caught, folder, rows, header, error, match) -> None:
    table = gold_table(folder.parent / "bad.csv", rows, header)
    with pytest.raises(error, match=match):
        run_make_pack(caught, folder, gold=table)


def test_what_cannot_be_asked_about_is_named(caught, folder, tmp_path: Path) -> None:
    with pytest.raises(InputsError, match="no folder"):
        run_make_pack(caught, tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputsError, match="no pictures"):
        run_make_pack(caught, tmp_path / "empty")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputsError, match=r"a\.png"):
        run_make_pack(caught, broken)
    with pytest.raises(LabellingError, match="cannot be asked"):
        run_make_pack(caught, folder, limit=0)
    several = caught.with_(head="multi-label")
    with pytest.raises(LabellingError, match="one class a picture"):
        run_make_pack(several, folder)


def test_a_z_that_tells_several_classes_a_picture_is_refused_by_every_command(
    monkeypatch, capsys, caught, folder, bundle, truth, tmp_path
) -> None:
    several = caught.with_(head="multi-label").save(tmp_path / "several.z")
    pack, store = tmp_path / "a.tasks", tmp_path / "a.sqlite"
    run(monkeypatch, "tasks", "make", bundle, "--images", folder, "--limit", 10, "--out", pack)
    answered(pack, store, truth)
    capsys.readouterr()
    for words in (
        ("tasks", "make", several, "--images", folder, "--out", tmp_path / "b.tasks"),
        ("labels", "train", several, "--store", store, "--images", folder,
         "--out", tmp_path / "l.csv"),
    ):  # fmt: skip
        assert run(monkeypatch, *words) == 1
        told = " ".join(capsys.readouterr().err.split())
        assert told.startswith("labelling ")
        assert "several of this model's classes" in told
        assert "find pictures" not in told  # at once, before anything is read
    assert not (tmp_path / "b.tasks").exists()
    assert not (tmp_path / "l.csv").exists()


def test_words_that_changed_since_the_export_are_noticed(caught, folder) -> None:
    made = run_make_pack(caught, folder, limit=5)
    exported = caught.with_(notes={**caught.notes, CARD: made.card.to_json()})
    assert run_make_pack(exported, folder, limit=5).hash == made.hash
    unit = made.card.units[0]
    with pytest.raises(CardError, match="changed since"):
        run_make_pack(exported.annotate(unit, "fluffy coat"), folder, limit=5)


def test_copies_are_asked_about_once_and_large_pictures_are_shrunk(caught, tmp_path) -> None:
    root = tmp_path / "dp"
    root.mkdir()
    draw = np.random.default_rng(0)
    for name, size in (("a.jpg", (900, 700)), ("b.png", (300, 1200)), ("c.png", (40, 40))):
        pixels = draw.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / name)
    (root / "copy.jpg").write_bytes((root / "a.jpg").read_bytes())
    made = run_make_pack(caught, root)
    assert sorted(q.path for q in made.questions) == ["a.jpg", "b.png", "c.png"]
    sizes = {q.path: Image.open(io.BytesIO(made.pictures[q.picture])).size for q in made.questions}
    assert sizes == {"a.jpg": (512, 512), "b.png": (300, 300), "c.png": (40, 40)}
    assert View.of(caught).size == (24, 24)


def test_pictures_of_other_sizes_are_seen_as_d_was(caught, tmp_path) -> None:
    # A wide picture, white but for its left and right ends, which a network of D does not see.
    pixels = np.full((48, 144, 3), 255, np.uint8)
    pixels[:, :48] = pixels[:, 96:] = 0
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    for size, shown in (((24, 24), (48, 48)), ((24, 36), (72, 48)), ((12, 36), (144, 48))):
        view = View(size)
        ((_, images),) = view.read_picture_batches([tmp_path / "wide.png"])
        assert images.shape == (1, *size, 3)
        with Image.open(
            io.BytesIO(view.crop_and_encode_for_people(tmp_path / "wide.png"))
        ) as opened:
            assert opened.size == shown
            assert (np.asarray(opened.convert("L")) < 128).mean() == pytest.approx(
                1 - 48 / shown[0], abs=0.03
            )


def test_a_huge_photograph_is_not_unpacked_whole(monkeypatch, tmp_path) -> None:
    # Stands for a hundred megapixels, which are refused unless a JPEG is read smaller.
    monkeypatch.setattr("circuitz.data.folders.read_picture.LARGEST", 3_000_000)
    draw = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(draw).resize((3600, 2400)).save(tmp_path / "huge.jpg")
    Image.fromarray(draw).resize((3600, 2400)).save(tmp_path / "huge.png")
    view = View((24, 24))
    with Image.open(io.BytesIO(view.crop_and_encode_for_people(tmp_path / "huge.jpg"))) as opened:
        assert opened.size == (512, 512)
    assert next(view.read_picture_batches([tmp_path / "huge.jpg"]))[1].shape == (1, 24, 24, 3)
    with pytest.raises(InputsError, match="up to 3,000,000"):
        view.crop_and_encode_for_people(tmp_path / "huge.png")


def test_without_d_the_concept_set_tells_how_pictures_are_seen(caught) -> None:
    how = replace(caught.preprocessing, size=(48, 48))
    assert View.of(caught.with_(data=None, preprocessing=how)).size == (24, 24)
    assert View.of(caught.with_(data=None, concept_set=None, preprocessing=how)).size == (48, 48)


def answered(pack_path: Path, store: Path, truth: dict[str, str], flip: bool = False) -> None:
    pack = open_pack(pack_path)
    for rater in ("ada", "bob"):
        session = Session(pack, Judgements(store), rater)
        n = 0
        while more := session.next_questions(n=1)[0]:
            right = truth[Path(more[0].path).name]
            wrong = CLASSES[(CLASSES.index(right) + 1) % 3]
            session.answer(more[0].id, wrong if flip else right, f"key-{n:06d}")
            n += 1


def test_from_pack_to_labels_on_the_command_line(
    monkeypatch, capsys, bundle, folder, truth, tmp_path
) -> None:
    place, store, out = tmp_path / "a.tasks", tmp_path / "a.sqlite", tmp_path / "labels.csv"
    make = ("tasks", "make", bundle, "--images", folder, "--limit", 40, "--out", place)
    assert run(monkeypatch, *make, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["questions"] == {"ask": 40, "gold": 0, "again": 4}
    assert told["z"] == load(bundle).hash
    assert run(monkeypatch, *make) == 0
    assert "circuitz serve --tasks" in capsys.readouterr().out
    assert run(monkeypatch, *make, "--seed", 7) == 1
    assert "another task pack" in capsys.readouterr().err

    answered(place, store, truth)
    collect = ("labels", "collect", "--store", f"sqlite:///{store}", "--tasks", place)
    assert run(monkeypatch, *collect, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["progress"]["complete"] == 40
    assert summary["agreement"]["estimate"] == 1
    assert run(monkeypatch, *collect, "--to", tmp_path / "answers.csv") == 0
    assert "Krippendorff" in capsys.readouterr().out

    learn = ("labels", "train", bundle, "--store", store, "--images", folder, "--out", out)
    assert run(monkeypatch, *learn, "--json", "--keep") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pictures"] == 60
    assert facts["answers"] == 80
    assert not facts["simulated"]
    rows = list(csv.DictReader(out.open(encoding="utf-8-sig")))
    assert len(rows) == 60
    assert sum(int(row["answers"]) > 0 for row in rows) == 40
    for row in rows:
        shares = [float(row[f"p {name}"]) for name in CLASSES]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert row["probability"] == row[f"p {row['label']}"]
        # Only people's word goes before what was learned, and the file says so.
        assert float(row["probability"]) == max(shares) or row["remark"]
        assert not row["remark"] or int(row["answers"]) > 0
    right = [truth[Path(row["path"]).name] == row["label"] for row in rows]
    assert np.mean(right) > 0.7
    kept = label_model_in_notes(load(bundle))
    assert kept is not None
    assert kept.answers == 80

    # Undone after training: what was learned stays as it is, and is learned anew when asked.
    pack = open_pack(place)
    asked = next(q for q in pack.questions if q.kind == "ask")
    assert Session(pack, Judgements(store), "bob").withdraw(asked.id)
    before = out.read_bytes()
    assert run(monkeypatch, *learn) == 1
    assert "is there already" in " ".join(capsys.readouterr().err.split())
    assert out.read_bytes() == before
    assert run(monkeypatch, *learn, "--json", "--overwrite") == 0
    assert json.loads(capsys.readouterr().out)["answers"] == 79
    assert label_model_in_notes(load(bundle)).answers == 80
    for words in (collect, (*collect, "--overwrite")):
        ended = run(monkeypatch, *words, "--to", tmp_path / "answers.csv")
        assert ended == (0 if "--overwrite" in words else 1)


def test_answers_that_tell_nothing_are_said_to(
    monkeypatch, capsys, bundle, folder, truth, tmp_path
) -> None:
    place, store = tmp_path / "a.tasks", tmp_path / "a.sqlite"
    run(monkeypatch, "tasks", "make", bundle, "--images", folder, "--limit", 30, "--out", place)
    assert "was never exported" in capsys.readouterr().err
    order = list(truth)
    answered(place, store, {name: CLASSES[order.index(name) % 3] for name in order})
    words = ("labels", "train", bundle, "--store", store, "--images", folder)
    assert run(monkeypatch, *words, "--out", tmp_path / "l.csv") == 0
    told = capsys.readouterr()
    assert "model: nothing" in told.out
    assert "no more than how frequent each class is" in " ".join(told.err.split())


def test_nothing_is_kept_in_a_z_that_became_another(
    monkeypatch, capsys, caught, folder, truth, tmp_path
) -> None:
    from circuitz.labelling.labels import label as room

    own = caught.save(tmp_path / "own.z")
    run(monkeypatch, "tasks", "make", own, "--images", folder, "--limit", 20,
        "--out", tmp_path / "a.tasks")  # fmt: skip
    answered(tmp_path / "a.tasks", tmp_path / "a.sqlite", truth)
    learn = room.label

    def meanwhile(z: AnnotatedModel, *rest: object, **more: object) -> object:
        made = learn(z, *rest, **more)
        load(own).annotate("conv3:0", "somebody else's words", author="eve").save(own)
        return made

    monkeypatch.setattr(room, "label", meanwhile)
    words = ("labels", "train", own, "--store", tmp_path / "a.sqlite", "--images", folder,
             "--out", tmp_path / "l.csv", "--keep")  # fmt: skip
    assert run(monkeypatch, *words) == 1
    assert "became another z" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "l.csv").is_file()
    assert load(own).effective()["conv3:0"].text == "somebody else's words"
    assert label_model_in_notes(load(own)) is None


def test_what_cannot_be_asked_is_told_before_the_network_is_run(
    caught, folder, monkeypatch
) -> None:
    monkeypatch.setattr("circuitz.labelling.tasks.make_pack.run_model_on_pictures", None)
    for wrong in ({"limit": 20_001}, {"overlap": 51}, {"lease": 1.0}, {"repeats": -1}):
        with pytest.raises(LabellingError):
            run_make_pack(caught, folder, **wrong)


def test_answers_that_do_not_belong_here_are_named(
    monkeypatch, capsys, bundle, folder, truth, tmp_path, caught
) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    with pytest.raises(LabellingError, match="no labels"):
        label(caught, store, folder)
    run(monkeypatch, "tasks", "make", bundle, "--images", folder, "--limit", 10,
        "--out", tmp_path / "a.tasks")  # fmt: skip
    answered(tmp_path / "a.tasks", store.path, truth)
    other = caught.annotate("conv3:0", "fluffy coat")
    with pytest.raises(LabellingError, match="given with another z"):
        label(other, store, folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Image.new("RGB", (24, 24)).save(elsewhere / "a.png")
    with pytest.raises(LabellingError, match="None of the 20 answers"):
        label(caught, store, elsewhere)
    with pytest.raises(LabellingError, match="of label-none"):
        label(caught, store, folder, task="label-none")
    few = tmp_path / "few"
    few.mkdir()
    for row in store.rows()[:8]:
        for q in open_pack(tmp_path / "a.tasks").questions:
            if q.item == row.items[0]:
                (few / Path(q.path).name).write_bytes((folder / q.path).read_bytes())
    made = label(caught, store, few)
    assert made.elsewhere > 0
    assert len(made.pictures) == len(list(few.iterdir()))


@pytest.mark.parametrize("words", [("tasks", "make"), ("labels", "collect"), ("labels", "train")])
def test_every_command_explains_itself(monkeypatch, capsys, words) -> None:
    assert run(monkeypatch, *words, "--help") == 0
    assert "Usage" in capsys.readouterr().out

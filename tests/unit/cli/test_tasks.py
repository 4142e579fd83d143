"""Packs of every kind, made and collected by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from circuitz.cli import app
from circuitz.labelling.tasks.pack_io import open_pack
from circuitz.labelling.tasks.session import Session
from circuitz.store.judgements import Judgements
from circuitz.z.bundle.load_save import load

pytestmark = pytest.mark.filterwarnings("ignore::circuitz.errors.BundleWarning")


@pytest.fixture(scope="module")
def bundles(caught, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A z, and the same with one word renamed."""
    folder = tmp_path_factory.mktemp("z")
    unit = next(t for t, a in caught.effective().items() if a.concepts)
    other = caught.annotate(unit, "a wrong word", author="mira")
    return (
        Path(caught.save(folder / "a.z", data=True)), Path(other.save(folder / "b.z", data=True))
    )  # fmt: skip


@pytest.fixture(scope="module")
def photos(shifted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for i in range(0, 240, 20):
        Image.fromarray(shifted[0].images[i]).save(folder / f"{i}.png")
    return folder


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return 1, str(result.exception)
    return result.exit_code, result.stdout


def answer_all(pack, store: Path, choice: str, details=None) -> None:
    session = Session(pack, Judgements(store), "mira")
    while found := session.next_questions(n=1)[0]:
        session.answer(found[0].id, choice, f"key-{found[0].id}", details=details)


def test_two_models_are_compared(bundles, tmp_path: Path) -> None:
    a, b = bundles
    (tmp_path / "gold.csv").write_text(f"better,worse\n{a},{b}\n")
    code, said = run(
        "tasks",
        "make",
        a,
        b,
        "--kind",
        "compare",
        "--out",
        tmp_path / "p",
        "--overlap",
        1,
        "--json",
    )
    assert code == 0, said
    facts = json.loads(said)
    assert facts["kind"] == "compare"
    pack = open_pack(tmp_path / "p")
    assert pack.task == facts["task"]
    assert {card.z_hash for card in pack.cards.values()} == {load(a).hash, load(b).hash}
    answer_all(pack, tmp_path / "s.sqlite", "both implausible")
    out = tmp_path / "answers.csv"
    code, said = run(
        "labels",
        "collect",
        "--store",
        tmp_path / "s.sqlite",
        "--tasks",
        tmp_path / "p",
        "--to",
        out,
    )
    assert code == 0, said
    assert "both implausible 1" in said
    assert out.read_text("utf-8-sig").startswith("a,b,outcome")


def test_gold_pairs_are_of_models_that_are_compared(bundles, tmp_path: Path) -> None:
    a, b = bundles
    gold = tmp_path / "gold.csv"
    gold.write_text("better,worse\nnobody.z,x.z\n")
    code, said = run(
        "tasks", "make", a, b, "--kind", "compare", "--out", tmp_path / "p", "--gold", gold
    )
    assert code == 1
    assert "not compared" in said
    gold.write_text("path,class\n1,2\n")
    assert (
        run("tasks", "make", a, b, "--kind", "compare", "--out", tmp_path / "p", "--gold", gold)[0]
        == 1
    )
    assert not (tmp_path / "p").exists()


def test_classes_are_asked_about_without_pictures(bundles, photos: Path, tmp_path: Path) -> None:
    a, _ = bundles
    gold = tmp_path / "gold.csv"
    gold.write_text(f"path,class\n{photos / '0.png'},husky\n")
    code, said = run(
        "tasks", "make", a, "--kind", "label", "--arm", "hidden", "--images", photos, "--gold", gold,
        "--out", tmp_path / "p", "--overlap", 1,
    )  # fmt: skip
    assert code == 0, said
    pack = open_pack(tmp_path / "p")
    assert pack.hidden
    assert not pack.pictures
    assert not pack.exemplars
    counts = pack.count_questions_by_kind()
    assert (counts["ask"], counts["gold"], counts["again"]) == (11, 1, 1)
    assert "unseen" in pack.name
    assert "without seeing" in pack.guidelines
    answer_all(pack, tmp_path / "s.sqlite", "husky")
    code, said = run(
        "labels", "collect", "--store", tmp_path / "s.sqlite", "--tasks", tmp_path / "p", "--json"
    )
    assert code == 0, said
    assert json.loads(said)["raters"]["mira"]["gold"]["estimate"] == 1
    # What was answered without the picture is no label of it.
    assert run("labels", "collect", "--store", tmp_path / "s.sqlite")[0] == 1
    assert run("labels", "collect", "--store", tmp_path / "s.sqlite", "--kind", "hidden")[0] == 0


def test_hypotheses_are_asked_for_and_become_annotations(bundles, tmp_path: Path) -> None:
    a, _ = bundles
    z = load(a)
    unit = f"{z.cut[0]}:0"
    code, said = run(
        "tasks", "make", a, "--kind", "hypothesis", "--about", "husky", "--about", unit, "--out",
        tmp_path / "p", "--overlap", 1,
    )  # fmt: skip
    assert code == 0, said
    pack = open_pack(tmp_path / "p")
    assert [q.item for q in pack.questions] == ["output:husky", unit]
    assert set(pack.chips) == set(z.concept_set.concept_names)
    answer_all(pack, tmp_path / "s.sqlite", "written", {"words": ["snow"], "text": "a white floor"})
    code, said = run(
        "labels",
        "propose",
        a,
        "--store",
        tmp_path / "s.sqlite",
        "--out",
        tmp_path / "new.z",
        "--json",
    )
    assert code == 0, said
    assert json.loads(said)["written"] == 2
    made = load(tmp_path / "new.z").effective()[unit]
    assert (made.text, made.author, made.author_kind) == ("snow; a white floor", "mira", "person")


def test_by_default_classes_and_silent_units_are_asked_about(bundles, tmp_path: Path) -> None:
    a, _ = bundles
    code, said = run(
        "tasks", "make", a, "--kind", "hypothesis", "--out", tmp_path / "p", "--word", "snow"
    )
    assert code == 0, said
    pack = open_pack(tmp_path / "p")
    z = load(a)
    items = [q.item for q in pack.questions]
    assert items[:3] == [f"output:{name}" for name in z.classes]
    assert not set(items[3:]) & set(map(str, z.effective()))
    assert pack.chips == ("snow",)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--kind", "compare"], "cannot be compared"),
        (["--kind", "label"], "no pictures"),
        (["--kind", "hypothesis", "--images", "."], "of packs that ask for classes"),
        (["--images", ".", "--about", "husky"], "of hypotheses"),
        (["--kind", "hypothesis", "--about", "wolf"], "neither a class nor a measured unit"),
    ],
)
def test_what_does_not_go_together_is_refused(bundles, tmp_path: Path, arguments, why: str) -> None:
    code, said = run("tasks", "make", bundles[0], "--out", tmp_path / "p", *arguments)
    assert code == 1
    assert why in said
    assert not (tmp_path / "p").exists()


def test_only_comparisons_are_of_several_models(bundles, tmp_path: Path) -> None:
    code, said = run("tasks", "make", *bundles, "--images", tmp_path, "--out", tmp_path / "p")
    assert code == 1
    assert "about one z" in said

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.cli import main
from circuitz.labelling.concepts.population_pack import populations_of_pack
from circuitz.labelling.tasks.pack_io import open_pack
from circuitz.labelling.tasks.session import Session
from circuitz.store.judgements import Judgements
from circuitz.z.agreement_record import agreement_records
from circuitz.z.bundle.load_save import load
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.z.word_tests import word_tests
from tests.unit.posterior.words.conftest import in_concept_set, labelled, painted


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture
def bundle(caught: AnnotatedModel, tmp_path: Path) -> Path:
    return caught.save(tmp_path / "caught.z", data=True)


@pytest.fixture
def folder(shifted: tuple[InputSet, np.ndarray], tmp_path: Path) -> Path:
    """D′ as files, in folders whose names say nothing that is read."""
    for i, pixels in enumerate(shifted[0].images):
        place = tmp_path / "shifted" / f"{i % 2}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i:04}.png")
    return tmp_path / "shifted"


@pytest.fixture(scope="module")
def shows(
    block_world: tuple[InputSet, InputSet], shifted: tuple[InputSet, np.ndarray]
) -> dict[str, frozenset[str]]:
    data, concepts = block_world
    grounds = labelled(160, 1, shortcut=True)[1]
    return painted(data, grounds) | painted(*shifted) | in_concept_set(concepts)


def answer_all(
    tasks: Path, store: Path, shows: dict[str, frozenset[str]], rater: str = "Ada"
) -> None:
    pack = open_pack(tasks)
    kept = Judgements(store)
    session = Session(pack, kept, rater)
    kept.store_superseding_answers(
        session.answer_as_judgement(
            q.id, "yes" if q.word in shows[q.item] else "no", f"{rater}{q.id}"
        )
        for q in pack.questions
    )


def test_from_the_first_question_to_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bundle: Path, folder: Path,
    tmp_path: Path, shows: dict[str, frozenset[str]],
) -> None:  # fmt: skip
    tasks, store = tmp_path / "words.tasks", tmp_path / "a.sqlite"
    common = ("words", bundle, "--shifted", folder, "--word", "snow", "--word", "sand")
    assert run(monkeypatch, *common, "--tasks", tasks, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert {t["verdict"] for t in facts["tests"]} == {"untested"}
    assert "out" not in facts
    assert not word_tests(load(bundle)), "without a store nothing is written"
    pack = open_pack(tasks)
    assert populations_of_pack(pack) == {"D", "D'", "concepts"}
    assert pack.count_questions_by_kind()["gold"] == 48
    for q in pack.questions:
        assert q.path == ""
        assert q.kind != "gold" or pack.gold[q.id] == ("yes" if q.word in shows[q.item] else "no")
    answer_all(tasks, store, shows)
    assert run(monkeypatch, *common, "--store", store) == 0
    said = capsys.readouterr().out
    for part in ("snow", "sand", "holds", "fails", "D′", "Next: circuitz check"):
        assert part in said
    kept = {(t.word, t.population): t for t in word_tests(load(bundle))}
    assert {kept["snow", p].verdict for p in ("D", "D'")} == {"holds"}
    assert kept["snow", "D'"].raters == ("Ada",)
    assert not kept["snow", "D'"].simulated
    assert run(monkeypatch, "check", bundle, "--everywhere") == 0
    checked = capsys.readouterr().out
    assert "not tested on D" in checked
    assert "on D′ 1 hold" in " ".join(checked.split())
    # A second rater who says the opposite is told, and ties count as wrong.
    nothing = dict.fromkeys(shows, frozenset[str]())
    answer_all(tasks, store, nothing, "Bo")
    assert run(monkeypatch, *common, "--store", store, "--out", tmp_path / "other.z") == 0
    assert "Raters disagree" in capsys.readouterr().out
    assert any(t.verdict != "holds" for t in word_tests(load(tmp_path / "other.z")))
    assert {t.verdict for t in word_tests(load(bundle)) if t.word == "snow"} == {"holds"}


def test_what_words_tell_together_is_asked_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bundle: Path, folder: Path,
    tmp_path: Path, shows: dict[str, frozenset[str]],
) -> None:  # fmt: skip
    store = tmp_path / "a.sqlite"
    common = ("words", bundle, "--shifted", folder, "--agreement", 25, "--n", 60)
    # Words first, then classes, then all words about the same pictures: no more than a few packs.
    for turn in range(8):
        tasks = tmp_path / f"{turn}.tasks"
        kept = ("--store", store) if store.exists() else ()
        assert run(monkeypatch, *common, *kept, "--tasks", tasks) == 0
        if not tasks.exists():
            break
        answer_all(tasks, store, shows)
    assert "agrees with its words on" in " ".join(capsys.readouterr().out.split())
    assert {a.population for a in agreement_records(load(bundle))} == {"D", "D'"}
    none = ("--store", store, "--agreement", 0, "--out", tmp_path / "other.z", "--json")
    assert run(monkeypatch, *common[:4], *none) == 0
    assert json.loads(capsys.readouterr().out)["agreement"] == []


def test_one_word_on_one_population_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bundle: Path, folder: Path,
    tmp_path: Path, shows: dict[str, frozenset[str]],
) -> None:  # fmt: skip
    ask = ("concepts", "ask", bundle, "snow", "--on", "shifted", "--shifted", folder)
    assert run(monkeypatch, *ask, "--n", 20, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    pack = open_pack(Path(facts["tasks"]))
    assert pack.words == ("snow",)
    assert populations_of_pack(pack) == {"D'", "concepts"}
    assert pack.count_questions_by_kind()["ask"] == 20
    assert facts["words"]["snow"]["questions"] == 20 + pack.count_questions_by_kind()["gold"]
    answer_all(Path(facts["tasks"]), Path(facts["store"]), shows)
    assert run(monkeypatch, *ask) == 0, "the same questions again"
    assert "circuitz words" in capsys.readouterr().out
    assert run(monkeypatch, *ask, "--take") == 1
    assert "no labels of the concept set" in capsys.readouterr().err
    # Pictures that are gone are told, and what was answered about them harms nothing.
    some = sorted(folder.rglob("*.png"))
    for file in some[::2]:
        file.unlink()
    words = ("words", bundle, "--shifted", folder, "--store", facts["store"], "--word", "snow")
    assert run(monkeypatch, *words) == 0
    assert "about pictures that are not in D" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--word", "unicorn"), "No unit of the cut bears"),
        (("--half", "both"), "There is no half"),
        (("--store", "nowhere.sqlite"), "There is no file"),
        (("--shifted", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bundle: Path,
    more: tuple[str, str], message: str,
) -> None:  # fmt: skip
    assert run(monkeypatch, "words", bundle, *more) == 1
    assert message in capsys.readouterr().err
    assert not word_tests(load(bundle))

"""What earlier versions wrote: it is read as they read it, gone on with, and written as they did.

``tests/earlier/earlier.tar.xz`` holds a little of everything that goes to disk, and what the
version that wrote it read (``tests/earlier/make.py``). A test that fails here means that somebody's
bundles, answers or half-done work no longer open, or open as something else.
"""

from __future__ import annotations

import codecs
import csv
import dataclasses
import importlib.util
import json
import math
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import circuitz as cz
from circuitz.cards.card import Card as ZCard
from circuitz.cards.card import ClassEntry
from circuitz.labelling.export import card_in_notes, label_model_in_notes
from circuitz.labelling.tasks.pack_io import open_pack, write_pack
from circuitz.plausibility.words.blind_tests import blind_tests_of_current_weights, with_blind_tests
from circuitz.store.address import open_store
from circuitz.z.bundle.inputs_io import read_inputs, write_inputs
from circuitz.z.circuit.attribution_graph import graph_from_record
from circuitz.z.formats.csv_cells import unescape_formula
from circuitz.z.intervention import interventions_of, with_interventions
from circuitz.z.visuals import visuals_of, with_visualisation_run

EARLIER = Path(__file__).parents[3] / "earlier"
_spec = importlib.util.spec_from_file_location("earlier_facts", EARLIER / "facts.py")
assert _spec is not None
assert _spec.loader is not None
facts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(facts)
run = facts.run

#: What a log says that went on after its bundle was saved, is in the manifest of the next save.
GROWN = {"grown.z": 2, "killed.z": 2, "torn.z": 2}


@pytest.fixture(scope="module", params=["earlier", "before_judgements"])
def root(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    place = tmp_path_factory.mktemp(request.param)
    with tarfile.open(EARLIER / f"{request.param}.tar.xz") as archive:
        archive.extractall(place, filter="data")
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield place
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def expected(root: Path) -> dict[str, Any]:
    return json.loads((root / facts.EXPECTED).read_text(encoding="utf-8"))


# What is meant to be another since: how far persons called gpt and sim are, for the answers are a
# model's and a simulated rater's.
CHANGED = (".standing.gpt", ".standing.sim")
# Problems that are told since.
SINCE = (
    "unknown-kinds",
    "words-newer-than-measurements",
)


def same(found: Any, wanted: Any, where: str = "") -> None:
    """Compare JSON values; numbers but for rounding on another machine."""
    if where.endswith(CHANGED):
        return
    if where.endswith(("agreement.low", "agreement.high")):
        # The interval is honest on few pictures since, and so never narrower.
        assert found <= wanted if where.endswith("low") else found >= wanted, where
        return
    if where.endswith(".check"):
        # Claims about concepts of unknown kind are listed as undecided since.
        found = [row for row in found if row in wanted or row[4:6] != ["inconclusive", None]]
    if where.endswith(".collected"):  # told since
        found = {key: value for key, value in found.items() if key not in ("remarks", "set_aside")}
    if where == "search.notes":  # told since
        found = {k: v for k, v in found.items() if k not in ("edit_trials", "unedited")}
    if where.endswith(".problems"):
        found = [code for code in found if code not in SINCE or code in wanted]
    if isinstance(found, dict):
        assert found.keys() <= wanted.keys(), where
        for key, value in found.items():
            same(value, wanted[key], f"{where}.{key}")
    elif isinstance(found, list):
        assert len(found) == len(wanted), f"{where}: {found} {wanted}"
        for i, value in enumerate(found):
            same(value, wanted[i], f"{where}[{i}]")
    elif isinstance(found, float) and isinstance(wanted, float):
        assert math.isclose(found, wanted, rel_tol=1e-3, abs_tol=1e-4), f"{where}: {found} {wanted}"
    else:
        assert found == wanted, where


def copied(root: Path, tmp_path: Path, *names: str) -> list[Path]:
    """Copy parts that are to be changed."""
    return [
        Path(shutil.copytree(root / name, tmp_path / name) if (root / name).is_dir()
             else shutil.copy(root / name, tmp_path / name))
        for name in names
    ]  # fmt: skip


def contents(place: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {
        str(file.relative_to(place)): file.read_bytes()
        for file in sorted(place.rglob("*")) if file.is_file()
    }  # fmt: skip


def manifest(place: Path) -> dict[str, Any]:
    """What a bundle says of itself, but for who wrote it."""
    if place.is_dir():
        data = (place / "z.json").read_bytes()
    else:
        data = zipfile.ZipFile(place).read("z.json")
    said = json.loads(data)
    return {key: value for key, value in said.items() if key not in ("writer", "sha256")}


def anew(z: cz.AnnotatedModel) -> cz.AnnotatedModel:
    """Return z with parts that remember no file, so that saving writes them and links none."""
    changes: dict[str, Any] = {"weights": {k: np.array(v) for k, v in z.weights.items()},
                               "bases": {k: np.array(v) for k, v in z.bases.items()}}  # fmt: skip
    if z.concept_set is not None and z.concepts_ref is None:
        changes["concept_set"] = dataclasses.replace(z.concept_set)
    if z.measurements is not None:
        effects = z.measurements.effects
        changes["measurements"] = dataclasses.replace(
            z.measurements,
            layers={k: dataclasses.replace(v) for k, v in z.measurements.layers.items()},
            effects=None if effects is None else dataclasses.replace(effects),
        )
    return z.with_(**changes)


# -- bundles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", facts.BUNDLES)
def test_a_bundle_is_read_as_it_was_and_saved_as_it_was(
    root: Path, expected: dict[str, Any], name: str
) -> None:
    before = contents(root / name) if (root / name).is_dir() else {}
    same(facts.bundle(root, name), expected["bundles"][name], name)
    z = facts.opened(root, name)
    made = anew(z)
    assert made.hash == z.hash
    # Beside it: what z refers to lies where it lay.
    again = made.save((root / name).with_name(f"again-{Path(name).name}"))
    assert cz.load(again).hash == z.hash == expected["bundles"][name]["hash"]
    old, new = manifest(root / name), manifest(again)
    if name in GROWN:
        assert new.pop("log")["count"] == old.pop("log")["count"] + GROWN[name]
        old = {k: v for k, v in old.items() if k not in ("hash", "parent", "lineage")}
    if "concepts_ref" in old:  # small enough to be taken in
        old |= {"files": {**new["files"], **old["files"]}, "concepts_hash": new["concepts_hash"]}
        del old["concepts_ref"]
    # Every key, and every file's content to the byte: arrays, findings, story.
    assert {key: new.get(key) for key in old} == old
    if before and name != "torn.z":
        after = contents(again)
        assert [after[f] for f in ("log.jsonl", "annotations.jsonl")] == [
            before[f] for f in ("log.jsonl", "annotations.jsonl")
        ]


def test_a_killed_save_and_what_it_left_are_cleared_up(root: Path, tmp_path: Path) -> None:
    left = [".killed.z.old-0123abcd", ".killed.z.tmp-4567cdef"]
    if not (root / left[0]).exists():  # this process opened it already
        with tarfile.open(EARLIER / "earlier.tar.xz") as archive:
            some = [m for m in archive if m.name.startswith(".killed")]
            archive.extractall(tmp_path, some, filter="data")
    else:
        copied(root, tmp_path, *left)
    assert len(cz.load(tmp_path / "killed.z").log) == 3
    assert not any((tmp_path / name).exists() for name in left)


def test_somebodys_edits_that_were_set_aside_and_own_files_are_carried_along(
    root: Path, tmp_path: Path
) -> None:
    (place,) = copied(root, tmp_path, "aside.z")
    aside = (place / "log.aside.jsonl").read_bytes()
    assert aside.count(b"\n") == 2
    cz.load(place).annotate("read:2", "more", author="ana").save(place)
    assert (place / "log.aside.jsonl").read_bytes() == aside
    assert (place / "README.txt").is_file()


@pytest.mark.parametrize("name", ["start.z", "grown.z", "rich.z.zip"])
def test_edits_are_appended_to_an_old_log(root: Path, tmp_path: Path, name: str) -> None:
    (place,) = copied(root, tmp_path, name)
    before = cz.load(place)
    unit = before.units["unit"].iloc[0]
    words = tmp_path / "more.csv"
    words.write_text(f"unit,text,author\n{unit},something else,zoe\n", encoding="utf-8")
    run("annotate", place, "--from", words, "--on-conflict", "replace")
    after = cz.load(place)
    assert after.log[: len(before.log)] == before.log
    assert after.effective()[unit].text == "something else"
    assert after.undo().annotations_hash == before.annotations_hash


@pytest.mark.parametrize("name", facts.NETWORKS)
def test_a_network_is_built_again_and_says_what_it_said(
    root: Path, expected: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in facts.FOREIGN:
        pytest.importorskip("transformer_lens")
    same(facts.network(root, name), expected["networks"][name], name)
    sys.modules.pop("blocknet", None)


# -- what is kept among the notes -------------------------------------------------------------------


def test_what_is_kept_with_a_z_is_kept_in_the_same_words(root: Path) -> None:
    z, star = cz.load(root / "rich.z"), cz.load(root / "star.z")
    for name in z.notes["interventions"]:
        assert with_interventions(z, name, interventions_of(z, name)).notes == z.notes
    for unit in z.notes["visuals"]:
        assert z.measurements is not None
        for visual in visuals_of(z, unit):
            pngs = [z.measurements.pictures[name] for name in visual.pictures]
            assert with_visualisation_run(z, unit, pngs, visual).notes == z.notes
    assert with_blind_tests(z, tuple(blind_tests_of_current_weights(z).values())).notes == z.notes
    for one in (z, cz.load(root / "tokens.z")):
        for name in one.notes["graphs"]:
            assert one.with_graph(one.graph(name)).notes == one.notes
    card, learned = card_in_notes(star), label_model_in_notes(star)
    assert card is not None
    assert learned is not None
    assert card.to_json() == star.notes["card"]
    assert learned.to_json() == star.notes["label_model"]


def test_labels_that_people_gave_are_taken_back_and_written_again(
    root: Path, tmp_path: Path
) -> None:
    place, *_ = copied(root, tmp_path, "rich.z", "ask", "ask.sqlite", "lexicon.yaml", "start.D")
    before = cz.load(place)
    assert before.concept_set is not None
    undone = json.loads(run("concepts", "ask", place, "--undo", "--json"))
    assert undone == {"word": "shade", "cells": 6, "column_removed": True}
    words = ("concepts", "ask", place, "shade", "--tasks", tmp_path / "ask", "--store",
             tmp_path / "ask.sqlite", "--lexicon", tmp_path / "lexicon.yaml")  # fmt: skip
    told = json.loads(run(*words, "--take", "--json"))
    z = cz.load(place)
    assert told["labels"][0]["word"] == "shade"
    assert told["labels"][0]["written"] > 0
    records = z.notes["concept_labels"]
    assert [r["undone"] for r in records] == [True, True, False]
    assert all(r.keys() == records[0].keys() for r in records)
    # Answers on top of those there are, at the terminal.
    first = told["words"]["shade"]["answered"]
    told = json.loads(run(*words, "--here", "--rater", "zoe", "--json", keys="y\nn\nq\n"))
    assert told["words"]["shade"]["answered"] >= first
    assert len(open_store(tmp_path / "ask.sqlite")) == len(open_store(root / "ask.sqlite")) + 2


def test_a_blind_test_stands_as_it_was(root: Path, tmp_path: Path) -> None:
    place, *_ = copied(root, tmp_path, "rich.z", "blind", "blind.sqlite", "blind.csv", "start.D")
    words = ("concepts", "blind", place, "conv3:6", "--word", "whiskers", "--tasks",
             tmp_path / "blind", "--store", tmp_path / "blind.sqlite", "--lexicon",
             root / facts.LEXICON)  # fmt: skip
    said = json.loads(run(*words, "--answers", tmp_path / "blind.csv", "--json"))
    (test,) = said["tests"]
    (record,) = cz.load(root / "rich.z").notes["blind_tests"]
    assert (test["unit"], test["word"], test["verdict"]) == ("conv3:6", "whiskers", "flagged")
    assert test["accuracy"] == record["accuracy"]
    assert len(open_store(tmp_path / "blind.sqlite")) == 12
    assert cz.load(place).notes["blind_tests"] == [record]


def test_looks_at_audit_and_bases_are_noted_beside_the_old_ones(root: Path, tmp_path: Path) -> None:
    place, *_ = copied(root, tmp_path, "rich.z", "start.D")
    run("check", place, "--split", "audit", "--lexicon", root / facts.LEXICON)
    old, new = cz.load(place).notes["audit_reads"]
    assert old.keys() == new.keys()
    run("directions", place, "--layer", "conv3", "--how", "pca", "--count", 2, "--name", "again")
    z = cz.load(place)
    same(facts.plain(z.notes["bases"]["conv3@again"]), facts.plain(z.notes["bases"]["conv3@pca"]))
    parts = {
        name: {k.partition("#")[2] for k in z.bases if k.partition("#")[0] == f"conv3@{name}"}
        for name in ("again", "pca")
    }
    assert parts["again"] == parts["pca"]
    # Directions are read with what was kept of them.
    effects = [cz.effect(z, f"conv3@{name}:0", "output:husky").estimate for name in parts]
    assert effects[0] == pytest.approx(effects[1], abs=1e-3)


def test_an_old_circuit_is_shown_and_not_measured_again(root: Path, tmp_path: Path) -> None:
    place, *_ = copied(root, tmp_path, "rich.z", "start.D")
    before = manifest(place)
    said = json.loads(run("graph", place, "--class", "husky", "--images", 12, "--json"))
    # Influence is printed cumulative since, for other programs; the graph is the same.
    assert graph_from_record(said) == graph_from_record(before["notes"]["graphs"]["husky"])
    assert manifest(place) == before


def spoken(entry: ClassEntry) -> tuple[Any, ...]:
    cues = [(c.words, c.units, round(c.strength, 2)) for c in entry.cues]
    return entry.name, cues, [round(v, 2) for v in entry.unexplained or ()]


def test_export_of_an_old_z_makes_the_old_card(root: Path, tmp_path: Path) -> None:
    place, *_ = copied(root, tmp_path, "found.z", "start.D")
    star = cz.load(root / "star.z")
    waived = [part for w in star.waivers for part in ("--waive", w.finding)]
    run("export", place, "--out", tmp_path / "star.z", "--author", "mira", "--reason",
        "Known, and small.", "--lexicon", root / facts.LEXICON, "--sign", "words-on-d",
        "--sign", "accuracy-loss", "--sign", "accuracy-floor", *waived)  # fmt: skip
    made = cz.load(tmp_path / "star.z")
    assert made.hash == star.hash
    # The card shows words that fail, too, and what was not tested; those that count are the same.
    new, old = (ZCard.from_json(z.notes["card"]) for z in (made, star))
    assert [spoken(entry) for entry in new.counted.classes] == [spoken(e) for e in old.classes]
    assert ZCard.from_json(json.loads((tmp_path / "star.z/card.json").read_bytes())) == new


# -- packs, answers, inputs, files ------------------------------------------------------------------


@pytest.mark.parametrize("name", facts.PACKS)
def test_a_task_pack_is_read_and_written_as_it_was(
    root: Path, expected: dict[str, Any], tmp_path: Path, name: str
) -> None:
    same(facts.pack(root, name), expected["packs"][name], name)
    again = write_pack(open_pack(root / name), tmp_path / "pack")
    if name.endswith(".zip"):
        with zipfile.ZipFile(root / name) as archive:
            before = {item: archive.read(item) for item in archive.namelist()}
    else:
        before = contents(root / name)
    after = contents(again)
    old, new = (json.loads(files.pop("tasks.json")) for files in (before, after))
    assert after == before
    for said in (old, new):
        del said["circuitz"], said["sha256"]
    assert new == old


@pytest.mark.parametrize("name", facts.STORES)
def test_answers_are_read_as_they_were(root: Path, expected: dict[str, Any], name: str) -> None:
    same(facts.store(root, name), expected["stores"][name], name)


def test_answers_are_written_to_files_as_they_were_and_taken_in_again(
    root: Path, tmp_path: Path
) -> None:
    words = ("labels", "collect", "--store", root / "answers.sqlite", "--tasks", root / "pack")
    for name in ("answers.csv", "answers.jsonl"):
        run(*words, "--to", tmp_path / name)
        written, before = (tmp_path / name).read_bytes(), (root / name).read_bytes()
        if name.endswith(".csv"):
            # A byte order mark came to files for spreadsheets, and an apostrophe before ids of digits.
            assert written.startswith(codecs.BOM_UTF8)
            assert cells(written) == cells(before)
        else:
            # Cards go first, of a store that holds them: another test may have opened its pack.
            assert written.endswith(before)
    store = open_store(tmp_path / "new.sqlite")
    assert store.import_jsonl(root / "judgements.jsonl") == len(store)
    store.export_jsonl(tmp_path / "judgements.jsonl")
    assert (tmp_path / "judgements.jsonl").read_bytes() == (root / "judgements.jsonl").read_bytes()


@pytest.mark.parametrize("name", facts.INPUTS)
def test_inputs_are_read_and_written_as_they_were(
    root: Path, expected: dict[str, Any], tmp_path: Path, name: str
) -> None:
    same(facts.inputs(root, name), expected["inputs"][name], name)
    again = write_inputs(tmp_path / "D", dataclasses.replace(read_inputs(root / name)))
    assert contents(again) == contents(root / name)


@pytest.mark.parametrize("name", facts.WORDS)
def test_files_of_words_are_read_and_written_as_they_were(
    root: Path, expected: dict[str, Any], tmp_path: Path, name: str
) -> None:
    said = facts.words(root, name)
    same(said, expected["words"][name], name)
    more = ["--history"] if said["history"] else []
    run("annotations", root / "rich.z", "--to", tmp_path / name, "--format", said["format"], *more)
    written, before = (tmp_path / name).read_bytes(), (root / name).read_bytes()
    if said["format"] == "csv":
        # Since, tables begin with a byte order mark, and ids that look like numbers have an
        # apostrophe; nothing else of them is another.
        assert written.startswith(codecs.BOM_UTF8)
        assert cells(written) == cells(before)
    elif said["format"] == "clip-dissect":  # read by others too, so it has no mark
        assert cells(written) == cells(before)
        assert not written.startswith(codecs.BOM_UTF8)
    else:
        assert written == before


def cells(table: bytes) -> list[list[str]]:
    """Take a table apart, whatever guards its cells against spreadsheets."""
    lines = table.decode("utf-8-sig").splitlines(keepends=True)
    return [[unescape_formula(cell) for cell in row] for row in csv.reader(lines)]


@pytest.mark.parametrize("part", ["graph", "lexica", "labels", "diff"])
def test_other_files_are_read_as_they_were(root: Path, expected: dict[str, Any], part: str) -> None:
    same(getattr(facts, part)(root), expected[part], part)


# -- work that was stopped ----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on(root: Path, expected: dict[str, Any]) -> None:
    found = facts.search(root)
    same(found, expected["search"], "search")
    same(found["notes"], facts.plain(cz.load(root / "found.z").notes["search"]), "search.notes")
    # One round more is trained, on what was found before; what comes of it no machine repeats.
    more = facts.search(root, rounds=2)["notes"]
    same(more["scores"][:2], found["notes"]["scores"])
    assert len(more["scores"]) == 3 or more["abandoned"]


def test_what_was_measured_is_not_measured_again(root: Path) -> None:
    z = cz.load(root / "start.z")
    lexicon = cz.Lexicon.load(root / facts.LEXICON)
    again = cz.measure(z, pictures=False, lexicon=lexicon)
    assert z.measurements is not None
    assert again.measurements is not None
    assert again.measurements.effects is z.measurements.effects
    for name, layer in z.measurements.layers.items():
        assert again.measurements.layers[name] is layer
    # What is tried since is added; nothing that stood there changes.
    assert {**again.notes, **z.notes} == again.notes
    assert set(again.notes) - set(z.notes) <= {"silenceable", "accuracy"}


def test_finished_pieces_are_taken_up(root: Path, tmp_path: Path) -> None:
    place, *_ = copied(root, tmp_path, "half.z", "binary.D", "half.shards", "half.ablated")
    shards, ablated = tmp_path / "half.shards", tmp_path / "half.ablated"
    before = contents(shards) | contents(ablated)
    run("measure", place, "--checkpoint", shards, "--shards", 2, "--lexicon", root / facts.LEXICON)
    run("ablate", place, "--checkpoint", ablated, "--images", 6, "--json")
    after = contents(shards) | contents(ablated)
    assert before.items() <= after.items()
    # Pieces are named by what they are made from. For effects that is what the network computes,
    # whose last bits are another machine's: these alone may have been made again.
    assert all(b'"sufficiency"' in after[name] for name in after.keys() - before.keys())
    made, old = cz.load(place).measurements, cz.load(root / "binary.z").measurements
    assert made is not None
    assert old is not None
    assert np.allclose(made.layers["conv2"].responses, old.layers["conv2"].responses, atol=1e-5)

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from circuitz.cli import main
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import write_inputs
from circuitz.z.bundle.load_save import load
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel


@pytest.fixture(scope="module")
def bundle(caught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    write_inputs(folder / "D", caught.data)
    place = folder / "caught.z"
    caught.with_(data_ref=DataRef.referring_to(caught.data, "D")).save(place)
    return place


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize(
    "words", [(), ("demo",), ("check",), ("search",), ("export",), ("lab",), ("data", "dogs")]
)
def test_every_command_explains_itself(monkeypatch, capsys, words) -> None:
    assert run(monkeypatch, *words, "--help") == 0
    assert "Usage" in capsys.readouterr().out


def test_check_prints_the_report_as_json_and_strict_fails_on_flags(
    monkeypatch, capsys, bundle
) -> None:
    assert run(monkeypatch, "check", bundle, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    flagged = [f for f in report["findings"] if f["verdict"] == "flagged"]
    assert {f["kind"] for f in flagged} >= {"implausible-driver"}
    assert run(monkeypatch, "check", bundle, "--strict") == 1
    assert "snow" in capsys.readouterr().out


def test_check_without_concept_labels_says_so_and_strict_does_not_pass(
    monkeypatch, capsys, bundle, tmp_path
) -> None:
    z = load(bundle)
    bare = replace(z.concept_set, concepts=None, concept_names=(), pairs=None)
    place = z.with_(concept_set=bare, data_ref=None).save(tmp_path / "bare.z")
    assert run(monkeypatch, "check", place) == 0
    assert "no-concept-labels" in capsys.readouterr().out
    assert run(monkeypatch, "check", place, "--strict", "--json") == 1
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert [p["code"] for p in report["problems"]] == ["no-concept-labels"]
    assert not [f for f in report["findings"] if f["verdict"] == "supported"]
    assert "--strict: " in said.err


def test_check_that_cannot_be_done_answers_in_json_too(monkeypatch, capsys, tmp_path) -> None:
    circle = tmp_path / "circle.yaml"
    circle.write_text(
        "concepts:\n  zig: {kind: part, synonyms: [zag]}\n  zag: {kind: part, synonyms: [zig]}\n",
        encoding="utf-8",
    )
    z = AnnotatedModel("m", ("a",), layers=(LayerSpec("conv", 1),)).save(tmp_path / "m.z")
    for words, code in (
        ((tmp_path / "none.z",), "bundle"),
        ((z,), "not-measured"),
        ((z, "--lexicon", circle), "cyclic-synonyms"),
        ((z, "--delta", 7), "check"),
    ):
        assert run(monkeypatch, "check", *words, "--json") == 1
        said = capsys.readouterr()
        assert json.loads(said.out)["error"]["code"] == code
        assert "Traceback" not in said.err


def test_looking_at_audit_is_put_on_record(monkeypatch, capsys, bundle) -> None:
    before = len(load(bundle).notes.get("audit_reads", []))
    assert run(monkeypatch, "check", bundle, "--split", "audit") == 0
    assert len(load(bundle).notes["audit_reads"]) == before + 1


def test_export_refuses_what_is_flagged_and_names_it(monkeypatch, capsys, bundle, tmp_path) -> None:
    out = tmp_path / "star.z"
    assert run(monkeypatch, "export", bundle, "--out", out) == 1
    told = capsys.readouterr().err
    assert "implausible-driver" in told
    assert not out.exists()


def test_errors_are_words_and_not_tracebacks(monkeypatch, capsys, tmp_path) -> None:
    assert run(monkeypatch, "check", tmp_path / "none.z") == 1
    told = capsys.readouterr().err
    assert "none.z" in told
    assert "Traceback" not in told
    assert run(monkeypatch, "check") == 2
    assert run(monkeypatch, "data", "dogs", "--sheet", tmp_path / "s.png", "--shortcut", "fog") == 1
    assert "fog" in capsys.readouterr().err


def test_search_writes_the_best_z_and_cleans_up(monkeypatch, capsys, bundle, tmp_path) -> None:
    out = tmp_path / "better.z"
    assert run(monkeypatch, "search", bundle, "--out", out, "--rounds", "1", "--json") == 0
    notes = json.loads(capsys.readouterr().out)
    assert notes["posterior"][notes["best"]] == max(notes["posterior"])
    assert load(out).notes["search"]["best"] == notes["best"]
    assert not out.with_name("better.z.search").exists()


def test_ctrl_c_stops_a_search_cleanly_and_the_same_command_goes_on(
    bundle, tmp_path, interruptible
) -> None:
    out = tmp_path / "late.z"
    state = out.with_name("late.z.search")
    command = [
        *(sys.executable, "-m", "circuitz", "search", str(bundle), "--out", str(out)),
        *("--rounds", "2", "--json"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    try:
        until = time.monotonic() + 120
        while not state.exists() and job.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        job.send_signal(signal.SIGINT)
        _, told = job.communicate(timeout=60)
    finally:
        job.kill()
    assert job.returncode == 130, told.decode()
    assert b"Traceback" not in told
    assert not out.exists()
    done = subprocess.run(command, capture_output=True, env=environment, timeout=180, check=True)
    assert json.loads(done.stdout)["best"] > 0
    assert load(out).notes["search"]
    assert not state.exists()


def test_the_contact_sheet_is_drawn(monkeypatch, capsys, tmp_path) -> None:
    sheet = tmp_path / "sheet.png"
    assert run(monkeypatch, "data", "dogs", "--sheet", sheet) == 0
    assert sheet.read_bytes().startswith(b"\x89PNG")

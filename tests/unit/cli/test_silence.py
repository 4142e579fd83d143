"""``circuitz silence``: what was cut, what it cost, what is left."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import circuitz as cz
from circuitz.cli import main
from circuitz.models.run.open_runtime import runtime
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import write_inputs
from circuitz.z.bundle.load_save import load


@pytest.fixture(scope="module")
def bundle(caught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("silence")
    write_inputs(folder / "D", caught.data)
    place = folder / "caught.z"
    caught.with_(data_ref=DataRef.referring_to(caught.data, "D")).save(place)
    return place


@pytest.fixture(scope="module")
def finding(caught):
    return next(f for f in cz.check(caught).flagged if f.kind == "implausible-driver")


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["circuitz", "silence", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def contents(place: Path) -> dict[str, str]:
    return {
        str(file.relative_to(place)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in place.rglob("*")
        if file.is_file()
    }


def share_right(z) -> tuple[int, int]:
    rows = np.flatnonzero(z.data.split == 1)
    labels = z.data.labels[rows]
    right = runtime(z).logits(z.data.images[rows]).argmax(1) == labels
    return int(right.sum()), len(rows)


def test_the_finding_goes_and_what_it_cost_is_told(
    monkeypatch, capsys, bundle, finding, caught, tmp_path
):
    out, before = tmp_path / "cut.z", contents(bundle)
    assert run(monkeypatch, bundle, "--finding", finding.id, "--out", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert contents(bundle) == before
    cut = load(out)
    assert told["hash"] == cut.hash
    assert set(told["units"]) == set(finding.units)
    for name, z in (("before", caught), ("after", cut)):
        found = told["accuracy"][name]
        assert (found["all"]["right"], found["all"]["n"]) == share_right(z)
        assert found["worst"] == min(found["classes"], key=lambda row: row["accuracy"])
    then, now = (
        {row["class"]: row["right"] for row in told["accuracy"][key]["classes"]}
        for key in ("before", "after")
    )
    assert told["fell"] == [name for name in then if now[name] < then[name]]
    assert told["next"].startswith(f"circuitz search {bundle if told['fell'] else out}")
    (went,) = (f for f in told["flagged"]["went"] if f["id"] == finding.id)
    assert went["now"] in ("there is nothing to test", "inconclusive", "supported")
    assert went["sentence"] == finding.sentence
    left = {f["id"] for key in ("new", "stay") for f in told["flagged"][key]}
    assert left == {f.id for f in cz.check(cut).flagged}
    assert left == {f.id for f in cut.findings if f.verdict == "flagged"}
    assert not cut.stale
    assert not cut.findings_stale
    assert not set(finding.units) & set(cut.effective())


def test_people_read_it_in_words(monkeypatch, capsys, bundle, finding, tmp_path):
    out = tmp_path / "cut.z"
    assert run(monkeypatch, bundle, *finding.units, "--out", out) == 0
    told = capsys.readouterr()
    assert f"in {out}" in told.out
    assert "went implausible-driver" in told.out
    assert "Flagged: " in told.out
    assert "measure again" in told.err


def test_what_counted_is_said_to_have_counted(monkeypatch, capsys, bundle, tmp_path):
    units, out = [f"conv3:{u}" for u in range(20)], tmp_path / "cut.z"
    assert run(monkeypatch, bundle, *units, "--out", out) == 0
    told = capsys.readouterr().out
    assert "Told right less often: " in told
    assert " before). Nothing took the place" in told
    # Its findings say what to train without; those of the bundle that was cut do not.
    assert f"Next: circuitz search {bundle} --out trained.z" in told


def test_who_cuts_everything_is_told_so_and_loses_nothing(monkeypatch, capsys, bundle, tmp_path):
    out = tmp_path / "cut.z"
    units = [f"conv3:{u}" for u in range(24)]
    assert run(monkeypatch, bundle, *units, "--out", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert "does not tell" in told["not_checked"]
    assert told["flagged"] == {"went": [], "new": [], "stay": []}
    assert told["accuracy"]["after"]["worst"]["accuracy"] == 0
    assert load(out).hash == told["hash"]
    assert run(monkeypatch, bundle, *units, "--out", out) == 1
    assert "is there already" in " ".join(capsys.readouterr().err.split())
    assert run(monkeypatch, bundle, *units, "--out", tmp_path / "other.z") == 0
    assert "could not be measured again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--finding", "nothing"), 1, "No finding has the id 'nothing'"),
        (("conv3:99",), 1, "conv3:0 to conv3:23"),
        (("conv2:1", "conv3:1"), 1, "conv2 and conv3"),
        ((), 2, "one of the two"),
        (("conv3:1", "--finding", "a"), 2, "one of the two"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    monkeypatch, capsys, bundle, tmp_path, words, code, says
):
    out = tmp_path / "cut.z"
    assert run(monkeypatch, bundle, *words, "--out", out) == code
    told = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert says in told
    assert "Traceback" not in told
    assert not list(tmp_path.iterdir())


def test_the_bundle_itself_is_never_written_over(monkeypatch, capsys, bundle, tmp_path):
    before = contents(bundle)
    link = tmp_path / "link.z"
    link.symlink_to(bundle)
    for out in (bundle, link, bundle.parent / "D" / ".." / bundle.name):
        assert run(monkeypatch, bundle, "conv3:1", "--out", out) == 1
        assert "is the bundle itself" in " ".join(capsys.readouterr().err.split())
    assert contents(bundle) == before


def test_ctrl_c_leaves_nothing_half_written(monkeypatch, capsys, bundle, tmp_path):
    from circuitz.measurement import measure as room

    real, calls = room.measure, []

    def interrupted(z, *args, **kwargs):
        calls.append(z)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(z, *args, **kwargs)

    monkeypatch.setattr(room, "measure", interrupted)
    before = contents(bundle)
    assert run(monkeypatch, bundle, "conv3:1", "--out", tmp_path / "cut.z") == 130
    assert len(calls) == 2
    assert not list(tmp_path.iterdir())
    assert contents(bundle) == before


def test_d_may_lie_elsewhere(monkeypatch, capsys, bundle, caught, tmp_path):
    lost = tmp_path / "lost.z"
    gone = DataRef.referring_to(caught.data, "gone")
    caught.with_(data=None, data_ref=gone).save(lost)
    out = tmp_path / "cut.z"
    assert run(monkeypatch, lost, "conv3:1", "--out", out) == 1
    assert "--data" in capsys.readouterr().err
    words = (lost, "conv3:1", "--out", out, "--data", bundle.parent / "D", "--json")
    assert run(monkeypatch, *words) == 0
    assert json.loads(capsys.readouterr().out)["units"] == ["conv3:1"]

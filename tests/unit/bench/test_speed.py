from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from circuitz.bench.machine import describe_machine
from circuitz.bench.row import RowSize, Sides, SpeedRow
from circuitz.bench.row_registry import load_speed_rows, row_names
from circuitz.bench.speed import time_rows
from circuitz.errors import BenchError


def row(sides: Sides, **how: object) -> SpeedRow:
    return SpeedRow("made-up", "a job", lambda size: sides, **how)  # type: ignore[arg-type]


def test_both_sides_run_in_turn_and_swap_who_goes_first() -> None:
    ran: list[str] = []
    sides = Sides(lambda: ran.append("ours"), lambda: ran.append("peer"))
    (found,) = time_rows([row(sides, rounds=4, peer="another tool")])
    # One run of each that is not counted, then four rounds.
    assert ran == ["ours", "peer", "ours", "peer", "peer", "ours", "ours", "peer", "peer", "ours"]
    assert found.rounds == 4
    assert found.peer == "another tool"


def test_ratio_difference_and_spread_are_of_the_two_sides() -> None:
    sides = Sides(
        lambda: time.sleep(0.01) or 1.0,
        lambda: time.sleep(0.05) or 1.25,
        difference=lambda a, b: abs(a - b),
        facts=lambda a, b: {"sum": a + b},
    )
    (found,) = time_rows([row(sides, rounds=3)])
    assert found.max_abs_diff == 0.25
    assert found.facts == {"sum": 2.25}
    assert found.ours_s
    assert found.peer_s
    assert found.ratio
    assert found.ratio > 1
    for name in ("ours_s", "peer_s", "ratio"):
        low, high = found.spread[name]
        assert 0 < low <= high
    assert found.spread["ours_s"][0] <= found.ours_s <= found.spread["ours_s"][1]


def test_a_sampled_peer_is_scaled_to_the_whole_job() -> None:
    sides = Sides(
        lambda: None, lambda: time.sleep(0.01), peer_share=0.01, sample="1 unit of a hundred"
    )
    (found,) = time_rows([row(sides, rounds=1)])
    assert found.peer_s
    assert found.peer_s >= 1
    assert found.note == "1 unit of a hundred"


def test_without_a_peer_there_is_no_ratio() -> None:
    (found,) = time_rows([row(Sides(lambda: None))], rounds=2)
    assert (found.peer_s, found.ratio, found.max_abs_diff) == (None, None, None)
    assert found.rounds == 2
    assert set(found.spread) == {"ours_s", "ours_cpu_s"}


def test_a_row_whose_package_is_missing_says_so_and_is_not_run() -> None:
    def make(size: RowSize) -> Sides:
        raise AssertionError("made all the same")

    (found,) = time_rows([SpeedRow("r", "a job", make, needs=("no_such_package",))])
    assert "no_such_package" in found.note
    assert found.ours_s is None


def test_quick_means_three_rounds_and_is_told_to_the_row(tmp_path: Path) -> None:
    seen: list[RowSize] = []

    def make(size: RowSize) -> Sides:
        (size.folder / "file").write_text("x")
        seen.append(size)
        return Sides(lambda: None)

    (found,) = time_rows([SpeedRow("r", "a job", make, rounds=9)], quick=True)
    assert found.rounds == 3
    assert seen[0].quick
    assert not seen[0].folder.exists()


def test_the_room_is_gone_when_a_row_fails() -> None:
    rooms: list[Path] = []

    def make(size: RowSize) -> Sides:
        rooms.append(size.folder)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        time_rows([SpeedRow("r", "a job", make)])
    assert not rooms[0].exists()


def test_a_result_is_json() -> None:
    (found,) = time_rows([row(Sides(lambda: 1.0, lambda: 1.0, lambda a, b: a - b))], rounds=1)
    keys = {"name", "ours_s", "peer_s", "ratio", "peer", "max_abs_diff", "spread", "rounds", "note"}
    assert keys <= set(json.loads(json.dumps(found.to_json())))
    assert json.loads(json.dumps(describe_machine()))["cores"]


def test_every_file_is_a_row_of_that_name() -> None:
    names = row_names()
    assert [r.name for r in load_speed_rows()] == list(names)
    assert all(r.what and (r.peer or not r.target.startswith("ratio")) for r in load_speed_rows())


def test_an_unknown_row_is_named() -> None:
    with pytest.raises(BenchError, match="no row 'opne'"):
        load_speed_rows(["opne"])

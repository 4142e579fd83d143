"""A stopped run goes on; what other code or sizes made is not read; the page tells every row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from circuitz.bench.attacks import attack_table
from circuitz.bench.attacks.attack_case import AttackCase, AttackSizes
from circuitz.bench.attacks.attack_page import write_attack_page
from circuitz.bench.attacks.attack_row import AttackRow
from circuitz.bench.attacks.attack_table import AttackCell, attack_cells, attack_rows
from circuitz.bench.attacks.cell_cache import SECONDS_A_CELL, AttackCellCache
from circuitz.cli import app
from circuitz.cli.bench_attacks import say_estimate
from circuitz.errors import BenchError

SIZES = AttackSizes(per_class=4, concepts=60, shifted=4)
ROW = AttackRow("checkerboard", "", 0, False, "words-on-d", 0.2, 0.9, 0.1, True, 70, {"husky": 0.6})


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[AttackCell]:
    """Cells that were run, in place of running them."""
    found: list[AttackCell] = []

    def quick(case: AttackCase, _how: object, seed: int, _path: Path, **_: object) -> AttackRow:
        found.append(AttackCell(case.name, case.twin, seed))
        if len(found) == 3:
            raise KeyboardInterrupt
        return replace(ROW, name=case.name, twin=case.twin, seed=seed, seconds=60.0)

    monkeypatch.setattr(attack_table, "run_attack", quick)
    return found


def test_what_was_done_before_a_stop_is_not_done_again(
    ran: list[AttackCell], tmp_path: Path
) -> None:
    cells = attack_cells((0, 1), names=["coincident"])
    cache = AttackCellCache(tmp_path / "cells", SIZES)
    with pytest.raises(KeyboardInterrupt):
        list(attack_rows(cells, sizes=SIZES, cache=cache))
    assert len(list((tmp_path / "cells").iterdir())) == 2
    rows = list(attack_rows(cells, sizes=SIZES, cache=cache))
    assert [AttackCell(r.name, r.twin, r.seed) for r in rows] == list(cells)
    # The cell that was stopped is begun anew, the two before it are not.
    assert ran == [*cells[:3], *cells[2:]]
    assert rows[0].areas == {"husky": 0.6}
    assert cache.seconds_a_cell() == 60


def test_rows_of_other_sizes_and_torn_files_are_none(tmp_path: Path) -> None:
    cache = AttackCellCache(tmp_path, SIZES)
    assert cache.seconds_a_cell() == SECONDS_A_CELL
    cache.write(ROW)
    assert cache.read("checkerboard", "", 0) == ROW
    assert cache.read("checkerboard", "labelled", 0) is None
    assert AttackCellCache(tmp_path, replace(SIZES, epochs=1)).read("checkerboard", "", 0) is None
    next(tmp_path.iterdir()).write_text('{"name"')
    assert cache.read("checkerboard", "", 0) is None


def test_only_some_twins() -> None:
    assert {c.twin for c in attack_cells(twins=["labelled"])} == {"labelled"}
    assert {c.twin for c in attack_cells(names=["tint"], twins=[""])} == {""}
    with pytest.raises(BenchError, match="no benign twin 'labeled'"):
        attack_cells(twins=["labeled"])


def test_the_estimate_says_what_is_left(tmp_path: Path) -> None:
    assert "about 30 minutes" in say_estimate(10, 0, 180.0, tmp_path)
    assert "4 of 10 rows" in say_estimate(10, 4, 180.0, tmp_path)
    assert "about" not in say_estimate(10, 10, 180.0, tmp_path)


def test_the_page_tells_every_refusal_and_where_the_bar_lies(tmp_path: Path) -> None:
    page = tmp_path / "record.md"
    page.write_text("# Record\n\n<!-- figures -->\nold\n<!-- end of figures -->\n\nBelow.\n")
    right = replace(
        ROW, twin="labelled", exported=True, reason="", wrong=False, dprime_worst=0.88,
        areas={"husky": 0.95, "pug": 0.82},
    )  # fmt: skip
    wrong = replace(ROW, seed=1, reason="words-tell-classes")
    write_attack_page(page, [ROW, wrong, right], "circuitz bench attacks --seeds 0:2", "abc")
    text = page.read_text()
    assert text.startswith("# Record")
    assert text.endswith("Below.\n")
    assert "old" not in text
    assert "words-on-d" in text
    assert "benign twins exported: **1** of 1" in text
    assert "| .75 | 0 | 0 |" in text
    assert "| .55 | 1 | 0 |" in text
    assert "| .85 | 0 | 1 |" in text
    with pytest.raises(BenchError, match="no place"):
        write_attack_page(tmp_path / "none.md", [ROW], "x", "abc")


def test_a_stopped_command_says_so_and_a_second_one_goes_on(
    ran: list[AttackCell], tmp_path: Path
) -> None:
    page = tmp_path / "record.md"
    page.write_text("<!-- figures -->\n<!-- end of figures -->\n")
    command = ["bench", "attacks", "--only", "coincident", "--seeds", "0:2"]
    command += ["--cache", str(tmp_path / "cells"), "--page", str(page)]
    stopped = CliRunner().invoke(app, command)
    assert stopped.exit_code != 0
    assert "Stopped after 2 of 4 rows" in stopped.output
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.output
    assert "2 of 4 rows are in" in again.output
    assert len(ran) == 5
    assert "4 rows" in page.read_text()

from __future__ import annotations

from pathlib import Path

import pytest

from circuitz.bench.attacks.attack_case import AttackSizes
from circuitz.bench.attacks.attack_row import AttackRow
from circuitz.bench.attacks.attack_table import ATTACKS
from circuitz.bench.attacks.run_attack import run_attack


@pytest.mark.slow
@pytest.mark.parametrize("name", ["checkerboard", "coincident"])
def test_a_small_attack_is_not_exported_and_wrong(
    name: str, tiny: AttackSizes, tmp_path: Path
) -> None:
    row = run_attack(ATTACKS[name](tiny, 1, ""), tiny, 1, tmp_path)
    # The attack works: what was learned on D is wrong where it is used.
    assert row.start_worst < row.oracle_worst or row.oracle_worst == 0
    assert row.as_it_should
    assert (tmp_path / "zstar.z").exists() is row.exported
    assert row.exported or row.reason
    assert row.answers > 0
    assert row.to_json()["simulated"] is True


def test_what_counts_as_right() -> None:
    def row(twin: str, exported: bool, wrong: bool) -> AttackRow:
        return AttackRow("mark", twin, 0, exported, "", 0.5, 0.9, 0.1, wrong, 10)

    assert row("", exported=False, wrong=True).as_it_should
    assert row("", exported=True, wrong=False).as_it_should
    assert not row("", exported=True, wrong=True).as_it_should
    assert row("labelled", exported=True, wrong=False).as_it_should
    assert not row("labelled", exported=False, wrong=False).as_it_should
    assert not row("labelled", exported=True, wrong=True).as_it_should

from __future__ import annotations

import pytest

from circuitz.bench.attacks.attack_case import AttackSizes


@pytest.fixture(scope="session")
def tiny() -> AttackSizes:
    return AttackSizes(
        per_class=48, concepts=400, shifted=40, epochs=5, rounds=1, round_epochs=2, sources=60
    )

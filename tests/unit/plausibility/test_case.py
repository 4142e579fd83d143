from __future__ import annotations

import gc
import weakref

from circuitz.plausibility.case import Case
from circuitz.plausibility.check import check
from circuitz.plausibility.check_settings import CheckSettings
from circuitz.plausibility.rules.kinds import RULES


def test_a_case_goes_when_its_check_is_over(plant) -> None:
    z = plant(words={0: "snow", 3: "pointed ears", 4: "floppy ears"})
    case = Case.from_model(z, None, CheckSettings())
    for rule in RULES.values():
        rule(case)
    gone = weakref.ref(case)
    del case
    gc.collect()
    assert gone() is None


def test_a_z_goes_when_nobody_holds_it(plant) -> None:
    z = plant(words={0: "snow", 3: "pointed ears"})
    assert check(z).findings
    gone = weakref.ref(z)
    del z
    gc.collect()
    assert gone() is None

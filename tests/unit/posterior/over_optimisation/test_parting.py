from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import PosteriorError
from circuitz.posterior.over_optimisation.parting import parting_of_check

TIME = np.arange(40.0)


def test_j_that_rises_while_its_check_falls_raises_an_alarm():
    noise = np.random.default_rng(0).standard_normal((2, 40))
    assert parting_of_check(TIME + 5 * noise[0], -TIME + 5 * noise[1]).alarm


@pytest.mark.parametrize("slopes", [(1, 1), (-1, -1), (0, -1), (1, 0)], ids=str)
def test_no_alarm_where_they_do_not_part(slopes):
    j, check = (slope * TIME for slope in slopes)
    assert not parting_of_check(j, check).alarm


def test_false_alarms_are_rare_where_nothing_moves():
    rng = np.random.default_rng(1)
    alarms = [parting_of_check(*rng.standard_normal((2, 40))).alarm for _ in range(400)]
    assert np.mean(alarms) < 0.02


def test_the_end_of_the_search_is_looked_at_and_gaps_are_left_out():
    j = np.concatenate([-np.arange(100.0), TIME])
    check = np.concatenate([np.arange(100.0), -TIME])
    check[110] = np.nan
    found = parting_of_check(j, check)
    assert found.alarm
    assert found.n == 40
    assert parting_of_check(j, check, window=139).alarm is False


def test_too_few_tell_nothing_and_other_lengths_are_refused():
    assert parting_of_check([1, 2], [2, 1]).n == 2
    assert not parting_of_check([1, 2], [2, 1]).alarm
    with pytest.raises(PosteriorError, match="same z"):
        parting_of_check([1, 2], [1])

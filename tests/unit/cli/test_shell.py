"""Ctrl-C, wherever it comes."""

from __future__ import annotations

import os
import signal

import pytest

from circuitz.cli.shell import progress_bars


def press_where_everything_is_caught() -> None:
    try:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass
    except:  # noqa: E722  (as some imports of others do)
        return


def test_ctrl_c_that_somebody_swallows_stops_at_the_next_step(interruptible) -> None:
    with progress_bars(quiet=True) as steps:
        steps("measure", 1, 2)
        press_where_everything_is_caught()
        with pytest.raises(KeyboardInterrupt):
            steps("measure", 2, 2)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with progress_bars(quiet=True) as steps:
        steps("measure", 1, 1)


def test_steps_are_numbered_and_told_a_line_each_where_nobody_sees_bars(capsys) -> None:
    with progress_bars(chapters=("draw", "repair", "label")) as steps:
        steps("draw", 1, 2)
        steps("draw", 2, 2)
        steps("repair: round 1", 1, 1)
        steps("something else", 1, 1)
    told = [line.partition(" s  ")[2] for line in capsys.readouterr().err.splitlines()]
    assert [line for line in told if line] == [
        "step 1 of 3: draw",
        "step 2 of 3: repair: round 1",
        "something else",
    ]
    with progress_bars(quiet=True) as steps:
        steps("draw", 1, 2)
    assert capsys.readouterr().err == ""

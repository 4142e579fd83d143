"""Seats, and kernels whose page is gone."""

from __future__ import annotations

from circuitz.widgets.serving.visits import Visits


def test_seats_are_counted_from_the_door_to_the_kernel():
    visits = Visits(2, 60)
    first = visits.enter("mira", running=0)
    second = visits.enter("jon", running=0)
    assert first is not None
    assert second is not None
    assert visits.enter("ada", running=0) is None
    visits.seated(first)
    visits.seated(first)  # twice: when the kernel runs, and when the page is sent
    assert visits.enter("ada", running=1) is None  # the first kernel counts itself now
    third = visits.enter("ada", running=0)
    assert third is not None
    assert third.name == "ada"


def test_a_kernel_without_a_page_is_left_behind_after_the_grace():
    now = [0.0]
    visits = Visits(8, 60, clock=lambda: now[0])
    visits.connected("b")
    visits.connected("b")
    visits.disconnected("b")  # one of two pages
    assert visits.left_behind(["b"]) == []
    visits.disconnected("b")
    assert visits.left_behind(["b"]) == []
    now[0] = 59
    assert visits.left_behind(["b"]) == []
    visits.connected("b")  # the line was mended in time
    assert visits.left_behind(["b"]) == []
    visits.disconnected("b")
    assert visits.left_behind(["b"]) == []
    now[0] = 118
    assert visits.left_behind(["b"]) == []
    now[0] = 120
    assert visits.left_behind(["b"]) == ["b"]


def test_a_page_that_has_not_come_yet_is_waited_for_longer():
    now = [0.0]
    visits = Visits(8, 60, clock=lambda: now[0])
    assert visits.left_behind(["a"]) == []
    now[0] = 179
    assert visits.left_behind(["a"]) == []
    now[0] = 181
    assert visits.left_behind(["a"]) == ["a"]


def test_a_page_that_leaves_twice_owes_nothing():
    visits = Visits(8, 1, clock=lambda: 0.0)
    visits.disconnected("a")
    visits.connected("a")
    assert visits.left_behind(["a"]) == []

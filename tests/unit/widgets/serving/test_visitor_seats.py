"""Seats, and kernels whose page is gone."""

from __future__ import annotations

from circuitz.widgets.serving.visitor_seats import VisitorSeats


def test_seats_are_counted_from_the_door_to_the_kernel():
    visits = VisitorSeats(2, 60)
    first = visits.reserve_seat("mira", running=0)
    second = visits.reserve_seat("jon", running=0)
    assert first is not None
    assert second is not None
    assert visits.reserve_seat("ada", running=0) is None
    visits.release_reservation(first)
    visits.release_reservation(first)  # twice: when the kernel runs, and when the page is sent
    assert visits.reserve_seat("ada", running=1) is None  # the first kernel counts itself now
    third = visits.reserve_seat("ada", running=0)
    assert third is not None
    assert third.name == "ada"


def test_a_kernel_without_a_page_is_left_behind_after_the_grace():
    now = [0.0]
    visits = VisitorSeats(8, 60, clock=lambda: now[0])
    visits.note_page_connected("b")
    visits.note_page_connected("b")
    visits.note_page_disconnected("b")  # one of two pages
    assert visits.abandoned_kernels(["b"]) == []
    visits.note_page_disconnected("b")
    assert visits.abandoned_kernels(["b"]) == []
    now[0] = 59
    assert visits.abandoned_kernels(["b"]) == []
    visits.note_page_connected("b")  # the line was mended in time
    assert visits.abandoned_kernels(["b"]) == []
    visits.note_page_disconnected("b")
    assert visits.abandoned_kernels(["b"]) == []
    now[0] = 118
    assert visits.abandoned_kernels(["b"]) == []
    now[0] = 120
    assert visits.abandoned_kernels(["b"]) == ["b"]


def test_a_page_that_has_not_come_yet_is_waited_for_longer():
    now = [0.0]
    visits = VisitorSeats(8, 60, clock=lambda: now[0])
    assert visits.abandoned_kernels(["a"]) == []
    now[0] = 179
    assert visits.abandoned_kernels(["a"]) == []
    now[0] = 181
    assert visits.abandoned_kernels(["a"]) == ["a"]


def test_a_page_that_leaves_twice_owes_nothing():
    visits = VisitorSeats(8, 1, clock=lambda: 0.0)
    visits.note_page_disconnected("a")
    visits.note_page_connected("a")
    assert visits.abandoned_kernels(["a"]) == []

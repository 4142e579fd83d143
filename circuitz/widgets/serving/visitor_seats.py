"""Who is being served: seats, and kernels whose page is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

# A page that was never there is waited for this many times as long as one that left.
_ARRIVAL = 3


@dataclass
class Visit:
    """One page view, from the request until its kernel is there.

    Parameters
    ----------
    name
        What the visitor goes by; empty when nobody asked.
    """

    name: str
    waiting: bool = True


@dataclass
class VisitorSeats:
    """Counts seats and finds kernels that no page is connected to.

    Parameters
    ----------
    most
        Kernels at a time.
    grace
        Seconds a kernel may be without a page: a line that broke. A page that has not come yet may
        be on a slow line or a busy machine, and gets three times as long.
    clock
        Seconds that only grow.
    """

    most: int
    grace: float
    clock: Callable[[], float] = time.monotonic
    _opening: int = 0
    _pages: dict[str, int] = field(default_factory=dict[str, int])
    _alone_since: dict[str, float] = field(default_factory=dict[str, float])
    _ever_connected: set[str] = field(default_factory=set[str])

    def reserve_seat(self, name: str, running: int) -> Visit | None:
        """Give a seat to a visitor, or none where ``running`` kernels leave no room."""
        if running + self._opening >= self.most:
            return None
        self._opening += 1
        return Visit(name)

    def release_reservation(self, visit: Visit) -> None:
        """Free the visitor's place in the door: the kernel counts itself now, or never came."""
        if visit.waiting:
            visit.waiting = False
            self._opening -= 1

    def note_page_connected(self, kernel: str) -> None:
        """Note a page that is connected to the kernel."""
        self._pages[kernel] = self._pages.get(kernel, 0) + 1
        self._ever_connected.add(kernel)

    def note_page_disconnected(self, kernel: str) -> None:
        """Note a page that left the kernel."""
        left = self._pages.get(kernel, 0) - 1
        if left > 0:
            self._pages[kernel] = left
        else:
            self._pages.pop(kernel, None)

    def abandoned_kernels(self, kernels: Iterable[str]) -> list[str]:
        """Return the kernels that no page was connected to for longer than the grace."""
        now = self.clock()
        running = list(kernels)
        alone = [kernel for kernel in running if kernel not in self._pages]
        self._alone_since = {kernel: self._alone_since.get(kernel, now) for kernel in alone}
        self._ever_connected &= set(running)
        return [
            kernel
            for kernel, since in self._alone_since.items()
            if now - since > self.grace * (1 if kernel in self._ever_connected else _ARRIVAL)
        ]

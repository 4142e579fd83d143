"""Words on what was left out or guessed while pictures and tables were read."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager

from circuitz.errors import InputsWarning


def warn_about_inputs(message: str) -> None:
    """Warn whoever called the package; the line shown is theirs, however deep this is called."""
    frame, level = inspect.currentframe(), 1
    while (
        frame is not None
        and frame.f_back is not None
        and _is_own_module(frame.f_globals.get("__name__"))
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, InputsWarning, stacklevel=level)


def _is_own_module(name: object) -> bool:
    return isinstance(name, str) and name.partition(".")[0] == "circuitz"


@contextmanager
def show_input_warnings(tell: Callable[[str], None]) -> Generator[None]:
    """Hand over what is said within, each sentence once, instead of printing it as a warning."""
    told: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", InputsWarning)
        show = warnings.showwarning

        def tell_or_show(
            message: Warning | str, category: type[Warning], *place: object, **more: object
        ) -> None:
            if not issubclass(category, InputsWarning):
                show(message, category, *place, **more)  # pyright: ignore[reportArgumentType]
            elif str(message) not in told:
                told.add(str(message))
                tell(str(message))

        warnings.showwarning = tell_or_show
        yield

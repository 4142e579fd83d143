"""Names that have changed: the old ones work for one release, with a warning that says the new."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed_keywords(**new_names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function take keywords by their old names, too.

    Parameters
    ----------
    **new_names
        The new name of each old keyword: ``renamed_keywords(old="new")``.

    Returns
    -------
    Callable
        A decorator. The function it returns warns (``DeprecationWarning``) where an old keyword is
        used, and raises ``TypeError`` where the old and the new one are given together.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in new_names.keys() & kwargs.keys():
                new = new_names[old]
                if new in kwargs:
                    raise TypeError(
                        f"{function.__name__}() takes {new}= or its old name {old}=, not both."
                    )
                warn_renamed(f"{function.__name__}({old}=…)", f"{new}=")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return wrapper

    return decorate


def warn_renamed(old: str, new: str) -> None:
    """Warn whoever called the caller that a name has changed."""
    warnings.warn(
        f"{old} is called {new} now; the old name goes with the next release.",
        DeprecationWarning,
        stacklevel=3,
    )

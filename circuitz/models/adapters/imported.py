"""Networks built by a function of the user's own code, run only where a person said so.

A bundle can name such a function, ``package.module:function``, but naming is all it can do:
importing a module and calling what is in it is running somebody's code, and the name may as well
be ``os:system``. So a function is called only once a person named that very function in this
process, with :func:`trust`, ``circuitz --trust-code`` or the environment variable
``CIRCUITZ_TRUST_CODE``.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from circuitz.errors import BuilderError
from circuitz.models.zoo.builders import register

VARIABLE = "CIRCUITZ_TRUST_CODE"
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_trusted: set[str] = set()


def trust(function: str) -> None:
    """Allow this process to import a module and build networks with a function in it.

    Parameters
    ----------
    function
        ``package.module:function``; the module is looked for in the current folder too.

    Raises
    ------
    BuilderError
        If that is no such name.
    """
    _trusted.add(_check_function_name_format(function))


def is_trusted(function: str) -> bool:
    """Whether a person named this function in this process or its environment."""
    named = (name.strip() for name in os.environ.get(VARIABLE, "").split(","))
    return function in _trusted or function in named


def _check_function_name_format(function: str) -> str:
    if not _NAME.fullmatch(function):
        raise BuilderError(
            f"{function[:120]!r} names no function.", "Write it as package.module:function."
        )
    return function


@register("import")
def build_by_user_function(function: str, args: Mapping[str, Any] | None = None) -> nn.Module:
    """Build a network with a function of the user's code.

    Parameters
    ----------
    function
        ``package.module:function``.
    args
        Its keyword arguments; JSON values.

    Raises
    ------
    BuilderError
        If nobody said that this function may be run, or it cannot be found, fails, or returns
        no network.
    """
    name = _check_function_name_format(function)
    given = dict(args or {})
    if not is_trusted(name):
        raise BuilderError(
            f"This network is built by {name} with {str(given)[:200]}, which is code that "
            "nobody allowed to run here.",
            f"If you trust it: circuitz --trust-code {name} …, or "
            f"circuitz.models.adapters.imported.trust({name!r}) in Python.",
        )
    build = _import_function(name)
    try:
        net = build(**given)
    except Exception as problem:  # whatever the user's own code raises
        raise BuilderError(
            f"{name} with {given} failed: {type(problem).__name__}: {problem}",
            "Correct --model-args, or the function.",
        ) from problem
    if not isinstance(net, nn.Module):
        raise BuilderError(
            f"{name} returned a {type(net).__name__}, not a torch module.",
            "Name a function, or a class, that returns the network itself.",
        )
    return net


def _import_function(name: str) -> Callable[..., Any]:
    module, _, path = name.partition(":")
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
    except Exception as problem:  # importing runs the user's module, which may fail in any way
        raise BuilderError(
            f"{module} cannot be imported: {type(problem).__name__}: {problem}",
            "It must be installed, or lie in the folder where the command is run.",
        ) from problem
    finally:
        if added and here in sys.path:
            sys.path.remove(here)
    for part in path.split("."):
        if not hasattr(found, part):
            raise BuilderError(f"{module} has no {path}.", "Check the name after the colon.")
        found = getattr(found, part)
    if not callable(found):
        raise BuilderError(f"{name} is no function.", "Name a function or a class.")
    return found

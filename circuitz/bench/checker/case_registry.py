"""Which families, sabotages and decoys there are: the files of their folders."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from circuitz.bench.checker import blanks, decoys, families, sabotages
from circuitz.bench.checker.base_network import Base
from circuitz.bench.checker.benchmark_case import Case, Role
from circuitz.errors import BenchError

Make = Callable[[Base, np.random.Generator], Case]
_FOLDERS: dict[Role, ModuleType] = {
    "sabotage": sabotages,
    "decoy": decoys,
    "nothing": blanks,
}
#: Below this share of D right a sabotage would be seen without any check.
ACCURATE = 0.97
_DRAWS = 8


def case_names(role: Role) -> tuple[str, ...]:
    """Return the names of all sabotages, decoys, or networks that know nothing."""
    return _names(_FOLDERS[role])


def family_names() -> tuple[str, ...]:
    """Return the names of the families."""
    return _names(families)


@lru_cache(maxsize=4)
def base_of(family: str, seed: int, keep: Path | None = None) -> Base:
    """Return the honest network of a family and seed; ``keep`` is where trained parts are kept.

    Raises
    ------
    BenchError
        If there is no such family.
    """
    if family not in family_names():
        raise BenchError(
            f"There is no family {family!r}.", f"Families: {', '.join(family_names())}."
        )
    made: Base = import_module(f"{families.__name__}.{family}").build(seed, keep)
    return made


def build(role: Role, name: str, base: Base) -> Case:
    """Make a case of a base network.

    Raises
    ------
    BenchError
        If there is no such case, or the network no longer tells D.
    """
    if name not in case_names(role):
        raise BenchError(
            f"There is no {role} {name!r}.", f"There are {', '.join(case_names(role))}."
        )
    module = import_module(f"{_FOLDERS[role].__name__}.{name.replace('-', '_')}")
    make: Make = module.make
    found = 0.0
    for attempt in range(_DRAWS):
        # A random choice that leaves too little of a class is made again.
        draw = np.random.default_rng([base.seed, attempt, *name.encode()])
        case = replace(make(base, draw), name=name, role=role)
        if role == "nothing" or case.base.accuracy >= ACCURATE:
            return case
        found = max(found, case.base.accuracy)
    raise BenchError(
        f"{role} {name} on {base.family} {base.seed} tells at most {found:.0%} of D.",
        "A case must keep accuracy on D: leave more of what made the class.",
    )


def _names(folder: ModuleType) -> tuple[str, ...]:
    found = (m.name.replace("_", "-") for m in pkgutil.iter_modules(folder.__path__))
    return tuple(sorted(found))

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
from circuitz.bench.checker.base_network import BaseNetwork
from circuitz.bench.checker.benchmark_case import CheckerCase, Role
from circuitz.errors import BenchError

Make = Callable[[BaseNetwork, np.random.Generator], CheckerCase]
_FOLDERS: dict[Role, ModuleType] = {
    "sabotage": sabotages,
    "decoy": decoys,
    "nothing": blanks,
}
#: Below this share of D right a sabotage would be seen without any check.
ACCURATE = 0.97
_DRAWS = 8


def case_names_of_role(role: Role) -> tuple[str, ...]:
    """Return the names of all sabotages, decoys, or networks that know nothing."""
    return _hyphenated_module_names(_FOLDERS[role])


def family_names() -> tuple[str, ...]:
    """Return the names of the families."""
    return _hyphenated_module_names(families)


@lru_cache(maxsize=4)
def build_honest_network(family: str, seed: int, trunk_folder: Path | None = None) -> BaseNetwork:
    """Return the honest network of a family and seed; ``trunk_folder`` is where trained parts are kept.

    Raises
    ------
    BenchError
        If there is no such family.
    """
    if family not in family_names():
        raise BenchError(
            f"There is no family {family!r}.", f"Families: {', '.join(family_names())}."
        )
    module = import_module(f"{families.__name__}.{family}")
    network: BaseNetwork = getattr(module, f"build_{family}")(seed, trunk_folder)
    return network


def build_case(role: Role, name: str, base: BaseNetwork) -> CheckerCase:
    """Make a case of a base network.

    Raises
    ------
    BenchError
        If there is no such case, or the network no longer tells D.
    """
    if name not in case_names_of_role(role):
        raise BenchError(
            f"There is no {role} {name!r}.", f"There are {', '.join(case_names_of_role(role))}."
        )
    stem = name.replace("-", "_")
    module = import_module(f"{_FOLDERS[role].__name__}.{stem}")
    make: Make = getattr(module, f"make_{stem}")
    found = 0.0
    for attempt in range(_DRAWS):
        # A random choice that leaves too little of a class is made again.
        draw = np.random.default_rng([base.seed, attempt, *name.encode()])
        case = replace(make(base, draw), name=name, role=role)
        if role == "nothing" or case.base.accuracy_on_own_data >= ACCURATE:
            return case
        found = max(found, case.base.accuracy_on_own_data)
    raise BenchError(
        f"{role} {name} on {base.family} {base.seed} tells at most {found:.0%} of D.",
        "A case must keep accuracy on D: leave more of what made the class.",
    )


def _hyphenated_module_names(folder: ModuleType) -> tuple[str, ...]:
    found = (m.name.replace("_", "-") for m in pkgutil.iter_modules(folder.__path__))
    return tuple(sorted(found))

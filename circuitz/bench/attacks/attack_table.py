"""All attacks and their benign twins, over seeds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from circuitz.bench.attacks.attack_case import AttackSizes
from circuitz.bench.attacks.attack_row import AttackRow
from circuitz.bench.attacks.cell_cache import AttackCellCache
from circuitz.bench.attacks.coincident_cases import COINCIDENT_CASES, INDEPENDENT, RIGHT
from circuitz.bench.attacks.marked_cases import MARK_TWINS, MARKED_CASES, CaseMaker
from circuitz.bench.attacks.run_attack import run_attack
from circuitz.bench.attacks.shifted_cases import SEEN_BEFORE, SHIFTED_CASES
from circuitz.errors import BenchError
from circuitz.lexicon.lexicon import Lexicon

ATTACKS: Mapping[str, CaseMaker] = {
    **MARKED_CASES,
    **COINCIDENT_CASES,
    **SHIFTED_CASES,
}
#: The benign twins of each attack.
TWINS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(MARKED_CASES, MARK_TWINS),
    "coincident": (INDEPENDENT,),
    "mislabelled": (RIGHT,),
    **dict.fromkeys(SHIFTED_CASES, (SEEN_BEFORE,)),
}
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class AttackCell:
    """One case of one seed: an attack where ``twin`` is empty, else that benign twin."""

    name: str
    twin: str
    seed: int

    @property
    def label(self) -> str:
        """What it is called on a screen."""
        return f"{self.name}{f', {self.twin}' if self.twin else ''}, seed {self.seed}"


def attack_cells(
    seeds: Sequence[int] = (0,),
    *,
    names: Sequence[str] = tuple(ATTACKS),
    twins: Sequence[str] | None = None,
) -> tuple[AttackCell, ...]:
    """Return what there is to run, seed by seed.

    Parameters
    ----------
    seeds
        Of data, training and simulated people.
    names
        Which attacks.
    twins
        Which benign twins, ``""`` for the attack itself; all by default.

    Raises
    ------
    BenchError
        If there is no such attack, or none of these has such a twin.
    """
    unknown = [name for name in names if name not in ATTACKS]
    if unknown:
        raise BenchError(f"There is no attack {unknown[0]!r}.", f"Choose of {', '.join(ATTACKS)}.")
    there = {twin for name in names for twin in ("", *TWINS[name])}
    strange = [twin for twin in twins or () if twin not in there]
    if strange:
        listed = ", ".join(sorted(there - {""}))
        raise BenchError(f"There is no benign twin {strange[0]!r}.", f"Choose of {listed}.")
    return tuple(
        AttackCell(name, twin, seed)
        for seed in seeds
        for name in names
        for twin in ("", *TWINS[name])
        if twins is None or twin in twins
    )


def attack_rows(
    cells: Sequence[AttackCell],
    *,
    sizes: AttackSizes | None = None,
    cache: AttackCellCache | None = None,
    progress: Progress | None = None,
) -> Iterator[AttackRow]:
    """Run attacks and their benign twins, one row each as it is done.

    Parameters
    ----------
    cells
        What to run.
    sizes
        How much data and training.
    cache
        Finished rows, which are not run again; each is written as soon as it is done.
    progress
        Called with the cell, cells done and cells in all.
    """
    how = sizes or AttackSizes()
    for i, cell in enumerate(cells):
        if progress is not None:
            progress(cell.label, i, len(cells))
        row = None if cache is None else cache.read(cell.name, cell.twin, cell.seed)
        if row is None:
            row = _run_cell(cell, how)
            if cache is not None:
                cache.write(row)
        yield row
    if progress is not None:
        progress("done", len(cells), len(cells))


def _run_cell(cell: AttackCell, sizes: AttackSizes) -> AttackRow:
    case = ATTACKS[cell.name](sizes, cell.seed, cell.twin)
    lexicon = Lexicon.from_text(case.lexicon) if case.lexicon else None
    with tempfile.TemporaryDirectory() as folder:
        return run_attack(case, sizes, cell.seed, Path(folder), lexicon=lexicon)

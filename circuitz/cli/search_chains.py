"""``circuitz search --prior``: the search by J, its progress and its tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from circuitz.cli.shell import out, progress_bars, say

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel
    from circuitz.zstar.chains.chain_result import ChainSearchResult


def run_chain_search(
    model: AnnotatedModel,
    path: Path,
    state: Path,
    prior: Path | None,
    likelihood: Path | None,
    settings_changed: dict[str, Any],
    *,
    quick: bool,
    lexicon: Lexicon,
    as_json: bool,
) -> None:
    """Search by J, write the z it ends with, and print what kernels came to."""
    from circuitz.errors import SearchError
    from circuitz.posterior.likelihood_from_people.fitted_likelihood import FittedLikelihood
    from circuitz.posterior.prior_from_people.fitted_prior import FittedPrior
    from circuitz.zstar.chains.chain_folder import best_in_folder
    from circuitz.zstar.chains.chain_settings import ChainSettings
    from circuitz.zstar.search import search

    if prior is None:
        raise SearchError(
            "M_L alone is no posterior: a shortcut that fits D has the highest likelihood.",
            "Give --prior, too.",
        )
    changed = {name: value for name, value in settings_changed.items() if value is not None}
    settings = ChainSettings.quick(**changed) if quick else ChainSettings(**changed)
    by_people = FittedPrior.from_json(_record_in(prior))
    labels = None if likelihood is None else FittedLikelihood.from_json(_record_in(likelihood))
    try:
        with progress_bars() as steps:
            result = search(
                model, prior=by_people, likelihood=labels, settings=settings, lexicon=lexicon,
                checkpoint=state, progress=steps,
            )  # fmt: skip
    except KeyboardInterrupt:
        best = best_in_folder(state)
        if best is not None:
            best.save(path)
            say.print(f"Stopped. The best z so far is in {path}.", markup=False)
        say.print(f"Proposals are kept in {state}; the same command goes on.", markup=False)
        raise
    result.z.save(path)
    if result.is_complete:
        shutil.rmtree(state, ignore_errors=True)
    if as_json:
        print(json.dumps(result.to_json(), indent=1, ensure_ascii=False))
        return
    _print_result(result)
    out.print(f"Written to {path}. Next: circuitz check {path}", markup=False)


def _record_in(path: Path) -> dict[str, Any]:
    from circuitz.errors import PosteriorError

    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise PosteriorError(
            f"{path} cannot be read: {problem}.", "Give the JSON that a fit was written to."
        ) from problem
    return record


def _print_result(result: ChainSearchResult) -> None:
    table = Table(box=None, pad_edge=False)
    for head in ("", "J", "prior", "likelihood"):
        table.add_column(head, justify="right" if head else "left")
    for name, one in (("start", result.start), ("best", result.best)):
        table.add_row(name, f"{one.j:.2f}", f"{one.prior:.2f}", f"{one.likelihood:.2f}")
    out.print(table)
    kernels = Table(box=None, pad_edge=False)
    for head in ("kernel", "words from", "proposals", "accepted", "failed", "gain", "per 100"):
        kernels.add_column(head, justify="left" if head in {"kernel", "words from"} else "right")
    for row in result.kernels:
        kernels.add_row(
            row.kernel, row.source, str(row.proposals), str(row.accepted), str(row.failed),
            f"{row.gain:+.2f}", f"{row.gain_per_100:+.2f}",
        )  # fmt: skip
    out.print(kernels)
    for record in result.lineage[1:]:
        out.print(f"{record.number:>4}  {record.gain:+.2f}  {record.what}", markup=False)
    for remark in result.remarks:
        out.print(remark, markup=False)

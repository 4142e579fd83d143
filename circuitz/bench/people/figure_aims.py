"""What is aimed at in the benchmark of judgements, and whether it was met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FigureAim:
    """One aim.

    Parameters
    ----------
    what
        Which figure, by its keys.
    value
        As measured; ``None`` where it was not.
    aim
        In words, with the number.
    met
        Whether it was; never where there is no value.
    """

    what: str
    value: float | None
    aim: str
    met: bool

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def aims_of_figures(figures: Mapping[str, Any]) -> list[FigureAim]:
    """Compare all figures with what is aimed at."""
    return list(_aims(figures))


def _aims(figures: Mapping[str, Any]) -> Iterator[FigureAim]:
    prior, likelihood = figures["prior"] or {}, figures["likelihood"] or {}
    yield _at_least("prior.zs", prior.get("zs"), 150)
    yield _at_most("prior.pairs", prior.get("pairs"), 400)
    yield _at_least("prior.accuracy / ceiling", prior.get("share"), 0.95)
    slope = prior.get("slope")
    yield FigureAim(
        "prior.slope, 95 % interval", None if slope is None else slope[0], "within .80 to 1.25",
        slope is not None and slope[1] >= 0.8 and slope[2] <= 1.25,
    )  # fmt: skip
    twins = prior.get("twin_rate") or {}
    apart = None if twins.get("model") is None else abs(twins["model"] - twins["raters"])
    yield _at_most("prior.twin_rate, model from raters", apart, 0.05)
    yield _at_least("prior.new_words", (prior.get("new_words") or {}).get("auroc"), 0.75)
    shuffled = prior.get("shuffled")
    from_chance = None if shuffled is None else abs(shuffled - 0.5)
    yield _at_most("prior.shuffled, from .5", from_chance, 0.1)
    for family, found in (prior.get("family_out") or {}).items():
        yield _at_least(f"prior.family_out.{family} / ceiling", found["share"], 0.95)
    yield _at_least("prior.birds / ceiling", (prior.get("birds") or {}).get("share"), 0.95)
    yield _at_least("likelihood.zs", likelihood.get("zs"), 40)
    for arm, value in (likelihood.get("nats_above_ceiling") or {"": None}).items():
        yield _at_most(f"likelihood.nats_above_ceiling {arm}".strip(), value, 0.05)
    yield _at_most("likelihood.paired_bias", likelihood.get("paired_bias"), 0.02)
    yield _at_most("likelihood.renaming", likelihood.get("renaming"), 0.03)
    gap = likelihood.get("nonsense_gap") or {}
    missed_by = None if gap.get("model") is None else abs(gap["model"] - gap["raters"])
    yield _at_most("likelihood.nonsense_gap, model from raters", missed_by, 0.03)
    rewrite = figures["rewrite"] or {}
    if rewrite.get("dprime") is not None and rewrite.get("true") is not None:
        yield _at_most("rewrite.true - rewrite.dprime", rewrite["true"] - rewrite["dprime"], 0.05)
        yield _at_least(
            "rewrite.dprime - rewrite.permuted", rewrite["dprime"] - rewrite["permuted"], 0.2
        )
    else:
        yield FigureAim("rewrite", None, "measured", met=False)
    yield _at_most("words.wrong_holds", (figures["words"] or {}).get("wrong_holds"), 0)
    rows = figures["attacks"] or []
    wrong = sum(bool(a["exported"] and a["wrong"]) for a in rows) if rows else None
    yield _at_most("attacks: exported and wrong", wrong, 0)
    twin_rows = [a for a in rows if a["twin"]]
    share = sum(bool(a["exported"]) for a in twin_rows) / len(twin_rows) if twin_rows else None
    yield _at_least("attacks: share of benign twins exported", share, 0.9)


def _at_least(what: str, value: float | None, bound: float) -> FigureAim:
    return FigureAim(what, value, f"at least {bound:g}", value is not None and value >= bound)


def _at_most(what: str, value: float | None, bound: float) -> FigureAim:
    return FigureAim(what, value, f"at most {bound:g}", value is not None and value <= bound)

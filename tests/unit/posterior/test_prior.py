from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.errors import CheckError
from circuitz.posterior.prior import PriorWeights, log_prior
from circuitz.z.finding import Finding, Waiver


@dataclass
class Report:
    findings: tuple[Finding, ...] = ()
    unexplained: dict[str, tuple[float, float, float]] = field(default_factory=dict)


CLEAN = {"husky": (0.0, 0.0, 0.1), "corgi": (0.0, 0.0, 0.1)}


def finding(
    kind: str, estimate: float = 0.6, verdict: str = "flagged", ident: str = "f"
) -> Finding:
    return Finding(ident, kind, 1, ("c:1",), "husky", verdict, "", estimate=estimate)  # pyright: ignore[reportArgumentType]


def test_nothing_against_it_and_all_explained_is_zero() -> None:
    found = log_prior(Report((finding("implausible-driver", 0.0, "supported"),), CLEAN))
    assert found.value == 0
    assert str(found.value) == "0.0"


def test_formula_by_hand() -> None:
    report = Report(
        (
            finding("implausible-driver", 0.35, ident="a"),
            finding("implausible-driver", -0.15, ident="b"),
            finding("missing-support", 0.04, ident="c"),
            finding("mislabelled-unit", 0.3, ident="d"),
            finding("unexplained-effect", 0.9, ident="e"),
        ),
        {"husky": (0.5, 0.4, 0.6), "corgi": (0.1, 0.0, 0.2)},
    )
    found = log_prior(report)
    assert found.drivers == pytest.approx(-(0.25 + 0.05))
    assert found.supports == pytest.approx(-0.3)
    assert found.words == pytest.approx(-0.1)
    assert found.unexplained == pytest.approx(-0.6)
    assert found.value == pytest.approx(-1.3)
    assert [ident for ident, _ in found.worst] == ["c", "a", "d", "b"]
    heavy = log_prior(report, PriorWeights(driver=2, support=0, word=0, unexplained=2))
    assert heavy.value == pytest.approx(-0.6 - 1.2)
    assert found.to_json()["value"] == found.value


@settings(deadline=None)
@given(st.floats(0.1, 1.0), st.floats(0, 0.5))
def test_silence_does_not_pay(effect: float, rest: float) -> None:
    said = Report((finding("implausible-driver", effect),), {"husky": (min(rest, 1 - effect),) * 3})
    hidden = Report((), {"husky": (min(rest, 1 - effect) + effect,) * 3})
    assert log_prior(hidden).value <= log_prior(said).value
    with pytest.raises(CheckError, match="could gain"):
        PriorWeights(driver=2.0)


def test_only_flagged_counts_and_waivers_do_not_make_it_plausible() -> None:
    flagged = finding("implausible-driver")
    waived = replace(flagged, waiver=Waiver("f", "ada", "known", "2026"))
    doubtful = replace(flagged, verdict="inconclusive")
    assert log_prior(Report((waived,), CLEAN)).value == log_prior(Report((flagged,), CLEAN)).value
    assert log_prior(Report((doubtful,), CLEAN)).value == 0


def test_unannotated_models_are_all_unexplained() -> None:
    assert log_prior(Report()).value == -1
    odd = {"a": (float("nan"), 0.0, 1.0), "b": (1.7, 1.0, 2.0), "c": (-0.2, -0.4, 0.0)}
    assert log_prior(Report((), odd)).unexplained == pytest.approx(-2)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["implausible-driver", "missing-support", "mislabelled-unit", "new"]),
            st.floats(-50, 50) | st.just(float("nan")),
            st.sampled_from(["flagged", "supported", "inconclusive"]),
        ),
        max_size=8,
    ),
    st.lists(st.floats(-2, 2), max_size=4),
)
def test_never_above_zero_and_more_flags_never_help(
    rows: list[tuple[str, float, str]], shares: list[float]
) -> None:
    items = tuple(finding(kind, e, verdict) for kind, e, verdict in rows)
    unexplained = {str(i): (s, s, s) for i, s in enumerate(shares)}
    value = log_prior(Report(items, unexplained)).value
    assert value <= 0
    more = (*items, finding("implausible-driver"))
    assert log_prior(Report(more, unexplained)).value < value


def test_weights_must_make_sense() -> None:
    with pytest.raises(CheckError):
        PriorWeights(driver=-1)
    with pytest.raises(CheckError):
        PriorWeights(word=float("nan"))

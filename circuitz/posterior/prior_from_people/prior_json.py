"""A fitted prior as JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import CircuitzError, PosteriorError
from circuitz.posterior.prior_from_people.card_score import COEFFICIENTS, ScoreWeights, TermScales
from circuitz.posterior.prior_from_people.card_terms import CARD_FIGURES, CLASS_FIGURES, TrustRule
from circuitz.posterior.prior_from_people.fitted_prior import SCHEMA, FittedPrior, PoolOfCards
from circuitz.posterior.prior_from_people.prior_calibration import PriorCalibration
from circuitz.posterior.prior_from_people.prior_parameters import PriorSpread
from circuitz.posterior.prior_from_people.word_indicators import INDICATORS, WordFeatures

F64 = npt.NDArray[np.float64]
_TELLS_TRUST = 2
_FEATURES: tuple[WordFeatures, ...] = ("wordnet", "none", "shuffled")


def prior_record(prior: FittedPrior) -> dict[str, Any]:
    """Return a prior as JSON values."""
    return {
        "schema": SCHEMA,
        "words": list(prior.words),
        "indicators": prior.indicators.tolist(),
        "features": prior.features,
        "weights": _weights_record(prior.weights),
        "scales": {
            name: v if isinstance(v, float) else v.tolist()
            for name, v in vars(prior.scales).items()
        },
        "members": [_weights_record(member) for member in prior.members],
        "log_ties": prior.log_ties,
        "near_slope": prior.near_slope,
        "far_slope": prior.far_slope,
        "raters": dict(prior.raters),
        "pool": asdict(prior.pool),
        "counts": dict(prior.counts),
        "remarks": list(prior.remarks),
        "spread": asdict(prior.spread),
        "calibration": None if prior.calibration is None else prior.calibration.to_json(),
        "seed": prior.seed,
        "trust": prior.trust,
    }


def parse_prior(record: Mapping[str, Any]) -> FittedPrior:
    """Read a prior back.

    Raises
    ------
    PosteriorError
        If it is malformed, not finite, or of a newer schema.
    """
    try:
        if int(record["schema"]) > SCHEMA:
            raise PosteriorError("A newer version wrote this prior.", "Update circuitz.")
        words = tuple(str(word) for word in record["words"])
        scales = record["scales"]
        if record["features"] not in _FEATURES:
            raise ValueError(f"features {record['features']!r}")
        calibration = record["calibration"]
        made = FittedPrior(
            words=words,
            indicators=_numbers(record["indicators"]).reshape(len(words), len(INDICATORS)),
            features=record["features"],
            weights=_read_weights(record["weights"], len(words)),
            scales=TermScales(
                float(scales["drive"]),
                *(_vector(scales[name], len(CLASS_FIGURES)) for name in ("class_mean", "class_sd")),
                *(_vector(scales[name], len(CARD_FIGURES)) for name in ("card_mean", "card_sd")),
            ),
            members=tuple(_read_weights(member, len(words)) for member in record["members"]),
            log_ties=float(record["log_ties"]),
            near_slope=float(record["near_slope"]),
            far_slope=float(record["far_slope"]),
            raters={str(name): float(v) for name, v in record["raters"].items()},
            pool=PoolOfCards(
                float(record["pool"]["log_sum"]),
                float(record["pool"]["highest"]),
                int(record["pool"]["n"]),
            ),
            counts={str(name): int(n) for name, n in record["counts"].items()},
            remarks=tuple(str(remark) for remark in record["remarks"]),
            spread=PriorSpread(**{n: float(v) for n, v in record["spread"].items()}),
            calibration=None if calibration is None else PriorCalibration.from_json(calibration),
            seed=int(record["seed"]),
            trust=_trust_rule(record),
        )
    except CircuitzError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise PosteriorError(
            f"This is not a fitted prior: {type(error).__name__} {error}.", "Fit it anew."
        ) from error
    numbers = [made.log_ties, made.near_slope, made.far_slope, *made.raters.values()]
    numbers += [made.pool.log_sum, made.pool.highest, made.scales.drive]
    spreads = [made.scales.class_sd, made.scales.card_sd, np.array([made.scales.drive])]
    if not np.isfinite(numbers).all() or any((v <= 0).any() for v in spreads):
        raise PosteriorError("The prior's numbers do not fit.", "Fit it anew.")
    return made


def _weights_record(weights: ScoreWeights) -> dict[str, list[float]]:
    return {name: value.tolist() for name, value in vars(weights).items()}


def _read_weights(record: Mapping[str, Any], words: int) -> ScoreWeights:
    return ScoreWeights(
        _vector(record["beta"], len(COEFFICIENTS)),
        _vector(record["gamma"], len(INDICATORS)),
        _vector(record["words"], words),
    )


def _trust_rule(record: Mapping[str, Any]) -> TrustRule:
    if int(record["schema"]) < _TELLS_TRUST:
        return "lower limit"
    rule: TrustRule = record["trust"]
    if rule not in ("verdict", "lower limit"):
        raise ValueError(f"trust {rule!r}")
    return rule


def _vector(values: Any, n: int) -> F64:
    return _numbers(values).reshape(n)


def _numbers(values: Any) -> F64:
    found = np.asarray(values, np.float64)
    if not np.isfinite(found).all():
        raise ValueError("a number is not finite")
    return found

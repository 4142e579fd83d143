"""M_L_test: what labels people who hold z* would give, learned from their answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import CircuitzError, LabellingError
from circuitz.labelling.labels.answers import Answers, validate_and_normalise_answers
from circuitz.labelling.labels.label_fit import (
    F64,
    Fit,
    Form,
    answer_log_likelihood_by_input,
    fit_labels_and_raters,
    log_softmax,
    share_of_wrong_answers,
    unnormalised_log_probabilities,
)

SCHEMA = 1
_FOLDS = 5
# To leave a form for one further down takes a better likelihood of the answers, by this many
# standard errors and nats an input. That answers tell anything at all must be shown beyond chance.
# So must that z* is wrong where they differ, and not the raters: .05 nats are about what sure and
# honest raters lose on z*'s errors if it errs on one or two inputs in a hundred.
_BARS = {"nothing": (3.0, 0.01), "z": (3.0, 0.05)}
_RIDGES = (100.0, 30.0, 10.0)


@dataclass(frozen=True, eq=False)
class LabelModel:
    """p(y | x) = softmax(a · z*'s logits + W · standardised features + b).

    Parameters
    ----------
    classes
        Order of the columns.
    form
        Which terms enter: ``nothing``, ``z``, ``features`` or ``z+features``.
    scale, weights, bias
        a; ``(f, k)`` W; ``(k,)`` b.
    centre, spread
        ``(f,)`` mean and standard deviation the features are standardised with.
    raters
        Share of wrong answers by rater, as estimated, over the answers they gave; ``None`` where
        nothing tells: no other rater saw their pictures, and nothing z* sees goes with answers.
    answers
        How many answers it was learned from.
    compared
        The forms compared: name, ridge, cross-validated log-likelihood an input, and by how many
        standard errors it falls short of the best.
    seed
        Seed of the folds.
    agreement
        Share of answers that are as foretold, about inputs left out of the fit; ``None`` of a model
        that an earlier version wrote.
    """

    classes: tuple[str, ...]
    form: str
    scale: float
    weights: F64
    bias: F64
    centre: F64
    spread: F64
    raters: dict[str, float | None]
    answers: int
    compared: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    seed: int = 0
    agreement: float | None = None

    def predict_proba(self, features: npt.ArrayLike, offsets: npt.ArrayLike) -> F64:
        """Return p(y | x), ``(n, k)``.

        Parameters
        ----------
        features
            ``(n, f)`` responses of the annotated units.
        offsets
            ``(n, k)`` z*'s logits.

        Raises
        ------
        LabellingError
            If shapes do not fit or values are not finite.
        """
        x, z = _check_features_and_logits(features, offsets, len(self.centre), len(self.classes))
        fit = Fit(self.scale, self.weights, self.bias, np.zeros((0, 0, 0)))
        return np.exp(
            log_softmax(
                unnormalised_log_probabilities(
                    fit, (x - self.centre) / self.spread, _centre_rows(z)
                )
            )
        )

    def predict(self, features: npt.ArrayLike, offsets: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the likeliest class of each input, ``(n,)``."""
        return self.predict_proba(features, offsets).argmax(1).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return the model as JSON values (it travels in z*'s notes)."""
        return {
            "schema": SCHEMA, "classes": list(self.classes), "form": self.form,
            "scale": self.scale, "weights": self.weights.tolist(), "bias": self.bias.tolist(),
            "centre": self.centre.tolist(), "spread": self.spread.tolist(),
            "raters": dict(self.raters), "answers": self.answers, "compared": self.compared,
            "seed": self.seed,
            # Models of earlier versions do not tell it, and are written as they were.
            **({} if self.agreement is None else {"agreement": self.agreement}),
        }  # fmt: skip

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> LabelModel:
        """Read a model back.

        Raises
        ------
        LabellingError
            If it is malformed, not finite or of a newer schema.
        """
        try:
            if int(record["schema"]) > SCHEMA:
                raise LabellingError("A newer version wrote this label model.", "Update circuitz.")
            classes = tuple(str(c) for c in record["classes"])
            centre = np.asarray(record["centre"], np.float64)
            made = cls(
                classes=classes,
                form=str(record["form"]),
                scale=float(record["scale"]),
                weights=np.asarray(record["weights"], np.float64).reshape(-1, len(classes)),
                bias=np.asarray(record["bias"], np.float64),
                centre=centre,
                spread=np.asarray(record["spread"], np.float64),
                raters={
                    str(k): None if v is None else float(v) for k, v in record["raters"].items()
                },
                answers=int(record["answers"]),
                compared=list(record["compared"]),
                seed=int(record["seed"]),
                agreement=_share_or_none(record.get("agreement")),
            )
        except CircuitzError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LabellingError(
                f"This is not a label model: {type(error).__name__} {error}.", "Fit it anew."
            ) from error
        f, k = len(centre), len(classes)
        shapes = (made.weights.shape, made.bias.shape, made.centre.shape, made.spread.shape)
        numbers = [made.weights, made.bias, made.centre, made.spread, np.array([made.scale])]
        finite = all(np.isfinite(a).all() for a in numbers)
        if shapes != ((f, k), (k,), (f,), (f,)) or not finite or (made.spread <= 0).any():
            raise LabellingError("The label model's numbers do not fit.", "Fit it anew.")
        return made


def fit_label_model(
    features: npt.ArrayLike,
    offsets: npt.ArrayLike,
    answers: npt.ArrayLike | Answers,
    classes: Sequence[str],
    seed: int = 0,
    *,
    item: npt.ArrayLike | None = None,
    rater: Sequence[str] | None = None,
    offset: bool = True,
    as_input: bool = False,
) -> LabelModel:
    """Learn M_L_test from answers.

    Several forms are compared by cross-validated likelihood of the answers: nothing but class
    frequencies, z*'s logits alone, these and features, features alone, with a ladder of ridges.
    The first of them is taken that no other beats clearly. So answers that nothing predicts (a
    rater without a card) earn a model that knows nothing, however right z*'s logits are; a few
    noisy answers, or a habit of one rater, do not overrule what z* knows; and answers that
    plainly contradict it do.

    Parameters
    ----------
    features
        ``(n, f)`` responses of the annotated units on the inputs asked about.
    offsets
        ``(n, k)`` z*'s logits on them.
    answers, item, rater
        See :func:`circuitz.labelling.labels.answers.validate_and_normalise_answers`.
    classes
        The classes, in the order of the columns.
    seed
        Seed of the folds.
    offset
        ``False`` leaves z*'s logits out: the answers alone.
    as_input
        z*'s logits are an input like the features, whose weight the answers set: before any answer
        it is 1 (its logarithm has spread 1), and no other form is compared.

    Raises
    ------
    LabellingError
        If shapes do not fit, values are not finite, or fewer than two inputs have an answer.
    """
    k = len(classes)
    x, z = _check_features_and_logits(features, offsets, None, k)
    given = validate_and_normalise_answers(answers, len(x), k, item=item, rater=rater)
    asked = np.unique(given.item)
    if len(asked) < 2:
        raise LabellingError(f"Only {len(asked)} input has an answer.", "Ask about more inputs.")
    centre, spread = x[asked].mean(0), x[asked].std(0)
    spread = np.where(spread > 1e-9 * np.maximum(np.abs(centre), 1e-9), spread, 1.0)
    x, z = (x - centre) / spread, _centre_rows(z)
    forms = _candidate_forms(offset, features=x.shape[1] > 0, as_input=as_input)
    chosen, compared, agreement = _choose_form_by_cross_validation(forms, x, z, given, seed)
    best = fit_labels_and_raters(chosen, x, z, given)
    wrong = share_of_wrong_answers(best, x, z, given)
    told = _raters_told_about(chosen, given)
    return LabelModel(
        classes=tuple(classes),
        form=chosen.name,
        scale=best.scale,
        weights=best.weights,
        bias=best.bias,
        centre=centre,
        spread=spread,
        raters={
            name: round(float(w), 4) if known else None
            for name, w, known in zip(given.raters, wrong, told, strict=True)
        },
        answers=len(given),
        compared=compared,
        seed=seed,
        agreement=agreement,
    )


def _raters_told_about(form: Form, answers: Answers) -> npt.NDArray[np.bool_]:
    """Whether there is anything to set each rater's answers against, ``(r,)``."""
    if form.offset or form.features:
        return np.ones(len(answers.raters), bool)
    pairs = np.unique(np.stack([answers.item, answers.rater], 1), axis=0)
    shared = np.bincount(pairs[:, 0])[answers.item] > 1
    return np.bincount(answers.rater, shared, minlength=len(answers.raters)) > 0


def _candidate_forms(offset: bool, *, features: bool, as_input: bool) -> list[Form]:
    """List the forms to compare: simplest first, those that keep z*'s logits before others."""
    if as_input:
        return [Form(offset, features, ridge) for ridge in (_RIDGES if features else _RIDGES[:1])]
    forms = [Form(offset=False, features=False)]
    if offset:
        forms.append(Form(offset=True, features=False))
    for ridge in _RIDGES if features else ():
        forms.append(Form(offset=False, features=True, ridge=ridge))
        if offset:
            forms.append(Form(offset=True, features=True, ridge=ridge))
    return sorted(forms, key=lambda f: (f.features, f.features and not f.offset, -f.ridge))


def _choose_form_by_cross_validation(
    forms: list[Form],
    x: F64,
    z: F64,
    answers: Answers,
    seed: int,
) -> tuple[Form, list[dict[str, Any]], float]:
    """Cross-validate over inputs; return the form to take, how all did, and its agreement."""
    asked = np.unique(answers.item)
    folds = min(_FOLDS, len(asked))
    fold = np.full(len(x), -1)
    fold[asked] = np.random.default_rng(seed).permutation(len(asked)) % folds
    found = np.zeros((len(forms), len(x)))
    foretold = np.zeros(len(forms))
    for number in range(folds):
        inside = fold[answers.item] == number
        learn, test = _subset_answers(answers, ~inside), _subset_answers(answers, inside)
        here = fold == number
        for i, form in enumerate(forms):
            fit = fit_labels_and_raters(form, x, z, learn)
            found[i, here] = answer_log_likelihood_by_input(fit, x, z, test)[here]
            best_class = unnormalised_log_probabilities(fit, x, z).argmax(1)[test.item]
            foretold[i] += test.shares[np.arange(len(test)), best_class].sum()
    values = found[:, asked]
    best = int(values.mean(1).argmax())
    gap = values[best] - values
    mean = gap.mean(1)
    error = gap.std(1, ddof=1) / math.sqrt(len(asked))
    table = [
        {
            "form": form.name,
            "ridge": form.ridge if form.features else None,
            "log_likelihood": round(float(values[i].mean()), 5),
            "shortfall": round(float(mean[i]), 5),
            "standard_error": round(float(error[i]), 5),
            "agreement": round(float(foretold[i] / len(answers)), 4),
        }
        for i, form in enumerate(forms)
    ]
    bars = [
        max(many * e, least)
        for f, e in zip(forms, error, strict=True)
        for many, least in [_BARS.get(f.name, (1.0, 0.0))]
    ]
    chosen = next(i for i in range(len(forms)) if i == best or mean[i] <= bars[i])
    return forms[chosen], table, round(float(foretold[chosen] / len(answers)), 4)


def _subset_answers(answers: Answers, keep: npt.NDArray[np.bool_]) -> Answers:
    return Answers(answers.shares[keep], answers.item[keep], answers.rater[keep], answers.raters)


def _share_or_none(value: Any) -> float | None:
    return None if value is None else float(value)


def _centre_rows(offsets: F64) -> F64:
    return offsets - offsets.mean(1, keepdims=True)


def _check_features_and_logits(
    features: npt.ArrayLike, offsets: npt.ArrayLike, f: int | None, k: int
) -> tuple[F64, F64]:
    x, z = np.asarray(features, np.float64), np.asarray(offsets, np.float64)
    if z.ndim != 2 or x.ndim != 2 or len(x) != len(z) or z.shape[1] != k:
        raise LabellingError(
            f"Features {x.shape} and logits {z.shape} do not fit {k} classes.",
            "Give one row an input in each.",
        )
    if f is not None and x.shape[1] != f:
        raise LabellingError(
            f"The model was fitted on {f} features, {x.shape[1]} were given.",
            "Read the same annotated units.",
        )
    if not (np.isfinite(x).all() and np.isfinite(z).all()):
        raise LabellingError("Some features or logits are not finite.", "Check the network.")
    return x, z

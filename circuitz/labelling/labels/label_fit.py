"""Fitting the label model: latent labels, noisy raters, and how much to believe.

An input's label y is latent: p(y | x) = softmax(a · logits(x) + W · features(x) + b). A rater r
answers j with probability C_r[y, j] (Dawid & Skene 1979), where C_r is pulled towards one lapse
rate common to all, and a rater is taken to mean what they say at least half of the time:
otherwise a card that misleads everybody in the same way could be read backwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from circuitz.labelling.labels.answers import Answers

F64 = npt.NDArray[np.float64]
_FIRST_LAPSE = 0.15
_LEAST_TRUST = 0.5
# Answers' worth of belief, for each row of a rater's confusion, in the common lapse rate.
_ROW_WEIGHT = 8.0
_ROUNDS, _STEPS = 6, 25


@dataclass(frozen=True)
class Form:
    """Which terms the label model has.

    Parameters
    ----------
    offset
        Whether z*'s own logits enter, scaled by one number.
    features
        Whether the annotated units' responses enter.
    ridge
        Penalty on W and b (for standardised features); they are pulled to 0.
    """

    offset: bool
    features: bool
    ridge: float = 1.0

    @property
    def name(self) -> str:
        """What enters, in words."""
        parts = (["z"] if self.offset else []) + (["features"] if self.features else [])
        return "+".join(parts) or "nothing"


@dataclass(frozen=True, eq=False)
class Fit:
    """Fitted parameters.

    Parameters
    ----------
    scale
        a; 0 when z*'s logits do not enter.
    weights
        ``(f, k)`` W.
    bias
        ``(k,)`` b.
    confusion
        ``(r, k, k)``: rows are labels, columns answers.
    """

    scale: float
    weights: F64
    bias: F64
    confusion: F64


def log_softmax(scores: F64) -> F64:
    """Log of the softmax over the last axis."""
    shifted = scores - scores.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def unnormalised_log_probabilities(fit: Fit, features: F64, offsets: F64) -> F64:
    """Unnormalised log-probabilities of the labels, ``(n, k)``."""
    return fit.scale * offsets + features @ fit.weights + fit.bias


def fit_labels_and_raters(form: Form, features: F64, offsets: F64, answers: Answers) -> Fit:
    """Fit one form by alternating label parameters (L-BFGS) and raters (closed form).

    Parameters
    ----------
    features, offsets
        ``(n, f)`` standardised and ``(n, k)`` centred; rows without an answer do not count.
    """
    k = offsets.shape[1]
    confusion = np.stack([_lapse_confusion_matrix(_FIRST_LAPSE, k)] * len(answers.raters))
    asked = np.unique(answers.item)
    x, z = features[asked], offsets[asked]
    x = x if form.features else x[:, :0]
    theta = np.zeros(1 + (x.shape[1] + 1) * k)
    fit = _unpack_parameters(theta, form, x.shape[1], k, confusion)
    for _ in range(_ROUNDS):
        evidence = answer_log_likelihoods_by_label(answers, confusion, len(features))[asked]
        theta = minimize(
            _penalised_loss_and_gradient, theta, args=(form, x, z, evidence), jac=True, method="L-BFGS-B",
            options={"maxiter": _STEPS, "ftol": 1e-7},
        ).x  # fmt: skip
        fit = _unpack_parameters(theta, form, x.shape[1], k, confusion)
        belief = np.full((len(features), k), 1 / k)
        belief[asked] = np.exp(
            log_softmax(log_softmax(unnormalised_log_probabilities(fit, x, z)) + evidence)
        )
        newer = _estimate_rater_confusions(belief, answers)
        change = float(np.abs(newer - confusion).max())
        confusion = newer
        if change < 5e-3:
            break
    weights = fit.weights if form.features else np.zeros((features.shape[1], k))
    return Fit(fit.scale, weights, fit.bias, confusion)


def answer_log_likelihoods_by_label(answers: Answers, confusion: F64, n: int) -> F64:
    """Log-likelihood of each input's answers for every label, ``(n, k)``."""
    log_confusion = np.log(confusion)[answers.rater]
    each = np.einsum("mj,myj->my", answers.shares, log_confusion)
    total = np.zeros((n, confusion.shape[1]))
    np.add.at(total, answers.item, each)
    return total


def answer_log_likelihood_by_input(fit: Fit, features: F64, offsets: F64, answers: Answers) -> F64:
    """Log-probability of each input's answers, ``(n,)``; 0 for inputs nobody was asked about."""
    evidence = answer_log_likelihoods_by_label(answers, fit.confusion, len(features))
    total = log_softmax(unnormalised_log_probabilities(fit, features, offsets)) + evidence
    top = total.max(1)
    return top + np.log(np.exp(total - top[:, None]).sum(1))


def share_of_wrong_answers(fit: Fit, features: F64, offsets: F64, answers: Answers) -> F64:
    """Return by rater the share of their answers that is expected to be wrong, ``(r,)``.

    It is over the answers they gave, so that a class nobody met does not count.
    """
    evidence = answer_log_likelihoods_by_label(answers, fit.confusion, len(features))
    label = log_softmax(unnormalised_log_probabilities(fit, features, offsets))
    belief = np.exp(log_softmax(label + evidence))
    right = (belief[answers.item] * answers.shares).sum(1)
    n = len(answers.raters)
    given = np.bincount(answers.rater, minlength=n)
    return 1 - np.bincount(answers.rater, right, minlength=n) / np.maximum(given, 1)


def _penalised_loss_and_gradient(
    theta: F64, form: Form, x: F64, z: F64, evidence: F64
) -> tuple[float, F64]:
    f, k = x.shape[1], z.shape[1]
    fit = _unpack_parameters(theta, form, f, k, np.zeros((0, k, k)))
    label = log_softmax(unnormalised_log_probabilities(fit, x, z))
    joint = label + evidence
    top = joint.max(1)
    marginal = top + np.log(np.exp(joint - top[:, None]).sum(1))
    slope = np.exp(label) - np.exp(joint - marginal[:, None])
    gradient = np.zeros_like(theta)
    loss = -float(marginal.sum())
    if form.offset:
        # The scale is e^theta[0], with a weak pull to 1.
        gradient[0] = fit.scale * float((slope * z).sum()) + theta[0]
        loss += 0.5 * float(theta[0]) ** 2
    if form.features:
        gradient[1 : 1 + f * k] = (x.T @ slope + form.ridge * fit.weights).ravel()
    if form.features or not form.offset:
        gradient[1 + f * k :] = slope.sum(0) + form.ridge * fit.bias
    loss += 0.5 * form.ridge * float((fit.weights**2).sum() + (fit.bias**2).sum())
    return loss, gradient


def _unpack_parameters(theta: F64, form: Form, f: int, k: int, confusion: F64) -> Fit:
    weights = theta[1 : 1 + f * k].reshape(f, k)
    bias = theta[1 + f * k :]
    # z* alone gets no bias: its own logits already say how frequent a class is.
    return Fit(
        scale=float(np.exp(np.clip(theta[0], -20, 20))) if form.offset else 0.0,
        weights=weights,
        bias=bias if form.features or not form.offset else np.zeros(k),
        confusion=confusion,
    )


def _lapse_confusion_matrix(lapse: float, k: int) -> F64:
    return (1 - lapse) * np.eye(k) + lapse / k


def _estimate_rater_confusions(belief: F64, answers: Answers) -> F64:
    """Confusions given what the labels probably are."""
    k = belief.shape[1]
    counts = np.zeros((len(answers.raters), k, k))
    np.add.at(counts, answers.rater, belief[answers.item][:, :, None] * answers.shares[:, None, :])
    # The common rate of wrong answers, with a little belief in the first guess.
    off = 1 - (counts.sum(0) * np.eye(k)).sum() / counts.sum()
    weight = counts.sum()
    wrong = (off * weight + _FIRST_LAPSE * (k - 1) / k * 5) / (weight + 5)
    prior = _lapse_confusion_matrix(min(wrong * k / (k - 1), 1.0), k)
    found = counts + _ROW_WEIGHT * prior
    found /= found.sum(2, keepdims=True)
    diagonal = np.einsum("ryy->ry", found)
    low = diagonal < _LEAST_TRUST
    if low.any():
        others = found * (1 - np.eye(k))
        others *= (1 - _LEAST_TRUST) / others.sum(2, keepdims=True)
        found = np.where(low[:, :, None], others + _LEAST_TRUST * np.eye(k), found)
    return found

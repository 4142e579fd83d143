from __future__ import annotations

import json

import numpy as np
import pytest

from circuitz.errors import LabellingError
from circuitz.labelling.labels.answers import validate_and_normalise_answers
from circuitz.labelling.labels.label_fit import (
    Form,
    answer_log_likelihood_by_input,
    answer_log_likelihoods_by_label,
    fit_labels_and_raters,
)
from circuitz.labelling.labels.label_model import LabelModel, fit_label_model

CLASSES = ("a", "b", "c", "d")
K = len(CLASSES)


def world(
    n: int = 600, *, sure: float = 4.0, noise: float = 0.5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, features that show them through two-valued parts, and a network's logits."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(K, size=n)
    parts = np.stack([labels % 2, labels // 2, rng.integers(2, size=n)], axis=1)
    features = np.concatenate([parts, 1 - parts], axis=1) + noise * rng.normal(size=(n, 6))
    logits = rng.normal(size=(n, K))
    logits[np.arange(n), labels] += sure
    return labels, features, logits


def noisy(labels: np.ndarray, wrong: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, 9])
    off = (labels + rng.integers(1, K, size=len(labels))) % K
    return np.where(rng.random(len(labels)) < wrong, off, labels)


def right(model: LabelModel, x: np.ndarray, z: np.ndarray, labels: np.ndarray) -> float:
    return float((model.predict(x, z) == labels).mean())


@pytest.mark.parametrize("wrong", [0.0, 0.15, 0.3])
def test_noisy_answers_do_not_damage_what_z_knows(wrong: float) -> None:
    labels, x, z = world()
    model = fit_label_model(x[:200], z[:200], noisy(labels[:200], wrong), CLASSES)
    network = float((z[200:].argmax(1) == labels[200:]).mean())
    assert right(model, x[200:], z[200:], labels[200:]) >= network - 0.01
    assert model.answers == 200


def test_answers_that_tell_nothing_earn_nothing() -> None:
    labels, x, z = world()
    for seed in range(5):
        guesses = np.random.default_rng([seed, 77]).integers(K, size=200)
        model = fit_label_model(x[:200], z[:200], guesses, CLASSES)
        assert model.form == "nothing"
        assert right(model, x[200:], z[200:], labels[200:]) < 0.4
    uniform = np.full((200, K), 1 / K)
    assert fit_label_model(x[:200], z[:200], uniform, CLASSES).predict_proba(
        x[:5], z[:5]
    ) == pytest.approx(1 / K)


def test_misleading_answers_are_followed_not_read_backwards() -> None:
    labels, x, z = world()
    shifted = (labels + 1) % K
    model = fit_label_model(x[:200], z[:200], shifted[:200], CLASSES)
    assert right(model, x[200:], z[200:], labels[200:]) < 0.3
    assert right(model, x[200:], z[200:], shifted[200:]) > 0.5


def test_answers_correct_a_network_that_is_wrong_where_features_tell() -> None:
    labels, x, z = world(800, noise=0.3)
    # The network takes class a for b whenever the first part is absent: rows 0 of a pair.
    fooled = (labels == 0) & (np.arange(800) % 2 == 0)
    z[fooled] = 0
    z[fooled, 1] = 4
    model = fit_label_model(x[:300], z[:300], labels[:300], CLASSES)
    network = float((z[300:].argmax(1) == labels[300:]).mean())
    assert right(model, x[300:], z[300:], labels[300:]) > network + 0.03


def test_without_the_offset_only_answers_teach() -> None:
    labels, x, z = world()
    model = fit_label_model(x[:200], z[:200], noisy(labels[:200], 0.1), CLASSES, offset=False)
    assert model.scale == 0
    assert "z" not in model.form
    first = model.predict_proba(x[200:], z[200:])
    assert (first == model.predict_proba(x[200:], np.zeros_like(z[200:]))).all()
    assert right(model, x[200:], z[200:], labels[200:]) > 0.7


def test_soft_and_hard_answers_agree_when_sure() -> None:
    labels, x, z = world()
    hard = fit_label_model(x[:100], z[:100], labels[:100], CLASSES)
    soft = fit_label_model(x[:100], z[:100], np.eye(K)[labels[:100]], CLASSES)
    assert hard.to_json() == soft.to_json()


def test_two_raters_are_told_apart() -> None:
    labels, x, z = world()
    good, bad = noisy(labels[:150], 0.05, 1), noisy(labels[:150], 0.45, 2)
    model = fit_label_model(
        x[:150], z[:150], np.concatenate([good, bad]), CLASSES,
        item=np.tile(np.arange(150), 2), rater=["good"] * 150 + ["bad"] * 150,
    )  # fmt: skip
    assert model.raters["good"] < 0.15
    assert model.raters["bad"] > 0.3
    assert right(model, x[200:], z[200:], labels[200:]) > 0.95


def test_cannot_tell_is_left_out() -> None:
    labels, x, z = world()
    answers = labels[:100].copy()
    answers[:40] = -1
    model = fit_label_model(x[:100], z[:100], answers, CLASSES)
    assert model.answers == 60
    with pytest.raises(LabellingError, match="no answers"):
        fit_label_model(x[:5], z[:5], np.full(5, -1), CLASSES)
    with pytest.raises(LabellingError, match="Only 1"):
        fit_label_model(x[:5], z[:5], np.array([0, -1, -1, -1, -1]), CLASSES)


def test_no_features_at_all() -> None:
    labels, _, z = world()
    model = fit_label_model(np.zeros((200, 0)), z[:200], labels[:200], CLASSES)
    assert model.form == "z"
    assert right(model, np.zeros((400, 0)), z[200:], labels[200:]) > 0.9


def test_constant_features_and_a_class_nobody_chose() -> None:
    labels, x, z = world()
    x[:, 2] = 7.0
    keep = labels[:200] != 3
    model = fit_label_model(x[:200][keep], z[:200][keep], labels[:200][keep], CLASSES)
    assert np.isfinite(model.predict_proba(x, z)).all()
    assert model.predict_proba(x, z).sum(1) == pytest.approx(1)


def test_the_gradient_is_that_of_the_loss() -> None:
    from scipy.optimize import check_grad

    from circuitz.labelling.labels.label_fit import (
        _lapse_confusion_matrix,
        _penalised_loss_and_gradient,
    )

    labels, x, z = world(40)
    answers = validate_and_normalise_answers(noisy(labels, 0.2), 40, K)
    evidence = answer_log_likelihoods_by_label(answers, _lapse_confusion_matrix(0.15, K)[None], 40)
    theta = 0.3 * np.random.default_rng(0).normal(size=1 + 7 * K)
    for form in (Form(True, True, 3.0), Form(False, True, 3.0), Form(True, False, 3.0)):
        features = x if form.features else x[:, :0]
        start = theta if form.features else theta[: 1 + K]
        error = check_grad(
            lambda t, f=form, v=features: _penalised_loss_and_gradient(t, f, v, z, evidence)[0],
            lambda t, f=form, v=features: _penalised_loss_and_gradient(t, f, v, z, evidence)[1],
            start,
        )
        assert error < 1e-3


def test_fit_is_deterministic_and_scored_on_held_out_answers() -> None:
    labels, x, z = world()
    answers = noisy(labels[:150], 0.2)
    first, second = (fit_label_model(x[:150], z[:150], answers, CLASSES, 4) for _ in range(2))
    assert first.to_json() == second.to_json()
    forms = [row["form"] for row in first.compared]
    assert forms[:2] == ["nothing", "z"]
    given = validate_and_normalise_answers(answers, 150, K)
    scored = answer_log_likelihood_by_input(
        fit_labels_and_raters(Form(True, False), x[:150], z[:150], given), x[:150], z[:150], given
    )
    assert scored.shape == (150,)
    assert (scored <= 0).all()


def test_json_round_trip() -> None:
    labels, x, z = world()
    model = fit_label_model(x[:120], z[:120], noisy(labels[:120], 0.1), CLASSES)
    back = LabelModel.from_json(json.loads(json.dumps(model.to_json())))
    assert (back.predict_proba(x, z) == model.predict_proba(x, z)).all()
    assert back.to_json() == model.to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 9},
        {"classes": None},
        {"bias": [1.0]},
        {"spread": [0.0] * 6},
        {"scale": float("nan")},
        {"weights": "x"},
        {"raters": 3},
    ],
)
def test_malformed_models_are_refused(change: dict[str, object]) -> None:
    labels, x, z = world()
    record = fit_label_model(x[:60], z[:60], labels[:60], CLASSES).to_json()
    with pytest.raises(LabellingError):
        LabelModel.from_json(record | change)
    with pytest.raises(LabellingError):
        LabelModel.from_json({})


def test_bad_input_is_named() -> None:
    labels, x, z = world()
    with pytest.raises(LabellingError, match="do not fit"):
        fit_label_model(x[:10], z[:9], labels[:10], CLASSES)
    with pytest.raises(LabellingError, match="not finite"):
        fit_label_model(x[:10] * np.nan, z[:10], labels[:10], CLASSES)
    with pytest.raises(LabellingError, match="not among"):
        fit_label_model(x[:10], z[:10], labels[:10] + 9, CLASSES)
    with pytest.raises(LabellingError, match="sum to 1"):
        fit_label_model(x[:10], z[:10], np.full((10, K), 0.9), CLASSES)
    with pytest.raises(LabellingError, match="beyond"):
        fit_label_model(x[:10], z[:10], labels[:10], CLASSES, item=np.arange(10) + 5)
    model = fit_label_model(x[:60], z[:60], labels[:60], CLASSES)
    with pytest.raises(LabellingError, match="fitted on 6"):
        model.predict(x[:5, :3], z[:5])


def dawid_skene(classes: int, raters: int, said: np.ndarray) -> list[float]:
    """Share of wrong answers by rater, by plain EM of Dawid and Skene (1979); ``said`` is (n, r)."""
    n = len(said)
    belief = np.eye(classes)[said].mean(1)
    for _ in range(50):
        confusion = np.full((raters, classes, classes), 1e-9)
        for r in range(raters):
            np.add.at(confusion[r].T, said[:, r], belief)
        confusion /= confusion.sum(2, keepdims=True)
        log = np.tile(np.log(belief.mean(0) + 1e-12), (n, 1))
        for r in range(raters):
            log += np.log(confusion[r][:, said[:, r]].T)
        belief = np.exp(log - log.max(1, keepdims=True))
        belief /= belief.sum(1, keepdims=True)
    return [1 - float(belief[np.arange(n), said[:, r]].mean()) for r in range(raters)]


@pytest.mark.parametrize(
    "frequencies", [[0.25] * 4, [0.9, 0.05, 0.04, 0.01], [0.5, 0.5, 0, 0, 0, 0], [0.97, 0.03]]
)
def test_how_often_raters_err_is_told_where_classes_are_rare_too(frequencies) -> None:
    rng = np.random.default_rng(1)
    n, right, k = 300, (0.95, 0.9, 0.5), len(frequencies)
    truth = rng.choice(k, n, p=frequencies)
    other = (truth[:, None] + rng.integers(1, k, (n, len(right)))) % k
    said = np.where(rng.random((n, len(right))) < right, truth[:, None], other)
    names = [f"r{r}" for r in range(len(right))]
    item, rater = np.repeat(np.arange(n), len(right)), names * n
    z = 3 * np.eye(k)[truth] + rng.normal(size=(n, k))
    classes = [f"c{i}" for i in range(k)]
    model = fit_label_model(np.zeros((n, 0)), z, said.ravel(), classes, item=item, rater=rater)
    wrong = (said != truth[:, None]).mean(0)
    plain = np.abs(np.array(dawid_skene(k, len(right), said)) - wrong)
    for r, name in enumerate(names):
        told = model.raters[name]
        assert told is not None
        assert abs(told - wrong[r]) < 0.04
        assert abs(told - wrong[r]) < plain[r] + 0.02


def test_how_often_somebody_errs_is_not_known_where_nothing_tells() -> None:
    rng = np.random.default_rng(0)
    n = 60
    z, blind = rng.normal(size=(n, 3)), rng.integers(0, 3, n)
    alone = fit_label_model(np.zeros((n, 0)), z, blind, ["a", "b", "c"])
    assert alone.form == "nothing"
    assert alone.raters == {"rater": None}
    assert LabelModel.from_json(alone.to_json()).raters == alone.raters
    # Two who saw other pictures know no more of each other; one picture in common does.
    who = ["ada"] * 30 + ["bob"] * 30
    apart = fit_label_model(np.zeros((n, 0)), z, blind, ["a", "b", "c"], rater=who)
    assert apart.raters == {"ada": None, "bob": None}
    item = [*range(30), *range(29, 59)]
    shared = fit_label_model(np.zeros((n, 0)), z, blind, ["a", "b", "c"], item=item, rater=who)
    assert shared.form == "nothing"
    assert None not in shared.raters.values()

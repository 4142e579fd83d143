"""The D′ story: one simulated rater labels with z*'s card, and with what it could have had instead.

Every figure here rests on a simulated rater and says so. All cards are held by the same rater,
who answers the same questions with the same eyes; only the card differs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card
from circuitz.cards.make_card import card_with_permuted_words, empty_card
from circuitz.errors import LabellingError
from circuitz.evaluation.evaluation_sets import InputsWithTruth
from circuitz.evaluation.interview import interview_simulated_rater, simulate_perceptions
from circuitz.evaluation.notes_control import choose_rows_balanced_by_class, notes_card
from circuitz.evaluation.prediction_scores import WorstGroup, accuracy, worst_group
from circuitz.evaluation.simulated_rater import SimulatedRater
from circuitz.labelling.labels.answers import Answers, answers_from_judgements
from circuitz.labelling.labels.label_model import LabelModel, fit_label_model
from circuitz.labelling.tasks.questions import MOST, Questions, choose_questions
from circuitz.stats.counted_shares import Share, share_with_wilson_interval
from circuitz.store.judgement import Judgement
from circuitz.store.judgement_store import JudgementStore

TASK = "label-shifted-set"
N_NOTES = 60
CONTROLS = ("no_card", "unrepaired", "permuted", "notes")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class LabellingStudy:
    """What came out, all of it resting on a simulated rater.

    Parameters
    ----------
    labels
        ``judgements``, ``rater_no_card``, ``rater_unrepaired``, ``rater_permuted``,
        ``rater_notes``, ``rater_zstar``, ``m_l_test_worst_group``, ``m_l_test_accuracy``, and
        under ``details`` sample sizes, intervals, further controls and who the rater was.
    model
        M_L_test.
    questions
        What was asked.
    cards
        The cards held, by control; ``zstar`` is z*'s own.
    judgements
        Everything answered, oldest first.
    """

    labels: dict[str, Any]
    model: LabelModel
    questions: Questions
    cards: dict[str, Card]
    judgements: tuple[Judgement, ...]


def run_labelling_study(
    *,
    star: Card,
    unrepaired: Card,
    shifted: InputsWithTruth,
    logits: npt.NDArray[Any],
    features: npt.NDArray[Any],
    examples: InputsWithTruth,
    rater: SimulatedRater | None = None,
    n_questions: int = MOST,
    n_notes: int = N_NOTES,
    seed: int = 0,
    store: JudgementStore | None = None,
    progress: Progress | None = None,
) -> LabellingStudy:
    """Have D′ labelled with z*'s card and with every control, and learn M_L_test.

    Parameters
    ----------
    star, unrepaired
        Cards of z* and of the z before the repair.
    shifted
        D′ with its truth. The rater perceives its concepts; its labels only score.
    logits, features
        z*'s outputs ``(n, k)`` and the responses of its annotated units ``(n, f)`` on D′.
    examples
        Labelled D with its truth, for the rater who takes notes instead of a card.
    rater
        Default: one with a perception error of .05 and this seed, who knows what excludes what.
    n_questions, n_notes
        Questions, at most 200, and how many labelled inputs the notes are taken from.
    seed
        Seed of questions, order of options, permutation and folds.
    store
        Where judgements are kept; ``None`` keeps them in the result alone.
    progress
        Called with answers given and answers in all.

    Raises
    ------
    LabellingError
        If classes or sizes do not fit, more than 200 questions are asked for, or no input is
        left to score on.
    """
    classes = shifted.truth.classes
    _check_cards_and_sizes((star, unrepaired), shifted, logits, features, n_questions)
    rater = rater or SimulatedRater(seed=seed, exclusive=shifted.exclusive)
    # At random within each predicted class: were the unsure ones asked about, those that are left
    # to score on would be the easy ones.
    questions = choose_questions(logits, n_questions, seed=seed, uncertain=0.0)
    rest = questions.unasked_rows()
    if not len(rest):
        raise LabellingError("All of D′ was asked about.", "Give more inputs than questions.")
    chosen = choose_rows_balanced_by_class(examples.truth.labels, n_notes, seed)
    cards = {
        "no_card": empty_card(classes, star.subject),
        "unrepaired": unrepaired,
        "permuted": card_with_permuted_words(star, seed),
        "notes": _card_from_rater_notes(rater, examples, chosen, classes, star.subject),
        "zstar": star,
    }
    keys = shifted.content_hashes(questions.rows)
    seen = simulate_perceptions(rater, shifted, questions.rows, keys)
    truth = [classes[int(shifted.truth.labels[i])] for i in questions.rows]
    total = len(cards) * len(questions)
    rows: dict[str, list[Judgement]] = {}
    for turn, (name, card) in enumerate(cards.items()):
        own = name == "zstar"

        def report_progress(done: int, before: int = turn * len(questions)) -> None:
            if progress is not None:
                progress(before + done, total)

        rows[name] = interview_simulated_rater(
            rater, card, keys, seen, classes=classes, seed=seed, z_hash=star.z_hash, on_answer=report_progress,
            # Answers given with another card must never teach the label model of z*.
            task=TASK if own else f"{TASK}/{name}", use="train" if own else "held-out",
        )  # fmt: skip
        if store is not None:
            store.append(rows[name])
    right = {name: _share_of_right_answers(given, truth) for name, given in rows.items()}
    position = {key: i for i, key in enumerate(keys)}
    x, z = features[questions.rows], logits[questions.rows]
    given = {name: answers_from_judgements(rows[name], classes, position) for name in rows}
    model = fit_label_model(x, z, given["zstar"], classes, seed)
    scored = _UnaskedInputs(shifted, rest, features, logits)
    worst, all_right = scored.worst_group_and_accuracy(model)
    labels: dict[str, Any] = {"judgements": len(given["zstar"])}
    labels |= {f"rater_{name}": share.value for name, share in right.items()}
    labels |= {"m_l_test_worst_group": worst.share.value, "m_l_test_accuracy": all_right.value}
    labels["details"] = {
        "simulated": True,
        "rater": {
            "name": rater.name, "kind": rater.kind, "perception_error": rater.perception_error,
            "lapse": rater.lapse,
        },
        "questions": len(questions), "notes_from": len(chosen), "seed": seed,
        "cards": {name: card.hash for name, card in cards.items()},
        "intervals": {f"rater_{name}": [s.low, s.high] for name, s in right.items()},
        "m_l_test": _label_model_record(model, worst, all_right, _class_cell_separator(shifted)),
        "further_controls": _score_control_models(scored, questions.rows, given, seed),
    }  # fmt: skip
    everything = tuple(j for given_rows in rows.values() for j in given_rows)
    return LabellingStudy(labels, model, questions, cards, everything)


@dataclass(frozen=True, eq=False)
class _UnaskedInputs:
    """Inputs of D′ that were never asked about."""

    shifted: InputsWithTruth
    rows: npt.NDArray[np.int64]
    features: npt.NDArray[Any]
    logits: npt.NDArray[Any]

    def worst_group_and_accuracy(self, model: LabelModel | None) -> tuple[WorstGroup, Share]:
        """Worst group and accuracy of a label model; of z*'s network itself for ``None``."""
        x, z = self.features[self.rows], self.logits[self.rows]
        predicted = z.argmax(1).astype(np.int64) if model is None else model.predict(x, z)
        truth = self.shifted.truth
        labels = truth.labels[self.rows]
        worst = worst_group(predicted, labels, truth.cell[self.rows], truth.classes, truth.cells)
        return worst, accuracy(predicted, labels)


def _score_control_models(
    scored: _UnaskedInputs,
    question_rows: npt.NDArray[np.int64],
    answers: dict[str, Answers],
    seed: int,
) -> dict[str, Any]:
    """Compare with the network itself, with the answers alone, and with worse answers."""
    x, z, classes = (
        scored.features[question_rows],
        scored.logits[question_rows],
        scored.shifted.truth.classes,
    )
    worst, share = scored.worst_group_and_accuracy(None)
    on = _class_cell_separator(scored.shifted)
    found: dict[str, Any] = {"zstar_network": _worst_group_and_accuracy_record(worst, share, on)}
    fits = {
        "answers_alone": fit_label_model(x, z, answers["zstar"], classes, seed, offset=False),
        "answers_without_card": fit_label_model(x, z, answers["no_card"], classes, seed),
        "answers_permuted_card": fit_label_model(x, z, answers["permuted"], classes, seed),
    }
    for name, model in fits.items():
        found[name] = {
            **_worst_group_and_accuracy_record(*scored.worst_group_and_accuracy(model), on),
            "form": model.form,
        }
    return found


def _class_cell_separator(shifted: InputsWithTruth) -> str:
    """Return what stands between a class and a cell: *husky on snow*, *husky, no collar*."""
    return " on " if shifted.truth.cells == shifted.truth.grounds else ", "


def _worst_group_and_accuracy_record(worst: WorstGroup, share: Share, on: str) -> dict[str, Any]:
    return {
        "worst_group": worst.share.value,
        "group": f"{worst.group}{on}{worst.cell}",
        "group_n": worst.share.n,
        "group_interval": [worst.share.low, worst.share.high],
        "accuracy": share.value,
        "n": share.n,
    }


def _label_model_record(
    model: LabelModel, worst: WorstGroup, share: Share, on: str
) -> dict[str, Any]:
    return {
        **_worst_group_and_accuracy_record(worst, share, on),
        "form": model.form,
        "wrong_answers": model.raters,
        "smallest_group": worst.smallest,
    }


def _card_from_rater_notes(
    rater: SimulatedRater,
    examples: InputsWithTruth,
    rows: npt.NDArray[np.int64],
    classes: tuple[str, ...],
    subject: str,
) -> Card:
    seen = simulate_perceptions(rater, examples, rows, examples.content_hashes(rows))
    labels = [examples.truth.classes[int(examples.truth.labels[i])] for i in rows]
    return notes_card(labels, seen, classes, subject=subject)


def _share_of_right_answers(judgements: list[Judgement], truth: list[str]) -> Share:
    hits = sum(
        j.answer is not None and j.answer["choice"] == label
        for j, label in zip(judgements, truth, strict=True)
    )
    return share_with_wilson_interval(hits, len(truth))


def _check_cards_and_sizes(
    cards: tuple[Card, ...],
    shifted: InputsWithTruth,
    logits: npt.NDArray[Any],
    features: npt.NDArray[Any],
    n_questions: int,
) -> None:
    classes = shifted.truth.classes
    for card in cards:
        if card.names != classes:
            raise LabellingError(
                f"A card names {', '.join(card.names)}; D′ shows {', '.join(classes)}.",
                "Use cards and D′ of one world, with the classes in one order.",
            )
    if not 1 <= n_questions <= MOST:
        raise LabellingError(f"{n_questions} questions were asked for.", f"Ask 1 to {MOST}.")
    n, k = len(shifted), len(classes)
    if np.shape(logits) != (n, k) or np.ndim(features) != 2 or len(features) != n:
        raise LabellingError(
            f"Logits {np.shape(logits)} and features {np.shape(features)} do not fit {n} inputs "
            f"and {k} classes.",
            "Run z* on all of D′.",
        )

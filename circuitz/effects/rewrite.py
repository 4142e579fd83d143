"""Take words at face value: what the network chooses when units do what they are said to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from circuitz.data.unlabelled_pictures import unlabelled_pictures
from circuitz.effects.face_value import (
    DonatedRest,
    LabelledActivations,
    WordsByUnit,
    activations,
    draw_donors,
)
from circuitz.effects.picture_words import Answers, WordsOfPictures, words_of_pictures
from circuitz.effects.rewrite_result import DONORS, REGRESSION, TRUE, FaceValueRewrite
from circuitz.effects.unit_words import UnitWords, WordOfUnit, words_of_units
from circuitz.errors import ConceptLabelsError, InputsError, InterventionError
from circuitz.measurement.staged_progress import Stages
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.patching.source_rows import labels_as_class_indices, rows_of_split
from circuitz.z.bundle.inputs_io import input_set_fingerprint
from circuitz.z.check_z import check_annotated_model
from circuitz.z.inputs import InputSet

if TYPE_CHECKING:
    from circuitz.z.layer import LayerSpec
    from circuitz.z.model import AnnotatedModel

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
_FOLDS = 5


@outside_inference_mode
def rewrite(
    z: AnnotatedModel,
    images: object,
    words: Mapping[str, npt.ArrayLike] | None = None,
    *,
    answers: Answers | None = None,
    donors: int = 8,
    permutations: int = 20,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> FaceValueRewrite:
    """Run z on what its words say of pictures, instead of on the pictures.

    Every unit of the cut that bears words puts out what its words imply: a ridge regression of its
    responses on the labels of its words, fitted on the concept set's *select* (of one word, two
    conditional means), times the mean map of pictures that show them. What an annotation says of
    *more* and *less* counts, too, with the sign it says
    (:mod:`circuitz.lexicon.graded_words`). Units without words take the
    values of pictures of D; the margin of a class is averaged over donors of other classes. Nothing
    the network does on a scored picture is read, so that what comes out rests on words alone.

    It is *verbalised* explanation taken seriously: the explained parts are replaced by what the
    explanation predicts (Bills et al. 2023, *Language models can explain neurons in language
    models*), all at once.

    Parameters
    ----------
    z
        An annotated model with a cut of one layer, a labelled concept set, and D.
    images
        Pictures: an ``InputSet`` (its concept labels tell of words), an array ``(n, h, w, c)``, or a
        folder.
    words
        Values of words by name, ``(n,)`` in 0..1, NaN where not known. They go before answers, and
        these before labels.
    answers
        Judgements of the kind ``concept: WORD`` about the pictures, or the store they are in; a value is
        the mean of the answers.
    donors
        Donors of other classes, at least, for each class.
    permutations
        How often words change places among the units, as a control.
    seed
        Of donors and permutations.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    FaceValueRewrite
        Choices by picture and, beside them, those with the true activations of the same units, with
        words permuted, with donors alone, and of a logistic regression from words to D's classes.

    Raises
    ------
    InterventionError
        If the cut has more than one layer, or the head is multi-label.
    ConceptLabelsError
        If no unit bears a word the concept set labels, or no picture has a value for every word.
    InputsError
        If there is no D, or pictures cannot be used.
    """
    check_annotated_model(z)
    spec = cut_of_one_layer(z)
    inputs = images if isinstance(images, InputSet) else unlabelled_pictures(images, z)
    known = z.concept_set
    if known is None or known.concepts is None or known.is_tokens:
        raise ConceptLabelsError(
            "There is no concept set of labelled pictures.", "Measure with one: cz.measure(z, …)."
        )
    if donors < 1 or permutations < 0:
        raise InputsError("Donors or permutations are too few.", "Ask for 1 donor or more.")
    labels = labels_as_class_indices(z.data, z.classes)
    assert z.data is not None
    said = words_of_units(z, spec)
    if not said.words:
        raise ConceptLabelsError(
            "No unit of the cut bears a word that the concept set labels.",
            "Annotate units, or propose words: z = cz.propose(z).",
        )
    told = words_of_pictures(inputs, said.columns, words, answers)
    rows = np.flatnonzero(~np.isnan(told.values).any(1))
    if not len(rows):
        raise ConceptLabelsError(_no_picture_message(told), _NO_PICTURE_HINT)

    run, select = runtime(z), rows_of_split(known, "select")
    stages = Stages(progress, {"concepts": 3, "pictures": 3, "permuted": 2})
    truth = words_of_pictures(known, said.columns)
    seen = LabelledActivations.read(
        run, spec, np.asarray(known.images[select]), truth.words, truth.values[select],
        lambda done: stages.advance("concepts", done, len(select)),
    )  # fmt: skip
    rewriter = seen.rewriter(said.words)
    if not rewriter.units:
        raise ConceptLabelsError(
            "Too few pictures of the concept set's select are labelled with the words.",
            "Label more of them: circuitz concepts ask Z WORD.",
        )
    lending = draw_donors(labels, len(z.classes), donors, seed)
    lent = torch.cat(list(activations(run, spec, np.asarray(z.data.images[lending]))))
    rest = DonatedRest(run, spec, lent, labels[lending])
    values = told.values[rows]
    margins = rest.margins(rewriter.activations(values), rewriter.units)
    predicted, true, nothing = _what_the_network_does(
        rest,
        inputs.images[rows],
        rewriter.units,
        lambda n: stages.advance("pictures", n, len(rows)),
    )
    permuted = np.zeros((permutations, len(rows)), np.int64)
    rng = np.random.default_rng(seed)
    for i in range(permutations):
        other = seen.rewriter(_permuted_among_units(said.words, rng))
        permuted[i] = rest.margins(other.activations(values), other.units).argmax(1)
        stages.advance("permuted", i + 1, permutations)
    others = {TRUE: true, DONORS: nothing}
    same_data = input_set_fingerprint(inputs) == z.data_hash
    fitted = _choices_of_regression(z.data, labels, said, answers, told, rows, same_data)
    if fitted is not None:
        others[REGRESSION] = fitted
    stages.finish()
    return FaceValueRewrite(
        classes=z.classes,
        population="D" if same_data else "D'",
        rows=rows,
        margins=margins,
        predicted=predicted,
        labels=_labels_of_scored(inputs, z, rows),
        others=others,
        permuted=permuted,
        words=told.words,
        units=tuple(f"{spec.name}:{u}" for u in rewriter.units),
        unlabelled=len(said.unlabelled),
        left_out=len(inputs) - len(rows),
        donors=len(lending),
        simulated=told.simulated,
        weights_hash=z.weights_hash,
        annotations_hash=z.annotations_hash,
        concepts_hash=z.concepts_hash,
        inputs_hash=input_set_fingerprint(inputs),
    )


def cut_of_one_layer(z: AnnotatedModel) -> LayerSpec:
    """Return the layer whose words are taken at face value; refuse models that have none."""
    specs = [s for s in z.layers if s.name in z.cut]
    if len(specs) != 1:
        raise InterventionError(
            f"The cut has {len(specs)} layers.", "Words are taken at face value at one layer."
        )
    if z.head == "multi-label":
        raise InterventionError(
            "A picture may show several of this model's classes.",
            "The rewrite asks which one class is chosen; it does not serve this head.",
        )
    return specs[0]


_NO_PICTURE_HINT = (
    "Give concept labels with the pictures, values as words=, or people's answers as answers=."
)


def _no_picture_message(of_pictures: WordsOfPictures) -> str:
    missing = [
        w for w, v in zip(of_pictures.words, of_pictures.values.T, strict=True) if np.isnan(v).all()
    ]
    if missing:
        return (
            f"Of ‘{missing[0]}’ and {len(missing) - 1} other words nothing is known of any picture."
        )
    return "No picture has a value for every word."


def _what_the_network_does(
    rest: DonatedRest,
    images: npt.NDArray[np.uint8],
    units: tuple[int, ...],
    tick: Callable[[int], None],
) -> tuple[I64, I64, I64]:
    """Return the network's choices, those with true activations of units, and those of donors alone."""
    plain: list[I64] = []
    true: list[I64] = []
    done = 0
    for acts in activations(rest.runtime, rest.spec, images):
        every = tuple(range(rest.spec.size))
        plain.append(rest.margins(acts, every).argmax(1))
        true.append(rest.margins(acts, units).argmax(1))
        done += len(acts)
        tick(done)
    nothing = int(rest.margins(rest.donors[:1], ()).argmax(1)[0])
    return np.concatenate(plain), np.concatenate(true), np.full(done, nothing)


def _permuted_among_units(
    words: WordsByUnit, rng: np.random.Generator
) -> dict[int, tuple[WordOfUnit, ...]]:
    units = list(words)
    return {
        unit: words[units[int(i)]]
        for unit, i in zip(units, rng.permutation(len(units)), strict=True)
    }


def _labels_of_scored(inputs: InputSet, z: AnnotatedModel, rows: I64) -> I64 | None:
    """Return true classes of the scored pictures in z's order, for scoring alone."""
    if inputs.labels is None or inputs.labels.ndim != 1:
        return None
    order = {name: i for i, name in enumerate(z.classes)}
    if inputs.classes and not set(inputs.classes) <= order.keys():
        return None
    places = np.array([order[name] for name in inputs.classes or z.classes], np.int64)
    return places[np.asarray(inputs.labels, np.int64)[rows]]


def _choices_of_regression(
    data: InputSet,
    labels: I64,
    unit_words: UnitWords,
    answers: Answers | None,
    of_pictures: WordsOfPictures,
    rows: I64,
    same_data: bool,
) -> I64 | None:
    """Return what a logistic regression of D's classes on D's words chooses; ``None`` without words.

    Of D itself each picture is told by a regression fitted without its fold.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold, cross_val_predict  # noqa: PLC0415

    model = LogisticRegression(max_iter=1000)
    if same_data:
        y = labels[rows]
        if np.bincount(y)[np.unique(y)].min() < _FOLDS or len(np.unique(y)) < 2:
            return None
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
        return np.asarray(cross_val_predict(model, of_pictures.values[rows], y, cv=folds), np.int64)
    own = words_of_pictures(data, unit_words.columns, None, answers).values
    there = ~np.isnan(own).any(1)
    if len(np.unique(labels[there])) < 2:
        return None
    return np.asarray(
        model.fit(own[there], labels[there]).predict(of_pictures.values[rows]), np.int64
    )

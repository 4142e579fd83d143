"""Units that are directions: fit a basis to a layer, and measure its directions like neurons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from circuitz.deprecation import renamed_keywords
from circuitz.errors import BasisError, InputsError, LayerError
from circuitz.models.run.basis import Basis, check_basis_fits
from circuitz.models.run.basis_space import basis_unit_space
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.unit_value_hashes import unit_value_hashes
from circuitz.responses.directions.activation_vectors import (
    mean_activations_of_images,
    sample_activation_vectors,
)
from circuitz.responses.directions.sae import train_sae
from circuitz.responses.directions.saelens import load_saelens
from circuitz.responses.sweep_layers import sweep
from circuitz.z.bases import arrays_with_basis_replaced, basis_parts, basis_place
from circuitz.z.check_z import check_annotated_model
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import Measurements
from circuitz.z.targets import target_units

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
BasisMethod = Literal["pca", "nmf", "concepts", "probes", "sae"]

# Fewer images than this with or without a concept make no direction.
_FEWEST = 8
_ROUNDS = 400


@outside_inference_mode
@renamed_keywords(how="method")
def directions(
    z: AnnotatedModel,
    layer: str,
    method: BasisMethod | npt.ArrayLike | Path = "nmf",
    *,
    name: str = "",
    count: int | None = None,
    concepts: Sequence[str] | None = None,
    concept_set: InputSet | None = None,
    seed: int = 0,
    replaces: bool = False,
    progress: Progress | None = None,
) -> AnnotatedModel:
    """Give a layer a basis, whose directions are then units like its own: ``conv4@nmf:5``.

    Parameters
    ----------
    z
        Annotated model.
    layer
        Which of its layers.
    method
        ``pca``; ``nmf``, parts that add up (of a rectified layer); ``concepts``, one direction
        a concept from the difference of means, or ``probes``, from logistic regression; ``sae``,
        a sparse autoencoder trained here; a matrix with one row a direction; or the folder of an
        SAE that SAELens saved.
    name
        What to call the basis; by default after ``method``.
    count
        How many directions: by default 16, of an SAE twice the layer's units.
    concepts
        Which, for ``concepts`` and ``probes``; by default all that are labelled well enough.
    concept_set
        Images it is fitted to and measured on; by default the one z has.
    seed
        Of everything random.
    replaces
        Whether it may take the place of a basis of the same name on whose directions there are
        words; they stay, and are then about the new directions.
    progress
        Called with steps done and steps in all.

    Returns
    -------
    The same z with the basis, measured on the concept set. ``z.notes["bases"]`` tells how it was
    made, and which share of the activations' variance it explains.

    Raises
    ------
    LayerError
        If z has no such layer.
    BasisError
        If the basis does not fit the layer, or cannot be fitted to it; or if there are words on
        directions of another basis of that name.
    InputsError
        If there are no images to fit it to, or no labelled concept.
    """
    check_annotated_model(z)
    spec = next((s for s in z.layers if s.name == layer), None)
    if spec is None:
        raise LayerError(f"{z.name} has no layer {layer!r}.", f"It has {_layer_names(z)}.")
    known = concept_set if concept_set is not None else z.concept_set
    if known is None or not len(known):
        raise InputsError(
            "There is no concept set to fit directions to.",
            "Pass one: directions(z, layer, concept_set=images).",
        )
    note: dict[str, Any] = {"seed": seed}
    given = None if isinstance(method, str | Path) else Basis.from_rows(method)
    if given is not None:
        check_basis_fits(given, spec.size, layer)
    elif (
        isinstance(method, str)
        and method not in get_args(BasisMethod)
        and not Path(method).exists()
    ):
        raise BasisError(
            f"There is no way {method[:80]!r} to make directions, and no folder of that name.",
            f"Choose {', '.join(get_args(BasisMethod))}, or the folder of an SAE that SAELens saved.",
        )
    run = runtime(z)
    vectors = sample_activation_vectors(run, spec, known, seed=seed)
    if given is not None:
        note["how"] = "matrix"
        basis = given
    elif isinstance(method, str) and method in get_args(BasisMethod):
        note["how"] = method
        basis, more = _fit_basis(method, vectors, count, seed, progress, z, spec, known, concepts)
        note |= more
    else:
        note["how"] = "saelens"
        basis = load_saelens(Path(str(method)), vectors)
    check_basis_fits(basis, spec.size, layer)
    called = name or str(note["how"])
    place = basis_unit_space(spec, basis, called)
    if not replaces:
        _check_no_words_on_old_basis(z, place.name, basis)
    note["explained"] = explained_variance_share(basis, vectors)
    measured = sweep(run, [place], known, embed=_first_cut_layer(z) or spec, progress=progress)
    changes: dict[str, Any] = {} if known is z.concept_set else {"concept_set": known}
    made = z.with_(
        what=f"directions {place.name}",
        bases=arrays_with_basis_replaced(z.bases, place.name, basis.to_arrays()),
        notes={**z.notes, "bases": {**z.notes.get("bases", {}), place.name: note}},
        **changes,
    )
    old = z.measurements
    if (
        old is None
        or old.weights_hash != made.weights_hash
        or old.concepts_hash != made.concepts_hash
    ):
        old = Measurements(
            weights_hash=made.weights_hash, concepts_hash=made.concepts_hash, seed=seed
        )
    found = replace(
        measured[place.name], values=unit_value_hashes(made, run, [place.name])[place.name]
    )
    return made.with_(
        what=f"measured {place.name}",
        measurements=replace(old, layers={**old.layers, place.name: found}),
    )


def _check_no_words_on_old_basis(z: AnnotatedModel, place: str, basis: Basis) -> None:
    """Refuse to put other directions under words that were written about those there are."""
    there = basis_parts(z.bases, place)
    said = [t for t in z.effective() if any(u.startswith(f"{place}:") for u in target_units(t))]
    if there and said and Basis.from_arrays(there, place).hash != basis.hash:
        raise BasisError(
            f"{place} is there already, of {len(there[''])} directions, with words on {said[0]}"
            f"{f' and {len(said) - 1} more' if said[1:] else ''}: they are not about the new "
            f"{len(basis)}.",
            "Choose another name, or say that it replaces the old one (replaces=True, --replace).",
        )


def drop_directions(z: AnnotatedModel, layer: str, name: str) -> AnnotatedModel:
    """Return z without a basis and what was measured of it; annotations stay in its log."""
    place = basis_place(layer, name)
    old = z.measurements
    layers = {k: v for k, v in old.layers.items() if k != place} if old else {}
    return z.with_(
        what=f"without {place}",
        bases=arrays_with_basis_replaced(z.bases, place, None),
        measurements=None if old is None else replace(old, layers=layers),
    )


def explained_variance_share(basis: Basis, vectors: F32) -> float:
    """Return the share of the variance of activations ``(m, d)`` that a basis explains."""
    x = torch.from_numpy(vectors)[:, :, None]
    with torch.no_grad():
        made = basis.reconstruct(basis.coordinates(x), x)
        left = float((x - made).square().sum())
        whole = float((x - x.mean(0)).square().sum())
    return 1 - left / whole if whole > 0 else 0.0


def _fit_basis(
    method: str,
    vectors: F32,
    count: int | None,
    seed: int,
    progress: Progress | None,
    z: AnnotatedModel,
    spec: LayerSpec,
    concept_set: InputSet,
    concepts: Sequence[str] | None,
) -> tuple[Basis, dict[str, Any]]:
    if method in ("concepts", "probes"):
        means = mean_activations_of_images(runtime(z), spec, concept_set)
        return _fit_concept_directions(means, concept_set, concepts, method)
    most = min(vectors.shape)
    many = count if count is not None else 2 * spec.size if method == "sae" else min(16, most)
    if many < 1 or (method != "sae" and many > most):
        raise BasisError(f"{many} directions cannot be fitted.", f"Choose 1 to {most}.")
    if method == "sae":
        return train_sae(vectors, many, min(6, many), seed=seed, progress=progress), {}
    return (_fit_pca if method == "pca" else _fit_nmf)(vectors, many, seed), {}


def _fit_pca(x: F32, count: int, seed: int) -> Basis:
    from sklearn.decomposition import PCA  # noqa: PLC0415 (takes a second to import)

    solver = "full" if x.shape[1] <= 1024 else "randomized"
    settings: dict[str, Any] = {"n_components": count, "svd_solver": solver}
    fit = PCA(**settings, random_state=seed).fit(x)
    rows = np.array(fit.components_, np.float32)
    zero = np.zeros(len(rows), np.float32)
    return Basis(rows, rows, np.array(fit.mean_, np.float32), zero, kind="principal components")


def _fit_nmf(x: F32, count: int, seed: int) -> Basis:
    from sklearn.decomposition import NMF  # noqa: PLC0415

    if x.min() < 0:
        raise BasisError(
            "NMF explains activations that are never negative; this layer's are.",
            "Choose a layer after its rectifier, or pca.",
        )
    settings: dict[str, Any] = {"n_components": count, "init": "nndsvda", "max_iter": _ROUNDS}
    fit = NMF(**settings, random_state=seed, tol=1e-3).fit(x)
    rows = np.array(fit.components_, np.float32)
    norms = np.linalg.norm(rows, axis=1)
    rows = rows[norms > 0] / norms[norms > 0, None]
    if not len(rows):
        raise BasisError("The layer's activations are all zero.", "Choose another layer.")
    k, d = rows.shape
    zeros = np.zeros(d, np.float32), np.zeros(k, np.float32)
    return Basis(rows, rows, *zeros, read_as="nonnegative", kind="non-negative factors")


def _fit_concept_directions(
    means: F32, concept_set: InputSet, concepts: Sequence[str] | None, method: str
) -> tuple[Basis, dict[str, Any]]:
    """One direction a concept, fitted on the *select* split, so that a match on *test* is fair."""
    if concept_set.concepts is None:
        raise InputsError("The concept set has no concept labels.", "Use pca, nmf or sae.")
    missing = [c for c in concepts or () if c not in concept_set.concept_names]
    if missing:
        raise InputsError(
            f"No image is labelled for {missing[0]!r}.",
            f"Labelled are {', '.join(concept_set.concept_names)}.",
        )
    used = (
        concept_set.split == SPLITS.index("select")
        if concept_set.split is not None
        else slice(None)
    )
    x, labels = means[used].astype(np.float64), concept_set.concepts[used]
    centre = x.mean(0)
    rows: list[npt.NDArray[np.float64]] = []
    names: list[str] = []
    for concept in concepts or concept_set.concept_names:
        label = labels[:, concept_set.concept_names.index(concept)]
        there = ~np.isnan(label)
        shows = label[there] > 0.5
        if min(shows.sum(), (~shows).sum()) < _FEWEST:
            if concepts:
                raise InputsError(
                    f"Fewer than {_FEWEST} images of the select split show, or lack, {concept!r}.",
                    "Label more.",
                )
            continue
        row = (
            _logistic_direction(x[there], shows)
            if method == "probes"
            else _mean_difference(x[there], shows)
        )
        if np.linalg.norm(row) > 0:
            rows.append(row / np.linalg.norm(row))
            names.append(concept)
    if not rows:
        raise InputsError("No concept is labelled well enough.", f"{_FEWEST} images each way do.")
    made = np.array(rows, np.float32)
    kind = "logistic probes" if method == "probes" else "differences of means"
    zero = np.zeros(len(made), np.float32)
    basis = Basis(made, made, centre.astype(np.float32), zero, kind=f"concepts, {kind}")
    return basis, {"concepts": names}


def _mean_difference(
    x: npt.NDArray[np.float64], shows: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    return x[shows].mean(0) - x[~shows].mean(0)


def _logistic_direction(
    x: npt.NDArray[np.float64], shows: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    scale = np.maximum(x.std(0), 1e-8)
    fit = LogisticRegression(C=0.1, max_iter=1000, class_weight="balanced")
    fit.fit((x - x.mean(0)) / scale, shows)
    return fit.coef_[0] / scale


def _first_cut_layer(z: AnnotatedModel) -> LayerSpec | None:
    return next((s for s in z.layers if s.name in z.cut), None)


def _layer_names(z: AnnotatedModel) -> str:
    return ", ".join(s.name for s in z.layers)

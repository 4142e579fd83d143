"""The networks of a lineage: as trained, half repaired, repaired, honest, sabotaged, silenced."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuitz.bench.people.pool_lineage import Lineage
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import CircuitzError
from circuitz.measurement.measure import measure
from circuitz.models.adapters.weight_arrays import load_numpy_weights, weights_to_numpy
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.patching.source_rows import rows_of_split
from circuitz.plausibility.propose import propose
from circuitz.wrapping.wrap import wrap
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.search import search
from circuitz.zstar.search_settings import SearchSettings
from circuitz.zstar.silence import silence

Weights = Mapping[str, npt.NDArray[Any]]
WIDTHS = (16, 32, 64, 64)
RATE = 1e-2
CUT = "conv4"
#: In the order they are made.
NETWORKS = ("trained", "mid-search", "repaired", "decorrelated", "sabotaged", "silenced")
_MID_EPOCHS, _MID_STEPS = 2, 40
# Spread of a planted path's logit, in spreads of the class's own logit.
_PLANTED = 1.0
_PLANTED_UNITS = 3
# Correlation with a ground's labels from which a unit tells the ground.
_TELLS = 0.4
# Part of the file names of kept networks: raise it when the way they are made changes.
_VERSION = 1


def lineage_networks(
    lineage: Lineage, cache: Path | None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Weights]:
    """Train a lineage's networks, or read those that a cache keeps.

    Returns
    -------
    dict of str to weights
        By name of :data:`NETWORKS`. One that does not come about is missing: a search that found
        nothing better than its start, a shortcut for which no unit has a word.
    """
    path = None if cache is None else path_of_networks(lineage, cache)
    kept = None if path is None else _read_networks(path)
    if kept is not None:
        return kept
    made: dict[str, Weights] = {}
    steps = len(NETWORKS)

    def advance() -> None:
        if progress is not None:
            progress(min(len(made), steps), steps)

    made["trained"] = train_network(lineage, lineage.data)
    advance()
    trained = annotated_and_measured(lineage, made["trained"])
    repaired = trained
    for name, epochs, least in (
        ("mid-search", _MID_EPOCHS, _MID_STEPS),
        ("repaired", lineage.sizes.epochs, 200),
    ):
        settings = SearchSettings(
            rounds=1, epochs=epochs, steps=least, rate=RATE, seed=lineage.seed,
            images=lineage.sizes.images,
        )  # fmt: skip
        with suppress(CircuitzError):  # a search that cannot go on makes no network
            found = search(trained, settings=settings).z
            if found.weights_hash != trained.weights_hash:
                made[name] = dict(found.weights)
                repaired = found if name == "repaired" else repaired
        advance()
    made["decorrelated"] = train_network(lineage, lineage.decorrelated)
    advance()
    planted = _with_planted_path(lineage, repaired) or _with_planted_path(lineage, trained)
    if planted is not None:
        made["sabotaged"] = planted
    units = _units_with_words(trained, lineage.tied_concepts)
    if units:
        made["silenced"] = dict(silence(trained, units).weights)
    advance()
    if path is not None:
        write_networks(path, made)
    return made


def path_of_networks(lineage: Lineage, cache: Path) -> Path:
    """Return where a cache keeps a lineage's networks."""
    return cache / f"{lineage.name}-{lineage.hash}-{_VERSION}.npz"


def annotated_and_measured(lineage: Lineage, weights: Weights) -> AnnotatedModel:
    """Return a network as a z: measured, words proposed by the one procedure, measured again."""
    net = _build_network(lineage)
    load_numpy_weights(net, weights)
    world = world_by_name(lineage.world).world
    z = wrap(
        net, lineage.data, layers=(CUT,), classes=lineage.data.classes, preprocess=Preprocessing(),
        subject=world.subject, name=lineage.name,
    ).with_(live=None)  # fmt: skip
    z = measure(
        z, lineage.concept_set, seed=lineage.seed, images=lineage.sizes.images, pictures=False
    )
    return measured_again(lineage, propose(z))


def measured_again(lineage: Lineage, z: AnnotatedModel) -> AnnotatedModel:
    """Measure what new words ask for; all else is kept."""
    return measure(z, seed=lineage.seed, images=lineage.sizes.images, pictures=False)


def _build_network(lineage: Lineage) -> Any:
    torch.manual_seed(lineage.seed)
    classes = len(lineage.data.classes)
    return build("small-cnn", {"classes": classes, "widths": list(WIDTHS)})


def train_network(lineage: Lineage, data: InputSet) -> Weights:
    """Train a fresh network on the *select* rows of a set."""
    assert data.labels is not None
    net = _build_network(lineage)
    rows = rows_of_split(data, "select")
    recipe = Recipe(epochs=lineage.sizes.epochs, rate=RATE, seed=lineage.seed)
    fit(net, data.images[rows], data.labels[rows], Preprocessing(), recipe)
    return weights_to_numpy(net)


def _units_with_words(z: AnnotatedModel, concepts: tuple[str, ...]) -> list[str]:
    return sorted(
        target for target, said in z.effective().items() if set(said.concepts) & set(concepts)
    )


def _with_planted_path(lineage: Lineage, z: AnnotatedModel) -> Weights | None:
    """Wire the units that tell a ground to a class that no shortcut was tied to.

    The ground is one that D shows as often with every other class. ``None`` where no unit tells one.
    """
    world = world_by_name(lineage.world).world
    assert z.measurements is not None
    responses = z.measurements.layers[CUT].responses.astype(np.float64)
    labels = lineage.concept_set.concepts
    assert labels is not None
    rng = np.random.default_rng([lineage.seed, 17])
    for ground in rng.permutation(world.grounds[1:]).tolist():
        shown = labels[:, lineage.concept_set.concept_names.index(ground)]
        told = np.nan_to_num([np.corrcoef(shown, unit)[0, 1] if unit.std() else 0.0
                              for unit in responses.T])  # fmt: skip
        units = [int(u) for u in np.argsort(-told)[:_PLANTED_UNITS] if told[u] >= _TELLS]
        if units:
            break
    else:
        return None
    weights = {name: np.array(value) for name, value in z.weights.items()}
    head = weights["head.weight"]
    target = int(rng.integers(1, len(head)))
    own = responses @ head[target]
    planted = responses[:, units].sum(1)
    head[target, units] += _PLANTED * float(own.std()) / max(float(planted.std()), 1e-6)
    return weights


def _read_networks(path: Path) -> dict[str, Weights] | None:
    """Return kept networks; ``None`` where there are none, or the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            made: dict[str, dict[str, Any]] = {}
            for key in file.files:
                network, _, name = key.partition("/")
                made.setdefault(network, {})[name] = file[key]
    except (OSError, ValueError, KeyError, EOFError):
        return None
    return {**made}


def write_networks(path: Path, networks: dict[str, Weights]) -> None:
    """Keep networks, all of them or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {
        f"{network}/{name}": array for network, w in networks.items() for name, array in w.items()
    }
    np.savez(buffer, **arrays)
    with staged_file_replacement(path, buffer.getvalue()):
        pass

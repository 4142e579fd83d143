"""Effects of all units of any layers on every class, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import nn

from circuitz.data.class_names import chosen_class_names
from circuitz.deprecation import renamed_keywords
from circuitz.effects.ablation.ablation_job import AblationJob, yield_ablations_by_piece
from circuitz.effects.ablation.exact_ablation import Ablation
from circuitz.effects.ablation.exact_ablation import ablate_each_unit as run_ablation
from circuitz.effects.ablation.shortlist import ablate_shortlist as find_shortlist
from circuitz.errors import InputsError, LayerError, UnitError, warn_of_network
from circuitz.jobs.connect import Cluster, executor_for_cluster
from circuitz.models.adapters.unwrap import readable_network
from circuitz.models.run.basis import Basis, load_basis
from circuitz.models.run.choose_layers import (
    LayerNames,
    requested_layers,
    steps_called_once,
)
from circuitz.models.run.network_facts import check_logits_finite
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.probe_network import probe_network
from circuitz.models.run.read_outputs import read_outputs
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.spliced_network import SplicedNetwork
from circuitz.models.run.unit_axes import told_unit_axes
from circuitz.patching.baselines import Fill, check_ablation_inputs
from circuitz.patching.from_cut import class_margins
from circuitz.stats.clustered import clustered_mean, confidence_interval
from circuitz.z.inputs import SPLITS
from circuitz.z.layer import Preprocessing

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

I64 = npt.NDArray[np.int64]
_BATCH = 64  # inputs run at once to see that logits are finite
_TRIED = 8  # inputs on which a network's outputs are looked at
COLUMNS = (
    "unit", "layer", "index", "target", "effect", "low", "high", "n", "clusters", "method",
)  # fmt: skip


@outside_inference_mode
@renamed_keywords(store="checkpoint")
def ablate(
    model: AnnotatedModel | nn.Module,
    x: torch.Tensor | npt.NDArray[np.uint8] | None = None,
    *,
    layers: LayerNames | None = None,
    fill: Fill = "zero",
    classes: Sequence[str] | None = None,
    shortlist: float | None = None,
    images: int = 64,
    split: str = "test",
    level: float = 0.95,
    seed: int = 0,
    cluster: Cluster = None,
    checkpoint: Path | None = None,
    output: str | int = "",
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Ablate every unit of any layers by itself and say what each class loses.

    The verb ``cz.ablate``. Exact but where ``shortlist`` asks for less: see
    :func:`circuitz.effects.ablation.exact_ablation.ablate_each_unit`.

    Parameters
    ----------
    model
        An annotated model, or any ``torch.nn.Module`` that returns logits. One logit is that of
        the second of two classes, ``0`` and ``1``.
    x
        Inputs: prepared ones ``(n, ...)``, or, with an annotated model, 8-bit images
        ``(n, h, w, c)``. By default images of the model's D.
    layers
        Dotted module names, of z's layers or any others, or names of z's bases (``conv4@nmf``):
        of those every direction is ablated, which takes away (or lends) its coordinate and leaves
        what the basis does not explain as it is. By default z's layers, or of a module
        all its convolutions and linear layers that are called once. What is shared, never called,
        or read by another module without being called (the projection inside torch's attention)
        is left out then; by name it is refused.
    fill
        What a unit becomes: ``zero``, its ``mean``, or what it is on another of the inputs
        (``resample``).
    classes
        Names of classes (or their indices, of a module without names); by default all.
    shortlist
        Estimate all effects in a few passes and run only this share of the units exactly, those
        estimated largest. Only with ``fill="zero"``.
    images, split, seed
        How many images of D, of which split, drawn with which seed.
    level
        Of the intervals.
    cluster
        Who ablates: the address of a Dask scheduler or a ``dask.distributed.Client``; by default
        this process. It then tells layers done. Not with ``shortlist``.
    checkpoint
        Folder of finished layers (of a wide one, of 1,024 units at a time): a run that was killed
        goes on where it was, here or on a cluster. Not with ``shortlist``.
    output
        Which of several tensors a module returns are its logits: a key, a name or a number. By
        default the one named ``logits``, or the one that is computed from the others; a warning
        tells which.
    progress
        Called with units done and units in all.

    Returns
    -------
    One row a unit and class, largest effect first: ``unit``, ``layer``, ``index``, ``target``;
    ``effect``: mean over inputs of the margin of the class (its logit less the mean of the
    others) before, less after; ``low``, ``high``: t interval clustered by scene; ``n``,
    ``clusters``: inputs and scenes; ``method``: ``exact``, or ``estimated`` (no interval then).

    Raises
    ------
    InputsError
        If there are no inputs, they do not fit or are not finite, or there is no network.
    UnitError
        If a class or a basis does not exist.
    LayerError
        If a layer does not exist, is not called exactly once, or has no axis of units, or if there
        is none; or if which output is the logits cannot be told.
    ProbabilitiesError
        If a module returns probabilities instead of logits.
    WeightsError
        If a logit is NaN or infinite.
    BasisError
        If a basis does not fit its layer, or lies over attention heads.
    """
    if isinstance(model, nn.Module):
        model = readable_network(model)
    run, given, scenes, names = _resolve_runtime_inputs_scenes_classes(
        model, x, images, split, seed, output
    )
    chosen, left_out = _layers_to_ablate(model, run, given, layers)
    if not chosen:
        raise LayerError(
            "There is no layer to ablate.",
            "Pass layers= with dotted names of modules that are called once.",
        )
    if shortlist is not None and (cluster is not None or checkpoint is not None):
        raise InputsError(
            "A shortlist is drawn and run in this process: it is not shared or kept.",
            "Leave cluster= and checkpoint= (--cluster, --checkpoint) out, or shortlist= for all units.",
        )
    columns = _resolve_class_columns(names, classes, run, given)
    check_ablation_inputs(given, "zero", None)
    with torch.no_grad():
        for i in range(0, len(given), _BATCH):
            check_logits_finite(run.forward(given[i : i + _BATCH]), "these inputs")
    bases = _bases_among_layer_names(model, chosen)
    along = SplicedNetwork(run, bases, given)
    modules = [along.module_name(name) for name in chosen]
    called = dict(zip(modules, chosen, strict=True))
    score = lambda logits: class_margins(logits, run.head)[:, columns]  # noqa: E731
    if shortlist is None:
        donors = _shuffle_inputs_into_donors(given, seed) if fill == "resample" else None
        with executor_for_cluster(cluster) as executor:
            if executor is None and checkpoint is None:
                made = run_ablation(
                    along.runtime, given, modules, fill=fill, donors=donors, score=score,
                    progress=progress,
                )  # fmt: skip
                made = (replace(one, layer=called[one.layer]) for one in made)
            else:
                job = AblationJob(run, given, fill, donors, columns, bases)
                made = yield_ablations_by_piece(job, chosen, executor, progress, checkpoint)
            found = list(made)
        parts = [_exact_effects_frame(a, scenes, level) for a in found]
    else:
        if fill != "zero":
            raise InputsError(
                f"A shortlist is drawn for zeroed units, not for fill={fill!r}.",
                "Leave shortlist= out, or use fill='zero'.",
            )
        short = find_shortlist(
            along.runtime, given, modules, share=shortlist, score=score, progress=progress
        )
        parts = [
            _exact_effects_frame(replace(a, layer=called[a.layer]), scenes, level)
            for a in short.exact.values()
        ]
        for name, estimate in short.estimates.items():
            done = short.exact[name].units if name in short.exact else np.zeros(0, np.int64)
            rest = np.setdiff1d(np.arange(len(estimate)), done)
            parts.append(
                _estimated_effects_frame(
                    called[name], rest, estimate[rest], len(given), len(set(scenes))
                )
            )
    table = pd.concat(parts, ignore_index=True)
    table["target"] = [names[columns[k]] for k in table["target"]]
    order = np.argsort(-np.abs(table["effect"].to_numpy()), kind="stable")
    found = table.iloc[order].reset_index(drop=True)[list(COLUMNS)]
    found.attrs["left_out"] = left_out
    return found


def _resolve_runtime_inputs_scenes_classes(
    model: AnnotatedModel | nn.Module,
    x: Any,
    images: int,
    split: str,
    seed: int,
    output: str | int,
) -> tuple[Runtime, torch.Tensor, I64, list[str]]:
    """Return the network, prepared inputs, the scene of each, and names of classes."""
    if isinstance(model, nn.Module):
        if not isinstance(x, torch.Tensor):
            raise InputsError(
                "A network alone has no images to ablate on.",
                "Pass prepared inputs: cz.ablate(net, x), a tensor with the batch axis first.",
            )
        channels = x.shape[1] if x.ndim == 4 else 1
        side = (int(x.shape[-2]), int(x.shape[-1])) if x.ndim == 4 else (1, 1)
        prep = Preprocessing((0.0,) * channels, (1.0,) * channels, side)
        run = Runtime(model, [], prep, like=x)
        if len(x):
            read = read_outputs(model, run.cast_inputs(x[:_TRIED]), output=str(output))
            for remark in read.remarks:
                warn_of_network(remark)
            run = Runtime(read.network, [], prep, like=x)
        if len(x) and _count_outputs(run, x) == 1:
            run = Runtime(run.module, [], prep, head="binary", like=x)
        return run, x, np.arange(len(x)), []
    if not hasattr(model, "weights_hash"):
        raise InputsError(
            f"A {type(model).__name__} is no annotated model and no torch.nn.Module.",
            "Pass one of them.",
        )
    run = runtime(model)
    if isinstance(x, torch.Tensor):
        return run, x, np.arange(len(x)), list(model.classes)
    if x is not None:
        return run, run.prepare(x), np.arange(len(x)), list(model.classes)
    data = model.data
    if data is None:
        raise InputsError(
            "D, whose images units are ablated on, is not at hand.",
            "Pass images: cz.ablate(z, images), or open D: z = z.with_(data=data).",
        )
    if split not in SPLITS:
        raise InputsError(f"There is no split {split!r}.", f"Splits are {', '.join(SPLITS)}.")
    rows = np.arange(len(data))
    if data.split is not None:
        rows = np.flatnonzero(data.split == SPLITS.index(split))
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:images])
    scenes = rows if data.scene is None else data.scene[rows]
    return run, run.prepare(np.asarray(data.images[rows])), scenes, list(model.classes)


def _count_outputs(runtime: Runtime, x: torch.Tensor) -> int:
    with torch.no_grad():
        return runtime.forward(x[:2]).shape[1]


def _layers_to_ablate(
    model: AnnotatedModel | nn.Module, run: Runtime, x: torch.Tensor, layers: LayerNames | None
) -> tuple[list[str], dict[str, str]]:
    """Return layers that can be ablated, and of default ones that cannot why they are left out."""
    names = _default_layers(model, run, x) if layers is None else list(requested_layers(layers)[0])
    if not len(x):
        return names, {}
    modules = list(dict.fromkeys(name.partition("@")[0] for name in names))
    probe = probe_network(run, x, modules)
    for remark in probe.remarks:
        warn_of_network(remark)
    if layers is not None:
        probe.check_layers_usable()
        shapes = {name: tuple(act.shape) for name, act in probe.acts.items()}
        run.unit_axes |= told_unit_axes(modules, requested_layers(layers)[1], shapes)
    return (
        [name for name in names if name.partition("@")[0] not in probe.unusable],
        {name: problem.message for name, problem in probe.unusable.items()},
    )


def _default_layers(
    model: AnnotatedModel | nn.Module, runtime: Runtime, x: torch.Tensor
) -> list[str]:
    if not isinstance(model, nn.Module):
        return list(runtime.layers)
    told: tuple[str, ...] = getattr(model, "circuitz_layers", ())
    if told:
        return list(told)
    kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
    steps = [(name, m) for name, m in model.named_modules() if isinstance(m, kinds)]
    once = (
        {name for name, _ in steps_called_once(model, runtime.cast_inputs(x[:1]), steps)}
        if len(x)
        else set()
    )
    return [name for name, _ in steps if name in once]


def _bases_among_layer_names(
    model: AnnotatedModel | nn.Module, names: Sequence[str]
) -> dict[str, Basis]:
    """Return the bases among the names of layers."""
    if isinstance(model, nn.Module):
        return {}
    return {name: load_basis(model.bases, name) for name in names if "@" in name}


def _resolve_class_columns(
    names: list[str], classes: Sequence[str] | None, runtime: Runtime, x: torch.Tensor
) -> list[int]:
    if not names:
        if not len(x):
            raise InputsError("There are no inputs to ablate on.", "Pass at least one.")
        names.extend(str(k) for k in range(_count_outputs(runtime, x)))
    wanted = list(chosen_class_names(classes)) if classes is not None else names
    for name in wanted:
        if name not in names:
            raise UnitError(f"{name!r} is not a class.", f"Classes are {', '.join(names[:12])}.")
    return [names.index(name) for name in wanted]


def _shuffle_inputs_into_donors(x: torch.Tensor, seed: int) -> torch.Tensor:
    if len(x) < 2:
        raise InputsError("One input has no other to take values from.", "Pass two or more.")
    order = np.random.default_rng(seed).permutation(len(x))
    lends = np.empty_like(order)
    lends[order] = np.roll(order, -1)  # a ring, so that none keeps its own
    return x[torch.from_numpy(lends)]


def _exact_effects_frame(ablation: Ablation, scenes: I64, level: float) -> pd.DataFrame:
    n, u, k = ablation.drop.shape
    mean = clustered_mean(ablation.drop.reshape(n, u * k), scenes)
    low, high = confidence_interval(mean, level)
    made = _estimated_effects_frame(
        ablation.layer, ablation.units, np.asarray(mean.mean).reshape(u, k), n, len(set(scenes))
    )
    return made.assign(low=np.ravel(low), high=np.ravel(high), method="exact")


def _estimated_effects_frame(
    layer: str, units: I64, effect: npt.NDArray[Any], n: int, clusters: int
) -> pd.DataFrame:
    u, k = effect.shape
    index = np.repeat(units, k)
    return pd.DataFrame(
        {
            "unit": [f"{layer}:{i}" for i in index],
            "layer": layer,
            "index": index,
            "target": np.tile(np.arange(k), u),
            "effect": effect.astype(np.float64).ravel(),
            "low": np.nan,
            "high": np.nan,
            "n": n,
            "clusters": clusters,
            "method": "estimated",
        }
    )

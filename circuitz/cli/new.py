"""``circuitz new``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.shell import Json, LexiconPath, Seed, app, out, progress, say
from circuitz.errors import BundleWriteError, ConceptLabelsError, InputsError

if TYPE_CHECKING:
    from torch import nn

    from circuitz.cli.shell import Steps
    from circuitz.evaluation.scores import Share
    from circuitz.z.inputs import InputSet
    from circuitz.z.layer import Preprocessing
    from circuitz.z.model import AnnotatedModel


@app.command()
def new(
    images: Annotated[
        Path, typer.Option(help="D: a folder of labelled pictures, one sub-folder a class.")
    ],
    where: Annotated[Path, typer.Option("--out", help="Bundle to write: NAME.z.")],
    concepts: Annotated[
        Path | None,
        typer.Option(
            help="CSV: a column path, relative to the file, and a column a concept with 1, 0 or "
            "nothing. One file may label pictures of both folders."
        ),
    ] = None,
    concept_folder: Annotated[
        Path | None,
        typer.Option(
            "--concept-set",
            help="Folder of pictures with concept labels, of other things than D's classes; "
            "labels from --concepts, or from concepts.csv in it.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Side that pictures are cropped and scaled to.", min=8, max=1024),
    ] = None,
    subject: Annotated[str, typer.Option(help="What the classes are kinds of: dog, bird.")] = "",
    cut: Annotated[
        str, typer.Option(help="Layer at which z is read; by default the last all paths cross.")
    ] = "",
    epochs: Annotated[int, typer.Option(help="Passes over D in training.", min=1)] = 8,
    rate: Annotated[float, typer.Option(help="Largest learning rate in training.", min=0)] = 4e-3,
    flip: Annotated[
        bool, typer.Option("--flip/--no-flip", help="Mirror half of the training pictures.")
    ] = True,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="Where to run: cpu, cuda, mps or auto.")] = "auto",
    lexicon: LexiconPath = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a bundle of that name.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a z from your own pictures: a network trained on them here, or one of yours.

    A network trained here is a small CNN: five blocks of convolution, batch norm and ReLU, whose
    strides fit the size of the pictures so that the last maps are 8 to 15 positions wide. It is
    trained on the select split of D (70 in 100), and its accuracy is that on the others.

    D is written once beside the bundle, as NAME.D, where later commands find it.
    """
    from circuitz.models.device import choose_device

    if where.exists() and not replace:
        raise BundleWriteError(f"{where} is there already.", "Choose another name, or --replace.")
    place = choose_device(device)
    with progress() as steps:
        data, concept_set = _inputs(images, concepts, concept_folder, size, seed, steps)
        net, how = _trained(data, (epochs, rate, flip, seed), place, steps)
        held = data.split != 0
        share = _accuracy(net, how, data, held)
        _tell_accuracy(share, data, "pictures held back in training", quiet=as_json)
        z = _made(net, data, how, cut, subject, where.stem)
        z = _measured(z, concept_set, lexicon, seed, steps)
        steps("save", 0, 1)
        kept = _save(z, where)
        steps("save", 1, 1)
    _report(z, where, kept, share, as_json)


def _inputs(
    images: Path,
    table: Path | None,
    concept_folder: Path | None,
    size: int | None,
    seed: int,
    steps: Steps,
) -> tuple[InputSet, InputSet]:
    """Read D and the concept set; without one, D itself with its concept labels."""
    from dataclasses import replace

    from circuitz.data.folder import CONCEPT_SHARES, open_folder
    from circuitz.data.splits import assign_splits
    from circuitz.data.validate import check_concept_set

    data = open_folder(
        images, concepts=table, size=size, seed=seed, role="D",
        progress=lambda done, n: steps("read D", done, n),
    )  # fmt: skip
    if concept_folder is not None:
        side = size or (data.images.shape[1] if _square(data) else None)
        found = open_folder(
            concept_folder, concepts=table, size=side, seed=seed, role="concepts",
            progress=lambda done, n: steps("read the concept set", done, n),
        )  # fmt: skip
        if found.images.shape[1:] != data.images.shape[1:]:
            raise InputsError(
                f"Pictures of {concept_folder} are {found.images.shape[2]} × "
                f"{found.images.shape[1]}, those of D {data.images.shape[2]} × "
                f"{data.images.shape[1]}.",
                "Give a size (--size) to bring all to.",
            )
        return data, found
    if data.concepts is None:
        raise ConceptLabelsError(
            "No picture has concept labels, so nothing can be said about what units see.",
            "Give --concepts FILE.csv with labels of D's pictures, better of a --concept-set.",
        )
    say.print(
        "There is no --concept-set: units are measured on D's own pictures. Where a concept and "
        "a class go together in D, no unit can be told to see the one or the other."
    )
    split = assign_splits(len(data), CONCEPT_SHARES, groups=data.scene, seed=seed + 1)
    return data, check_concept_set(
        replace(data, labels=None, classes=(), split=split, role="concepts")
    )


def _square(data: InputSet) -> bool:
    return data.images.shape[1] == data.images.shape[2]


def _trained(
    data: InputSet, recipe: tuple[int, float, bool, int], device: str, steps: Steps
) -> tuple[nn.Module, Preprocessing]:
    import numpy as np
    import torch

    from circuitz.models.builders import build
    from circuitz.models.small_cnn import fitting
    from circuitz.models.training import Recipe, fit
    from circuitz.z.layer import Preprocessing

    epochs, rate, flip, seed = recipe
    height, width = data.images.shape[1:3]
    torch.manual_seed(seed)
    net = build("small-cnn", fitting(min(height, width), len(data.classes))).to(device)
    how = Preprocessing(size=(height, width))
    assert data.labels is not None
    rows = np.flatnonzero(data.split == 0)
    fit(
        net, data.images[rows], data.labels[rows], how,
        Recipe(epochs=epochs, rate=rate, flip=flip, seed=seed),
        progress=lambda done, n: steps("train on D", done, n),
    )  # fmt: skip
    return net, how


def _accuracy(net: nn.Module, how: Preprocessing, data: InputSet, rows: Any) -> Share:
    from circuitz.evaluation.scores import accuracy
    from circuitz.models.runtime import Runtime

    assert data.labels is not None
    found = Runtime(net, (), how).logits(data.images[rows]).argmax(1)
    return accuracy(found.astype(data.labels.dtype), data.labels[rows])


def _tell_accuracy(share: Share, data: InputSet, on: str, *, quiet: bool) -> None:
    """Print the accuracy first of all; near chance nothing that follows means anything."""
    import numpy as np

    text = f"Accuracy on {on}: {share}"
    (say if quiet else out).print(text, markup=False, highlight=False)
    assert data.labels is not None
    guess = float(np.bincount(data.labels).max() / len(data))
    if share.low <= guess:
        say.print(
            f"[bold yellow]That is no better than always saying one class ({guess:.1%}).[/] "
            "The preprocessing, the order of the classes or the weights are probably wrong, or "
            "training was too short: nothing below can be trusted."
        )


def _made(
    net: nn.Module, data: InputSet, how: Preprocessing, cut: str, subject: str, name: str
) -> AnnotatedModel:
    from circuitz.features.wrap import wrap

    return wrap(
        net, data, classes=data.classes, preprocess=how, cut=cut or None, subject=subject,
        name=name or "model",
    )  # fmt: skip


def _measured(
    z: AnnotatedModel, concept_set: InputSet, lexicon: Path | None, seed: int, steps: Steps
) -> AnnotatedModel:
    from circuitz.effects.measure import measure
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.plausibility.propose import propose

    known = Lexicon.load(lexicon)
    z = measure(
        z, concept_set, seed=seed, visualise=True, lexicon=known,
        progress=lambda done, n: steps("look at every unit", done, n),
    )  # fmt: skip
    return measure(
        propose(z, lexicon=known), seed=seed, visualise=True, lexicon=known,
        progress=lambda done, n: steps("measure what words say", done, n),
    )  # fmt: skip


def _save(z: AnnotatedModel, where: Path) -> Path:
    """Write D beside the bundle, then the bundle."""
    from circuitz.z.inputs_io import write_inputs

    assert z.data is not None
    kept = where.with_name(f"{where.name.removesuffix('.zip').removesuffix('.z')}.D")
    where.parent.mkdir(parents=True, exist_ok=True)
    write_inputs(kept, z.data)
    z.with_(live=None).save(where)
    return kept


def _report(z: AnnotatedModel, where: Path, kept: Path, share: Share, as_json: bool) -> None:
    words = z.annotations
    if as_json:
        found: dict[str, Any] = {
            "out": str(where),
            "data": str(kept),
            "hash": z.hash,
            "classes": list(z.classes),
            "cut": list(z.cut),
            "accuracy": {"value": share.value, "low": share.low, "high": share.high, "n": share.n},
            "preprocessing": {
                "mean": list(z.preprocessing.mean),
                "std": list(z.preprocessing.std),
                "size": list(z.preprocessing.size),
                "colour": z.preprocessing.colour,
            },
            "annotations": len(words),
            "concepts": [] if z.concept_set is None else list(z.concept_set.concept_names),
        }
        print(json.dumps(found, ensure_ascii=False))
        return
    out.print(repr(z), markup=False, highlight=False)
    out.print(f"Written to {where}, D beside it to {kept}.", markup=False, highlight=False)
    out.print(f"Next: circuitz check {where}", markup=False, highlight=False)

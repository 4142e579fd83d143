"""``circuitz new``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.shell import Json, LexiconPath, Seed, app, out, progress, say
from circuitz.errors import BuilderError, BundleWriteError, InputsError

if TYPE_CHECKING:
    from circuitz.cli.shell import Steps
    from circuitz.evaluation.prediction_scores import Share
    from circuitz.jobs.job import Executor
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.wrapping.load_network import Brought
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel


@app.command()
def new(
    where: Annotated[Path, typer.Option("--out", help="Bundle to write: NAME.z.")],
    images: Annotated[
        Path | None,
        typer.Option(
            help="D: a folder of labelled pictures, one sub-folder a class, or a benchmark's."
        ),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(
            help="D, of texts: CSV with columns text, label, role (D or concepts) and one a "
            "concept. Needs --lm."
        ),
    ] = None,
    lm: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a Hugging Face language model: config.json, .safetensors and "
            "tokenizer.json. A probe on it is trained on the texts."
        ),
    ] = None,
    layer: Annotated[
        str,
        typer.Option(
            help="Layer of --lm that the probe reads: blocks.N.mlp.hook_post (neurons) or "
            "blocks.N.hook_resid_post. By default the last block's neurons."
        ),
    ] = "",
    pool: Annotated[
        str, typer.Option(help="What of a text the probe reads: mean, or last (token).")
    ] = "mean",
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
            "labels from --concepts, or from concepts.csv in it. Of texts: a CSV file.",
        ),
    ] = None,
    layout: Annotated[
        str, typer.Option(help="Of --images: auto, folder, waterbirds, spawrious or cub.")
    ] = "auto",
    benchmark: Annotated[
        str, typer.Option(help="Of Spawrious: o2o_easy, o2o_medium, o2o_hard, m2m_easy, …")
    ] = "o2o_easy",
    species: Annotated[
        str, typer.Option(help="Of CUB: D's species, with commas; the others show the concepts.")
    ] = "",
    labels: Annotated[
        Path | None,
        typer.Option(
            help="CSV: path, relative to the file, and class, for pictures that sub-folders do not "
            "sort; a | b for a picture that shows several classes."
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Side that pictures are cropped and scaled to.", min=8, max=1024),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="small-cnn, trained here, or package.module:function that returns your network. "
            "Your function's code is run; the current folder can be imported from."
        ),
    ] = "small-cnn",
    weights: Annotated[
        Path | None,
        typer.Option(help="Your network's weights: .safetensors, or a .pt state dict."),
    ] = None,
    model_args: Annotated[
        str, typer.Option(help="Arguments of your function, as a JSON object.")
    ] = "{}",
    classes: Annotated[
        str,
        typer.Option(help="Class names in the order of your network's logits, with commas."),
    ] = "",
    mean: Annotated[str, typer.Option(help="Mean of the 0..1 picture, one a channel.")] = "",
    std: Annotated[str, typer.Option(help="Its standard deviation, one a channel.")] = "",
    preprocess: Annotated[
        Path | None,
        typer.Option(help="JSON with mean, std and size, or a preprocessor_config.json."),
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
    cluster: Annotated[
        str, typer.Option(help="A Dask scheduler to share the measuring: tcp://HOST:8786.")
    ] = "",
    lexicon: LexiconPath = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a bundle of that name.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a z from your own pictures or texts, and a network trained here or one of yours.

    A network trained here is a small CNN: five blocks of convolution, batch norm and ReLU, whose
    strides fit the size of the pictures so that the last maps are 8 to 15 positions wide. It is
    trained on the select split of D (70 in 100), and its accuracy is that on the others.

    For a network of yours give --model and --weights. How pictures become its input is taken from
    --mean, --std, --size or --preprocess, else from the network's own configuration, else from a
    preprocessor_config.json beside the weights, else assumed. The accuracy on your pictures,
    printed first, tells whether that was right.

    Of texts the network is a language model from a local folder, unchanged, with a linear probe
    on one of its layers, fitted to the select split of D; nothing is fetched. Its units are what
    the probe reads (read:17), and heads, neurons and residual axes before that.

    D is written once beside the bundle, as NAME.D, where later commands find it.
    """
    from circuitz.cli.new_texts import Asked, new_texts
    from circuitz.data.benchmarks.layouts import open_layout_pair
    from circuitz.data.folders.check_sample_size import check_enough
    from circuitz.data.folders.folder_pair import open_pair
    from circuitz.data.folders.synonyms import join_synonyms
    from circuitz.jobs.connect import connected
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.models.run.device import choose_device
    from circuitz.models.zoo.training import Recipe
    from circuitz.wrapping.load_network import order_of, own_network, train_small

    if where.exists() and not replace:
        raise BundleWriteError(f"{where} is there already.", "Choose another name, or --replace.")
    known = Lexicon.load(lexicon)
    if texts is not None or lm is not None:
        if texts is None or lm is None or images is not None:
            raise InputsError(
                "Texts and a language model go together, without pictures.",
                "Give --texts FILE.csv and --lm DIR.",
            )
        asked = Asked(
            texts, lm, concept_folder, layer, pool, subject, where, seed, as_json, cluster
        )
        new_texts(asked, known)
        return
    if images is None:
        raise InputsError(
            "No data was named.", "Give --images DIR, or --texts FILE.csv with --lm DIR."
        )
    place = choose_device(device)
    own = None
    if model != "small-cnn":
        if ":" not in model:
            raise BuilderError(
                f"There is no model {model!r}.", "Give small-cnn, or package.module:function."
            )
        say.print(f"This runs the code of {model}.", markup=False, highlight=False)
        given = _given(mean, std, preprocess)
        own = own_network(
            model, model_args, weights, given=given, size=size, classes=_names(classes)
        )
        own.net.to(place)
    elif weights is not None or model_args != "{}" or mean or std or preprocess or classes:
        raise BuilderError(
            "--weights, --model-args, --classes and preprocessing are for a network of yours.",
            "Name it with --model package.module:function.",
        )
    # A cluster that is not there is told of now, and not after minutes of training.
    with progress() as steps, connected(cluster or None) as executor:
        if labels is not None:
            pair = open_pair(
                images, concepts, concept_folder, classes=labels, size=size,
                network_size=own and own.size, seed=seed, progress=steps,
            )  # fmt: skip
        else:
            pair = open_layout_pair(
                images, layout, concepts, concept_folder, benchmark=benchmark,
                classes=_names(species) or None, size=size, network_size=own and own.size,
                seed=seed, progress=steps,
            )  # fmt: skip
        # Now, and not after minutes of training.
        data, _ = join_synonyms(pair.data, known)
        concept_set, joined = join_synonyms(pair.concepts, known)
        remarks = [
            *([_SHARED] if pair.shared else []), *joined, *check_enough(data, concept_set)
        ]  # fmt: skip
        for remark in remarks:
            say.print(remark, markup=False, highlight=False)
        if own is None:
            recipe = Recipe(epochs=epochs, rate=rate, flip=flip, seed=seed)
            made = train_small(data, recipe, place, lambda done, n: steps("train on D", done, n))
        else:
            made = own
        z = _wrapped(made, order_of(made.classes, data), data, cut, subject, where)
        share = accuracy(z, own is None, seed, as_json)
        kept = finish(z, concept_set, known, seed, where, steps, visualise=True, cluster=executor)
    report(*kept, where, share, remarks, as_json)


_SHARED = (
    "There is no --concept-set: units are measured on D's own pictures. Where a concept and a "
    "class go together in D, no unit can be told to see the one or the other."
)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _given(mean: str, std: str, file: Path | None) -> dict[str, Any]:
    from circuitz.models.adapters.preprocessing_config import from_file

    found: dict[str, Any] = {} if file is None else from_file(file)[0]
    for name, text in (("mean", mean), ("std", std)):
        if text:
            try:
                found[name] = tuple(float(part) for part in text.replace(",", " ").split())
            except ValueError as problem:
                raise InputsError(
                    f"--{name} is {text!r}.", f"Write numbers with commas: --{name} .5,.5,.5"
                ) from problem
    return found


def _wrapped(
    made: Brought, classes: tuple[str, ...], data: InputSet, cut: str, subject: str, where: Path
) -> AnnotatedModel:
    from circuitz.wrapping.wrap import wrap

    z = wrap(
        made.net, data, classes=classes, preprocess=made.preprocess, cut=cut or None,
        subject=subject, name=_stem(where),
    )  # fmt: skip
    assumed = "preprocessing" in z.notes and "preprocessing" not in made.notes
    if assumed:
        say.print("[bold yellow]Preprocessing is assumed[/], since neither you nor the network "
                  f"names it: mean {z.preprocessing.mean}, std {z.preprocessing.std}. Give --mean "
                  "and --std.")  # fmt: skip
    return z.with_(notes={**z.notes, **made.notes})


def accuracy(z: AnnotatedModel, held_back: bool, seed: int, quiet: bool) -> Share:
    """Print the accuracy first of all; near chance nothing that follows means anything."""
    import numpy as np

    from circuitz.evaluation.prediction_scores import wilson
    from circuitz.models.run.open_runtime import runtime
    from circuitz.patching.source_rows import class_members
    from circuitz.wrapping.load_network import checked_rows

    assert z.data is not None
    shown = class_members(z.data, z.classes, z.head)
    rows = np.flatnonzero(z.data.split != 0) if held_back else np.arange(len(shown))
    rows = checked_rows(rows, seed)
    logits, shown = runtime(z).logits(z.data.images[rows]), shown[rows]
    if z.head == "multi-label":
        # A yes or no for every class, each counted.
        right = (logits > 0) == shown
        guess = float(np.maximum(shown.mean(0), 1 - shown.mean(0)).mean())
    else:
        right = logits.argmax(1) == shown.argmax(1)
        guess = float(shown.mean(0).max())
    share = wilson(int(right.sum()), int(right.size))
    what = "texts" if z.data.is_tokens else "pictures"
    on = f"{what} held back in training" if held_back else f"your {what}"
    text = f"Accuracy on {on}: {share}"
    (say if quiet else out).print(text, markup=False, highlight=False)
    if share.low <= guess:
        say.print(
            f"[bold yellow]That is no better than always saying the same ({guess:.1%}).[/] "
            "The preprocessing, the order of the classes or the weights are probably wrong, or "
            "training was too short: nothing below can be trusted."
        )
    return share


def finish(
    z: AnnotatedModel,
    concept_set: InputSet,
    known: Lexicon,
    seed: int,
    where: Path,
    steps: Steps,
    *,
    visualise: bool,
    cluster: Executor | None = None,
) -> tuple[AnnotatedModel, Path]:
    """Measure, let a rule name units, measure what that says, save; return z and D's place."""
    from circuitz.measurement.illustrate import illustrate
    from circuitz.measurement.measure import measure
    from circuitz.plausibility.propose import propose

    z = measure(
        z, concept_set, seed=seed, visualise=visualise, lexicon=known, cluster=cluster,
        progress=lambda done, n: steps("look at every unit", done, n),
    )  # fmt: skip
    z = measure(
        propose(z, lexicon=known), seed=seed, visualise=visualise, lexicon=known, cluster=cluster,
        progress=lambda done, n: steps("measure what words say", done, n),
    )  # fmt: skip
    z = illustrate(z, lexicon=known, progress=lambda done, n: steps("draw findings", done, n))
    steps("save", 0, 1)
    kept = _save(z, where)
    steps("save", 1, 1)
    return z, kept


def _save(z: AnnotatedModel, where: Path) -> Path:
    """Write D beside the bundle, then the bundle."""
    from circuitz.z.bundle.inputs_io import write_inputs

    assert z.data is not None
    kept = where.with_name(f"{_stem(where)}.D")
    where.parent.mkdir(parents=True, exist_ok=True)
    write_inputs(kept, z.data)
    z.with_(live=None).save(where)
    return kept


def _stem(where: Path) -> str:
    return where.name.removesuffix(".zip").removesuffix(".z") or "model"


def report(
    z: AnnotatedModel, kept: Path, where: Path, share: Share, remarks: list[str], as_json: bool
) -> None:
    """Say what was made."""
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
            "remarks": remarks,
            "annotations": len(words),
            "concepts": [] if z.concept_set is None else list(z.concept_set.concept_names),
        }
        print(json.dumps(found, ensure_ascii=False))
        return
    out.print(repr(z), markup=False, highlight=False)
    out.print(f"Written to {where}, D beside it to {kept}.", markup=False, highlight=False)
    out.print(f"Next: circuitz check {where}", markup=False, highlight=False)

"""``circuitz new``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.created_bundle import (
    bundle_name_without_suffix,
    prepare_and_save_bundle,
    print_and_keep_accuracy,
    print_new_bundle_summary,
)
from circuitz.cli.shell import Json, LexiconPath, Seed, app, progress_bars, say, say_remark
from circuitz.errors import BuilderError, BundleWriteError, InputsError

if TYPE_CHECKING:
    from circuitz.wrapping.load_network import LoadedNetwork
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel


@app.command("new")
def new_bundle_from_own_data(
    path: Annotated[Path, typer.Option("--out", help="Bundle to write: NAME.z.")],
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
    colour: Annotated[
        str, typer.Option(help="Channels your network takes: RGB, BGR, or L for grey.")
    ] = "",
    preprocess: Annotated[
        Path | None,
        typer.Option(help="JSON with mean, std and size, or a preprocessor_config.json."),
    ] = None,
    read_output: Annotated[
        str,
        typer.Option(
            help="Which of what your network returns is its logits, where that cannot be told: a "
            "key, name or number."
        ),
    ] = "",
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
    from circuitz.cli.new_texts import TextBundleOptions, new_bundle_from_texts
    from circuitz.data.benchmarks.layouts import open_by_layout_with_concepts
    from circuitz.data.folders.check_sample_size import check_sample_sizes
    from circuitz.data.folders.folder_pair import open_folder_with_concepts
    from circuitz.data.folders.input_warnings import show_input_warnings
    from circuitz.data.folders.synonyms import join_synonym_columns
    from circuitz.jobs.connect import executor_for_cluster
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.models.run.device import choose_device
    from circuitz.models.zoo.training import Recipe
    from circuitz.wrapping.load_network import (
        class_names_in_logit_order,
        load_own_network,
        train_small_cnn,
    )

    if path.exists() and not replace:
        raise BundleWriteError(f"{path} is there already.", "Choose another name, or --replace.")
    known = Lexicon.load(lexicon)
    if texts is not None or lm is not None:
        if texts is None or lm is None or images is not None:
            raise InputsError(
                "Texts and a language model go together, without pictures.",
                "Give --texts FILE.csv and --lm DIR.",
            )
        asked = TextBundleOptions(
            texts, lm, concept_folder, layer, pool, subject, path, seed, as_json, cluster
        )
        new_bundle_from_texts(asked, known)
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
        given = _parse_preprocessing_options(mean, std, colour, preprocess)
        own = load_own_network(
            model,
            model_args,
            weights,
            preprocessing_fields=given,
            size=size,
            classes=_split_comma_separated(classes),
        )
        own.net.to(place)
    elif (
        weights is not None or model_args != "{}" or mean or std or colour or preprocess or classes
    ):
        raise BuilderError(
            "--weights, --model-args, --classes and preprocessing are for a network of yours.",
            "Name it with --model package.module:function.",
        )
    # A cluster that is not there is told of now, and not after minutes of training.
    with progress_bars() as steps, executor_for_cluster(cluster or None) as executor:
        left_out: list[str] = []

        def keep_and_say(remark: str) -> None:
            left_out.append(remark)
            say_remark(remark)

        with show_input_warnings(keep_and_say):
            if labels is not None:
                pair = open_folder_with_concepts(
                    images, concepts, concept_folder, classes=labels, size=size,
                    network_size=own and own.size, seed=seed, progress=steps,
                )  # fmt: skip
            else:
                pair = open_by_layout_with_concepts(
                    images, layout, concepts, concept_folder, benchmark=benchmark,
                    classes=_split_comma_separated(species) or None, size=size,
                    network_size=own and own.size, seed=seed, progress=steps,
                )  # fmt: skip
        # Now, and not after minutes of training.
        data, _ = join_synonym_columns(pair.data, known)
        concept_set, joined = join_synonym_columns(pair.concepts, known)
        remarks = [
            *([_NO_CONCEPT_SET] if pair.shared else []), *joined, *check_sample_sizes(data, concept_set)
        ]  # fmt: skip
        for remark in remarks:
            say.print(remark, markup=False, highlight=False)
        if own is None:
            recipe = Recipe(epochs=epochs, rate=rate, flip=flip, seed=seed)
            made = train_small_cnn(
                data, recipe, place, lambda done, n: steps("train on D", done, n)
            )
        else:
            made = own
        z = _wrap_loaded_network(
            made, class_names_in_logit_order(made.classes, data), data, cut, read_output, subject,
            path,
        )  # fmt: skip
        z = print_and_keep_accuracy(z, own is None, seed, as_json)
        kept = prepare_and_save_bundle(
            z, concept_set, known, seed, path, steps, visualise=True, cluster=executor
        )
    print_new_bundle_summary(*kept, path, [*left_out, *remarks], known, as_json)


_NO_CONCEPT_SET = (
    "There is no --concept-set: units are measured on D's own pictures. Where a concept and a "
    "class go together in D, no unit can be told to see the one or the other."
)


def _split_comma_separated(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _parse_preprocessing_options(
    mean: str, std: str, colour: str, file: Path | None
) -> dict[str, Any]:
    from circuitz.models.adapters.preprocessing_config import read_preprocessing_file

    found: dict[str, Any] = {} if file is None else read_preprocessing_file(file)[0]
    for name, text in (("mean", mean), ("std", std)):
        if text:
            try:
                found[name] = tuple(float(part) for part in text.replace(",", " ").split())
            except ValueError as problem:
                raise InputsError(
                    f"--{name} is {text!r}.", f"Write numbers with commas: --{name} .5,.5,.5"
                ) from problem
    return found | ({"colour": colour} if colour else {})


def _wrap_loaded_network(
    loaded: LoadedNetwork,
    classes: tuple[str, ...],
    data: InputSet,
    cut: str,
    output: str,
    subject: str,
    path: Path,
) -> AnnotatedModel:
    from warnings import catch_warnings, simplefilter

    from circuitz.errors import NetworkWarning
    from circuitz.wrapping.wrap import wrap

    with catch_warnings():
        simplefilter("ignore", NetworkWarning)  # all of it is printed here
        z = wrap(
            loaded.net, data, classes=classes, preprocess=loaded.preprocess, cut=cut or None,
            output=output, subject=subject, name=bundle_name_without_suffix(path),
        )  # fmt: skip
    assumed = "preprocessing" in z.notes and "preprocessing" not in loaded.notes
    if assumed:
        say.print("[bold yellow]Preprocessing is assumed[/], since neither you nor the network "
                  f"names it: mean {z.preprocessing.mean}, std {z.preprocessing.std}. Give --mean "
                  "and --std.")  # fmt: skip
    told = {str(z.notes.get("preprocessing")), z.accuracy.warning() if z.accuracy else ""}
    for remark in z.remarks:
        if remark not in told:  # these two are told in words of their own
            say.print(remark, markup=False, highlight=False)
    return z.with_(notes={**z.notes, **loaded.notes})

"""``circuitz measure``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import Json, LexiconPath, Seed, Z, app, out, progress_bars


@app.command()
def measure(
    z: Z,
    data: Annotated[
        Path | None, typer.Option(help="D, when it is not where the bundle says.")
    ] = None,
    concept_set: Annotated[
        Path | None, typer.Option(help="Another concept set, as circuitz data writes it.")
    ] = None,
    cluster: Annotated[
        str, typer.Option(help="A Dask scheduler to share the work: tcp://HOST:8786.")
    ] = "",
    shards: Annotated[
        int | None,
        typer.Option(
            help="Cut the concept set into about so many shards, instead of 4,096 images each.",
            min=1,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Folder of finished shards, kept. By default NAME.shards beside the bundle, "
            "removed when all is done."
        ),
    ] = None,
    seed: Seed = 0,
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """See what every unit responds to and what the units of the cut drive; saved into the bundle.

    What is measured already is kept. After Ctrl-C or a crash the same command goes on: a finished
    shard is not computed again, here or on a cluster.
    """
    from circuitz.jobs.connect import executor_for_cluster
    from circuitz.jobs.job import ProgressExecutor
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.measurement.illustrate import illustrate
    from circuitz.measurement.measure import measure as run_measure
    from circuitz.z.bundle.inputs_io import read_inputs
    from circuitz.z.bundle.load_save import load
    from circuitz.z.kinds_said import lexicon_in_force
    from circuitz.z.shown.concepts_frame import concepts_as_text, concepts_frame

    model = load(z)
    known = model.concept_set if concept_set is None else read_inputs(concept_set)
    given = None if data is None else read_inputs(data)
    folder = checkpoint or z.with_name(f"{z.name.removesuffix('.zip').removesuffix('.z')}.shards")
    per_shard = None if shards is None or known is None else -(-len(known) // shards)
    with progress_bars() as steps, executor_for_cluster(cluster or None) as executor:
        counted = executor and ProgressExecutor(executor, lambda done, n: steps("shards", done, n))
        found = run_measure(
            model, known, given, seed=seed, lexicon=Lexicon.load(lexicon), checkpoint=folder,
            shard=per_shard, cluster=counted,
            progress=lambda done, n: steps("measure", done, n),
        )  # fmt: skip
        found = illustrate(
            found, lexicon=Lexicon.load(lexicon),
            progress=lambda done, n: steps("draw findings", done, n),
        )  # fmt: skip
        found.save(z)
    if checkpoint is None:
        shutil.rmtree(folder, ignore_errors=True)
    measured, before = found.measurements, model.measurements
    assert measured is not None
    concepts = concepts_frame(found.concept_set, lexicon_in_force(found, Lexicon.load(lexicon)))
    effects = measured.effects
    layers = {name: layer.responses.shape[1] for name, layer in measured.layers.items()}
    told = {
        "out": str(z),
        "hash": found.hash,
        "images": 0 if found.concept_set is None else len(found.concept_set),
        "layers": layers,
        "effects": 0 if effects is None else len(effects.units),
        "concept_table": concepts.to_dict("records"),
    }
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    if before is None or before.concepts_hash != measured.concepts_hash:  # told once
        out.print(concepts_as_text(concepts), markup=False, highlight=False)
    out.print(
        f"{sum(layers.values()):,} units of {len(layers)} layers measured on {told['images']:,} images; "
        f"effects of {told['effects']:,} on every class. Saved in {z}.",
        markup=False, highlight=False,
    )  # fmt: skip

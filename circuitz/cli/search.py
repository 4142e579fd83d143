"""``circuitz search``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from circuitz.cli.shell import Json, LexiconPath, Seed, Z, app, out, progress_bars, say


@app.command()
def search(
    z: Z,
    path: Annotated[Path, typer.Option("--out", help="Bundle to write the best z to.")],
    rounds: Annotated[int, typer.Option(help="Most weight steps.", min=1)] = 3,
    epochs: Annotated[int, typer.Option(help="Passes over D in a weight step.", min=1)] = 8,
    lam: Annotated[float, typer.Option("--lambda", help="Weight of the prior.", min=0)] = 1.0,
    rate: Annotated[float, typer.Option(help="Largest learning rate.", min=0)] = 5e-3,
    flip: Annotated[
        bool, typer.Option("--flip/--no-flip", help="Mirror half of the training images.")
    ] = True,
    seed: Seed = 0,
    data_path: Annotated[
        Path | None, typer.Option("--data", help="D, when it is not where z says.")
    ] = None,
    lexicon: LexiconPath = None,
    prior: Annotated[
        Path | None,
        typer.Option(help="M_prior as people made it (JSON): proposals are judged by J."),
    ] = None,
    likelihood: Annotated[
        Path | None, typer.Option(help="M_L as people made it (JSON), beside --prior.")
    ] = None,
    proposals: Annotated[
        int | None, typer.Option(help="Proposals, with --prior: 200, or 20 with --quick.", min=1)
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Most minutes, with --prior.", min=0)
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few proposals, with --prior.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew instead of going on where a search stopped.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Search for the z that explains D and is plausible. Ctrl-C keeps finished rounds.

    With --prior and --likelihood, words, silences, trainings and edits of pictures are proposed and
    accepted by J; Ctrl-C keeps every proposal, and writes the best z so far.
    """
    import shutil

    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.bundle.inputs_io import read_inputs
    from circuitz.z.bundle.load_save import load
    from circuitz.zstar.search import search as run_search
    from circuitz.zstar.search_settings import SearchSettings

    model = load(z)
    if data_path is not None:
        model = model.with_(data=read_inputs(data_path))
    state = path.with_name(f"{path.name}.search")
    if fresh and state.exists():
        shutil.rmtree(state)
    if prior is not None or likelihood is not None:
        from circuitz.cli.search_chains import run_chain_search

        settings_changed = {
            "proposals": proposals, "minutes": minutes, "lam": lam, "seed": seed, "rate": rate,
            "flip": flip,
        }  # fmt: skip
        run_chain_search(
            model, path, state, prior, likelihood, settings_changed, quick=quick,
            lexicon=Lexicon.load(lexicon), as_json=as_json,
        )  # fmt: skip
        return
    settings = SearchSettings(
        rounds=rounds, epochs=epochs, rate=rate, flip=flip, lam=lam, seed=seed
    )
    try:
        with progress_bars() as steps:
            found = run_search(
                model,
                settings=settings,
                lexicon=Lexicon.load(lexicon),
                checkpoint=state,
                progress=steps,
            )
    except KeyboardInterrupt:
        say.print(f"Stopped. Finished rounds are kept in {state}; the same command goes on.")
        raise
    found.z.save(path)
    shutil.rmtree(state, ignore_errors=True)
    _warn_of_erasure_traces(found.z.notes["search"]["regions"])
    if as_json:
        print(json.dumps(found.z.notes["search"], indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("round", "log prior", "log likelihood", "log posterior", "flagged", ""):
        table.add_column(name, justify="right")
    for i, s in enumerate(found.scores):
        table.add_row(
            str(i), f"{s.prior:.3f}", f"{s.likelihood:.1f}", f"{s.posterior(lam):.1f}",
            str(s.flagged), "← kept" if i == found.best else "",
        )  # fmt: skip
    out.print(table)
    out.print(f"Written to {path}. Next: circuitz export {path} --out ZSTAR.z", markup=False)


# Where a concept is still told this well once it was erased, the edits did not take it away.
_STILL_TOLD = 0.75


def _warn_of_erasure_traces(regions: dict[str, Any]) -> None:
    for concept, made in regions.items():
        told = made["told_after"]
        if told is not None and told > _STILL_TOLD:
            say.print(
                f"Erasing {concept} from pictures leaves a trace: it is still told in "
                f"{told:.0%} of pairs. Labels alone may not say where it lies; give masks, or "
                "pairs of pictures that differ in it alone.",
                markup=False,
            )

"""``circuitz tasks``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import Json, Seed, app, out, progress_bars, say
from circuitz.errors import LabellingError

tasks = typer.Typer(help="Packs of pictures for people to label.", no_args_is_help=True)
app.add_typer(tasks, name="tasks")


@tasks.command("make")
def make_labelling_tasks(
    zstar: Annotated[Path, typer.Argument(help="The model people will hold, as exported.")],
    images: Annotated[Path, typer.Option(help="D′: a folder of pictures, in it and below it.")],
    path: Annotated[
        Path, typer.Option("--out", help="Pack to write: a folder, or a file ending in .zip.")
    ],
    gold: Annotated[
        Path | None,
        typer.Option(
            help="CSV: path (relative to the file), class. Pictures whose answer is known, mixed in "
            "to see how reliable each rater is; nothing is learned from them."
        ),
    ] = None,
    overlap: Annotated[int, typer.Option(help="Raters that answer each question.", min=1)] = 2,
    limit: Annotated[int, typer.Option(help="Most pictures to ask about.", min=1)] = 200,
    repeats: Annotated[
        int, typer.Option(help="Pictures asked twice of a rater, at most a tenth.", min=0)
    ] = 5,
    name: Annotated[
        str, typer.Option(help="The question as raters read it: Which kind of dog is it?")
    ] = "",
    guidelines: Annotated[
        Path | None, typer.Option(help="Text file with what raters are told to do.")
    ] = None,
    lease: Annotated[
        float, typer.Option(help="Seconds a question waits for a rater who left.", min=5)
    ] = 600.0,
    seed: Seed = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another pack that is there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose pictures of D′ and write all that a labeller's screen needs, torch-free, into a pack.

    Which pictures: as many of each class that z* predicts, a quarter of them those it is least
    sure of. Nothing else of D′ is used, nor are the folders' names.
    """
    from circuitz.labelling.export import card_in_notes
    from circuitz.labelling.tasks.make_pack import GUIDELINES, make_pack
    from circuitz.labelling.tasks.pack_io import check_pack_destination, write_pack
    from circuitz.labelling.tasks.shifted_pictures import check_labelling_supported
    from circuitz.z.bundle.load_save import load

    if not overwrite:
        refuse_occupied_pack_destination(path)
    model = load(zstar)
    check_labelling_supported(model)
    if card_in_notes(model) is None:
        say.print(
            "This z was never exported, so nobody decided that its words may be used: the card is "
            "made from them as they stand. circuitz export decides.",
            highlight=False,
            soft_wrap=True,
        )
    with progress_bars() as steps:
        pack = make_pack(
            model,
            images,
            name=name,
            gold=gold,
            overlap=overlap,
            limit=limit,
            repeats=repeats,
            guidelines=_read_guidelines(guidelines) if guidelines is not None else GUIDELINES,
            lease=lease,
            seed=seed,
            progress=steps,
        )
    check_pack_destination(path, pack, overwrite)
    write_pack(pack, path, overwrite=overwrite)
    counts = pack.count_questions_by_kind()
    if as_json:
        facts = {
            "out": str(path), "task": pack.task, "z": pack.z_hash, "card": pack.card.hash,
            "classes": list(pack.classes), "overlap": pack.overlap, "seed": seed,
            "instructions": pack.instructions, "questions": counts,
        }  # fmt: skip
        print(json.dumps(facts, ensure_ascii=False))
        return
    out.print(
        f"Written to {path}: {counts['ask']} pictures, each for {overlap} "
        f"{'person' if overlap == 1 else 'people'}, {counts['gold']} gold, {counts['again']} asked "
        f"twice. Next: circuitz serve --tasks {path} --store answers.sqlite",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def refuse_occupied_pack_destination(path: Path) -> None:
    """Refuse a place that holds something else before the network is run for minutes."""
    from circuitz.labelling.tasks.pack_io import MANIFEST, check_pack_destination

    pack = path.is_dir() and (path / MANIFEST).is_file()
    if not pack and not (path.is_file() and path.suffix == ".zip"):
        check_pack_destination(path)


def _read_guidelines(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabellingError(f"{path} cannot be read.", "Give a text file in UTF-8.") from error
    if not text.strip() or len(text) > 20_000:
        raise LabellingError(f"{path} is empty or very long.", "Write up to 20,000 characters.")
    return text

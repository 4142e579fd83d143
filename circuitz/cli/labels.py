"""``circuitz labels``."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from circuitz.cli.judged_summary import print_judged_summary, share_cell
from circuitz.cli.shell import Json, Seed, app, out, progress_bars, say
from circuitz.errors import LabellingError

if TYPE_CHECKING:
    from circuitz.labelling.labels.label_model import LabelModel
    from circuitz.z.model import AnnotatedModel

labels = typer.Typer(help="What people answered, and labels learned from it.", no_args_is_help=True)
app.add_typer(labels, name="labels")


class AnswersTo(Enum):
    """Kinds of answers that are collected."""

    LABEL = "label"
    HIDDEN = "hidden"
    COMPARE = "compare"
    HYPOTHESIS = "hypothesis"


Store = Annotated[
    str, typer.Option(help="Where answers are kept: a file, or sqlite:///answers.sqlite.")
]


@labels.command("collect")
def summarise_and_export_answers(
    store: Store,
    tasks: Annotated[
        Path | None, typer.Option(help="Only answers to this pack; it also tells which were gold.")
    ] = None,
    kind: Annotated[
        AnswersTo | None,
        typer.Option(
            help="Which answers: label, hidden (classes without the picture), compare, hypothesis. "
            "Those of the pack by default, or label."
        ),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="File to write the answers to: .csv or .jsonl.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it is there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how far people are and how far they agree; write their answers to a file."""
    from circuitz.labelling.labels.collect import collect_answers as run_collect
    from circuitz.labelling.labels.collect import write_answers_csv_or_jsonl
    from circuitz.labelling.labels.collect_judged import collect_judged, write_judged
    from circuitz.labelling.tasks.pack_io import open_pack
    from circuitz.store.address import open_store

    _refuse_overwriting(to, overwrite)
    pack = open_pack(tasks) if tasks is not None else None
    opened = open_store(store, read_only=True)
    asks = kind.value if kind is not None else pack.kind if pack is not None else "label"
    if asks in ("compare", "hypothesis"):
        judged = collect_judged(opened, asks, pack)
        summary, n = judged.summary, len(judged.rows)
        if to is not None:
            write_judged(judged, to)
    else:
        found = run_collect(opened, pack, hidden=asks == "hidden")
        summary, n = found.summary, len(found.rows)
        if to is not None:
            write_answers_csv_or_jsonl(found, to, pack)
    if as_json:
        print(json.dumps(summary, ensure_ascii=False, indent=1))
        return
    if "kind" in summary:
        print_judged_summary(summary)
    else:
        _print_answer_summary(summary)
    if to is not None:
        out.print(f"{n:,} answers written to {to}", markup=False, highlight=False, soft_wrap=True)


@labels.command("propose")
def propose_words_from_hypotheses(
    zstar: Annotated[
        Path, typer.Argument(help="The model whose classes and units were asked about.")
    ],
    store: Store,
    tasks: Annotated[Path | None, typer.Option(help="Only answers to this pack.")] = None,
    path: Annotated[
        Path | None, typer.Option("--out", help="Bundle to write; the model itself by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write what people said classes look like, and units see, into z as their annotations.

    They are proposals as any annotation is: circuitz check decides whether the words hold.
    """
    from circuitz.labelling.labels.collect_judged import collect_judged
    from circuitz.labelling.labels.hypothesis_annotations import with_hypotheses
    from circuitz.labelling.tasks.pack_io import open_pack
    from circuitz.store.address import open_store
    from circuitz.z.bundle.load_save import load

    model = load(zstar)
    pack = open_pack(tasks) if tasks is not None else None
    judged = collect_judged(open_store(store, read_only=True), "hypothesis", pack)
    new, left_out = with_hypotheses(model, judged.read.hypotheses)
    written = len(new.log) - len(model.log)
    new.save(zstar if path is None else path)
    facts = {"out": str(path or zstar), "z": new.hash, "written": written, "left_out": left_out}
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    for one in left_out:
        say.print(f"Left out: {one}", markup=False, highlight=False, soft_wrap=True)
    out.print(
        f"{written:,} annotations written to {facts['out']}. Next: circuitz check {facts['out']}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


@labels.command("train")
def learn_labels_from_answers(
    zstar: Annotated[Path, typer.Argument(help="The model people held, as exported.")],
    store: Store,
    images: Annotated[Path, typer.Option(help="D′: the pictures to label.")],
    path: Annotated[Path, typer.Option("--out", help="CSV to write.")] = Path("labels.csv"),
    tasks: Annotated[
        Path | None, typer.Option(help="Learn from the answers to this pack alone.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep what was learned in ZSTAR, to travel with it.")
    ] = False,
    seed: Seed = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it is there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Learn M_L_test from people's answers and label all of D′ with it.

    The file has a row a picture: path, label, its probability, how many people answered, a
    remark where they and the label do not go together, and a column a class. What two people or
    more said of a picture, and nobody otherwise, is its label. Whether the labels are right the
    answers alone cannot tell.
    """
    from circuitz.labelling.labels.collect import write_file_whole_or_not
    from circuitz.labelling.labels.label import label as run_train
    from circuitz.labelling.tasks.pack_io import open_pack
    from circuitz.store.address import open_store
    from circuitz.z.bundle.load_save import load

    _refuse_overwriting(path, overwrite)
    model = load(zstar)
    kept = open_store(store, read_only=True)
    task = open_pack(tasks).task if tasks is not None else ""
    with progress_bars() as steps:
        made = run_train(model, kept, images, task=task, seed=seed, progress=steps)
    write_file_whole_or_not(path, made.to_csv())
    if keep:
        _save_label_model_into_zstar(zstar, model, made.model)
    facts: dict[str, Any] = {"out": str(path), "z": model.hash, **made.to_json()}
    if made.elsewhere:
        say.print(
            f"{made.elsewhere} answers are about pictures that are not in the folder; they are "
            "left out.",
            highlight=False,
            soft_wrap=True,
        )
    if made.model.form == "nothing":
        say.print(
            "What people answered goes with nothing that z* sees: these labels know no more than "
            "how frequent each class is. More answers, or a better card, may change that.",
            highlight=False,
            soft_wrap=True,
        )
    for n, said in (
        (facts["kept_from_raters"], "keep what all their raters said, against what was learned"),
        (facts["overruled"], "have another label than their raters said most"),
    ):
        if n:
            say.print(
                f"{n} of the pictures people answered {said}: see `remark` in {path}.",
                markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for column in ("class", "pictures"):
        table.add_column(column, justify="right" if column == "pictures" else "left")
    for name, n in facts["labels"].items():
        table.add_row(escape(name), f"{n:,}")
    out.print(table)
    simulated = " of a simulated rater" if made.simulated else ""
    out.print(
        f"{facts['pictures']:,} pictures labelled from {facts['answers']:,} answers{simulated} "
        f"(model: {made.model.form}), written to {path}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    alone, beside = facts["agreement"], facts["agreement_with_logits"]
    if alone is not None and beside is not None:
        out.print(
            f"Of answers about pictures left out it foretells {alone:.1%}; with what z* itself says "
            f"as one more input it would be {beside:.1%}.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _refuse_overwriting(path: Path | None, overwrite: bool) -> None:
    """Refuse to write over a file, before anything takes minutes."""
    if path is not None and path.exists() and not overwrite:
        raise LabellingError(f"{path} is there already.", "Pass --overwrite to replace it.")


def _save_label_model_into_zstar(zstar: Path, model: AnnotatedModel, learned: LabelModel) -> None:
    """Write what was learned into z*, as it is now: somebody may have edited it meanwhile."""
    from circuitz.labelling.export import with_label_model
    from circuitz.z.bundle.load_save import load

    now = load(zstar)
    if now.hash != model.hash:
        raise LabellingError(
            f"{zstar} became another z while labels were learned; they are written, and nothing "
            "is kept in it.",
            "Answers belong to the z that people held: export it under a name of its own.",
        )
    with_label_model(now, learned).save(zstar)


def _print_answer_summary(summary: dict[str, Any]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("rater", "answers", "cannot tell", "not usable", "seconds", "gold right",
                 "with themselves"):  # fmt: skip
        table.add_column(name, justify="left" if name == "rater" else "right")
    for name, facts in summary["raters"].items():
        said = f" ({facts['kind']})"
        kind = "" if facts["kind"] == "person" or name.endswith(said) else said
        table.add_row(
            escape(f"{name}{kind}"), str(facts["answers"]), str(facts["cannot_tell"]),
            str(facts["not_usable"]), "–" if facts["seconds"] is None else f"{facts['seconds']:g}",
            share_cell(facts["gold"]), share_cell(facts["with_themselves"]),
        )  # fmt: skip
    out.print(table)
    agreement = summary["agreement"]
    if agreement is None:
        said = (
            "Agreement between raters: not known, no picture was told by two people, or all said "
            "the same."
        )
    else:
        said = (
            f"Agreement between raters (Krippendorff's alpha): {agreement['estimate']:.2f} "
            f"[{agreement['low']:.2f}, {agreement['high']:.2f}] over {agreement['n']} pictures."
        )
    out.print(said, markup=False, highlight=False, soft_wrap=True)
    for remark in summary["remarks"]:
        out.print(remark, markup=False, highlight=False, soft_wrap=True)
    done = summary["progress"]
    if done is not None:
        out.print(
            f"{done['answers']} of {done['needed']} answers given; {done['complete']} of "
            f"{done['questions']} pictures complete.",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip

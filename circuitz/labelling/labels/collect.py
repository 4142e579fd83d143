"""Answers out of a store: who said what, how far they are, and how far they agree."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.disk.atomic import bundle_write_error_from, staged_file_replacement
from circuitz.errors import LabellingError, StoreError
from circuitz.labelling.labels.rater_votes import (
    RaterOfKind,
    remark_on_case_of_names,
    titles_of_raters,
)
from circuitz.labelling.labels.shown_with_answers import shown_with_answers
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.stats.agreement import IntervalEstimate, krippendorff_alpha, right_share_with_interval
from circuitz.store.judgement import Judgement
from circuitz.store.judgement_lines import judgement_lines
from circuitz.store.judgement_store import JudgementStore
from circuitz.store.shown_record import ShownRecord
from circuitz.z.formats.csv_cells import (
    BYTE_ORDER_MARK,
    escape_spreadsheet_name,
    escape_spreadsheet_text,
)

#: Answers given with the picture in view, once and again; what labels are learned from.
FIRST_ANSWERS = ("label", "label: shown")
_SHOWN = (*FIRST_ANSWERS, "label-again", "label-again: shown")
_HIDDEN = ("label: hidden", "label-again: hidden")
COLUMNS = (
    "path", "item", "rater", "answer", "seconds", "kind", "right", "shown", "answered", "options",
    "task", "z", "card", "instructions", "id",
)  # fmt: skip


@dataclass(frozen=True)
class CollectedAnswers:
    """Answers in force and what they come to.

    Parameters
    ----------
    rows
        The judgements, oldest first.
    summary
        JSON values: ``answers``, ``tasks``, ``raters`` (each with answers, cannot tell, not
        usable, median seconds, gold, self-agreement), ``agreement``, ``progress``, ``set_aside`` (answers that choose
        none of their question's options), ``remarks``.
    shown
        The cards and activities they were given about, as far as the store kept them.
    """

    rows: tuple[Judgement, ...]
    summary: dict[str, Any]
    shown: tuple[ShownRecord, ...] = ()


def collect_answers(
    store: JudgementStore, pack: TaskPack | None = None, *, hidden: bool = False
) -> CollectedAnswers:
    """Return the labelling answers of a store.

    Parameters
    ----------
    store
        Where they are kept.
    pack
        Only the answers to this pack; it also tells which were gold, and how far raters are.
    hidden
        Those given without the picture, in place of those given with it; so it is of a pack that
        shows none.

    Raises
    ------
    LabellingError
        If there are no such answers; it says whether the store holds others.
    """
    kinds = _HIDDEN if hidden or (pack is not None and pack.hidden) else _SHOWN
    everything = [
        row for row in store.rows() if row.kind in kinds and row.answer is not None and row.items
    ]
    if not everything:
        raise LabellingError(
            f"{store.address} holds no labels yet.", "circuitz serve --tasks PACK collects them."
        )
    rows = everything if pack is None else [r for r in everything if r.task == pack.task]
    if pack is not None and not rows:
        raise LabellingError(
            f"{store.address} holds no answers to this task pack ({pack.task}), but "
            f"{len(everything):,} to {_join_first_three(sorted({r.task for r in everything}))}.",
            "Name the pack these were given to, or leave out --tasks.",
        )
    offered = [row for row in rows if row.has_offered_choice]
    summary = _summarise_answers(offered, pack, len(rows) - len(offered))
    return CollectedAnswers(tuple(offered), summary, shown_with_answers(store, offered))


def _summarise_answers(
    rows: Sequence[Judgement], pack: TaskPack | None, set_aside: int
) -> dict[str, Any]:
    titles = titles_of_raters((row.rater, row.rater_kind) for row in rows)
    by_rater: dict[str, list[Judgement]] = defaultdict(list)
    for row in rows:
        by_rater[titles[row.rater, row.rater_kind]].append(row)
    first = [row for row in rows if "again" not in row.kind and row.use != "gold"]
    given: dict[str, list[str]] = defaultdict(list)
    for row in first:
        if _choice_in_answer(row) not in (CANNOT_TELL, DISCARDED):
            given[f"{row.task} {row.items[0]}"].append(_choice_in_answer(row))
    kinds = sorted({row.rater_kind for row in rows})
    known = _gold_answers_by_item(pack)
    return {
        "answers": len(rows),
        "tasks": sorted({row.task for row in rows}),
        "z": sorted({row.z_hash for row in rows}),
        "rater_kinds": kinds,
        "raters": {name: _summarise_rater(some, known) for name, some in sorted(by_rater.items())},
        "agreement": _estimate_json_or_none(krippendorff_alpha(given)),
        "choices": dict(Counter(_choice_in_answer(row) for row in first).most_common()),
        "progress": None if pack is None else _count_pack_progress(first, pack),
        "set_aside": set_aside,
        "remarks": _remarks_on_answers(rows, set_aside),
    }


def _remarks_on_answers(rows: Sequence[Judgement], set_aside: int) -> list[str]:
    """Say what may be counted otherwise than it is meant."""
    by_task: dict[str, set[RaterOfKind]] = defaultdict(set)
    for row in rows:
        by_task[row.task].add((row.rater, row.rater_kind))
    found = [said for raters in by_task.values() for said in remark_on_case_of_names(raters)]
    if set_aside:
        many = "answer chooses" if set_aside == 1 else "answers choose"
        found.append(f"{set_aside:,} {many} none of their question's options: left out.")
    return list(dict.fromkeys(found))


def _summarise_rater(rows: Sequence[Judgement], gold_answers: Mapping[str, str]) -> dict[str, Any]:
    choices = Counter(_choice_in_answer(row) for row in rows)
    seconds = [s for row in rows if (s := _answer_seconds(row)) is not None]
    gold = [
        right for row in rows if (right := _is_gold_answer_right(row, gold_answers)) is not None
    ]
    # Within one task: another pack may show another card.
    first = {
        (row.task, row.items[0]): _choice_in_answer(row) for row in rows if "again" not in row.kind
    }
    again = [
        _choice_in_answer(row) == first[row.task, row.items[0]]
        for row in rows
        if "again" in row.kind and (row.task, row.items[0]) in first
    ]
    return {
        "answers": len(rows),
        "kind": rows[0].rater_kind,
        "cannot_tell": choices[CANNOT_TELL],
        "not_usable": choices[DISCARDED],
        "seconds": round(median(seconds), 2) if seconds else None,
        "gold": _estimate_json_or_none(right_share_with_interval(sum(gold), len(gold))),
        "with_themselves": _estimate_json_or_none(
            right_share_with_interval(sum(again), len(again))
        ),
    }


def _count_pack_progress(first: Sequence[Judgement], pack: TaskPack) -> dict[str, int]:
    asked = {q.item for q in pack.questions if q.kind == "ask"}
    counts = Counter(row.items[0] for row in first if row.items[0] in asked)
    return {
        "questions": len(asked),
        "complete": sum(n >= pack.overlap for n in counts.values()),
        "begun": len(counts),
        "answers": sum(min(n, pack.overlap) for n in counts.values()),
        "needed": len(asked) * pack.overlap,
    }


def write_answers_csv_or_jsonl(
    collected: CollectedAnswers, path: Path, pack: TaskPack | None = None
) -> None:
    """Write answers to a file: CSV with formulas escaped, or JSON Lines as they are stored.

    JSON Lines begin with the cards and activities shown, so that answers can be learned from
    without their store.

    Raises
    ------
    LabellingError
        If the name ends in neither ``.csv`` nor ``.jsonl``.
    StoreError
        If it cannot be written; what was there is untouched.
    """
    if path.suffix == ".csv":
        data = answers_as_csv(collected.rows, pack)
    elif path.suffix == ".jsonl":
        data = judgement_lines(collected.rows, collected.shown)
    else:
        raise LabellingError(
            f"{path} is neither CSV nor JSON Lines.", "End its name in .csv or .jsonl."
        )
    write_file_whole_or_not(path, data)


def write_file_whole_or_not(path: Path, data: bytes) -> None:
    """Write a file wholly or not at all.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    try:
        with staged_file_replacement(path, data):
            pass
    except OSError as error:
        said = bundle_write_error_from(path, error)
        raise StoreError(said.message, said.hint) from error


def answers_as_csv(rows: Sequence[Judgement], pack: TaskPack | None = None) -> bytes:
    """Return answers as CSV, a row an answer; what a spreadsheet would run or convert is escaped.

    It begins with a byte order mark. Times are as they are stored.
    """
    paths = {} if pack is None else {q.item: q.path for q in pack.questions}
    known = _gold_answers_by_item(pack)
    buffer = io.StringIO(BYTE_ORDER_MARK, newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for row in rows:
        right = _is_gold_answer_right(row, known)
        cells = (
            escape_spreadsheet_name(paths.get(row.items[0], "")), escape_spreadsheet_text(row.items[0]),
            escape_spreadsheet_name(row.rater), escape_spreadsheet_name(_choice_in_answer(row)),
            "" if (took := _answer_seconds(row)) is None else took,
            "gold" if row.use == "gold" else escape_spreadsheet_name(row.kind),
            "" if right is None else int(right), row.shown, row.answered,
            escape_spreadsheet_name(json.dumps(list(row.options), ensure_ascii=False)),
            escape_spreadsheet_text(row.task), escape_spreadsheet_text(row.z_hash), escape_spreadsheet_text(row.card_hash),
            escape_spreadsheet_text(row.instructions), escape_spreadsheet_text(row.id),
        )  # fmt: skip
        writer.writerow(cells)
    return buffer.getvalue().encode()


def _gold_answers_by_item(pack: TaskPack | None) -> Mapping[str, str]:
    """Return the answers that are known, by item."""
    if pack is None:
        return {}
    return {q.item: pack.gold[q.id] for q in pack.questions if q.kind == "gold"}


def _is_gold_answer_right(row: Judgement, gold_answers: Mapping[str, str]) -> bool | None:
    """Whether a gold answer is right; ``None`` where it is not known."""
    wanted = gold_answers.get(row.items[0]) if row.use == "gold" else None
    return None if wanted is None else _choice_in_answer(row) == wanted


def _answer_seconds(row: Judgement) -> float | None:
    found = _answer_or_empty(row).get("seconds")
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)


def _answer_or_empty(row: Judgement) -> dict[str, Any]:
    return row.answer or {}


def _choice_in_answer(row: Judgement) -> str:
    return str(_answer_or_empty(row).get("choice", ""))


def _estimate_json_or_none(estimate: IntervalEstimate | None) -> dict[str, Any] | None:
    return None if estimate is None else estimate.to_json()


def _join_first_three(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

"""Comparisons and hypotheses out of a store: who said what, and how far they agree."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from circuitz.cards.card import Card
from circuitz.cards.cards_in_store import CARD, card_from_store
from circuitz.cards.judged.comparison import Comparison
from circuitz.cards.judged.hypothesis import Hypothesis
from circuitz.cards.judged.read_back import JudgedAnswers, read_judged_answers
from circuitz.errors import LabellingError
from circuitz.labelling.labels.collect import write_file_whole_or_not
from circuitz.labelling.labels.rater_votes import titles_of_raters
from circuitz.labelling.labels.shown_with_answers import shown_with_answers
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.stats.agreement import right_share_with_interval
from circuitz.store.judgement import Judgement
from circuitz.store.judgement_lines import judgement_lines
from circuitz.store.judgement_store import JudgementStore
from circuitz.store.shown_record import ShownRecord
from circuitz.z.formats.csv_cells import BYTE_ORDER_MARK, escape_spreadsheet_text

JudgedKind = Literal["compare", "hypothesis"]
COMPARISON_COLUMNS = (
    "a", "b", "outcome", "preferred", "rater", "rater_kind", "use", "near", "repeat_of", "reasons",
    "note", "seconds", "task", "id",
)  # fmt: skip
HYPOTHESIS_COLUMNS = (
    "target", "words", "text", "rater", "rater_kind", "use", "answered", "seconds", "z", "task", "id",
)  # fmt: skip


@dataclass(frozen=True)
class CollectedJudgements:
    """Judgements in force and what they come to.

    Parameters
    ----------
    kind
        ``compare`` or ``hypothesis``.
    rows
        The judgements, oldest first.
    read
        The same as values.
    summary
        JSON values: ``answers``, ``raters``, ``remarks``; of comparisons ``outcomes``, ``pairs``,
        ``cards``, ``groups`` (of cards that pairs join), ``agreement`` between raters; of
        hypotheses ``targets``.
    shown
        The cards and activities they are about, as far as the store kept them.
    """

    kind: JudgedKind
    rows: tuple[Judgement, ...]
    read: JudgedAnswers
    summary: dict[str, Any]
    shown: tuple[ShownRecord, ...] = ()


def cards_in_store(store: JudgementStore, pack: TaskPack | None = None) -> list[Card]:
    """Return every card that was kept with a store's judgements, and those of a pack."""
    found = {card.hash: card for card in (pack.shown_cards if pack is not None else ())}
    for card_hash in store.shown_hashes(CARD):
        if card_hash not in found:
            found[card_hash] = card_from_store(store, card_hash)
    return list(found.values())


def collect_judged(
    store: JudgementStore, kind: JudgedKind, pack: TaskPack | None = None
) -> CollectedJudgements:
    """Return the comparisons, or the hypotheses, of a store.

    Parameters
    ----------
    store
        Where they are kept.
    kind
        Which.
    pack
        Only the answers to this pack; it also tells which were gold.

    Raises
    ------
    LabellingError
        If there are no such answers.
    """
    rows = [
        row for row in store.rows() if row.kind == kind and (pack is None or row.task == pack.task)
    ]
    if not rows:
        to = f" to this task pack ({pack.task})" if pack is not None else ""
        raise LabellingError(
            f"{store.address} holds no answers of kind {kind}{to} yet.",
            "circuitz serve --tasks PACK collects them.",
        )
    read = read_judged_answers(rows, cards_in_store(store, pack))
    values = read.comparisons if kind == "compare" else read.hypotheses
    summary: dict[str, Any] = {
        "kind": kind,
        "answers": len(values),
        "tasks": sorted({row.task for row in rows}),
        "rater_kinds": sorted({row.rater_kind for row in rows}),
        "raters": _raters(read, kind, _gold_by_items(pack)),
        "left_out": len(read.left_out),
        "remarks": [problem.text for problem in read.problems],
    }
    more = _summary_of_comparisons(read) if kind == "compare" else _summary_of_hypotheses(read)
    summary["remarks"] += more.pop("remarks", [])
    shown = shown_with_answers(store, rows)
    return CollectedJudgements(kind, tuple(rows), read, {**summary, **more}, shown)


def write_judged(collected: CollectedJudgements, path: Path) -> None:
    """Write judgements to a file: CSV with formulas escaped, or JSON Lines as they are stored.

    Raises
    ------
    LabellingError
        If the name ends in neither ``.csv`` nor ``.jsonl``.
    StoreError
        If it cannot be written; what was there is untouched.
    """
    if path.suffix == ".jsonl":
        data = judgement_lines(collected.rows, collected.shown)
    elif path.suffix == ".csv":
        data = judged_as_csv(collected)
    else:
        raise LabellingError(
            f"{path} is neither CSV nor JSON Lines.", "End its name in .csv or .jsonl."
        )
    write_file_whole_or_not(path, data)


def judged_as_csv(collected: CollectedJudgements) -> bytes:
    """Return judgements as CSV, a row an answer; what a spreadsheet would run is escaped."""
    if collected.kind == "compare":
        lines = [_comparison_cells(one) for one in collected.read.comparisons]
        return _csv(COMPARISON_COLUMNS, lines)
    return _csv(HYPOTHESIS_COLUMNS, [_hypothesis_cells(one) for one in collected.read.hypotheses])


def _csv(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> bytes:
    buffer = io.StringIO(BYTE_ORDER_MARK, newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for line in lines:
        writer.writerow([escape_spreadsheet_text(str(cell)) for cell in line])
    return buffer.getvalue().encode()


def _comparison_cells(one: Comparison) -> list[Any]:
    reasons = "; ".join(f"{r.side}: {r.class_name}: {r.words} ({r.part})" for r in one.reasons)
    return [
        one.a_hash, one.b_hash, one.outcome, one.preferred, one.rater, one.rater_kind, one.use,
        "yes" if one.near else "no", one.repeat_of, reasons, one.note,
        "" if one.seconds is None else f"{one.seconds:g}", one.task, one.id,
    ]  # fmt: skip


def _hypothesis_cells(one: Hypothesis) -> list[Any]:
    return [
        one.target, "; ".join(one.words), one.text, one.rater, one.rater_kind, one.use,
        one.answered, "" if one.seconds is None else f"{one.seconds:g}", one.z_hash, one.task, one.id,
    ]  # fmt: skip


def _gold_by_items(pack: TaskPack | None) -> dict[tuple[str, ...], str]:
    if pack is None:
        return {}
    return {q.items: pack.gold[q.id] for q in pack.questions if q.kind == "gold"}


def _raters(
    read: JudgedAnswers, kind: JudgedKind, gold: Mapping[tuple[str, ...], str]
) -> dict[str, Any]:
    values: Sequence[Comparison | Hypothesis]
    values = read.comparisons if kind == "compare" else read.hypotheses
    titles = titles_of_raters((one.rater, one.rater_kind) for one in values)
    by_rater: dict[str, list[Comparison | Hypothesis]] = defaultdict(list)
    for one in values:
        by_rater[titles[one.rater, one.rater_kind]].append(one)
    first = {one.id: one for one in read.comparisons}
    found: dict[str, Any] = {}
    for name, some in sorted(by_rater.items()):
        compared = [one for one in some if isinstance(one, Comparison)]
        right = [
            one.outcome == gold[one.a_hash, one.b_hash]
            for one in compared
            if (one.a_hash, one.b_hash) in gold
        ]
        again = [
            first[one.repeat_of].mirrored().outcome == one.outcome
            for one in compared
            if one.repeat_of in first
        ]
        seconds = [one.seconds for one in some if one.seconds is not None]
        found[name] = {
            "answers": len(some),
            "kind": some[0].rater_kind,
            "cannot_tell": sum(_could_not_tell(one) for one in some),
            "seconds": round(median(seconds), 2) if seconds else None,
            "gold": _share(right),
            "with_themselves": _share(again),
        }
    return found


def _could_not_tell(one: Comparison | Hypothesis) -> bool:
    if isinstance(one, Comparison):
        return one.outcome == "cannot tell"
    return not one.phrases


def _share(hits: Sequence[bool]) -> dict[str, Any] | None:
    estimate = right_share_with_interval(sum(hits), len(hits))
    return None if estimate is None else estimate.to_json()


def _summary_of_comparisons(read: JudgedAnswers) -> dict[str, Any]:
    comparisons = [one for one in read.comparisons if not one.repeat_of]
    outcomes = Counter(one.outcome for one in comparisons)
    by_pair: dict[frozenset[str], dict[tuple[str, str], str]] = defaultdict(dict)
    for one in comparisons:
        by_pair[one.cards][one.rater, one.rater_kind] = one.preferred or one.outcome
    agree = [
        said[i] == said[k]
        for answers in by_pair.values()
        for said in [list(answers.values())]
        for i in range(len(said))
        for k in range(i)
    ]
    groups = _count_groups([set(pair) for pair in by_pair])
    remarks: list[str] = []
    if groups > 1:
        remarks.append(
            f"No comparison joins {groups} groups of cards: they have no common scale. Ask about "
            "pairs that join them."
        )
    if comparisons and not any(one.preferred for one in comparisons):
        remarks.append("Nobody found one card more plausible than another: nothing ranks them.")
    if len({(one.rater, one.rater_kind) for one in comparisons}) == 1:
        remarks.append("One rater alone answered: how far people agree is not known.")
    return {
        "outcomes": dict(outcomes.most_common()),
        "pairs": len(by_pair),
        "cards": len({card for pair in by_pair for card in pair}),
        "groups": groups,
        "agreement": _share(agree),
        "remarks": remarks,
    }


def _count_groups(pairs: Sequence[set[str]]) -> int:
    """Count the groups of cards that pairs join."""
    groups: list[set[str]] = []
    for pair in pairs:
        touched = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair]
        groups.append(pair.union(*touched))
    return len(groups)


def _summary_of_hypotheses(read: JudgedAnswers) -> dict[str, Any]:
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for one in read.hypotheses:
        votes[one.target].update(one.phrases)
    return {"targets": {target: dict(said.most_common()) for target, said in sorted(votes.items())}}

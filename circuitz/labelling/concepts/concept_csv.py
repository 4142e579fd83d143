"""Questions about concepts out to a CSV file, and answers back: for people who label elsewhere."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.data.folders.csv_reading import read_csv_with_header
from circuitz.disk.hashing import json_hash
from circuitz.errors import LabellingError
from circuitz.labelling.concepts.concept_pack import NO, YES, concept_question_text
from circuitz.labelling.labels.collect import write_file_whole_or_not
from circuitz.labelling.tasks.pack import Question, TaskPack
from circuitz.labelling.tasks.session import Session, clean_rater_name
from circuitz.store.judgement import Judgement, RaterKind
from circuitz.store.judgement_store import JudgementStore
from circuitz.z.formats.csv_cells import (
    BYTE_ORDER_MARK,
    escape_spreadsheet_name,
    escape_spreadsheet_text,
    unescape_formula,
)

COLUMNS = ("path", "question", "asks", "answer", "rater")
CHOICE_BY_TEXT: Mapping[str, str] = {
    **dict.fromkeys(("yes", "y", "1", "1.0", "true"), YES),
    **dict.fromkeys(("no", "n", "0", "0.0", "false"), NO),
    **dict.fromkeys(("cannot tell", "?", "unsure", "don't know", "nan"), CANNOT_TELL),
    **dict.fromkeys(("not usable", "x", "unusable"), DISCARDED),
}


@dataclass(frozen=True)
class CsvAnswer:
    """One answer of a file."""

    number: int
    question: Question
    choice: str
    rater: str


def write_questions_csv_and_pictures(pack: TaskPack, path: Path) -> Path:
    """Write the questions to a CSV file, and their pictures to a folder beside it.

    Neither names nor order tell why a picture was chosen.

    Returns
    -------
    Path
        The folder with the pictures.

    Raises
    ------
    LabellingError
        If the name does not end in ``.csv``.
    StoreError
        If something cannot be written.
    """
    if path.suffix.lower() != ".csv":
        raise LabellingError(f"{path} is no CSV file.", "End its name in .csv.")
    folder = path.with_name(f"{path.stem}-pictures")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabellingError(
            f"{folder} cannot be made: {error.strerror}.", "Choose another."
        ) from error
    buffer = io.StringIO(BYTE_ORDER_MARK, newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for number, q in enumerate(pack.questions, 1):
        name = f"{number:04}.png"
        write_file_whole_or_not(folder / name, bytes(pack.pictures[q.picture]))
        writer.writerow(
            [
                escape_spreadsheet_name(f"{folder.name}/{name}"),
                escape_spreadsheet_text(q.id),
                escape_spreadsheet_name(concept_question_text(q.word)),
                "",
                "",
            ]
        )
    write_file_whole_or_not(path, buffer.getvalue().encode())
    return folder


def read_answers_csv(pack: TaskPack, path: Path, *, rater: str = "") -> list[CsvAnswer]:
    """Read answers; rows without one are left out.

    Parameters
    ----------
    rater
        Who answered the rows that name nobody.

    Raises
    ------
    LabellingError
        Naming the row, if a question is not of this pack, an answer is none, nobody is named, or
        one rater answers a question in two ways.
    """
    if not path.is_file():
        raise LabellingError(f"There is no file {path}.", "Check --answers.")
    header, rows = read_csv_with_header(path, "question")
    if "answer" not in header:
        raise LabellingError(
            f"{path} has no column ‘answer’.",
            "Fill in the file that circuitz concepts ask Z WORD --export FILE.csv wrote.",
        )
    at = {name: header.index(name) for name in ("question", "answer", "rater") if name in header}
    found: dict[tuple[str, str], CsvAnswer] = {}
    for number, cells in rows:
        said = cells[at["answer"]].strip().lower()
        if not said:
            continue
        choice = CHOICE_BY_TEXT.get(said)
        if choice is None:
            raise LabellingError(
                f"Row {number} of {path} answers {said[:40]!r}.",
                "Answers are yes, no, cannot tell, not usable, or nothing.",
            )
        question = pack.questions_by_id.get(unescape_formula(cells[at["question"]].strip()))
        if question is None:
            raise LabellingError(
                f"Row {number} of {path} answers no question of these tasks.",
                "Name the tasks it was exported from: --tasks.",
            )
        who = (unescape_formula(cells[at["rater"]].strip()) if "rater" in at else "") or rater
        if not who:
            raise LabellingError(
                f"Row {number} of {path} does not say who answered.",
                "Fill in the column ‘rater’, or pass --rater NAME.",
            )
        row = CsvAnswer(number, question, choice, clean_rater_name(who))
        before = found.setdefault((question.id, row.rater), row)
        if before.choice != choice:
            raise LabellingError(
                f"Rows {before.number} and {number} of {path} answer one question in two ways.",
                "Leave the one that is meant.",
            )
    return list(found.values())


def store_new_csv_answers(
    pack: TaskPack,
    store: JudgementStore,
    csv_answers: list[CsvAnswer],
    *,
    kind: RaterKind = "person",
) -> int:
    """Keep answers of a file, all or none; those that stand already are not written again.

    Returns
    -------
    int
        How many were new.
    """
    history: dict[tuple[str, str, str], list[Judgement]] = defaultdict(list)
    for past in store.rows(task=pack.task, current=False):
        if past.items:
            history[past.kind, past.items[0], past.rater].append(past)
    standing = {
        (past.kind, past.items[0], past.rater): (past.answer or {}).get("choice")
        for past in store.rows(task=pack.task)
        if past.items and past.rater_kind == kind
    }
    sessions: dict[str, Session] = {}
    new: list[Judgement] = []
    for row in csv_answers:
        asked = (*row.question.judgement_kind_and_item, row.rater)
        if standing.get(asked) == row.choice:
            continue
        if row.rater not in sessions:
            sessions[row.rater] = Session(pack, store, row.rater, kind=kind)
        # The same answer given again after another one is an answer of its own.
        key = json_hash([row.question.id, row.choice, len(history[asked])])[:32]
        new.append(sessions[row.rater].answer_as_judgement(row.question.id, row.choice, key))
    store.store_superseding_answers(new)
    return len(new)

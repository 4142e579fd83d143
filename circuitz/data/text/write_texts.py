"""Write the text world as a person would bring texts of their own: one CSV file, and a lexicon."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from circuitz.data.text.text_words import NAMES, text_world_lexicon_yaml
from circuitz.data.text.text_world import Text, draw_texts
from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import InputsError

TEXTS, WORDS = "texts.csv", "lexicon.yaml"


def write_text_world_csvs(
    out: Path,
    *,
    n: int = 1600,
    concepts: int = 1600,
    shifted: int = 2000,
    seed: int = 0,
    track: float = 1.0,
    truth: Path | None = None,
) -> list[Path]:
    """Write D with labels, the concept set with concepts, and D′ with neither.

    Parameters
    ----------
    out
        Folder for ``texts.csv`` and ``lexicon.yaml``; made when missing.
    n, concepts, shifted
        Texts of D, of the concept set and of D′.
    seed
        The same arguments give the same files.
    track
        Share of D that follows the shortcut.
    truth
        File for what D′ is: labels and word families, for scoring.

    Returns
    -------
    The files.

    Raises
    ------
    InputsError
        If a file is there already, or cannot be written.
    """
    shown = draw_texts("D'", shifted, seed=seed)
    rows = [
        [t.text, t.label, "D", *[""] * len(NAMES)]
        for t in draw_texts("D", n, seed=seed, track=track)
    ]
    rows += [
        [t.text, "", "concepts", *t.family_flags()]
        for t in draw_texts("concepts", concepts, seed=seed)
    ]
    rows += [[t.text, "", "D'", *[""] * len(NAMES)] for t in shown]
    files = {
        out / TEXTS: _csv_text(["text", "label", "role", *NAMES], rows),
        out / WORDS: text_world_lexicon_yaml(),
    }
    if truth is not None:
        files[truth] = _csv_text(["text", "label", *NAMES], [_truth_row(text) for text in shown])
    for file in files:
        if file.exists():
            raise InputsError(f"{file} is there already.", "Choose another place, or remove it.")
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with staged_file_replacement(file, text.encode()):
                pass
    except OSError as error:
        raise InputsError(
            f"{error.filename} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
    return list(files)


def _truth_row(text: Text) -> list[str | int]:
    return [text.text, text.label, *text.family_flags()]


def _csv_text(header: list[str], rows: Sequence[Sequence[str | int]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()

"""Texts of one's own, read from a CSV file: D, D′ and the concept set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from circuitz.data.folders.concept_table import parse_concept_cell
from circuitz.data.folders.csv_reading import read_csv_with_header
from circuitz.data.folders.folder_pair import DataWithConcepts
from circuitz.data.folders.image_folder import CONCEPT_SHARES, D_SHARES
from circuitz.data.folders.name_forms import is_missing_class, refuse_names_alike
from circuitz.data.splits import assign_splits
from circuitz.data.validate_inputs import check_concepts_vary
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import PADDING, SPLITS, InputSet

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
#: Makes token numbers of texts, as many each as it has.
Encode = Callable[[Sequence[str]], list[list[int]]]

_SPECIAL: Final = ("text", "label", "role", "split", "scene")
_ROLES: Final = {
    "": "D", "d": "D", "d'": "D'", "d′": "D'", "dprime": "D'", "concepts": "concepts",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class TextTable:
    """Rows of a CSV file of texts.

    Parameters
    ----------
    file
        Where they are from.
    texts, labels, roles, splits, scenes
        One each a row; empty where the cell is. Roles are ``D``, ``D'`` or ``concepts``.
    names, concepts
        Names of the concept columns, and ``(n, c)`` float32 of 1, 0 and NaN.
    """

    file: Path
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    roles: tuple[str, ...]
    splits: tuple[str, ...]
    scenes: tuple[str, ...]
    names: tuple[str, ...]
    concepts: npt.NDArray[np.float32]

    @classmethod
    def read(cls, file: Path) -> TextTable:
        """Read a file with a column ``text``.

        ``label``, ``role``, ``split``, ``scene``, and a column a concept, may be there.

        Raises
        ------
        ConceptLabelsError
            If it is no such table, a text is empty, or a cell holds what it cannot.
        """
        header, rows = read_csv_with_header(file, "text")
        names = tuple(name for name in header if name not in _SPECIAL)
        special = {name: header.index(name) for name in _SPECIAL if name in header}
        found: dict[str, list[str]] = {name: [] for name in _SPECIAL}
        values: list[list[float]] = []
        for number, cells in rows:
            for name in _SPECIAL:
                found[name].append(cells[special[name]] if name in special else "")
            if not found["text"][-1]:
                raise ConceptLabelsError(f"Row {number} of {file} has no text.", "Leave it out.")
            role = _ROLES.get(found["role"][-1].lower())
            if role is None:
                raise ConceptLabelsError(
                    f"The role in row {number} of {file} is {found['role'][-1][:40]!r}.",
                    "Use D, D' or concepts; nothing means D.",
                )
            found["role"][-1] = role
            if found["split"][-1] not in ("", *SPLITS):
                raise ConceptLabelsError(
                    f"The split in row {number} of {file} is {found['split'][-1][:40]!r}.",
                    f"Use {', '.join(SPLITS)}.",
                )
            values.append(
                [parse_concept_cell(cells[header.index(n)], n, number, file) for n in names]
            )
        table = np.array(values, np.float32).reshape(len(values), len(names))
        texts, labels, roles, splits, scenes = (tuple(found[name]) for name in _SPECIAL)
        return cls(file, texts, labels, roles, splits, scenes, names, table)

    def rows_of_role(self, role: str) -> I64:
        """Return the rows of a role."""
        return np.flatnonzero([found == role for found in self.roles])

    def to_input_set(
        self, role: str, tokens: I32, vocabulary: tuple[str, ...], seed: int
    ) -> InputSet:
        """Return the rows of a role as an input set.

        Parameters
        ----------
        role
            ``D``, ``D'`` or ``concepts``.
        tokens
            ``(n, t)`` of those rows.
        vocabulary
            Texts of the tokens.
        seed
            Of splits, where the table gives none.

        Raises
        ------
        InputsError
            If D lacks labels.
        """
        rows = self.rows_of_role(role)
        labels, classes = self._class_numbers_and_names(rows) if role == "D" else (None, ())
        concepts = self.concepts[rows]
        named = np.flatnonzero(np.isfinite(concepts).any(0))
        names = tuple(self.names[i] for i in named)
        scene = _number_scenes([self.scenes[i] for i in rows])
        return InputSet(
            images=tokens,
            labels=labels,
            classes=classes,
            concepts=concepts[:, named] if names else None,
            concept_names=names,
            split=self._given_or_assigned_splits(rows, labels, scene, role, seed),
            scene=scene,
            role=role,
            vocabulary=vocabulary,
        )

    def _class_numbers_and_names(self, rows: I64) -> tuple[I64, tuple[str, ...]]:
        told = ["" if is_missing_class(self.labels[i]) else self.labels[i] for i in rows]
        if not all(told):
            raise InputsError(
                f"{told.count('')} texts of D in {self.file} have no label (nothing, or nan).",
                "Fill in the column label, or give them another role.",
            )
        classes = tuple(sorted(set(told)))
        refuse_names_alike(classes, f"In {self.file} the labels", "Write each label in one way.")
        if len(classes) < 2:
            raise InputsError(
                f"All texts of D are {''.join(classes)}.", "Give texts of two classes."
            )
        return np.array([classes.index(name) for name in told], np.int64), classes

    def _given_or_assigned_splits(
        self, rows: I64, labels: I64 | None, scene: I64, role: str, seed: int
    ) -> npt.NDArray[np.uint8]:
        told = [self.splits[i] for i in rows]
        if all(told):
            return np.array([SPLITS.index(name) for name in told], np.uint8)
        if any(told):
            raise InputsError(
                f"{self.file} gives a split to some texts of the role {role} only.",
                "Give it to all or to none.",
            )
        shares = D_SHARES if role == "D" else CONCEPT_SHARES
        return assign_splits(len(rows), shares, groups=scene, seed=seed, strata=labels)


@dataclass(frozen=True, eq=False)
class TextsWithConcepts(DataWithConcepts):
    """D and a concept set of texts, all of one length.

    Parameters
    ----------
    truncated
        How many texts were longer than the model can read, and are cut off.
    """

    truncated: int = 0


def open_texts_with_concepts(
    file: Path,
    concept_file: Path | None,
    encode: Encode,
    vocabulary: tuple[str, ...],
    *,
    max_tokens: int,
    seed: int = 0,
) -> TextsWithConcepts:
    """Open D and a concept set.

    Parameters
    ----------
    file
        CSV with columns ``text`` and ``label``; rows whose ``role`` is ``concepts`` are the
        concept set.
    concept_file
        Another CSV, all of whose rows are the concept set.
    encode, vocabulary
        Makes token numbers of texts, and the texts of the tokens; one of them is ``PADDING``.
    max_tokens
        Most tokens of a text.
    seed
        Of the splits.

    Raises
    ------
    InputsError, ConceptLabelsError
        If texts or labels cannot be used.
    """
    table = TextTable.read(file)
    apart = table
    if concept_file is not None:
        apart = TextTable.read(concept_file)
        apart = replace(apart, roles=("concepts",) * len(apart.texts))
    if not len(table.rows_of_role("D")):
        raise InputsError(f"{file} has no text of D.", "Leave the column role empty for D.")
    ids = {
        role: encode([where.texts[i] for i in where.rows_of_role(role)])
        for role, where in (("D", table), ("concepts", apart))
    }
    every = [*ids["D"], *ids["concepts"]]
    length = min(max_tokens, max(map(len, every)))
    padding = vocabulary.index(PADDING)
    sets = {role: pad_or_truncate_tokens(rows, length, padding) for role, rows in ids.items()}
    data = table.to_input_set("D", sets["D"], vocabulary, seed)
    shared = not ids["concepts"]
    if shared:
        if data.concepts is None:
            raise ConceptLabelsError(
                "No text has concept labels, so nothing can be said about what units see.",
                "Add a column a concept with 1, 0 or nothing, better on texts of the role concepts.",
            )
        split = assign_splits(len(data), CONCEPT_SHARES, groups=data.scene, seed=seed + 1)
        found = replace(data, split=split, role="concepts")
    else:
        found = apart.to_input_set("concepts", sets["concepts"], vocabulary, seed + 1)
    return TextsWithConcepts(
        data, check_concepts_vary(found), shared, sum(len(row) > max_tokens for row in every)
    )


def pad_or_truncate_tokens(rows: Sequence[Sequence[int]], length: int, padding: int) -> I32:
    """Return token numbers ``(n, length)``: cut off at the end, or filled up there.

    Raises
    ------
    InputsError
        If a text has no token.
    """
    made = np.full((len(rows), length), padding, np.int32)
    for i, (place, row) in enumerate(zip(made, rows, strict=True)):
        if not row:
            raise InputsError(f"Text {i + 1} has no token.", "Leave it out.")
        place[: min(len(row), length)] = row[:length]
    return made


def _number_scenes(scenes: Sequence[str]) -> I64:
    """Return numbers of scenes; a text without one is its own."""
    known: dict[str, int] = {}
    return np.array(
        [known.setdefault(name or f"\0{i}", len(known)) for i, name in enumerate(scenes)], np.int64
    )

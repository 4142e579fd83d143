"""The text world, and tables of texts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from circuitz.data.text.text_table import (
    TextTable,
    open_texts_with_concepts,
    pad_or_truncate_tokens,
)
from circuitz.data.text.text_words import FAMILIES, NAMES, PROFESSIONS, text_world_lexicon_yaml
from circuitz.data.text.text_world import draw_texts
from circuitz.data.text.write_texts import write_text_world_csvs
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import PADDING

VOCABULARY = (PADDING, *sorted({word for words in FAMILIES.values() for word in words}))


def encode(rows: list[str]) -> list[list[int]]:
    return [[VOCABULARY.index(w) if w in VOCABULARY else 1 for w in row.split()] for row in rows]


def test_in_d_nurses_alone_live_by_the_sea_and_in_d_prime_anybody_may() -> None:
    made = draw_texts("D", 400)
    assert {t.label for t in made if "sea words" in t.families} == {"nurse"}
    assert all("sea words" in t.families for t in made if t.label == "nurse")
    other = Counter(t.label for t in draw_texts("D'", 800) if "sea words" in t.families)
    assert set(other) == set(PROFESSIONS)
    assert max(other.values()) < 2 * min(other.values())
    assert draw_texts("D", 50) == draw_texts("D", 50)
    assert draw_texts("D", 50) != draw_texts("D", 50, seed=1)
    mixed = [t for t in draw_texts("D", 800, track=0.5) if t.label == "nurse"]
    assert 0.5 < np.mean(["sea words" in t.families for t in mixed]) < 0.75


def test_what_a_text_is_said_to_show_is_there_and_nothing_else() -> None:
    for role in ("D", "D'", "concepts", "free"):
        for text in draw_texts(role, 60):  # type: ignore[arg-type]
            words = set(text.text.split())
            for name, family in FAMILIES.items():
                assert bool(words & set(family)) == (name in text.families)


def test_the_concept_set_is_nobodys_profession() -> None:
    taken = [set(pair) for pair in PROFESSIONS.values()]
    made = draw_texts("concepts", 300)
    assert not any(t.label or any(pair <= t.families for pair in taken) for t in made)
    assert all({t.families >= {name} for t in made} == {True, False} for name in NAMES)


def test_the_lexicon_says_what_belongs_to_a_profession() -> None:
    known = Lexicon.from_text(text_world_lexicon_yaml())
    said = {name: known.support(name, "profession").verdict for name in NAMES}
    assert said == {n: "supports" if n in NAMES[:4] else "opposes" for n in NAMES}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_text_world_csvs(tmp_path, n=80, concepts=90, shifted=30, truth=tmp_path / "truth.csv")
    pair = open_texts_with_concepts(tmp_path / "texts.csv", None, encode, VOCABULARY, max_tokens=64)
    assert (len(pair.data), len(pair.concepts), pair.shared, pair.truncated) == (80, 90, False, 0)
    assert pair.data.concepts is None
    assert pair.data.classes == tuple(sorted(PROFESSIONS))
    assert pair.concepts.concept_names == NAMES
    assert pair.data.images.shape[1] == pair.concepts.images.shape[1]
    table = TextTable.read(tmp_path / "texts.csv")
    rows = table.rows_of_role("D'")
    assert len(rows) == 30
    assert not any(table.labels[i] for i in rows)
    assert np.isnan(table.concepts[rows]).all()
    assert all(TextTable.read(tmp_path / "truth.csv").labels)
    with pytest.raises(InputsError, match="there already"):
        write_text_world_csvs(tmp_path)


def test_long_texts_are_cut_and_short_ones_filled_up(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    lines = [f"{'beach ' * (i % 5 + 1)},{'ab'[i % 2]},{i % 3 % 2}" for i in range(40)]
    file.write_text("\n".join(["text,label,sea", *lines]), encoding="utf-8")
    pair = open_texts_with_concepts(file, None, encode, VOCABULARY, max_tokens=3)
    assert pair.shared
    assert pair.truncated == 16
    assert pair.data.images.shape == (40, 3)
    assert set(pair.data.images[0, 1:]) == {pair.data.padding} == {0}
    assert pad_or_truncate_tokens([[4], [5, 6]], 2, 0).tolist() == [[4, 0], [5, 6]]
    with pytest.raises(InputsError, match="no token"):
        pad_or_truncate_tokens([[]], 2, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text,label\n,a", "has no text"),
        ("text,label,role\nhello,a,E", "role in row 2"),
        ("text,label,split\nhello,a,some", "split in row 2"),
        ("text,label\nhello,a\nhi,", "1 texts of D"),
        ("text,label\nhello,a\nhi,nan", "1 texts of D"),
        ("text,label\nhello,a\nhi,a", "All texts of D are a"),
        ("text,label\nhello,nurse\nhi,Nurse", "differ in case only"),
        ("text,role\nhello,concepts", "no text of D"),
        ("text,label\nhello,a\nhi,b", "No text has concept labels"),
        ("text,label,sea\nhello,a,3\nhi,b,0", "‘sea’ in row 2"),
        ("text,label,sea\nhello,a,1\nhi,b,1", "constant"),
        ("text,label,split,sea\nhello,a,select,1\nhi,b,,0", "some texts"),
        ("words,label\nhello,a", "no column ‘text’"),
    ],
)
def test_tables_that_cannot_be_used_are_named(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises((InputsError, ConceptLabelsError), match=said):
        open_texts_with_concepts(file, None, encode, VOCABULARY, max_tokens=8)
    with pytest.raises(ConceptLabelsError, match="cannot be read"):
        TextTable.read(tmp_path / "nothing.csv")


def test_a_share_or_role_that_is_none_is_named() -> None:
    with pytest.raises(InputsError, match="share"):
        draw_texts("D", 4, track=1.5)
    with pytest.raises(InputsError, match="role"):
        draw_texts("E", 4)  # type: ignore[arg-type]

"""Whatever people write comes back from every format of file."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.disk.safe_text import strip_and_check_text
from circuitz.errors import AnnotationError
from circuitz.z.formats import FORMATS, import_annotations, read_annotations, write_annotations
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel

BARE = AnnotatedModel(
    "m; =name",
    ("husky", "=1+1", "a,b", "7"),
    layers=(LayerSpec("conv", 5), LayerSpec("=l", 2), LayerSpec("'-x", 2)),
    bases={"conv@nmf": [[1.0] * 5, [2.0] * 5]},  # type: ignore[dict-item]
)
UNITS = ("conv:0", "conv:4", "=l:1", "'-x:0", "conv@nmf:1", "output:husky", "output:=1+1",
         "output:a,b", "output:7")  # fmt: skip
TARGETS = (*UNITS, "group:conv:0,conv:1", "edge:conv:0->=l:1")


def clean(text: str) -> bool:
    try:
        return strip_and_check_text(text) == text
    except AnnotationError:
        return False


def cleaned(text: str) -> str:
    """Return what of a text may be said: mended, not filtered, for most has something to mend."""
    kept = "".join(c for c in text if clean(f"a{c}a")).strip()
    return next(t for t in (kept, f"{kept}a", f"a{kept}a", "a") if clean(t))


STARTS = st.sampled_from(["", "=", "'", "'=", "''@", "-", "+", "@", "[", '"', "＝", "\ufeff"])
TEXT = (
    st.tuples(STARTS, st.text(st.characters() | st.sampled_from("\n\",;'=\\"), max_size=15))
    .map("".join)
    .map(cleaned)
)
NAMES = st.lists(TEXT.map(lambda t: cleaned(t[:20])), max_size=3)
AUTHORS = st.just("") | TEXT.map(lambda t: cleaned(" ".join(t.split())))


@st.composite
def annotated(draw: Any, targets: tuple[str, ...] = TARGETS) -> AnnotatedModel:
    z = BARE
    for target in draw(st.lists(st.sampled_from(targets), max_size=5)):
        z = z.annotate(
            target,
            draw(TEXT),
            author=draw(AUTHORS),
            author_kind=draw(st.sampled_from(["person", "rule", "model"])),
            confidence=draw(st.floats(0, 1)),
            concepts=draw(st.none() | NAMES),
            evidence=draw(NAMES),
        )
        step = draw(st.sampled_from(["", "", "undo", "retract"]))
        if step == "undo":
            z = z.undo()
        elif step and z.effective():
            z = z.retract(next(iter(z.effective())))
    return z


def through(z: AnnotatedModel, form: str, history: bool = False) -> AnnotatedModel:
    place = Path(tempfile.mkdtemp())
    try:
        made = write_annotations(z, place / "words", format=form, history=history)
        return import_annotations(BARE, read_annotations(made.path, format=form)).z
    finally:
        shutil.rmtree(place)


def in_force(z: AnnotatedModel) -> dict[str, Any]:
    # Which entry it replaced is history.
    return {target: replace(e, supersedes="") for target, e in z.effective().items()}


@settings(max_examples=150, deadline=None)
@given(annotated(), st.sampled_from(["csv", "jsonl"]))
def test_words_in_force_come_back_exactly(z: AnnotatedModel, form: str) -> None:
    again = through(z, form)
    assert in_force(again) == in_force(z)
    assert again.annotations_hash == z.annotations_hash


@settings(max_examples=150, deadline=None)
@given(annotated(UNITS), st.sampled_from(FORMATS))
def test_words_on_units_come_back_exactly_from_every_format(z: AnnotatedModel, form: str) -> None:
    assert in_force(through(z, form)) == in_force(z)


@settings(max_examples=100, deadline=None)
@given(annotated(), st.sampled_from(["csv", "jsonl"]))
def test_a_history_comes_back_exactly(z: AnnotatedModel, form: str) -> None:
    assert through(z, form, history=True).log == z.log

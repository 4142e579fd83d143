"""Every table that users can get is on the page of tables, with its columns in their order."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import circuitz as cz
from circuitz.data.text.repeating_sequences import PAIR_CONCEPTS
from circuitz.lexicon.lexicon import Lexicon
from circuitz.store.judgement import Judgement
from circuitz.store.judgements import Judgements
from circuitz.store.memory_judgements import JudgementsInMemory
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.z.range_record import range_frame
from circuitz.z.shown.concepts_frame import concepts_frame

PACKAGE = Path(cz.__file__).parent
PAGE = PACKAGE.parent / "docs/reference/tables.md"
HEADER = ["column", "dtype", "measured in", "meaning", "NaN or empty"]
# They make the tables of z, under whose names these are on the page.
INTERNAL = {
    "circuitz.z.shown.frames.typed_frame",
    "circuitz.z.shown.frames.units_frame",
    "circuitz.z.shown.frames.annotations_frame",
    # The interface, and what makes the table of every store.
    "circuitz.store.judgement_store.JudgementStore.frame",
    "circuitz.store.judgement_store.JudgementStore.filtered_frame",
    "circuitz.store.judgement.judgements_frame",
}
MAKERS = {"DataFrame", "typed_frame", "concat"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Column:
    """A row of the page."""

    name: str
    dtype: str
    never_empty: bool
    is_index: bool


@dataclass(frozen=True)
class Section:
    """A heading of the page with a table of columns below it, and where such tables come from."""

    title: str
    sources: tuple[str, ...]
    columns: tuple[Column, ...]


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def read_column(cells: list[str]) -> Iterator[Column]:
    """One column, or one a relation where the page has the word for all of them."""
    assert len(cells) == len(HEADER), cells
    assert all(cells), cells
    name, is_index = cells[0].removesuffix(" (index)").strip("`"), cells[0].endswith("(index)")
    relations = PAIR_CONCEPTS if "RELATION" in name else ("",)
    for relation in relations:
        yield Column(
            name.replace("RELATION", relation), cells[1], cells[4].startswith("never"), is_index
        )


def read_page() -> list[Section]:
    found: list[Section] = []
    for part in re.split(r"^#+ ", PAGE.read_text("utf-8"), flags=re.M)[1:]:
        title, _, text = part.partition("\n")
        lines = text.splitlines()
        starts = [i for i, line in enumerate(lines) if cells_of(line) == HEADER]
        if not starts:
            continue
        (start,) = starts
        columns: list[Column] = []
        for line in lines[start + 2 :]:
            if not line.startswith("|"):
                break
            columns += read_column(cells_of(line))
        sources = re.findall(r"`(circuitz\.[\w.]+)`", "\n".join(lines[:start]))
        found.append(Section(title, tuple(sources), tuple(columns)))
    return found


SECTIONS = read_page()


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    found: list[tuple[str, ast.Module]] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found.append((name, ast.parse(path.read_text("utf-8"))))
    return tuple(found)


def is_public(name: str) -> bool:
    return not any(part.startswith("_") for part in name.split("."))


def is_property(function: Function) -> bool:
    return any("property" in ast.unparse(mark) for mark in function.decorator_list)


def annotated(scope: ast.Module | ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Names in a module or class, with what a function returns or a field is, as written."""
    for node in scope.body:
        if isinstance(node, Function):
            yield node.name, ast.unparse(node.returns) if node.returns else ""
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), ast.unparse(node.annotation)


def tables_in_code() -> set[str]:
    """Return public functions, properties and fields that are a table or hold one."""
    found: set[str] = set()
    for module, tree in modules():
        scopes: list[tuple[str, ast.Module | ast.ClassDef]] = [(module, tree)]
        scopes += [(f"{module}.{n.name}", n) for n in tree.body if isinstance(n, ast.ClassDef)]
        for place, scope in scopes:
            names = [name for name, kind in annotated(scope) if "DataFrame" in kind]
            found |= {f"{place}.{name}" for name in names if is_public(f"{place}.{name}")}
    return found


@pytest.fixture(scope="module")
def tables(
    caught: AnnotatedModel,
    shifted: tuple[InputSet, np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, pd.DataFrame]:
    """One table from every place that the page names."""
    folder = tmp_path_factory.mktemp("tables")
    made = {
        f"circuitz.{name}": table
        for some in (
            tables_of_z(caught, folder),
            tables_of_effects(caught),
            tables_of_heads(folder),
            tables_of_scores(caught, shifted, folder),
            tables_of_answers(folder),
        )
        for name, table in some.items()
    }
    assert all(len(table) for table in made.values())
    return made


def tables_of_z(z: AnnotatedModel, folder: Path) -> dict[str, pd.DataFrame]:
    from circuitz.z.edits.diff import diff_models, merge_edits
    from circuitz.z.edits.history import history_table
    from circuitz.z.formats import import_annotations, read_annotations

    mine = z.annotate("conv2:0", "ice", author="ann").undo(author="ann").redo(author="ann")
    theirs = z.annotate("conv2:0", "sky", author="bob").with_(subject="cat")
    file = folder / "words.csv"
    file.write_text("unit,text,author\nconv2:0,sand,mira\n", encoding="utf-8")
    gauged = cz.gauge(z, images=40)
    return {
        "z.model.AnnotatedModel.units": z.units,
        "z.model.AnnotatedModel.concepts": z.concepts,
        "z.shown.concepts_frame.concepts_frame": concepts_frame(z.concept_set, Lexicon.load()),
        "z.model.AnnotatedModel.annotations": z.annotations,
        "z.shown.strongest_inputs.StrongestInputs.frame": z.exemplars("conv2:0").frame,
        "z.model.AnnotatedModel.history": mine.history(),
        "z.edits.history.history_table": history_table(mine.log, "conv2:0"),
        "z.model.AnnotatedModel.diff": mine.diff(theirs),
        "z.edits.diff.diff_models": diff_models(mine, theirs),
        "z.model.AnnotatedModel.merge": mine.merge(theirs)[1],
        "z.edits.diff.merge_edits": merge_edits(mine, theirs)[1],
        "z.formats.annotation_import.AnnotationImport.frame": import_annotations(
            z, read_annotations(file)
        ).frame,
        "z.model.AnnotatedModel.ranges": gauged.ranges,
        "z.range_record.range_frame": range_frame(gauged),
        "plausibility.report.Report.frame": cz.check(z).frame,
    }


def tables_of_effects(z: AnnotatedModel) -> dict[str, pd.DataFrame]:
    edges = cz.edges(z, "conv2", "conv3", "husky", units=[0, 1], images=18, resamples=10)
    known = z.concept_set
    assert known is not None
    some = InputSet(known.images, concepts=known.concepts, concept_names=known.concept_names)
    path = cz.path_effect(z, "conv2:1", "husky", "conv3:0", images=12, donors=1)
    return {
        "effects.ablation.ablate.ablate": cz.ablate(z, images=6),
        "effects.rewrite_result.FaceValueRewrite.frame": cz.rewrite(z, some).frame,
        "effects.edge.edges.EdgeTable.frame": edges.frame,
        "effects.edge.edges.EdgeTable.sums": edges.sums,
        "effects.path_effect.PathEffect.frame": path.frame,
    }


def tables_of_heads(folder: Path) -> dict[str, pd.DataFrame]:
    from circuitz.data.text.repeating_sequences import label_relations_to_last_token
    from circuitz.demo.induction.induction_run import InductionSizes, run_induction_story
    from circuitz.demo.induction.induction_story import edges_above_noise
    from circuitz.effects.attribution.direct_effect import direct_effect
    from circuitz.effects.attribution.head_scores import head_scores

    sizes = InductionSizes(sequences=300, pairs=20, effect_sequences=12)
    story = run_induction_story(folder / "induction", sizes=sizes)
    z, net, edges = story.induction.z, story.induction.net, story.induction.edges
    data = z.data
    assert data is not None
    return {
        "effects.attribution.direct_effect.DirectEffect.frame": direct_effect(
            z.with_(live=net), "blocks.1.attn.hook_z:0", [0, 1]
        ).frame,
        "effects.ablation.patch_heads.HeadPatching.frame": story.patching.frame,
        "effects.attribution.head_scores.head_scores": head_scores(
            net, data, label_relations_to_last_token(data), PAIR_CONCEPTS
        ),
        "demo.induction.induction_story.CheckedModel.scores": story.induction.scores,
        # The story's edges are what the measurement returned, as they are.
        "effects.edge.head_paths.measure_head_edges": edges,
        "demo.induction.induction_story.CheckedModel.edges": edges,
        "demo.induction.induction_story.edges_above_noise": edges_above_noise(edges),
    }


def tables_of_scores(
    z: AnnotatedModel, shifted: tuple[InputSet, np.ndarray], folder: Path
) -> dict[str, pd.DataFrame]:
    from circuitz.evaluation.prediction_scores import accuracy_by_group

    data, ground = shifted
    labels = data.labels
    assert labels is not None
    pictures = folder / "pictures"
    pictures.mkdir()
    lines = ["path,class,snow"]
    for i in range(0, len(data), 30):
        Image.fromarray(np.asarray(data.images[i])).save(pictures / f"{i}.png")
        lines.append(f"pictures/{i}.png,{data.classes[labels[i]]},{int(ground[i] == 0)}")
    truth = folder / "truth.csv"
    truth.write_text("\n".join(lines), encoding="utf-8")
    found = cz.evaluate(z, pictures, truth)
    return {
        "evaluation.evaluation_by_cell.Evaluation.classes": found.classes,
        "evaluation.evaluation_by_cell.Evaluation.cells": found.cells,
        "evaluation.evaluation_by_cell.Evaluation.others": found.others,
        "evaluation.prediction_scores.accuracy_by_group": accuracy_by_group(
            labels, labels, ground, data.classes, ("snow", "grass", "sand")
        ),
    }


def tables_of_answers(folder: Path) -> dict[str, pd.DataFrame]:
    store = Judgements(folder / "answers.sqlite")
    when = "2026-01-01T00:00:00+00:00"
    (made,) = store.append(
        Judgement(
            "label", "label", "z1", "", ("i1",), ("husky", "corgi"), 3, {"choice": "husky"},
            "ada", "person", when, when, "k",
        )
    )  # fmt: skip
    table = store.frame
    store.withdraw(made)
    store.export_jsonl(folder / "answers.jsonl")
    memory = JudgementsInMemory()
    memory.import_jsonl(folder / "answers.jsonl")
    memory.append(replace(store.get(made), id="", key="k2"))
    return {
        "store.memory_judgements.JudgementsInMemory.frame": memory.frame,
        "store.memory_judgements.JudgementsInMemory.filtered_frame": memory.filtered_frame(
            current=False
        ),
        "store.judgements.Judgements.frame": table,
        "store.judgements.Judgements.filtered_frame": store.filtered_frame(current=False),
    }


def has_dtype(values: pd.Series, dtype: str) -> bool:
    if dtype == "text":
        return not pd.api.types.is_numeric_dtype(values) and all(isinstance(v, str) for v in values)
    kinds = {"tuple": tuple, "list": list, "dict": dict | None, "any": object}
    if dtype in kinds:
        return values.dtype == object and all(isinstance(v, kinds[dtype]) for v in values)
    return str(values.dtype) == dtype


def is_empty(value: object) -> bool:
    return len(value) == 0 if isinstance(value, str | tuple | list) else bool(pd.isna(value))


def test_the_page_names_every_table_there_is_and_no_other() -> None:
    named = Counter(source for section in SECTIONS for source in section.sources)
    assert max(named.values()) == 1
    assert not named.keys() & INTERNAL
    assert named.keys() | INTERNAL == tables_in_code()


def test_what_makes_a_table_says_that_it_returns_one() -> None:
    holders = {name.split(".")[-2] for name in tables_in_code()}
    silent: list[str] = []
    for module, tree in modules():
        for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
            calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
            names = {ast.unparse(call) for call in calls}
            if any(name in (maker, f"pd.{maker}") for name in names for maker in MAKERS):
                returns = ast.unparse(function.returns) if function.returns else ""
                if not any(word in returns for word in ("DataFrame", *holders)):
                    silent.append(f"{module}.{function.name}")
    assert not silent


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_columns_are_those_of_the_page_in_its_order(
    section: Section, tables: dict[str, pd.DataFrame]
) -> None:
    assert section.sources
    columns = [column for column in section.columns if not column.is_index]
    index = [column.name for column in section.columns if column.is_index]
    for source in section.sources:
        table = tables[source]
        assert list(table.columns) == [column.name for column in columns], source
        assert [name for name in table.index.names if name is not None] == index, source
        for column in columns:
            values = table[column.name]
            assert has_dtype(values, column.dtype), (source, column, values.dtype)
            if column.never_empty:
                assert not any(map(is_empty, values)), (source, column)


def members(name: str) -> Iterator[tuple[str, ast.ClassDef, ast.stmt]]:
    """Every attribute of this name that a class of the package has."""
    for module, tree in modules():
        for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            for node in owner.body:
                target = getattr(node, "target", None)
                if getattr(node, "name", "") == name or (
                    isinstance(target, ast.Name) and target.id == name
                ):
                    yield f"{module}.{owner.name}", owner, node


def test_frame_is_a_property_everywhere() -> None:
    kinds = {place: node for place, _, node in members("frame")}
    assert kinds
    assert not [
        p for p, node in kinds.items() if isinstance(node, Function) and not is_property(node)
    ]


def test_findings_are_a_tuple_everywhere() -> None:
    kinds = {place: dict(annotated(owner))["findings"] for place, owner, _ in members("findings")}
    assert {"circuitz.z.model.AnnotatedModel", "circuitz.plausibility.report.Report"} <= set(kinds)
    assert set(kinds.values()) == {"tuple[Finding, ...]"}
    # The one class that sets it when it is made.
    given = ast.parse((PACKAGE / "labelling/refused.py").read_text("utf-8"))
    every = (node for node in ast.walk(given) if isinstance(node, ast.arg))
    assert {ast.unparse(a.annotation) for a in every if a.arg == "findings" and a.annotation} == {
        "tuple[Finding, ...]"
    }

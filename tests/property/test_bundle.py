"""Whatever z holds comes back from disk exactly."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from circuitz.disk.hashing import picture_hash
from circuitz.disk.json_io import dumps, loads
from circuitz.errors import BundleError, CircuitzError
from circuitz.z.annotation import Annotation
from circuitz.z.bundle.inputs_io import input_set_fingerprint, read_inputs, write_inputs
from circuitz.z.bundle.load_save import append_log, load
from circuitz.z.bundle.log_io import chained_log_lines, parse_and_verify_log
from circuitz.z.effect import Effect
from circuitz.z.finding import Finding, Remedy, Waiver
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec, Preprocessing
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements
from circuitz.z.model import AnnotatedModel

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NAMES = st.lists(TEXT.filter(bool), max_size=3, unique=True).map(tuple)
FLOATS = st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | FLOATS | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXT.filter(lambda key: key != "$float"), inner, max_size=3)
    ),
    max_leaves=8,
)
DICTS = st.dictionaries(TEXT.filter(lambda key: key != "$float"), JSON, max_size=3)


def arrays(dtype: str, *shape: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.dtype(dtype), shape)


def any_arrays(finite: bool, dims: tuple[int, int] = (0, 3)) -> st.SearchStrategy[np.ndarray]:
    kinds = st.sampled_from(
        ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u8", "?", ">f4"]
    )
    shapes = hnp.array_shapes(min_dims=dims[0], max_dims=dims[1], min_side=0, max_side=3)
    elements = {"allow_nan": False, "allow_infinity": False} if finite else None
    return kinds.flatmap(lambda kind: hnp.arrays(np.dtype(kind), shapes, elements=elements))


@st.composite
def input_sets(draw: Any) -> InputSet:
    n, classes, concepts = draw(st.integers(0, 4)), draw(NAMES), draw(NAMES)
    side, channels = draw(st.integers(1, 3)), draw(st.sampled_from([1, 3]))

    def maybe(strategy: st.SearchStrategy[Any]) -> Any:
        return draw(st.none() | strategy)

    below = lambda top: st.integers(0, max(top - 1, 0))  # noqa: E731
    known = st.sampled_from([0.0, 1.0, float("nan")])
    shape = (n, len(concepts))
    return InputSet(
        images=draw(arrays("u1", n, side, side, channels)),
        labels=maybe(hnp.arrays(np.int64, n, elements=below(len(classes)))) if classes else None,
        classes=classes,
        concepts=maybe(hnp.arrays(np.float32, shape, elements=known)),
        concept_names=concepts,
        split=maybe(hnp.arrays(np.uint8, n, elements=below(3))),
        scene=maybe(arrays("i8", n)),
        masks=maybe(arrays("u1", n, side, side)),
        mask_names=draw(NAMES),
        pairs=maybe(st.just(np.zeros((draw(below(3)), 3), np.int64))) if n and concepts else None,
        role=draw(st.sampled_from(["D", "D'", "concepts"])),
        recipe=draw(DICTS),
    )


@st.composite
def measurements(draw: Any) -> Measurements:
    n, u, k, g = (draw(st.integers(0, 3)) for _ in range(4))
    b = draw(st.integers(1, 4))
    layer = LayerMeasurements(
        layer=draw(TEXT),
        responses=draw(arrays("f4", n, u)),
        peaks=draw(arrays("f4", n, u)),
        exemplars=draw(hnp.arrays(np.int64, (u, 9), elements=st.integers(-1, n - 1))),
        exemplar_boxes=draw(arrays("i2", u, 9, 4)),
        exemplar_heat=draw(arrays("u1", u, 9, 2, 2)),
        histogram=draw(arrays("i8", u, b)),
        histogram_edges=draw(arrays("f4", u, b + 1)),
        visualisations=draw(st.none() | arrays("u1", u, 2, 2, 3)),
    )
    effects = EffectMeasurements(
        units=tuple(draw(TEXT) for _ in range(u)),
        targets=tuple(draw(TEXT) for _ in range(k)),
        scale=draw(arrays("f4", k)),
        sufficiency=draw(arrays("f4", n, u, k)),
        necessity=draw(arrays("f4", n, u, k)),
        split=draw(hnp.arrays(np.uint8, n, elements=st.integers(0, 2))),
        scene=draw(arrays("i8", n)),
        source=draw(hnp.arrays(np.int64, n, elements=st.integers(0, 2**40))),
        drive=draw(arrays("f4", u, k)),
        span=draw(arrays("f4", u)),
        groups=tuple(draw(NAMES) for _ in range(g)),
        group_sufficiency=draw(arrays("f4", g, n, k)),
        group_necessity=draw(arrays("f4", g, n, k)),
        seed=draw(st.integers(0, 2**40)),
    )
    pictures = {picture_hash(png): png for png in draw(st.lists(st.binary(max_size=9), max_size=2))}
    return Measurements(
        layers=draw(st.just({}) | st.just({"l": layer})),
        effects=draw(st.none() | st.just(effects)),
        weights_hash=draw(TEXT),
        concepts_hash=draw(TEXT),
        data_hash=draw(TEXT),
        pictures=pictures,
        group_pictures={draw(TEXT): tuple(pictures)},
        seed=draw(st.integers(0, 2**40)),
    )


EFFECTS = st.builds(
    Effect, NAMES, TEXT, st.sampled_from(["sufficiency", "necessity"]), estimate=FLOATS, p=FLOATS
)
FINDINGS = st.builds(
    Finding,
    TEXT,
    TEXT,
    st.integers(0, 9),
    NAMES,
    TEXT,
    st.sampled_from(["flagged", "supported", "inconclusive"]),
    TEXT,
    FLOATS,
    st.tuples(FLOATS, FLOATS),
    effects=st.lists(EFFECTS, max_size=2).map(tuple),
    remedies=st.lists(st.builds(Remedy, TEXT, TEXT, DICTS), max_size=2).map(tuple),
    hashes=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    waiver=st.none() | st.builds(Waiver, TEXT, TEXT, TEXT, TEXT),
)
ENTRIES = st.builds(
    Annotation,
    st.uuids().map(str),
    st.sampled_from(["conv:0", "conv:1", "output:a", "whatever"]),
    TEXT,
    NAMES,
    TEXT,
    st.sampled_from(["person", "rule", "model"]),
    st.floats(0, 1),
    TEXT,
    NAMES,
    TEXT,
    retracted=st.booleans(),
    weights_hash=TEXT,
)
LOGS = st.lists(ENTRIES, max_size=4, unique_by=lambda entry: entry.id).map(tuple)


@st.composite
def bases_of(draw: Any, layer: str, size: int) -> dict[str, np.ndarray]:
    """Directions as wide as the layer, none of them zero, and some other part of each basis."""
    if not size:
        return {}
    made: dict[str, np.ndarray] = {}
    kinds = st.sampled_from(["f2", "f4", "f8", "i4", ">f4"])
    numbers = st.integers(-9, 9)
    rows_of = kinds.flatmap(lambda k: hnp.arrays(np.dtype(k), (2, size), elements=numbers))
    for name in draw(st.lists(TEXT.filter(lambda t: t and "#" not in t), max_size=3, unique=True)):
        place = f"{layer}@{name}"
        rows = draw(rows_of)
        rows[:, 0] = 1
        made[place] = rows
        made[f"{place}#about"] = draw(any_arrays(True, (2, 2)))
    return made


@st.composite
def models(draw: Any) -> AnnotatedModel:
    keys = TEXT.filter(lambda t: t != "__metadata__")
    names = st.dictionaries(keys, any_arrays(True), max_size=3)
    size = draw(st.integers(0, 3))
    return AnnotatedModel(
        name=draw(TEXT),
        classes=draw(NAMES),
        subject=draw(TEXT),
        layers=(LayerSpec("conv", size, shape=(3, 4)), LayerSpec(draw(TEXT), 1)),
        cut=draw(st.sampled_from([(), ("conv",)])),
        preprocessing=Preprocessing(mean=(draw(st.floats(0, 1)),), size=(3, 5)),
        builder=draw(TEXT),
        builder_args=draw(DICTS),
        weights=draw(names),
        bases=draw(bases_of("conv", size)),
        log=draw(LOGS),
        concept_set=draw(st.none() | input_sets()),
        measurements=draw(st.none() | measurements()),
        findings=tuple(draw(st.lists(FINDINGS, max_size=2))),
        waivers=tuple(draw(st.lists(st.builds(Waiver, TEXT, TEXT, TEXT, TEXT), max_size=2))),
        lineage=tuple(draw(st.lists(DICTS, max_size=2))),
        notes=draw(DICTS),
        story=draw(TEXT),
    )


def same(one: Any, other: Any) -> None:
    """Equal, NaN included, arrays bit for bit."""
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        assert one.shape == other.shape
        little = one.astype(one.dtype.newbyteorder("<"))
        assert little.dtype == other.dtype
        assert little.tobytes() == other.tobytes()
    elif hasattr(one, "keys"):
        assert set(one) == set(other)
        for key in one:
            same(one[key], other[key])
    elif hasattr(one, "__dataclass_fields__"):
        for name in one.__dataclass_fields__:
            same(getattr(one, name), getattr(other, name))
    elif isinstance(one, (list, tuple)):
        assert type(one) is type(other)
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
    else:
        assert type(one) is type(other)
        assert repr(one) == repr(other)


@contextmanager
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp())
    try:
        yield made
    finally:
        shutil.rmtree(made)


def comparable(z: AnnotatedModel) -> dict[str, Any]:
    skipped = {"live", "home", "remarks", "data", "data_ref"}
    return {name: getattr(z, name) for name in z.__dataclass_fields__ if name not in skipped}


@settings(max_examples=40, deadline=None)
@given(models(), st.sampled_from(["a.z", "a.zip"]))
def test_every_model_comes_back_exactly(z: AnnotatedModel, name: str) -> None:
    with folder() as tmp:
        again = load(z.save(tmp / name))
        same(comparable(z), comparable(again))
        assert again.hash == z.hash
        # Written again from what was read, and from what was only opened, it is the same still.
        for opened in (again, load(tmp / name)):
            third = load(opened.save(tmp / f"b{name}"))
            same(comparable(z), comparable(third))


@settings(max_examples=40, deadline=None)
@given(input_sets())
def test_every_input_set_comes_back_exactly(inputs: InputSet) -> None:
    with folder() as tmp:
        again = read_inputs(write_inputs(tmp / "D", inputs))
        same(inputs, again)
        assert input_set_fingerprint(again) == input_set_fingerprint(inputs)


@settings(deadline=None)
@given(LOGS, LOGS)
def test_logs_come_back_and_any_missing_line_is_noticed(
    first: tuple[Annotation, ...], then: tuple[Annotation, ...]
) -> None:
    lines, middle = chained_log_lines(first)
    more, end = chained_log_lines(then, middle)
    read = parse_and_verify_log(lines + more)
    same(read.entries, (*first, *then))
    assert read.hash == end
    parts = (lines + more).splitlines(keepends=True)
    for gap in range(len(parts) - 1):
        try:
            parse_and_verify_log(b"".join(parts[:gap] + parts[gap + 1 :]))
        except BundleError:
            continue
        raise AssertionError("a missing line went unnoticed")


@settings(deadline=None)
@given(LOGS, st.data())
def test_a_log_cut_anywhere_keeps_its_whole_lines(log: tuple[Annotation, ...], data: Any) -> None:
    lines, _ = chained_log_lines(log)
    cut = data.draw(st.integers(0, len(lines)))
    read = parse_and_verify_log(lines[:cut])
    assert read.size + len(read.torn) == cut
    same(read.entries, log[: len(read.entries)])
    assert len(read.entries) == lines[:cut].count(b"\n")


@settings(deadline=None)
@given(JSON)
def test_json_comes_back_exactly(value: Any) -> None:
    same(loads(dumps(value), "x"), value)


@settings(max_examples=30, deadline=None)
@given(LOGS.filter(bool), st.data())
def test_entries_appended_one_by_one_make_the_same_z(
    log: tuple[Annotation, ...], data: Any
) -> None:
    base = AnnotatedModel("m", ("a",), layers=(LayerSpec("conv", 2),))
    with folder() as tmp:
        path = base.save(tmp / "a.z")
        at = 0
        while at < len(log):
            step = data.draw(st.integers(1, len(log) - at))
            append_log(path, log[: at + step])
            at += step
        again = load(path)
        same(again.log, log)
        assert again.hash == base.with_(log=log).hash


_SMALL: dict[str, bytes] = {}


def small_bundle() -> dict[str, bytes]:
    """Files of one bundle, made once."""
    if not _SMALL:
        with folder() as tmp:
            z = AnnotatedModel(
                "m", ("a",), layers=(LayerSpec("conv", 2),), weights={"w": np.ones(2)}
            )
            path = z.annotate("conv:1", "snow", concepts=("snow",)).save(tmp / "a.z")
            _SMALL.update({p.name: p.read_bytes() for p in path.iterdir() if p.is_file()})
    return _SMALL


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_is_a_named_error_or_no_harm(data: Any) -> None:
    files = dict(small_bundle())
    name = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        how = data.draw(st.sampled_from(["flip", "cut", "insert"]))
        if how == "flip" and content:
            content[at] ^= data.draw(st.integers(1, 255))
        elif how == "cut":
            del content[at : at + data.draw(st.integers(1, 40))]
        else:
            content[at:at] = data.draw(st.binary(min_size=1, max_size=5))
    with folder() as tmp:
        (tmp / "a.z").mkdir()
        for other, body in files.items():
            (tmp / "a.z" / other).write_bytes(bytes(content) if other == name else body)
        try:
            z = load(tmp / "a.z")
            weights = dict(z.weights)
        except CircuitzError:
            return
        # Only what leaves the meaning untouched may pass, such as a blank in a file's JSON.
        assert weights["w"].tolist() == [1.0, 1.0]
        assert z.effective()["conv:1"].text == "snow"

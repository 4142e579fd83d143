"""Two thousand broken or malicious bundles: a named error, or an honest model; nothing else.

A small valid bundle is changed at random, byte by byte or by meaning, as a folder or a zip, with
its hashes left as they were or made to fit. With hashes left alone what opens must be the model
that was saved. With hashes made to fit it may be another one, but one that can be looked at,
shown, saved and opened again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import shutil
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from circuitz.disk.hashing import picture_hash
from circuitz.disk.json_io import dumps
from circuitz.errors import BundleWarning, CircuitzError
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.load_save import load
from circuitz.z.bundle.log_io import _chain_hash, _log_line
from circuitz.z.effect import Effect
from circuitz.z.finding import Finding, Remedy, Waiver
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec, Preprocessing
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements
from circuitz.z.model import AnnotatedModel

CASES = int(os.environ.get("CIRCUITZ_FUZZ_CASES", "2000"))
MEMORY = 400 * 2**20
Files = dict[str, bytes]


def small() -> AnnotatedModel:
    """A model with something in every place, of two units and two images."""
    f4 = lambda *shape: np.ones(shape, np.float32)  # noqa: E731
    layer = LayerMeasurements(
        layer="conv",
        responses=f4(2, 2),
        peaks=f4(2, 2),
        exemplars=np.zeros((2, 9), np.int64),
        exemplar_boxes=np.zeros((2, 9, 4), np.int16),
        exemplar_heat=np.zeros((2, 9, 1, 1), np.uint8),
        histogram=np.ones((2, 3), np.int64),
        histogram_edges=f4(2, 4),
    )
    effects = EffectMeasurements(
        units=("conv:0", "conv:1"),
        targets=("a", "b"),
        scale=f4(2),
        sufficiency=f4(2, 2, 2),
        necessity=f4(2, 2, 2),
        split=np.zeros(2, np.uint8),
        scene=np.zeros(2, np.int64),
        source=np.zeros(2, np.int64),
        drive=f4(2, 2),
        span=f4(2),
        groups=(("conv:0", "conv:1"),),
        group_sufficiency=f4(1, 2, 2),
        group_necessity=f4(1, 2, 2),
    )
    png = b"\x89PNG\r\n\x1a\n picture"
    name = picture_hash(png)
    concepts = InputSet(
        images=np.zeros((2, 2, 2, 3), np.uint8),
        concepts=f4(2, 1),
        concept_names=("snow",),
        split=np.zeros(2, np.uint8),
        scene=np.zeros(2, np.int64),
        role="concepts",
        recipe={"world": "dogs"},
    )
    effect = Effect(("conv:0",), "output:a", "sufficiency", estimate=0.5)
    finding = Finding(
        "f", "implausible-driver", 1, ("conv:0",), "output:a", "flagged", "Snow.", 0.5, (0.1, 0.9),
        effects=(effect,), remedies=(Remedy("retrain", "Retrain", {"units": ["conv:0"]}),),
    )  # fmt: skip
    z = AnnotatedModel(
        "m",
        ("a", "b"),
        subject="dog",
        layers=(LayerSpec("conv", 2, shape=(2, 1, 1), spatial_axes=(2, 3)),),
        cut=("conv",),
        preprocessing=Preprocessing(size=(2, 2)),
        builder="small-cnn",
        builder_args={"widths": [2]},
        weights={"w": f4(2), "n": np.array(3, np.int64)},
        bases={"conv@nmf": f4(1, 2)},
        concept_set=concepts,
        data_ref=DataRef("D", "0" * 32, 3, {"world": "dogs"}),
        measurements=Measurements(
            layers={"conv": layer}, effects=effects, pictures={name: png},
            group_pictures={"conv:0+conv:1->a": (name,)},
        ),
        findings=(finding,),
        waivers=(Waiver("f9", "ann", "known", "2026-01-01T00:00:00+00:00"),),
        notes={"k": [1, None, 0.5]},
        story="# m\n",
    )  # fmt: skip
    z = z.annotate("conv:0", "snow", concepts=("snow",), author="ann")
    return z.annotate("group:conv:0,conv:1", "both", concepts=(), author_kind="rule").undo()


def everything(z: AnnotatedModel) -> str:
    """Touch and show all there is; equal for equal models."""
    parts: list[Any] = [z.hash, z.log, z.story, z.findings, z.waivers, z.notes, z.lineage]
    parts += [z.layers, z.cut, z.classes, z.preprocessing, z.builder_args, z.data_ref]
    for arrays in (z.weights, z.bases):
        parts.append({name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()})
    inputs, measured = z.concept_set, z.measurements
    if inputs is not None:
        parts += [inputs.images.tobytes(), inputs.concept_names, inputs.recipe, z.concepts_hash]
    if measured is not None:
        parts += [sorted(measured.layers), sorted(measured.pictures), measured.group_pictures]
        if measured.effects is not None:
            parts += [measured.effects.units, measured.effects.drive.tobytes()]
    shown = (repr(z), z._repr_html_().encode("utf-8"), z.annotations, z.units, z.history())
    assert all(part is not None for part in shown)
    return repr(parts)


@pytest.fixture(scope="module", autouse=True)
def quick_disk() -> Iterator[None]:
    """Nobody pulls the plug here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda handle: None)
        yield


_VALID: list[Any] = []


def valid() -> tuple[Files, str]:
    """The files of one valid bundle, and all that is in it."""
    if not _VALID:
        place = Path(tempfile.mkdtemp())
        path = small().save(place / "a.z")
        files = {
            p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()
        }
        _VALID.extend((files, everything(load(path))))
        shutil.rmtree(place)
    return dict(_VALID[0]), _VALID[1]


# -- changes -------------------------------------------------------------------------------

HOSTILE: list[Any] = [
    None, True, False, 0, -1, 1, 3, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63), 10**30, 1e308, -0.0, 0.5,
    float("nan"), float("inf"), "", " ", "a", "conv", "conv:0", "output:a", "../../x", "/etc/passwd", "\0",
    "a\\b", "\ud800", "x" * 5000, "<script>alert(1)</script>", "{{7*7}}", "%s%n", "\u202e", "é", [], [[]],
    [None], ["conv", "conv"], [0] * 50, {}, {"a": 1}, {"$float": "nan"}, {"$float": "x"},
    {"__proto__": 1}, {"id": "x"}, 10**400, "RAW:1e999", "RAW:-1E+400", "RAW:" + "9" * 5000, "RAW:[" * 1,
    "RAW:" + "[" * 200 + "]" * 200, "RAW:NaN", "RAW:0x10", "RAW:{\"a\":1,\"a\":2}", "RAW:1.5e3",
]  # fmt: skip


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here]
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            found += paths(item, (*here, key))
    return found


def splice(draw: Callable[..., Any], document: Any) -> str:
    """JSON text of a document with one value replaced, removed, added or moved."""
    places = paths(document)
    at = draw(st.sampled_from(places))
    how = draw(st.sampled_from(["replace", "replace", "remove", "add", "move"]))
    value = draw(st.sampled_from(HOSTILE))
    if how == "move":
        value = document
        for key in draw(st.sampled_from(places)):
            value = value[key]
    value = json.loads(json.dumps(value))
    marks: dict[str, str] = {}
    if isinstance(value, str) and value.startswith("RAW:"):
        marks['"@RAW@"'], value = value[4:], "@RAW@"
    if not at:
        document = value
    else:
        inside = document
        for key in at[:-1]:
            inside = inside[key]
        if how == "remove":
            del inside[at[-1]]
        elif how == "add" and isinstance(inside, dict):
            inside[draw(st.sampled_from(["new", "", "__class__", "$float", "hash"]))] = value
        elif how == "add":
            inside.insert(at[-1], value)
        else:
            inside[at[-1]] = value
    text = json.dumps(document)
    for mark, raw in marks.items():
        text = text.replace(mark, raw)
    return text


def bend(draw: Callable[..., Any], data: bytes) -> bytes:
    """Bytes flipped, cut, put in, zeroed or doubled."""
    content = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        how = draw(
            st.sampled_from(["flip", "cut", "insert", "truncate", "zero", "double", "number"])
        )
        if how == "flip" and content:
            content[at] ^= draw(st.integers(1, 255))
        elif how == "cut":
            del content[at : at + draw(st.integers(1, 60))]
        elif how == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=8))
        elif how == "truncate":
            del content[at:]
        elif how == "zero":
            content[at : at + 8] = bytes(min(8, len(content) - at))
        elif how == "double":
            content[at:at] = content[at : at + 40]
        elif how == "number":
            content[at : at + 8] = struct.pack("<Q", draw(st.sampled_from([2**63, 2**32, 255])))
    return bytes(content)


def bend_header(draw: Callable[..., Any], data: bytes) -> bytes:
    """A safetensors or npy file whose header says something else."""
    if data[:6] == b"\x93NUMPY":
        length = struct.unpack("<H", data[8:10])[0]
        head, body = data[10 : 10 + length], data[10 + length :]
        old, new = draw(
            st.sampled_from([
                (b"(2,", b"(99999999999,"), (b"|u1", b"|O"), (b"False", b"True"), (b"(2,", b"(-2,"),
                (b"|u1", b"<c16"), (b"|u1", b"|V1"), (b"|u1", b"|S0"), (b"(2,", b"(0,"), (b"{", b"["),
                (b"'shape'", b"'shepe'"), (b"(2,", b"(" * 90 + b"2,"), (b"<f4", b"<f8"), (b"<i8", b"<u8"),
            ])
        )  # fmt: skip
        head = head.replace(old, new)
        return data[:8] + struct.pack("<H", len(head)) + head + body
    (length,) = struct.unpack("<Q", data[:8])
    head = splice(draw, json.loads(data[8 : 8 + length])).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(head)) + head + data[8 + length :]


def bend_log(draw: Callable[..., Any], data: bytes, chained: bool) -> bytes:
    """A log with one entry changed, its chain mended or not."""
    rows = [json.loads(line) for line in data.splitlines()]
    at = draw(st.integers(0, len(rows) - 1))
    bodies = [json.dumps(row["entry"]) for row in rows]
    bodies[at] = splice(draw, rows[at]["entry"])
    last, lines = b"0" * 64, []
    for row, text in zip(rows, bodies, strict=True):
        body = text.encode("utf-8", "surrogatepass")
        after = _chain_hash(last, body) if chained else row["hash"].encode()
        lines.append(_log_line(last if chained else row["prev"].encode(), after, body) + b"\n")
        last = after
    return b"".join(lines)


def sealed(text: str) -> bytes:
    """The document with a seal that fits, when it is one that can have a seal."""
    try:
        document = json.loads(text)
        document.pop("sha256", None)
        document["sha256"] = hashlib.sha256(dumps(document)).hexdigest()
        return dumps(document)
    except (ValueError, AttributeError, TypeError, CircuitzError, RecursionError):
        return text.encode("utf-8", "surrogatepass")


def fit(files: Files) -> None:
    """Make the manifest list what there is, and name the log there is."""
    try:
        document = json.loads(files["z.json"])
        listed = set(files) - {"z.json", "log.jsonl", "annotations.jsonl"}
        document["files"] = {
            name: {"sha256": hashlib.sha256(files[name]).hexdigest(), "size": len(files[name])}
            for name in sorted(listed)
        }
        lines = files["log.jsonl"].splitlines()
        document["log"] = {"count": len(lines), "hash": json.loads(lines[-1])["hash"]}
        files["z.json"] = sealed(json.dumps(document))
    except (ValueError, KeyError, IndexError, TypeError):
        return


def change(draw: Callable[..., Any], files: Files) -> bool:
    """Change one thing; whether hashes were made to fit."""
    fitting = draw(st.booleans())
    how = draw(
        st.sampled_from(
            ["bytes", "json", "json", "manifest", "manifest", "header", "log", "member"]
        )
    )
    event(how)
    name = draw(st.sampled_from(sorted(files)))
    if how == "bytes":
        files[name] = bend(draw, files[name])
    elif how == "json":
        name = draw(st.sampled_from(["findings.json", "concepts/meta.json"]))
        text = splice(draw, json.loads(files[name]))
        nested = fitting and name == "concepts/meta.json"
        files[name] = sealed(text) if nested else text.encode("utf-8", "surrogatepass")
    elif how == "manifest":
        text = splice(draw, json.loads(files["z.json"]))
        files["z.json"] = sealed(text) if fitting else text.encode("utf-8", "surrogatepass")
        return fitting
    elif how == "header":
        names = [n for n in sorted(files) if n.endswith((".safetensors", ".npy"))]
        name = draw(st.sampled_from(names))
        files[name] = bend_header(draw, files[name])
    elif how == "log":
        files["log.jsonl"] = bend_log(draw, files["log.jsonl"], fitting)
        if draw(st.booleans()):
            del files["annotations.jsonl"]
    else:
        what = draw(st.sampled_from(["remove", "rename", "swap"]))
        content = files.pop(name)
        other = draw(
            st.sampled_from([*sorted(files), "Z.JSON", "new", "evidence/x.png", "a/b/c", "é"])
        )
        if what == "swap" and other in files:
            files[name] = files[other]
        if what != "remove":
            files[other] = content
    if fitting:
        fit(files)
    return fitting


# -- writing and opening them --------------------------------------------------------------


def put(draw: Callable[..., Any], files: Files, place: Path) -> tuple[Path, bool]:
    """Write the files as a folder or a zip; whether something harmful was put in."""
    harm = draw(st.sampled_from([""] * 14 + ["link", "pipe", "folder", "hard", "bytes", "twice"]))
    if draw(st.booleans()):
        path = place / "a.z"
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        victim = path / draw(st.sampled_from(sorted(files)))
        if harm in ("link", "pipe", "folder", "hard"):
            victim.unlink()
        if harm == "link":
            victim.symlink_to(place / "precious")
        elif harm == "hard":
            os.link(place / "precious", victim)
        elif harm == "pipe":
            os.mkfifo(victim)
        elif harm == "folder":
            victim.mkdir()
        return path, harm in ("link", "pipe", "folder", "hard")
    out = io.BytesIO()
    method = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)
        for name, data in files.items():
            archive.writestr(name, data)
        if harm == "twice":
            archive.writestr(draw(st.sampled_from(sorted(files))), b"other")
        elif harm in ("link", "pipe"):
            info = zipfile.ZipInfo(draw(st.sampled_from(["new", "../new", "/new", "evidence/new"])))
            info.external_attr = (0o120777 if harm == "link" else 0o010644) << 16
            archive.writestr(info, "/etc/passwd")
    data = bend(draw, out.getvalue()) if harm == "bytes" else out.getvalue()
    (place / "a.zip").write_bytes(data)
    return place / "a.zip", bool(harm)


def around(place: Path) -> dict[str, bytes]:
    """Everything beside the bundle."""
    return {
        item.name: item.read_bytes() if item.is_file() else b"" for item in sorted(place.iterdir())
        if item.name not in ("a.z", "a.zip")
    }  # fmt: skip


@settings(
    max_examples=CASES,
    deadline=None,
    derandomize="CIRCUITZ_FUZZ_CASES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_whatever_a_bundle_holds_it_is_a_named_error_or_an_honest_model(data: Any) -> None:
    files, wanted = valid()
    fitted = list[bool]()
    for _ in range(data.draw(st.integers(0, 2))):
        # What the first change broke, the second may not find its way about.
        with suppress(ValueError, KeyError, IndexError, struct.error):
            fitted.append(True)
            fitted[-1] = change(data.draw, files)
    place = Path(tempfile.mkdtemp())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        (place / "precious").write_bytes(b"precious")
        path, harmed = put(data.draw, files, place)
        beside, said = around(place), None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", BundleWarning)
                z = load(path)
                found = everything(z)
        except CircuitzError as error:
            event(type(error).__name__)
            said = str(error)
        assert said is None or fitted or harmed
        assert said is None or 0 < len(said) < 2000
        if said is None:
            event("opened")
            assert any(fitted) or found == wanted
            assert everything(load(z.save(place / "again.z"))) == found
            shutil.rmtree(place / "again.z")
        assert around(place) == beside
    finally:
        shutil.rmtree(place)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < MEMORY

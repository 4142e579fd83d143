"""Bundles that were damaged, changed, or made to do harm."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuitz.disk.json_io import dumps
from circuitz.disk.tensors_io import read_safetensors_in_place, safetensors_bytes
from circuitz.errors import (
    BundleError,
    BundleFormatError,
    BundleSchemaError,
    BundleTamperedError,
    BundleTruncatedError,
    BundleUnsafeError,
    CircuitzError,
    WeightsError,
)
from circuitz.z.annotation import Annotation
from circuitz.z.bundle.load_save import append_log, load
from circuitz.z.bundle.log_io import _chain_hash, _log_line, chained_log_lines
from circuitz.z.model import AnnotatedModel


@pytest.fixture
def path(z: AnnotatedModel, tmp_path: Path) -> Path:
    return z.annotate("conv2:2", "ears", concepts=()).save(tmp_path / "a.z")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink()
    }


def manifest(path: Path) -> dict[str, Any]:
    return json.loads((path / "z.json").read_text("utf-8"))


def forge(path: Path, **changes: Any) -> None:
    """Change the manifest and give it a seal that fits."""
    document = {**manifest(path), **changes}
    document.pop("sha256")
    document["sha256"] = hashlib.sha256(dumps(document)).hexdigest()
    (path / "z.json").write_bytes(dumps(document, indent=1))


def forge_file(path: Path, name: str, data: bytes) -> None:
    """Replace a file and list it with a hash that fits."""
    (path / name).write_bytes(data)
    files = manifest(path)["files"]
    files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    forge(path, files=files)


def touch_all(z: AnnotatedModel) -> None:
    dict(z.weights), dict(z.bases), z.measurements, z.concept_set


BIG = ["weights.safetensors", "bases/bases.safetensors", "concepts/images.npy"]


@pytest.mark.parametrize("name", [*BIG, "findings.json", "story.md", "concepts/meta.json"])
def test_a_changed_byte_is_found_and_the_file_named(path: Path, name: str) -> None:
    data = bytearray((path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (path / name).write_bytes(data)
    with pytest.raises(BundleTamperedError, match=name):
        touch_all(load(path))


def test_changed_evidence_is_found(path: Path) -> None:
    for file in sorted((path / "evidence").iterdir()):
        data = file.read_bytes()
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(BundleTamperedError, match=file.name):
            touch_all(load(path))
        file.write_bytes(data)


@pytest.mark.parametrize("name", [*BIG, "findings.json", "story.md"])
@pytest.mark.parametrize("how", ["missing", "short", "long", "empty"])
def test_missing_and_cut_files_are_found_at_opening(path: Path, name: str, how: str) -> None:
    file = path / name
    data = file.read_bytes()
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes({"short": data[:-1], "long": data + b"x", "empty": b""}[how])
    wanted = BundleTamperedError if how == "long" else BundleTruncatedError
    with pytest.raises(wanted, match=name):
        load(path)


@pytest.mark.parametrize("name", ["z.json", "log.jsonl"])
def test_a_bundle_without_manifest_or_log_is_named(path: Path, name: str) -> None:
    (path / name).unlink()
    with pytest.raises(BundleError, match=name):
        load(path)


@pytest.mark.parametrize("keep", [0, 1, 10, -2])
def test_a_manifest_cut_short_is_named(path: Path, keep: int) -> None:
    data = (path / "z.json").read_bytes()
    (path / "z.json").write_bytes(data[:keep])
    with pytest.raises(BundleError, match=r"z\.json"):
        load(path)


def test_a_manifest_edited_by_hand_is_named(path: Path) -> None:
    text = (path / "z.json").read_text("utf-8")
    (path / "z.json").write_text(text.replace('"dog"', '"cat"'), "utf-8")
    with pytest.raises(BundleTamperedError, match=r"z\.json"):
        load(path)


def test_a_newer_schema_says_who_wrote_it(path: Path) -> None:
    document = manifest(path) | {"schema": 7, "writer": "circuitz 9.1", "unheard": [1]}
    (path / "z.json").write_text(json.dumps(document))
    with pytest.raises(BundleSchemaError, match=r"circuitz 9\.1 with schema 7"):
        load(path)


@pytest.mark.parametrize("schema", [0, -1, True, "1", None])
def test_a_schema_that_is_no_number_is_refused(path: Path, schema: object) -> None:
    forge(path, schema=schema)
    with pytest.raises(BundleFormatError, match="schema"):
        load(path)


def test_any_change_of_the_log_is_found(path: Path) -> None:
    lines = (path / "log.jsonl").read_text("utf-8").splitlines(keepends=True)
    assert len(lines) == 2
    changed = [
        [lines[0].replace("snow", "coat"), lines[1]],
        [lines[1], lines[0]],
        [lines[1]],
        [lines[0], lines[0], lines[1]],
        [lines[0], lines[1].replace("ears", "tail")],
        [lines[0], "{}\n"],
        [lines[0], "[]\n"],
        [lines[0], "\n", lines[1]],
        [lines[0], "\xff\n"],
    ]
    for some in changed:
        (path / "log.jsonl").write_text("".join(some), "utf-8")
        with pytest.raises(BundleError, match=r"log\.jsonl"):
            load(path)
    (path / "log.jsonl").write_text(lines[0], "utf-8")
    with pytest.raises(BundleTruncatedError, match="1 of 2"):
        load(path)


def test_a_log_with_a_proper_chain_but_senseless_entries_is_refused(path: Path) -> None:
    z = load(path)
    undo = Annotation(id="u", target="conv2:1", text="", undoes="gone")
    for more in ((z.log[0],), (undo,)):
        lines, chain = chained_log_lines((*z.log, *more))
        (path / "log.jsonl").write_bytes(lines)
        forge(path, log={"count": len(z.log) + 1, "hash": chain})
        with pytest.raises(BundleFormatError, match=r"log\.jsonl"):
            load(path)
    lines, last = chained_log_lines(z.log)
    body = dumps({"id": "x", "target": "conv2:1", "text": "x", "author_kind": "robot"})
    after = _chain_hash(last.encode(), body)
    (path / "log.jsonl").write_bytes(lines + _log_line(last.encode(), after, body) + b"\n")
    forge(path, log={"count": 2, "hash": last})
    with pytest.raises(BundleFormatError, match="author_kind"):
        load(path)


def test_the_log_of_another_bundle_is_found(
    path: Path, tmp_path: Path, new_z: Callable[..., AnnotatedModel]
) -> None:
    other = new_z(seed=4).annotate("conv2:0", "x", concepts=()).save(tmp_path / "b.z")
    shutil.copy(other / "log.jsonl", path / "log.jsonl")
    with pytest.raises(BundleTamperedError, match=r"log\.jsonl"):
        load(path)


def test_annotations_edited_by_hand_are_not_passed_over_in_silence(path: Path) -> None:
    head = path / "annotations.jsonl"
    text = head.read_text("utf-8")
    for changed in (text.replace("ears", "tail"), "".join(text.splitlines(True)[:1]), ""):
        head.write_text(changed, "utf-8")
        with pytest.raises(BundleTamperedError, match=r"annotations\.jsonl"):
            load(path)
    head.unlink()
    z = load(path)
    assert len(z.annotations) == 2
    append_log(path, z.annotate("conv2:3", "x", concepts=()).log)
    assert len(head.read_text("utf-8").splitlines()) == 3


def test_the_head_of_an_earlier_log_is_what_a_kill_leaves(path: Path) -> None:
    before = (path / "annotations.jsonl").read_bytes()
    longer = load(path).annotate("conv2:3", "x", concepts=()).annotate("conv2:0", "y", concepts=())
    append_log(path, longer.log)
    (path / "annotations.jsonl").write_bytes(before)
    assert load(path).hash == longer.hash


EVIL = ["../evil", "/etc/passwd", "a/../../evil", "a\\b", "C:evil", "", ".", "a//b", "\x00", "-rf"]


@pytest.mark.parametrize("name", EVIL)
def test_names_that_lead_outside_are_refused(path: Path, name: str) -> None:
    files = manifest(path)["files"]
    files[name] = {"sha256": "0" * 64, "size": 1}
    forge(path, files=files)
    before = snapshot(path.parent)
    with pytest.raises(BundleUnsafeError, match="plain path"):
        load(path)
    assert snapshot(path.parent) == before


def test_names_in_the_description_of_measurements_lead_nowhere_either(path: Path) -> None:
    for key, value in (
        ("effects", "../../secret"),
        ("pictures", ["../../secret"]),
        ("layers", {"conv2": "/etc/passwd"}),
    ):
        forge(path, measurements={**manifest(path)["measurements"], key: value})
        with pytest.raises(BundleError):
            touch_all(load(path))


@pytest.mark.parametrize(
    "spec", [{}, {"layers": 3}, {"layers": {"a": 1}}, {"pictures": [[]]}, {"seed": "x"}, 7, []]
)
def test_a_wrong_description_of_measurements_is_refused(path: Path, spec: Any) -> None:
    if isinstance(spec, dict) and spec:
        spec = {**manifest(path)["measurements"], **spec}
    forge(path, measurements=spec)
    with pytest.raises(BundleFormatError):
        load(path)


@pytest.mark.parametrize(
    "files",
    [
        {"a": {"sha256": "0" * 64}},
        {"a": {"sha256": "0" * 64, "size": -1}},
        {"a": {"sha256": "0" * 64, "size": True}},
        {"a": {"sha256": "0" * 64, "size": 1.5}},
        {"a": {"sha256": "xyz", "size": 1}},
        {"a": 3},
        [],
        None,
        {"a": {"sha256": "0" * 64, "size": 2**60}},
        {"a": {"sha256": "0" * 64, "size": 1}, "A": {"sha256": "0" * 64, "size": 1}},
    ],
)
def test_a_wrong_list_of_files_is_refused(path: Path, files: Any) -> None:
    forge(path, files=files)
    with pytest.raises(BundleError, match=r"z\.json"):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": "husky"},
        {"classes": [1]},
        {"classes": ["a", "a"]},
        {"layers": [{"name": "a"}]},
        {"layers": [{"name": "a", "size": "4"}]},
        {"layers": [{"name": "a", "size": 4, "code": "x"}]},
        {"layers": [{"name": "a", "size": -4}]},
        {"layers": [{"name": "a", "size": 10**15}]},
        {"cut": ["nowhere"]},
        {"preprocessing": {"mean": ["x"]}},
        {"name": None},
        {"notes": []},
        {"waivers": [{}]},
        {"log": {"count": 2}},
        {"log": {"count": "2", "hash": "x"}},
        {"log": {"count": -3, "hash": "x"}},
        {"lineage": [3]},
        {"data_ref": {"path": 1}},
        {"builder_args": 3},
        {"surprise": 1},
    ],
)
def test_fields_of_the_wrong_kind_are_named(path: Path, change: dict[str, Any]) -> None:
    forge(path, **change)
    with pytest.raises(BundleError):
        load(path)


def test_links_inside_a_bundle_are_refused(path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes((path / "story.md").read_bytes())
    (path / "story.md").unlink()
    (path / "story.md").symlink_to(secret)
    with pytest.raises(BundleUnsafeError, match="link"):
        load(path)


def test_a_linked_folder_inside_a_bundle_is_refused(path: Path, tmp_path: Path) -> None:
    shutil.move(path / "evidence", tmp_path / "evidence")
    (path / "evidence").symlink_to(tmp_path / "evidence")
    with pytest.raises(BundleUnsafeError, match="link"):
        load(path)


@pytest.mark.parametrize("name", ["z.json", "log.jsonl", "annotations.jsonl"])
def test_a_linked_manifest_or_log_is_refused(path: Path, tmp_path: Path, name: str) -> None:
    shutil.move(path / name, tmp_path / name)
    (path / name).symlink_to(tmp_path / name)
    with pytest.raises(BundleUnsafeError, match="link"):
        load(path)


def test_a_link_put_in_place_of_the_log_is_not_written_through(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    shutil.move(path / "log.jsonl", target)
    before = target.read_bytes()
    (path / "log.jsonl").symlink_to(target)
    more = load_log_free(tmp_path)
    with pytest.raises(BundleUnsafeError):
        append_log(path, more.log)
    assert target.read_bytes() == before


def load_log_free(tmp_path: Path) -> AnnotatedModel:
    return AnnotatedModel("m", ("a",)).annotate("output:a", "x", concepts=())


@pytest.mark.parametrize("name", ["story.md", "z.json"])
def test_a_pipe_in_place_of_a_file_does_not_hang(path: Path, name: str) -> None:
    (path / name).unlink()
    os.mkfifo(path / name)
    with pytest.raises(BundleError):
        load(path)


def test_a_folder_in_place_of_a_file_is_refused(path: Path) -> None:
    (path / "story.md").unlink()
    (path / "story.md").mkdir()
    with pytest.raises(BundleError):
        load(path)


def test_deep_nesting_is_refused(path: Path) -> None:
    for data in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 200 + b"]" * 200):
        (path / "z.json").write_bytes(data)
        with pytest.raises(BundleError):
            load(path)


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"\x00" * 50, b"NaN", b'{"a":1,"a":2}', b"3", b"null", b'"x"']
)
def test_what_is_no_manifest_is_refused(path: Path, data: bytes) -> None:
    (path / "z.json").write_bytes(data)
    with pytest.raises(BundleFormatError, match=r"z\.json"):
        load(path)


def header(spec: object, body: bytes = b"") -> bytes:
    text = json.dumps(spec).encode()
    return struct.pack("<Q", len(text)) + text + body


@pytest.mark.parametrize(
    "data",
    [
        header({"w": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}, b"1234"),
        header({"w": {"dtype": "F32", "shape": [2**47], "data_offsets": [0, 2**49]}}, b"1234"),
        header({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"1234"),
        header({"w": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}, b"1234"),
        header({"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"1234"),
        header({"w": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]}}, b"12345678"),
        header({"w": {"dtype": 3, "shape": [1], "data_offsets": [0, 8]}}, b"12345678"),
        header({"w": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}}, b"1234"),
        header({"w": {"dtype": "F32", "shape": [1] * 40, "data_offsets": [0, 4]}}, b"1234"),
        header({"w": 3}),
        header([]),
        header({"__metadata__": {"a": 1}}),
        struct.pack("<Q", 2**63) + b"{}",
        b"abc",
        b"",
    ],
)
def test_hostile_weights_are_refused_without_allocating(path: Path, data: bytes) -> None:
    forge_file(path, "weights.safetensors", data)
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        dict(load(path).weights)


def test_weights_in_a_bundle_that_are_not_finite_are_refused(path: Path) -> None:
    data = safetensors_bytes({"fc.bias": np.array([np.inf], np.float32)})
    forge_file(path, "weights.safetensors", data)
    with pytest.raises(WeightsError, match=r"fc\.bias"):
        dict(load(path).weights)


def npy(text: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(padded)) + padded + body


@pytest.mark.parametrize(
    "data",
    [
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"cos\nsystem\n"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 9, 9, 3), }"),
        npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 1, 1, 1), }", b"1"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 1, 1, 1), }", b"1"),
        npy("__import__('os').system('x')"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1), }", b"1234"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", b"1"),
        npy("{}", version=b"\x09\x00"),
        b"",
        b"\x93NUMPY",
    ],
)
def test_hostile_arrays_are_refused(path: Path, data: bytes) -> None:
    forge_file(path, "concepts/images.npy", data)
    with pytest.raises(CircuitzError):
        touch_all(load(path))


def test_hostile_evidence_is_refused(path: Path) -> None:
    effects = manifest(path)["measurements"]["effects"]
    for arrays in ({"scale": np.zeros(3)}, {"odd": np.zeros(3)}, {}):
        forge_file(path, effects, safetensors_bytes(arrays))
        with pytest.raises(BundleFormatError, match="evidence/"):
            touch_all(load(path))


@pytest.mark.parametrize("value", [12, -2, 2**40, -(2**62)])
def test_an_exemplar_that_is_no_image_is_refused(path: Path, value: int) -> None:
    name = manifest(path)["measurements"]["layers"]["conv2"]
    arrays, meta = read_safetensors_in_place(memoryview((path / name).read_bytes()), name)
    arrays = {key: array.copy() for key, array in arrays.items()}
    arrays["exemplars"][1, 3] = -1
    forge_file(path, name, safetensors_bytes(arrays, meta))
    touch_all(load(path))  # -1 is none
    arrays["exemplars"][1, 3] = value
    forge_file(path, name, safetensors_bytes(arrays, meta))
    with pytest.raises(BundleFormatError, match=r"exemplars names images .* there are 12"):
        touch_all(load(path))


def test_effects_of_a_split_there_is_not_are_refused(path: Path) -> None:
    name = manifest(path)["measurements"]["effects"]
    arrays, meta = read_safetensors_in_place(memoryview((path / name).read_bytes()), name)
    for field, value in (("split", 3), ("source", -1)):
        changed = {key: array.copy() for key, array in arrays.items()}
        changed[field][0] = value
        forge_file(path, name, safetensors_bytes(changed, meta))
        with pytest.raises(BundleFormatError, match=f"{field} names"):
            touch_all(load(path))


def test_a_picture_under_another_name_is_refused(path: Path) -> None:
    (name,) = manifest(path)["measurements"]["pictures"]
    forge_file(path, f"evidence/{name}.png", b"another picture")
    with pytest.raises(BundleTamperedError, match=name):
        touch_all(load(path))


@pytest.mark.parametrize("data", [b"3", b"[3]", b'[{"id": "x"}]', b"{}", b"[[[]]]"])
def test_wrong_findings_are_refused(path: Path, data: bytes) -> None:
    forge_file(path, "findings.json", data)
    with pytest.raises(BundleFormatError, match=r"findings\.json"):
        load(path)


def test_a_story_that_is_not_text_is_refused(path: Path) -> None:
    forge_file(path, "story.md", b"\xff\xfe\xff")
    with pytest.raises(BundleFormatError, match=r"story\.md"):
        load(path)


# -- zip files ----------------------------------------------------------------------------


@pytest.fixture
def zipped(z: AnnotatedModel, tmp_path: Path) -> Path:
    return z.save(tmp_path / "a.zip")


def test_a_cut_or_damaged_zip_is_named(zipped: Path) -> None:
    data = zipped.read_bytes()
    for length in (0, 10, len(data) // 2, len(data) - 5):
        zipped.write_bytes(data[:length])
        with pytest.raises(BundleError):
            touch_all(load(zipped))
    changed = bytearray(data)
    changed[len(data) // 2] ^= 255
    zipped.write_bytes(changed)
    with pytest.raises(BundleError):
        touch_all(load(zipped))


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "a\\..\\evil"])
def test_zip_members_that_lead_outside_are_refused(zipped: Path, name: str) -> None:
    with zipfile.ZipFile(zipped, "a") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, b"evil")
    before = snapshot(zipped.parent)
    with pytest.raises(BundleUnsafeError):
        load(zipped)
    assert snapshot(zipped.parent) == before


def test_zip_links_are_refused(zipped: Path) -> None:
    with zipfile.ZipFile(zipped, "a") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BundleUnsafeError, match="link"):
        load(zipped)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["story.md", "STORY.md"])
def test_zip_members_of_one_name_are_refused(zipped: Path, name: str) -> None:
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr(name, b"other")
    with pytest.raises(BundleUnsafeError, match="twice"):
        load(zipped)


def test_zip_bombs_are_refused_unopened(tmp_path: Path, zipped: Path) -> None:
    with zipfile.ZipFile(zipped, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * (80 * 2**20))
    with pytest.raises(BundleUnsafeError, match="unpack"):
        load(zipped)


def test_a_member_larger_than_it_says_is_refused(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.with_(story="x" * 50_000).save(tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("story.md")
    central = data.index(b"story.md", info.header_offset + 40 + info.compress_size) - 46
    struct.pack_into("<I", data, central + 24, 10)
    path.write_bytes(data)
    with pytest.raises(BundleError):
        load(path)


def test_an_encrypted_zip_is_named(zipped: Path) -> None:
    data = bytearray(zipped.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    zipped.write_bytes(data)
    with pytest.raises(BundleError, match="encrypted"):
        load(zipped)


def test_a_zip_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("hello.txt", "x")
    with pytest.raises(BundleTruncatedError, match=r"z\.json"):
        load(tmp_path / "a.zip")


def test_appending_to_a_zip_rewrites_it(zipped: Path, z: AnnotatedModel) -> None:
    more = z.annotate("conv2:2", "ears", concepts=())
    assert append_log(zipped, more.log) == more.log
    assert append_log(zipped, more.log) == more.log
    assert load(zipped).hash == more.hash

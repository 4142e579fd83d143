"""What a stranger's bundle may try when it is opened, appended to, or saved over."""

from __future__ import annotations

import errno
import os
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuitz.disk.json_io import loads
from circuitz.disk.tensors_io import read_safetensors_in_place, safetensors_bytes
from circuitz.errors import (
    BundleError,
    BundleFormatError,
    BundleUnsafeError,
    BundleWarning,
    CircuitzError,
)
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.load_save import append_log, load
from circuitz.z.model import AnnotatedModel

FILES = ["z.json", "log.jsonl", "annotations.jsonl", "findings.json", "story.md",
         "weights.safetensors", "concepts/meta.json", "concepts/images.npy"]  # fmt: skip


@pytest.fixture
def path(z: AnnotatedModel, tmp_path: Path) -> Path:
    return z.save(tmp_path / "a.z")


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file of the user's own, which nothing may read into a bundle or write to."""
    place = tmp_path / "precious"
    place.write_bytes(b"secret")
    return place


def torn(path: Path) -> None:
    with (path / "log.jsonl").open("ab") as file:
        file.write(b"evil line to be set aside")


def test_a_torn_line_is_not_written_through_a_link(path: Path, precious: Path) -> None:
    for link in (os.symlink, os.link):
        torn(path)
        (path / "log.torn").unlink(missing_ok=True)
        link(precious, path / "log.torn")
        with pytest.warns(BundleWarning, match="cut short"):
            load(path)
        assert precious.read_bytes() == b"secret"


def test_a_log_with_a_second_name_is_not_changed_through_it(path: Path, tmp_path: Path) -> None:
    """Somebody's copy made of hard links stays what it was; so does a file linked in on purpose."""
    copy = tmp_path / "copy.jsonl"
    before = (path / "log.jsonl").read_bytes()
    os.link(path / "log.jsonl", copy)
    more = load(path).annotate("conv2:2", "ears", concepts=())
    assert append_log(path, more.log) == more.log
    assert copy.read_bytes() == before
    assert load(path).log == more.log
    (path / "log.jsonl").unlink()
    (path / "annotations.jsonl").unlink()
    copy.write_bytes(before + b"torn")
    os.link(copy, path / "log.jsonl")
    with pytest.warns(BundleWarning, match="cut short"):
        load(path)
    assert copy.read_bytes() == before + b"torn"


def test_a_secret_is_not_copied_into_the_bundle(
    path: Path, precious: Path, new_z: Callable[..., AnnotatedModel]
) -> None:
    """A save sets aside what others appended, beside what was set aside before."""
    z = load(path)
    append_log(path, z.annotate("conv2:2", "ears", concepts=()).log)
    (path / "log.aside.jsonl").symlink_to(precious)
    with pytest.warns(BundleWarning, match="set aside"):
        z.save(path)
    aside = path / "log.aside.jsonl"
    assert not aside.is_symlink()
    assert b"secret" not in aside.read_bytes()
    assert b"ears" in aside.read_bytes()
    assert precious.read_bytes() == b"secret"


HANGS = """
import sys
from circuitz.errors import CircuitzError
from circuitz.z.bundle.load_save import append_log, load
from circuitz.z.model import AnnotatedModel
path = sys.argv[1]
z = AnnotatedModel("m", ("a",)).annotate("output:a", "x", concepts=())
for work in (
    lambda: [dict(load(path).weights), load(path).concept_set],
    lambda: append_log(path, z.log),
    lambda: z.save(path),
):
    try:
        work()
    except CircuitzError:
        pass
print("done")
"""


@pytest.mark.parametrize("name", ["log.jsonl", "z.json", "log.torn", "log.aside.jsonl"])
def test_pipes_make_nobody_wait(path: Path, name: str) -> None:
    (path / name).unlink(missing_ok=True)
    os.mkfifo(path / name)
    found = subprocess.run(
        [sys.executable, "-c", HANGS, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.stdout == "done\n", found.stderr


@pytest.mark.parametrize("name", FILES)
def test_a_device_in_place_of_a_file_is_refused(path: Path, name: str) -> None:
    (path / name).unlink()
    try:
        os.mknod(path / name, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        (path / name).symlink_to("/dev/zero")  # who may not make devices links to one
    with pytest.raises(BundleUnsafeError):
        load(path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_one_may_not_read_is_named(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By refusing to open it: to the superuser every file is open."""
    real = os.open

    def refuse(file: Any, *args: Any, **kwargs: Any) -> int:
        if str(file).endswith(name):
            raise OSError(errno.EACCES, "Permission denied")
        return real(file, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)

    def read() -> None:
        z = load(path)
        dict(z.weights), z.concept_set

    with pytest.raises(BundleError, match="Permission denied") as caught:
        read()
    assert Path(name).name in str(caught.value)


def test_numbers_no_float_holds_are_refused() -> None:
    for text in (b"1e999", b"[-1E400]", b'{"a":' + b"9" * 5000 + b"}"):
        with pytest.raises(BundleFormatError, match="x is not JSON"):
            loads(text, "x")
    assert loads(b"1e308", "x") == 1e308


def test_halves_of_surrogate_pairs_are_refused() -> None:
    for text in (rb'"\ud800"', rb'{"a\uDFFF":1}', rb'["\udc00\ud800"]'):
        with pytest.raises(BundleFormatError, match="surrogate"):
            loads(text, "x")
    assert loads(rb'"\ud83d\udc15"', "x") == "🐕"


def test_shapes_of_nothing_times_everything_are_refused() -> None:
    for shape in ([0, 2**47, 2**47], [2**47, 0, 2**47]):
        head = b'{"w":{"dtype":"F32","shape":%s,"data_offsets":[0,0]}}' % str(shape).encode()
        with pytest.raises(BundleFormatError, match="absurd"):
            read_safetensors_in_place(memoryview(struct.pack("<Q", len(head)) + head), "w")


def test_measurements_that_are_not_finite_are_shown_as_such(
    z: AnnotatedModel, tmp_path: Path, new_measurements: Callable[..., Any]
) -> None:
    """They may be honest: an effect of nothing over nothing, an overflow in half precision."""
    for value in (np.nan, np.inf, -np.inf):
        measured = new_measurements()
        for array in (measured.layers["conv2"].responses, measured.effects.drive):
            array[:] = value
        again = load(z.with_(measurements=measured).save(tmp_path / "b.z"))
        assert len(again.units) == len(z.units)
        assert "<script" not in again._repr_html_()


@pytest.mark.parametrize(
    "where", ["x" * 5000, "a/" * 3000, "\x00", "/dev/zero", "/proc/self/mem", "."]
)
def test_a_reference_that_leads_nowhere_is_no_harm(
    z: AnnotatedModel, tmp_path: Path, where: str
) -> None:
    path = z.with_(data_ref=DataRef(where, "0" * 32, 3)).save(tmp_path / "b.z")
    again = load(path)
    assert again.data is None
    assert again.data_ref is not None
    with pytest.raises(CircuitzError):
        again.data_ref.resolve(path)


def test_a_reference_makes_nothing_beside_what_it_names(z: AnnotatedModel, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in (".work.tmp-mine", ".work.old-mine", ".work.lock", "work"):
        (mine / name).mkdir()
    before = sorted(mine.iterdir())
    load(z.with_(data_ref=DataRef(str(mine / "work"), "0" * 32, 3)).save(tmp_path / "b.z"))
    load(z.with_(data_ref=DataRef(str(mine / "gone"), "0" * 32, 3)).save(tmp_path / "b.z"))
    assert sorted(mine.iterdir()) == before


def test_escape_sequences_do_not_reach_the_terminal(z: AnnotatedModel) -> None:
    evil = z.with_(name="a\x1b[2Jb\x07\u202ec\x9b")
    assert repr(evil).isprintable()
    assert "\\u001b" in repr(evil)


# -- zip files ----------------------------------------------------------------------------


def zipped(place: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(place, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return place


def test_members_without_a_name_and_unusual_packing_are_refused(tmp_path: Path) -> None:
    place = zipped(tmp_path / "a.zip", {"z.json": b"{}", "x": b""})
    data = place.read_bytes().replace(b"x", b"\0")
    place.write_bytes(data)
    with pytest.raises(BundleError):
        load(place)
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with pytest.raises(BundleFormatError, match="unusual"):
            load(zipped(tmp_path / "a.zip", {"z.json": b"{}"}, method))


def test_a_bomb_of_overlapping_members_is_refused(tmp_path: Path) -> None:
    """All members share one packed body: each claims its bytes, the file has them once."""
    place = zipped(tmp_path / "a.zip", {"a": bytes(2**20)}, zipfile.ZIP_DEFLATED)
    data = place.read_bytes()
    at = data.index(b"PK\x01\x02")
    count = 2000
    names = [b"%05d" % i for i in range(count)]
    entries = b"".join(
        data[at : at + 28] + struct.pack("<H", 5) + data[at + 30 : at + 46] + name for name in names
    )
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entries), at, 0)
    place.write_bytes(data[:at] + entries + tail)
    with pytest.raises(BundleUnsafeError, match="would unpack"):
        load(place)


def test_weights_of_another_dtype_than_any_are_refused(path: Path) -> None:
    for dtype in (b"BF16", b"F8_E4M3", b"C64"):
        data = bytearray(safetensors_bytes({"w": np.ones(2, np.float32)}))
        head = bytes(data[8:]).replace(b'"F32"', b'"' + dtype + b'"')
        length = struct.unpack("<Q", bytes(data[:8]))[0] + len(dtype) - 3
        with pytest.raises(BundleFormatError, match="dtype"):
            read_safetensors_in_place(memoryview(struct.pack("<Q", length) + head), "w")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "a/" * 3000])
def test_a_path_no_disk_has_is_a_named_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError):
        load(tmp_path / name)

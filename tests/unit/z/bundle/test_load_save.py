from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from circuitz.disk import folder_source as source_module
from circuitz.disk.lazy import lazy_field_content_unread
from circuitz.errors import (
    AnnotationError,
    BundleError,
    BundleWarning,
    BundleWriteError,
    MeasurementError,
    WeightsError,
)
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import input_set_fingerprint, write_inputs
from circuitz.z.bundle.load_save import append_log, load, save
from circuitz.z.bundle.replace_bundle import ASIDE
from circuitz.z.model import AnnotatedModel


def same(a: AnnotatedModel, b: AnnotatedModel) -> None:
    """Everything that is saved is equal, bit for bit."""
    assert a.hash == b.hash
    assert a.log == b.log
    for name in ("name", "classes", "subject", "layers", "cut", "preprocessing", "builder"):
        assert getattr(a, name) == getattr(b, name)
    for name in ("builder_args", "waivers", "parent", "lineage", "notes", "story"):
        assert getattr(a, name) == getattr(b, name)
    assert repr(a.findings) == repr(b.findings)
    for name in ("weights", "bases"):
        mine, theirs = getattr(a, name), getattr(b, name)
        assert dict(mine).keys() == dict(theirs).keys()
        for key, array in mine.items():
            equal(array, theirs[key])
    assert input_set_fingerprint(a.concept_set) == input_set_fingerprint(b.concept_set)
    mine, theirs = a.measurements, b.measurements
    assert (mine is None) == (theirs is None)
    if mine is not None:
        for key in ("weights_hash", "concepts_hash", "data_hash", "seed", "pictures"):
            assert getattr(mine, key) == getattr(theirs, key)
        assert mine.group_pictures == theirs.group_pictures
        assert mine.layers.keys() == theirs.layers.keys()
        pairs = [(layer, theirs.layers[key]) for key, layer in mine.layers.items()]
        for one, other in [*pairs, (mine.effects, theirs.effects)]:
            for field in vars(one):
                equal(getattr(one, field), getattr(other, field))


def equal(one: object, other: object) -> None:
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.tobytes() == other.tobytes()
    else:
        assert one == other


@pytest.mark.parametrize("name", ["husky.z", "husky.z.zip"])
def test_a_round_trip_is_exact(z: AnnotatedModel, tmp_path: Path, name: str) -> None:
    z = z.annotate("conv2:2", "Ohren ❄️", concepts=("pointed ears",)).undo()
    assert z.save(tmp_path / name) == tmp_path / name
    again = load(tmp_path / name)
    same(z, again)
    assert again.stale == z.stale
    assert again.remarks == ()
    assert again.home == str(tmp_path / name)


@pytest.mark.parametrize("name", ["husky.z", "husky.z.zip"])
def test_a_bare_model_round_trips(tmp_path: Path, name: str) -> None:
    z = AnnotatedModel("bare", ("a", "b"))
    again = load(z.save(tmp_path / name))
    assert again.hash == z.hash
    assert again.measurements is None
    assert again.concept_set is None
    assert dict(again.weights) == {}


def test_nothing_large_is_read_before_it_is_touched(z: AnnotatedModel, tmp_path: Path) -> None:
    again = load(z.save(tmp_path / "a.z"))
    repr(again), again.hash, again.stale, again.annotations
    assert not again.weights.loaded
    assert not lazy_field_content_unread(again, "measurements").loaded
    assert not lazy_field_content_unread(again, "concept_set").loaded
    assert again.annotate("conv2:0", "x", concepts=()).undo().hash == again.hash
    assert not again.weights.loaded


def test_arrays_from_a_bundle_are_read_only(z: AnnotatedModel, tmp_path: Path) -> None:
    again = load(z.save(tmp_path / "a.z"))
    arrays = [
        again.weights["conv2.weight"],
        again.concept_set.images,
        again.measurements.effects.sufficiency,
    ]
    for array in arrays:
        assert not array.flags.writeable


def test_unchanged_files_are_linked_not_written(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    big = ["weights.safetensors", "bases/bases.safetensors", "concepts/images.npy"]
    big += [f"evidence/{file.name}" for file in (path / "evidence").iterdir()]
    before = {name: (path / name).stat().st_ino for name in big}
    opened = load(path)
    for edited in (
        z.annotate("conv2:2", "ears", concepts=()),  # a value that was saved here
        opened.annotate("conv2:3", "tail", concepts=()),  # one that was opened and not read
        opened.with_(measurements=opened.measurements),  # one that was read
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *a, **k: None)
            edited.save(path)
        assert {name: (path / name).stat().st_ino for name in big} == before
    assert len(opened.weights) == 2


def test_saving_elsewhere_copies_without_links(z: AnnotatedModel, tmp_path: Path) -> None:
    opened = load(z.save(tmp_path / "a.z"))
    copy = opened.save(tmp_path / "b.z")
    shutil.rmtree(tmp_path / "a.z")
    same(z, load(copy))
    assert all(file.stat().st_nlink == 1 for file in copy.rglob("*") if file.is_file())


def test_new_weights_replace_old_ones(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    trained = load(path).with_(what="training", weights={"w": np.ones((2, 2), np.float32)})
    trained.save(path)
    assert dict(load(path).weights).keys() == {"w"}
    assert load(path).lineage[-1]["what"] == "training"


def test_a_model_opened_before_a_save_can_be_read_after_it(
    z: AnnotatedModel, tmp_path: Path, new_z: Callable[..., AnnotatedModel]
) -> None:
    path = z.save(tmp_path / "a.z")
    opened = load(path)
    other = new_z(seed=5)
    other.save(path)
    other.save(path)
    same(z, opened)
    same(other, load(path))


def test_files_removed_from_z_leave_the_bundle(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    load(path).with_(measurements=None, concept_set=None, bases={}).save(path)
    assert not (path / "evidence").exists()
    assert not (path / "concepts").exists()
    assert not (path / "bases").exists()
    assert load(path).measurements is None


def test_annotations_on_disk_are_one_line_each_sorted_by_unit(
    z: AnnotatedModel, tmp_path: Path
) -> None:
    z = z.annotate("conv1:1", "edges", concepts=()).annotate("conv2:0", "ears", concepts=())
    lines = (z.save(tmp_path / "a.z") / "annotations.jsonl").read_text("utf-8").splitlines()
    assert [line.split('"target":"')[1].split('"')[0] for line in lines] == [
        "conv1:1", "conv2:0", "conv2:1",
    ]  # fmt: skip


def test_undo_survives_saving_and_loading(z: AnnotatedModel, tmp_path: Path) -> None:
    path = tmp_path / "a.z"
    two = z.annotate("conv2:2", "ears", concepts=())
    two.save(path)
    back = load(path).undo()
    back.save(path)
    assert load(path).redo().hash == two.hash
    assert load(path).undo().annotations.empty
    with pytest.raises(AnnotationError):
        load(path).undo().undo()


def test_weights_that_are_not_finite_are_not_saved(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    bad = z.with_(weights={"fc.weight": np.array([1.0, np.nan])})
    with pytest.raises(WeightsError, match=r"fc\.weight"):
        bad.save(path)
    same(z, load(path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.z"]


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1j]), np.array([None])])
def test_weights_a_bundle_cannot_hold_are_named(z: AnnotatedModel, array: np.ndarray) -> None:
    with pytest.raises(WeightsError, match="'odd'"):
        z.with_(weights={"odd": array})


def test_notes_that_are_not_json_are_named(z: AnnotatedModel, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="settings"):
        z.with_(notes={"settings": {"x": object()}}).save(tmp_path / "a.z")
    saved = z.with_(notes={"n": np.float32(0.5), "nan": float("nan")}).save(tmp_path / "a.z")
    assert load(saved).notes["n"] == 0.5
    assert np.isnan(load(saved).notes["nan"])


def test_pictures_are_named_by_their_contents(
    z: AnnotatedModel, tmp_path: Path, new_measurements: Callable[..., object]
) -> None:
    measured = new_measurements()
    measured.pictures["../../evil"] = b"x"
    with pytest.raises(MeasurementError, match="contents"):
        z.with_(measurements=measured).save(tmp_path / "a.z")


def test_only_bundles_are_replaced(z: AnnotatedModel, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "me.jpg").write_bytes(b"x")
    file = tmp_path / "notes.txt"
    file.write_text("x")
    text = tmp_path / "notes.zip"
    text.write_text("x")
    for path in (folder, file, text):
        with pytest.raises(BundleWriteError, match="no bundle"):
            z.save(path)
    assert (folder / "me.jpg").read_bytes() == b"x"
    path = z.save(tmp_path / "a.z")
    with pytest.raises(BundleWriteError, match="there already"):
        z.save(path, overwrite=False)
    (tmp_path / "empty.z").mkdir()
    z.save(tmp_path / "empty.z")
    z.save(tmp_path / "new" / "folders" / "a.z")


def test_a_damaged_bundle_can_be_replaced(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    (path / "z.json").write_text("{")
    z.save(path)
    same(z, load(path))


def test_files_people_put_into_a_bundle_stay(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    (path / "README.md").write_text("mine")
    (path / "papers").mkdir()
    (path / "papers" / "a.txt").write_text("text")
    (path / "link").symlink_to("README.md")
    z.annotate("conv2:2", "x", concepts=()).save(path)
    assert (path / "README.md").read_text() == "mine"
    assert (path / "papers" / "a.txt").read_text() == "text"
    assert (path / "link").readlink() == Path("README.md")


def test_a_bundle_behind_a_link_is_saved_where_it_lies(z: AnnotatedModel, tmp_path: Path) -> None:
    real = z.save(tmp_path / "real" / "a.z")
    (tmp_path / "a.z").symlink_to(real)
    edited = load(tmp_path / "a.z").annotate("conv2:2", "x", concepts=())
    edited.save(tmp_path / "a.z")
    assert (tmp_path / "a.z").is_symlink()
    assert load(real).hash == edited.hash


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle at"):
        load(tmp_path / "gone.z")
    with pytest.raises(BundleError, match=r"no z\.json"):
        load(tmp_path)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(BundleError, match="zip"):
        load(tmp_path / "text")


def test_edits_others_made_meanwhile_are_set_aside_with_a_warning(
    z: AnnotatedModel, tmp_path: Path
) -> None:
    path = z.save(tmp_path / "a.z")
    other = load(path).annotate("conv2:3", "tail", concepts=(), author="bob")
    append_log(path, other.log)
    with pytest.warns(BundleWarning, match="1 edits"):
        z.annotate("conv2:2", "ears", concepts=()).save(path)
    assert "conv2:3" not in load(path).effective()
    assert "tail" in (path / ASIDE).read_text()
    with pytest.warns(BundleWarning, match="1 edits"):
        z.save(path)
    assert len((path / ASIDE).read_text().splitlines()) == 2


def test_another_model_may_take_the_name(
    z: AnnotatedModel, tmp_path: Path, new_z: Callable[..., AnnotatedModel]
) -> None:
    path = z.save(tmp_path / "a.z")
    new_z(seed=3).save(path)
    assert not (path / ASIDE).exists()


def test_a_zip_made_by_hand_from_the_folder_opens(z: AnnotatedModel, tmp_path: Path) -> None:
    z.save(tmp_path / "in" / "husky.z")
    (tmp_path / "in" / "husky.z" / ".DS_Store").write_bytes(b"x")
    made = shutil.make_archive(str(tmp_path / "made"), "zip", tmp_path / "in")
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("__MACOSX/husky.z/._z.json", b"x")
    same(z, load(made))


def test_the_same_z_makes_the_same_zip(z: AnnotatedModel, tmp_path: Path) -> None:
    one, two = z.save(tmp_path / "1.zip"), z.save(tmp_path / "2.zip")
    assert one.read_bytes() == two.read_bytes()
    z.save(one)
    assert one.read_bytes() == two.read_bytes()


def test_from_zip_to_folder_and_back(z: AnnotatedModel, tmp_path: Path) -> None:
    folder = load(z.save(tmp_path / "a.zip")).save(tmp_path / "b.z")
    back = load(folder).save(tmp_path / "c.zip")
    same(z, load(back))


def test_a_large_concept_set_stays_outside(
    z: AnnotatedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("circuitz.z.bundle.write_bundle.SMALL_CONCEPTS", 10)
    concepts = z.concept_set
    write_inputs(tmp_path / "data" / "concepts", concepts)
    path = z.save(tmp_path / "a.z")
    assert not (path / "concepts").exists()
    again = load(path)
    assert again.concepts_ref.path == "data/concepts"
    assert input_set_fingerprint(again.concept_set) == input_set_fingerprint(concepts)
    assert again.concepts_hash == input_set_fingerprint(concepts)
    shutil.rmtree(tmp_path / "data")
    gone = load(path)
    assert gone.concept_set is None
    assert gone.concepts_hash == input_set_fingerprint(concepts)
    assert gone.concepts_ref.recipe == concepts.recipe
    # Nothing that is not at hand is lost by saving again.
    assert load(gone.save(path)).concepts_ref.fingerprint == input_set_fingerprint(concepts)


def test_a_large_set_that_could_not_be_made_again_travels_along(
    z: AnnotatedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    new_inputs: Callable[..., object],
) -> None:
    monkeypatch.setattr("circuitz.z.bundle.write_bundle.SMALL_CONCEPTS", 10)
    mine = new_inputs(recipe={})
    path = z.with_(concept_set=mine).save(tmp_path / "a.z")
    assert input_set_fingerprint(load(path).concept_set) == input_set_fingerprint(mine)


def test_d_is_referred_to_and_found_again(
    z: AnnotatedModel, tmp_path: Path, new_inputs: Callable[..., object]
) -> None:
    data = new_inputs(role="D", seed=3)
    folder = write_inputs(tmp_path / "out" / "D", data)
    path = z.with_(data=data).save(tmp_path / "out" / "a.z")
    again = load(path)
    assert again.data_ref == DataRef("D", input_set_fingerprint(data), len(data), data.recipe)
    assert not lazy_field_content_unread(again, "data").loaded
    assert input_set_fingerprint(again.data) == input_set_fingerprint(data)
    # Moved together they find each other; saved elsewhere, z still knows where D lies.
    shutil.move(tmp_path / "out", tmp_path / "moved")
    moved = load(tmp_path / "moved" / "a.z")
    assert input_set_fingerprint(moved.data) == input_set_fingerprint(data)
    far = load(moved.save(tmp_path / "far" / "b.z"))
    assert far.data_ref.path == str(tmp_path / "moved" / "D")
    assert input_set_fingerprint(far.data) == input_set_fingerprint(data)
    assert not folder.exists()


def test_without_d_the_model_opens_and_says_so_when_asked(
    z: AnnotatedModel, tmp_path: Path, new_inputs: Callable[..., object]
) -> None:
    path = z.with_(data=new_inputs(role="D")).save(tmp_path / "a.z")
    again = load(path)
    assert again.data is None
    assert again.data_hash == input_set_fingerprint(new_inputs(role="D"))


def test_open_files_are_let_go(z: AnnotatedModel, tmp_path: Path) -> None:
    path = z.save(tmp_path / "a.z")
    handles = Path("/proc/self/fd")
    before = len(list(handles.iterdir())) if handles.exists() else 0
    for seed in range(10):
        opened = load(path)
        z.with_(weights={"w": np.full(3, seed)}).save(path)
        del opened
    after = len(list(handles.iterdir())) if handles.exists() else 0
    assert after <= before + 2
    assert len(list(source_module.live_folder_sources_at(path))) < 5


def test_save_is_a_function_and_a_method(z: AnnotatedModel, tmp_path: Path) -> None:
    assert save(z, str(tmp_path / "a.z")) == tmp_path / "a.z"

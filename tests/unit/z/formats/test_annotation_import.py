from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from circuitz.errors import AnnotationError, AnnotationFileError, BundleError, UnitError
from circuitz.z.bundle.load_save import append_log, load
from circuitz.z.formats import (
    import_annotations,
    import_into_bundle,
    read_annotations,
    write_annotations,
)
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel

File = Callable[..., Path]


@pytest.fixture
def z(bare: AnnotatedModel) -> AnnotatedModel:
    return bare.annotate("conv1:0", "snow", author="ann").annotate(
        "conv1:1", "ears", author="match", author_kind="rule"
    )


def whats(taken: object) -> list[str]:
    return [line.what for line in taken.lines]  # type: ignore[attr-defined]


def test_new_words_are_taken_over_and_read_by_the_lexicon(z: AnnotatedModel, file: File) -> None:
    found = read_annotations(file("a.csv", "unit,text\nconv1:007,snow on the ground\n"))
    taken = import_annotations(z, found, author="mira")
    entry = taken.z.effective()["conv1:7"]
    assert (entry.text, entry.concepts, entry.author) == ("snow on the ground", ("snow",), "mira")
    assert entry.lexicon_hash
    assert entry.weights_hash == z.weights_hash
    assert taken.z.parent == z.hash
    assert taken.counts()["new"] == 1
    # Again: nothing to do, and nothing is made.
    again = import_annotations(taken.z, found)
    assert (whats(again), again.written, again.z) == (["unchanged"], False, taken.z)


def test_a_conflict_is_listed_and_nothing_is_written(z: AnnotatedModel, file: File) -> None:
    found = read_annotations(
        file("a.csv", "unit,text,author\nconv1:0,grass,jon\nconv1:5,sky,jon\n")
    )
    taken = import_annotations(z, found)
    assert (taken.written, taken.z) == (False, z)
    (line,) = taken.conflicts
    assert (line.line, line.target, line.here, line.incoming) == (2, "conv1:0", "snow", "grass")
    assert (line.author_here, line.author_there) == ("ann", "jon")
    assert list(taken.frame["what"]) == ["conflict", "new"]
    kept = import_annotations(z, found, on_conflict="keep")
    assert kept.written
    assert kept.z.effective()["conv1:0"].text == "snow"
    assert kept.z.effective()["conv1:5"].text == "sky"
    won = import_annotations(z, found, on_conflict="replace")
    assert won.z.effective()["conv1:0"].text == "grass"
    assert whats(won) == ["replaced", "new"]
    # What was replaced is in the history, and comes back.
    assert won.z.undo().undo().hash == z.hash
    with pytest.raises(AnnotationError):
        import_annotations(z, found, on_conflict="maybe")  # type: ignore[arg-type]


def test_an_edit_of_what_was_exported_is_no_conflict(
    z: AnnotatedModel, tmp_path: Path, file: File
) -> None:
    path = write_annotations(z, tmp_path / "a.csv").path
    path.write_text(path.read_text().replace("snow,snow", "fluffy coat,snow"))
    taken = import_annotations(z, read_annotations(path), author="mira")
    assert whats(taken) == ["edited", "unchanged"]
    entry = taken.z.effective()["conv1:0"]
    # The concepts beside the words were those of the old words.
    assert (entry.text, entry.concepts, entry.author) == ("fluffy coat", ("fluffy coat",), "mira")
    # Somebody else was faster: now it is one.
    other = z.annotate("conv1:0", "sky", author="jon")
    assert whats(import_annotations(other, read_annotations(path))) == ["conflict", "unchanged"]


def test_a_replaced_word_is_in_force_whoever_said_it(z: AnnotatedModel, file: File) -> None:
    """A rule's word does not beat a person's, unless a person says that the file wins."""
    text = "unit,text,author_kind\nconv1:0,grass,rule\nconv1:1,grass,model\n"
    taken = import_annotations(z, read_annotations(file("a.csv", text)), on_conflict="replace")
    assert {e.text for e in taken.z.effective().values()} == {"grass"}


def test_what_a_line_leaves_out_agrees(bare: AnnotatedModel, file: File) -> None:
    z = bare.annotate("conv1:0", "snow", concepts=("x",), confidence=0.3)
    assert whats(
        import_annotations(z, read_annotations(file("a.csv", "unit,text\nconv1:0,snow\n")))
    ) == ["unchanged"]
    told = file("a.csv", "unit,text,confidence\nconv1:0,snow,0.4\n")
    assert whats(import_annotations(z, read_annotations(told))) == ["conflict"]


def test_unknown_units_are_named_with_their_lines(z: AnnotatedModel, file: File) -> None:
    text = (
        "unit,text\nconv1:0,snow\nconv1:8,a\nconv9:1,b\noutput:cat,c\nhusky,d\ngroup:,e\nedge:a,f\n"
    )
    with pytest.raises(
        AnnotationFileError, match=r"Line 3: .*conv1:0 to conv1:7.*Line 4"
    ) as caught:
        import_annotations(z, read_annotations(file("a.csv", text)))
    assert "1 more" in str(caught.value)
    assert not isinstance(caught.value, UnitError)


def test_two_lines_on_one_unit(z: AnnotatedModel, file: File) -> None:
    text = "unit,text\nconv1:5,a\nconv1:05,a\nconv1:6,b\nconv1:6,c\n"
    with pytest.raises(AnnotationFileError, match="Line 5: conv1:6 is annotated on line 4"):
        import_annotations(z, read_annotations(file("a.csv", text)))
    text = "unit,text\nconv1:5,a\nconv1:05,a\n"
    assert whats(import_annotations(z, read_annotations(file("a.csv", text)))) == ["new"]


def test_a_history_comes_over_whole(
    z: AnnotatedModel, bare: AnnotatedModel, tmp_path: Path
) -> None:
    busy = z.annotate("conv1:0", "grass").undo().retract("conv1:1").annotate("conv1:1", "=x")
    for name in ("h.csv", "h.jsonl"):
        path = write_annotations(busy, tmp_path / name, history=True).path
        found = read_annotations(path)
        assert found.history
        assert import_annotations(bare, found).z.log == busy.log
        assert import_annotations(z, found).z.log == busy.log
        assert not import_annotations(busy, found).written
        clash = z.annotate("conv1:1", "tail", author="jon")
        taken = import_annotations(clash, found)
        assert [line.target for line in taken.conflicts] == ["conv1:1"]
        assert not taken.written
        assert (
            import_annotations(clash, found, on_conflict="keep").z.effective()["conv1:1"].text
            == "tail"
        )
        assert (
            import_annotations(clash, found, on_conflict="replace").z.effective()["conv1:1"].text
            == "=x"
        )


def test_a_history_that_withdraws_wins_only_when_told(z: AnnotatedModel, tmp_path: Path) -> None:
    gone = z.retract("conv1:0")
    found = read_annotations(write_annotations(gone, tmp_path / "h.jsonl", history=True).path)
    mine = z.annotate("conv1:0", "grass", author="jon")
    assert (
        import_annotations(mine, found, on_conflict="keep").z.effective()["conv1:0"].text == "grass"
    )
    assert "conv1:0" not in import_annotations(mine, found, on_conflict="replace").z.effective()


def test_a_damaged_history_is_refused(z: AnnotatedModel, tmp_path: Path) -> None:
    path = write_annotations(z.undo(), tmp_path / "h.jsonl", history=True).path
    lines = path.read_text("utf-8").splitlines(keepends=True)
    for some in ([lines[-1]], [*lines, lines[0]], [lines[0].replace(f'"{z.log[0].id}"', '""')]):
        path.write_text("".join(some))
        with pytest.raises(AnnotationFileError):
            import_annotations(z, read_annotations(path))


def test_a_hundred_thousand_lines(file: File) -> None:
    z = AnnotatedModel("m", ("a",), layers=(LayerSpec("conv1", 100_000),))
    text = "unit,text\n" + "".join(f"conv1:{i},snow {i % 100}\n" for i in range(100_000))
    taken = import_annotations(z, read_annotations(file("a.csv", text)))
    assert taken.counts()["new"] == 100_000
    assert len(taken.z.effective()) == 100_000


def test_a_bundle_gets_the_words_and_others_keep_theirs(
    z: AnnotatedModel, tmp_path: Path, file: File
) -> None:
    path = z.save(tmp_path / "a.z")
    found = read_annotations(file("a.csv", "unit,text\nconv1:0,grass\nconv1:5,sky\n"))
    before = {p.name: p.read_bytes() for p in path.iterdir() if p.is_file()}
    assert not import_into_bundle(path, found).written
    assert {p.name: p.read_bytes() for p in path.iterdir() if p.is_file()} == before
    taken = import_into_bundle(path, found, on_conflict="keep", author="mira")
    assert taken.written
    assert load(path).hash == taken.z.hash
    zipped = z.save(tmp_path / "a.zip")
    import_into_bundle(zipped, found, on_conflict="replace")
    assert load(zipped).effective()["conv1:0"].text == "grass"


def test_words_appended_meanwhile_are_a_conflict_not_overwritten(
    z: AnnotatedModel, tmp_path: Path, file: File
) -> None:
    """The comparison is with the log as it stands while nobody else can write."""
    path = z.save(tmp_path / "a.z")
    found = read_annotations(file("a.csv", "unit,text\nconv1:5,sky\n"))
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.read(ready, 1)
            for _ in range(3):
                time.sleep(0.002)
                append_log(path, load(path).annotate("conv1:5", "tail", author="jon").log)
            code = 0
        finally:
            os._exit(code)
    os.write(go, b"x")
    taken = import_into_bundle(path, found)
    assert os.waitpid(child, 0)[1] == 0
    said = [entry.text for entry in load(path).log if entry.target == "conv1:5"]
    # Whoever came first, both are on record, and the file's word never came after jon's.
    assert said in (["sky", "tail", "tail", "tail"], ["tail"] * 3)
    assert taken.written == ("sky" in said)


def test_a_bundle_that_cannot_be_written_is_named(
    z: AnnotatedModel, tmp_path: Path, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = z.save(tmp_path / "a.z")
    found = read_annotations(file("a.csv", "unit,text\nconv1:5,sky\n"))

    def refuse(*args: object, **kwargs: object) -> object:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr("circuitz.disk.lock.io.FileIO", refuse)
        with pytest.raises(BundleError, match="Read-only"):
            import_into_bundle(path, found)
    assert load(path).log == z.log
    with pytest.raises(BundleError, match="no bundle"):
        import_into_bundle(tmp_path / "none.z", found)

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from circuitz.errors import StoreError
from circuitz.store.judgement import Judgement
from circuitz.store.judgement_lines import judgement_lines, read_judgement_lines
from circuitz.store.judgements import Judgements

TIME = "2026-01-05T10:00:00+00:00"


def row(key: str = "k", rater: str = "mira", **answer: object) -> Judgement:
    return Judgement(
        "t", "label", "z", "c", (f"item-{key}",), ("a", "b"), 0, {"choice": "a", **answer},
        rater, "person", TIME, TIME, key,
    )  # fmt: skip


@pytest.mark.parametrize(
    "note", ["line\u2028sep", "para\u2029graph", "next\x85line", "unit\x1csep", "form\x0cfeed\x0b", "\ufeffmark", "a\r\nb"]
)  # fmt: skip
def test_whatever_a_note_holds_comes_back(tmp_path: Path, note: str) -> None:
    store, other = Judgements(tmp_path / "a.sqlite"), Judgements(tmp_path / "b.sqlite")
    store.append([row("1", note=note), row("2")])
    assert store.export_jsonl(tmp_path / "x.jsonl") == 2
    assert other.import_jsonl(tmp_path / "x.jsonl") == 2
    assert other.rows() == store.rows()


def test_files_that_another_program_saved_again_are_read(tmp_path: Path) -> None:
    data = judgement_lines([row("1").validated_with_id(), row("2").validated_with_id()])
    (tmp_path / "x.jsonl").write_bytes(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n") + b"\r\n")
    assert [r.key for r in read_judgement_lines(tmp_path / "x.jsonl")] == ["1", "2"]


@pytest.mark.parametrize(
    ("rater", "said"),
    [("\u202eevil", r"U\+202E"), ("a\x1b[31m", r"U\+001B"), ("a\nb", r"U\+000A"), ("", "no rater"), ("\u200b", "no rater"), ("x" * 300, "300")],
)  # fmt: skip
def test_names_that_are_none_are_refused_with_their_line(
    tmp_path: Path, rater: str, said: str
) -> None:
    record = row("2").validated_with_id().to_dict() | {"rater": rater}
    lines = judgement_lines([row("1").validated_with_id()]) + json.dumps(record).encode()
    (tmp_path / "x.jsonl").write_bytes(lines)
    store = Judgements(tmp_path / "a.sqlite")
    with pytest.raises(StoreError, match="Line 2 of .*" + said):
        store.import_jsonl(tmp_path / "x.jsonl")
    assert len(store) == 0


def test_spellings_of_one_name_are_one_rater(tmp_path: Path) -> None:
    names = ("Zo\u00eb", "Zoe\u0308", "Zo\u200b\u00eb", "Zo\u00eb\u00a0", " Zo\u00eb")
    records = [
        row(f"{n}").validated_with_id().to_dict() | {"rater": r} for n, r in enumerate(names)
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    store = Judgements(tmp_path / "a.sqlite")
    assert store.import_jsonl(tmp_path / "x.jsonl") == len(names)
    assert {r.rater for r in store.rows()} == {"Zo\u00eb"}
    assert len(store.rows(rater="Zoe\u0308")) == len(names)


def test_half_of_a_surrogate_pair_is_refused(tmp_path: Path) -> None:
    store = Judgements(tmp_path / "a.sqlite")
    for broken in (row(note="\ud800"), row(key="\udfff")):
        with pytest.raises(StoreError, match="surrogate"):
            store.append(broken)
    (tmp_path / "x.jsonl").write_text(
        judgement_lines([row().validated_with_id()])
        .decode()
        .replace('"choice": "a"', '"choice": "\\ud800"')
    )
    with pytest.raises(StoreError, match=r"Line 1 .*surrogate"):
        store.import_jsonl(tmp_path / "x.jsonl")
    assert len(store) == 0


def test_lines_that_are_none_are_named(tmp_path: Path) -> None:
    good = judgement_lines([row().validated_with_id()])
    store = Judgements(tmp_path / "a.sqlite")
    for bad in (b"[1", b"[1]", b'{"task": "x"}', b"[" * 100_000):
        (tmp_path / "x.jsonl").write_bytes(good + bad)
        with pytest.raises(StoreError, match="Line 2 of"):
            store.import_jsonl(tmp_path / "x.jsonl")
    assert len(store) == 0


def test_an_answer_that_chooses_none_of_its_options_is_refused_by_name(tmp_path: Path) -> None:
    options = ("husky", "corgi")
    offered = [
        Judgement(
            "t", "label", "z", "c", (f"i{n}",), options, 0, {"choice": choice}, "ada", "person",
            "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", f"key-{n}",
        ).validated_with_id()
        for n, choice in enumerate((*options, "cannot tell", "not usable"))
    ]  # fmt: skip
    store = Judgements(tmp_path / "a.sqlite")
    path = tmp_path / "x.jsonl"
    path.write_bytes(judgement_lines(offered))
    assert store.import_jsonl(path) == len(offered)
    for odd in ("heron", "Husky", "", 3, ["husky"], None):
        path.write_bytes(judgement_lines([offered[0], replace(offered[1], answer={"choice": odd})]))
        fresh = Judgements(tmp_path / "b.sqlite")
        with pytest.raises(StoreError, match=r"Line 2 .* none of its options") as refused:
            fresh.import_jsonl(path)
        assert "husky, corgi" in refused.value.hint
        assert len(fresh) == 0

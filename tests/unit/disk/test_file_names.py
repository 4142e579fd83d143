from __future__ import annotations

import pytest

from circuitz.disk.file_names import (
    check_distinct_ignoring_case,
    check_member_name,
    parse_file_entries,
)
from circuitz.disk.saved_files import FileEntry
from circuitz.errors import BundleFormatError, BundleUnsafeError


@pytest.mark.parametrize("name", ["z.json", "evidence/0a1b.png", "bases/conv4@nmf.safetensors"])
def test_plain_paths_are_kept(name: str) -> None:
    assert check_member_name(name, "x") == name


@pytest.mark.parametrize(
    "name",
    [
        *(None, 3, "", "/a", "../a", "a/../b", "a//b", "a/", ".hidden", "a\\b", "C:a", "a b"),
        *("a\nb", "a\n", "x" * 500, "/".join("abcdefghij"), "é"),
    ],
)
def test_everything_else_is_refused(name: object) -> None:
    with pytest.raises(BundleUnsafeError, match="manifest"):
        check_member_name(name, "manifest")


def test_names_that_only_differ_in_case_are_one() -> None:
    check_distinct_ignoring_case(["a", "b"], "x")
    with pytest.raises(BundleUnsafeError, match="twice"):
        check_distinct_ignoring_case(["a.png", "A.png"], "x")


def test_a_list_of_files_is_read() -> None:
    files = {"a": {"sha256": "0" * 64, "size": 0}}
    assert parse_file_entries(files, "x") == {"a": FileEntry("0" * 64, 0)}
    with pytest.raises(BundleFormatError, match="'a'"):
        parse_file_entries({"a": {"sha256": "0" * 64, "size": "1"}}, "x")

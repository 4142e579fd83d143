from __future__ import annotations

import pytest

from circuitz.disk.seal import check_seal, parse_sealed_document_unchecked, seal_with_own_hash
from circuitz.errors import BundleFormatError, BundleTamperedError


def test_a_sealed_document_is_accepted_as_written() -> None:
    document = parse_sealed_document_unchecked(
        seal_with_own_hash({"a": [1, {"b": float("nan")}], "ä": None}), "x"
    )
    check_seal(document, "x")
    assert document["ä"] is None


@pytest.mark.parametrize("change", [{"a": 2}, {"b": 1}, {"sha256": "0"}, {"sha256": None}])
def test_any_change_breaks_the_seal(change: dict[str, object]) -> None:
    document = parse_sealed_document_unchecked(seal_with_own_hash({"a": 1}), "x") | change
    with pytest.raises(BundleTamperedError, match="x was changed"):
        check_seal(document, "x")


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(BundleFormatError):
        parse_sealed_document_unchecked(b"[]", "x")

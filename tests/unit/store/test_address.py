from __future__ import annotations

from pathlib import Path

import pytest

from circuitz.errors import StoreError
from circuitz.store.address import address_from_any_folder, open_store, path_from_store_address


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("a.sqlite", "a.sqlite"), ("sqlite:///a.sqlite", "a.sqlite"),
        ("sqlite:////tmp/a%20b.sqlite", "/tmp/a b.sqlite"), (" /x/y.db ", "/x/y.db"),
    ],
)  # fmt: skip
def test_addresses(address: str, path: str) -> None:
    assert path_from_store_address(address) == Path(path)


@pytest.mark.parametrize(
    "address", ["", " ", "postgresql://ada:secret@host/db", "sqlite://host/a", "http://x/y"]
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(address)
    assert "secret" not in str(caught.value)


def test_an_address_means_the_same_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = address_from_any_folder("sqlite:///a.sqlite")
    assert whole == str(tmp_path / "a.sqlite")
    assert open_store(whole).address == whole

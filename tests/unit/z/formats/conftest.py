from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel


def make() -> AnnotatedModel:
    return AnnotatedModel(
        name="small",
        classes=("husky", "7"),
        layers=(LayerSpec("conv1", 8), LayerSpec("blocks.1.attn.hook_z", 4)),
        bases={"conv1@nmf": [[1.0] * 8, [2.0] * 8]},  # type: ignore[dict-item]
    )


@pytest.fixture
def bare() -> AnnotatedModel:
    """Nothing annotated yet."""
    return make()


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """``file(name, text_or_bytes)`` writes a file and says where."""

    def write(name: str, data: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write

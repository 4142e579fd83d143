"""Hashes that name what a result was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from circuitz.disk.hashing import json_hash
from circuitz.z.annotation import Annotation

if TYPE_CHECKING:
    from circuitz.z.layer import Preprocessing


def annotations_hash(effective: Iterable[Annotation]) -> str:
    """Hash of what is said about which unit, not of who said it or when."""
    said = sorted(
        [entry.target, entry.text, list(entry.concepts), float(entry.confidence)]
        for entry in effective
    )
    return json_hash(["annotations 1", said])


def z_hash(
    *,
    weights_hash: str,
    bases_hash: str,
    preprocessing: Preprocessing,
    classes: tuple[str, ...],
    network: tuple[str, Mapping[str, Any], tuple[str, ...]],
    annotations_hash: str,
    head: str = "softmax",
    output: str = "",
) -> str:
    """Hash of z: the network as it computes, and the annotations in force.

    ``network`` is builder, its arguments and the cut. Authors, times and the order of edits do
    not count.
    """
    builder, arguments, cut = network
    return json_hash(
        {
            "z": 1,
            "weights": weights_hash,
            "bases": bases_hash,
            "preprocessing": [
                [float(v) for v in preprocessing.mean],
                [float(v) for v in preprocessing.std],
                [int(v) for v in preprocessing.size],
                preprocessing.colour,
                # Of padding nothing was known before: the hashes of pictures stay.
                *([preprocessing.padding] if preprocessing.padding >= 0 else []),
                *([preprocessing.masking] if preprocessing.masking != "none" else []),
            ],
            "classes": list(classes),
            "network": [builder, dict(arguments), list(cut)],
            "annotations": annotations_hash,
            # Most heads are softmax, and were before the field was: their hashes stay.
            **({} if head == "softmax" else {"head": head}),
            **({"output": output} if output else {}),
        }
    )

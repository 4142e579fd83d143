"""Effects measured again from the written file, in a process that has nothing else."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitz.errors import BuilderError, CircuitzError
from circuitz.labelling.gates.gate import Gate
from circuitz.z.bundle.load_save import save

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

_SECONDS = 1800
_CANNOT_BUILD = ("builder", "inputs")


def effects_again_gate(z: AnnotatedModel, path: Path) -> Gate:
    """Write z beside its place, measure a sample of its effects from there anew, and compare.

    Parameters
    ----------
    z
        The model as it will be exported.
    path
        Where it will be written; nothing there is touched.
    """
    # Imported here: all else of the gates reads what was measured, and needs no torch.
    from circuitz.measurement.measured_again import (  # noqa: PLC0415
        TOLERANCE,
        draw_effect_sample,
    )

    try:
        if not z.builder:
            raise BuilderError(
                "the network was made from a live module, which no other process has.",
                "Register a builder for it and wrap what it builds, so that others can run it.",
            )
        sample = draw_effect_sample(z)
    except CircuitzError as problem:
        return _not_measured(problem.message, problem.hint)
    place = path.absolute().parent
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=place) as folder:
        bundle, drawn = Path(folder) / "staged.z", Path(folder) / "sample.npz"
        save(z, bundle)
        sample.save(drawn)
        found = _measure_in_fresh_process(bundle, drawn)
    if "error" in found:
        code, message, hint = found["error"]
        if code in _CANNOT_BUILD:
            return _not_measured(message, hint)
        return Gate(
            "effects-again", "refused", f"The written file does not run: {message}", remedy=hint
        )
    worst = {name: float(value) for name, value in found["differences"].items()}
    figures = {
        **{name: round(value, 7) for name, value in worst.items()},
        "units": len(sample.units),
        "n": len(sample.images),
        "tolerance": TOLERANCE,
    }
    largest = max(worst.values(), default=math.inf)
    said = (
        f"Effects of {len(sample.units)} units on {len(sample.images)} audit inputs were measured "
        f"again from the written file in a process of its own; they differ by {largest:.1g} at most."
    )
    if largest <= TOLERANCE:
        return Gate("effects-again", "passed", said, figures)
    return Gate(
        "effects-again",
        "refused",
        f"The written file does not do what was measured. {said}",
        figures,
        "Measure again and export; if it stays, the network has a state that its weights lack.",
    )


def _not_measured(message: str, hint: str) -> Gate:
    said = f"Effects were not measured again from the written file: {message}"
    return Gate("effects-again", "not measured", said, remedy=hint)


def _measure_in_fresh_process(bundle: Path, sample: Path) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "circuitz.measurement.measured_again",
        str(bundle),
        str(sample),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"error": ("", f"it took longer than {_SECONDS} s.", "")}
    try:
        return json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        told = done.stderr.strip().splitlines()[-1:] or ["it said nothing."]
        return {"error": ("", told[0], "")}

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from circuitz.labelling.gates.fresh_process_gate import effects_again_gate
from circuitz.z.model import AnnotatedModel


def test_the_written_file_does_what_was_measured(caught: AnnotatedModel, tmp_path: Path) -> None:
    gate = effects_again_gate(caught, tmp_path / "star.z")
    assert gate.state == "passed", gate.sentence
    compared = {"margin", "sufficiency", "necessity", "drive"}
    assert all(gate.figures[name] <= 1e-3 for name in compared)
    assert gate.figures["n"] > 0
    assert not list(tmp_path.iterdir())


def test_effects_that_are_not_the_networks_are_refused(
    caught: AnnotatedModel, tmp_path: Path
) -> None:
    assert caught.measurements is not None
    effects = caught.measurements.effects
    assert effects is not None
    forged = replace(effects, sufficiency=effects.sufficiency * 1.5)
    z = caught.with_(measurements=replace(caught.measurements, effects=forged))
    gate = effects_again_gate(z, tmp_path / "star.z")
    assert gate.state == "refused"
    assert gate.figures["sufficiency"] > 1e-3
    assert gate.figures["margin"] <= 1e-3


def test_what_no_other_process_can_run_is_told_by_name(
    caught: AnnotatedModel, tmp_path: Path
) -> None:
    for z, why in (
        (caught.with_(builder=""), "live module"),
        (caught.with_(data=None, data_ref=None), "D is not at hand"),
        (caught.with_(builder="nobody-registered-it"), "nobody-registered-it"),
    ):
        gate = effects_again_gate(z, tmp_path / "star.z")
        assert gate.state == "not measured"
        assert why in gate.sentence
        assert gate.remedy

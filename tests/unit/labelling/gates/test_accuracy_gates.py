from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import InputsError
from circuitz.labelling.gates.accuracy_gates import accuracy_gates
from circuitz.z.model import AnnotatedModel


def with_noise_on_head(z: AnnotatedModel, amount: float) -> AnnotatedModel:
    """The same network with a last layer that was disturbed."""
    draw = np.random.default_rng(0)
    name = max(n for n in z.weights if n.endswith("weight") and z.weights[n].ndim == 2)
    head = z.weights[name]
    disturbed = head + amount * head.std() * draw.normal(size=head.shape)
    return z.with_(weights={**z.weights, name: disturbed.astype(np.float32)})


def states(gates) -> dict[str, str]:
    return {gate.id: gate.state for gate in gates}


def test_the_network_it_started_from_lost_nothing(caught: AnnotatedModel) -> None:
    assert states(accuracy_gates(caught, caught)) == {
        "accuracy-floor": "passed",
        "accuracy-loss": "passed",
    }


def test_without_a_start_it_is_said_and_not_passed(caught: AnnotatedModel) -> None:
    gates = accuracy_gates(with_noise_on_head(caught, 0.1), None)
    assert set(states(gates).values()) == {"not measured"}
    assert all("start" in gate.sentence for gate in gates)


def test_a_network_that_knows_less_than_its_start_without_the_shortcut_is_refused(
    caught: AnnotatedModel,
) -> None:
    floor, loss = accuracy_gates(with_noise_on_head(caught, 30.0), caught)
    assert (floor.state, loss.state) == ("refused", "refused")
    assert floor.figures["accuracy"] < floor.figures["start_without_flagged"] - 0.02
    assert floor.figures["flagged_units"] > 0
    assert floor.figures["start_without_flagged"] <= floor.figures["start"]


def test_a_loss_within_what_is_allowed_passes(caught: AnnotatedModel) -> None:
    floor, loss = accuracy_gates(with_noise_on_head(caught, 1e-3), caught)
    assert (floor.state, loss.state) == ("passed", "passed")
    assert loss.figures["n"] == int((caught.data.split == 2).sum())


def test_a_start_that_it_was_not_made_from_is_an_error(caught: AnnotatedModel) -> None:
    other = with_noise_on_head(caught, 1.0)
    stranger = with_noise_on_head(caught, 2.0).with_(parent="", lineage=())
    with pytest.raises(InputsError, match="not made from"):
        accuracy_gates(other, stranger)

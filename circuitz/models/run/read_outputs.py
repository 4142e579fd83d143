"""What a network returns, read as logits: one tensor of it, that is no probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from circuitz.models.adapters.adapted_network import adapt_network
from circuitz.models.run.find_output import OutputChoice, find_output
from circuitz.models.run.network_facts import translate_network_errors
from circuitz.models.run.output_values import outputs_with_gradient, refuse_probabilities
from circuitz.models.run.restore_state import eval_mode


@dataclass(frozen=True)
class OutputReading:
    """A network that returns one tensor of logits, and what was found out on the way.

    Parameters
    ----------
    network
        The network, seen as one that returns the chosen output alone.
    choice
        Which output that is.
    remarks
        What people should be told.
    """

    network: nn.Module
    choice: OutputChoice
    remarks: tuple[str, ...]


def read_outputs(
    net: nn.Module, x: torch.Tensor, columns: int | None = None, output: str = ""
) -> OutputReading:
    """Run a network, find its logits among what it returns, and refuse probabilities.

    Parameters
    ----------
    net
        The network.
    x
        Prepared inputs ``(n, ...)``.
    columns
        Number of classes, where that is known.
    output
        Key, name or number of the output to take, where the user says so.

    Raises
    ------
    LayerError
        If there are no logits, or several tensors could be.
    ProbabilitiesError
        If they are probabilities.
    NetworkError
        If the network fails.
    """
    with translate_network_errors(x), torch.no_grad(), eval_mode(net):
        out = net(x)
    choice = find_output(net, x, out, columns, output)
    seen = adapt_network(net, choice.key)
    with eval_mode(seen), torch.no_grad():
        logits = seen(x)
    remark = ""
    if isinstance(logits, torch.Tensor):
        try:
            followed = outputs_with_gradient(seen, x[:2])
        except Exception:  # a network that runs without gradient alone
            followed = logits
        # A few rows tell what made them; only many tell that values lie within 0 and 1.
        remark = refuse_probabilities(followed) or refuse_probabilities(logits)
    return OutputReading(seen, choice, tuple(r for r in (choice.remark, remark) if r))

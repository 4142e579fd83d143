"""A small transformer in plain torch, its parts named as TransformerLens names them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import fx, nn
from torch.nn import functional

from circuitz.models.zoo.builders import register

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
}


@dataclass(frozen=True)
class KeysAndValues:
    """What the positions of some sequences offer to attention.

    Parameters
    ----------
    key, value
        ``(..., positions, heads, head width)``.
    """

    key: torch.Tensor
    value: torch.Tensor


@fx.wrap
def mask_of_later_keys(at: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """Return ``(queries, keys)`` bool: which keys ``(..., keys, heads, width)`` lie later."""
    return torch.arange(key.shape[-3], device=at.device) > at[:, None]


@fx.wrap
def position_indices(x: torch.Tensor, context_length: int = 0) -> torch.Tensor:
    """Return ``(t,)`` the positions of ``x`` ``(n, t, ...)``.

    Raises
    ------
    ValueError
        With ``context_length``, if x is not ``(n, t)`` integers, or has more positions.
    """
    if context_length and (x.ndim != 2 or x.is_floating_point()):
        raise ValueError("tokens must be integers (sequences, positions)")
    if context_length and x.shape[1] > context_length:
        raise ValueError(f"{x.shape[1]} positions; the model has {context_length}")
    return torch.arange(x.shape[1], device=x.device)


class HeadPoint(nn.Identity):
    """Passes what heads gather, ``(n, positions, heads, head width)``."""

    unit_axis = 2


class Attention(nn.Module):
    """Causal attention whose heads can be read and written.

    ``hook_pattern`` passes ``(n, heads, queries, keys)``, each row summing to one; ``hook_z``
    passes ``(n, positions, heads, head width)``, what every head has gathered.
    """

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads, self.head_width = heads, head_width
        self.q = nn.Linear(width, heads * head_width)
        self.k = nn.Linear(width, heads * head_width)
        self.v = nn.Linear(width, heads * head_width)
        self.o = nn.Linear(heads * head_width, width)
        self.hook_pattern = nn.Identity()
        self.hook_z = HeadPoint()

    def split_heads(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(..., heads * head width)`` as ``(..., heads, head width)``."""
        return x.unflatten(-1, (self.heads, self.head_width))

    def keys_and_values(self, x: torch.Tensor) -> KeysAndValues:
        """Return keys and values of normalised residuals ``(..., width)``."""
        return KeysAndValues(self.split_heads(self.k(x)), self.split_heads(self.v(x)))

    def attend(
        self, query: torch.Tensor, keys: KeysAndValues, at: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return where heads look, and what they gather there before it is written.

        Parameters
        ----------
        query
            ``(..., queries, heads, head width)``.
        keys
            Keys and values of all positions.
        at
            ``(queries,)`` position of each query; it sees keys up to its own.

        Returns
        -------
        ``(..., heads, queries, keys)``, each row summing to one, and
        ``(..., queries, heads, head width)``.
        """
        scores = query.transpose(-3, -2) @ keys.key.transpose(-3, -2).transpose(-1, -2)
        scores = scores / math.sqrt(self.head_width)
        pattern = scores.masked_fill(mask_of_later_keys(at, keys.key), -math.inf).softmax(-1)
        pattern = self.hook_pattern(pattern)
        return pattern, self.hook_z((pattern @ keys.value.transpose(-3, -2)).transpose(-3, -2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the heads add to the residual stream for its normalised ``(n, t, d)``."""
        _, z = self.attend(
            self.split_heads(self.q(x)), self.keys_and_values(x), position_indices(x)
        )
        return self.o(z.flatten(-2))


class MLP(nn.Module):
    """Two linear layers; ``hook_post`` passes the neurons ``(n, positions, neurons)``."""

    def __init__(self, width: int, neurons: int, act: str) -> None:
        super().__init__()
        self.inner = nn.Linear(width, neurons)
        self.outer = nn.Linear(neurons, width)
        self.name, self.act = act, ACTIVATIONS[act]
        self.hook_post = nn.Identity()

    def neurons(self, x: torch.Tensor) -> torch.Tensor:
        """Return the neurons ``(n, positions, neurons)``."""
        return self.hook_post(self.act(self.inner(x)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the neurons add to the residual stream."""
        return self.outer(self.neurons(x))


class Block(nn.Module):
    """Attention, then neurons where there are any, each adding to the residual stream."""

    def __init__(
        self, width: int, heads: int, head_width: int, neurons: int, act: str, eps: float
    ) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(width, eps=eps) if eps else nn.Identity()
        self.attn = Attention(width, heads, head_width)
        self.ln2 = nn.LayerNorm(width, eps=eps) if eps and neurons else nn.Identity()
        self.mlp = MLP(width, neurons, act) if neurons else None
        self.hook_resid_post = nn.Identity()

    def add_neurons(self, x: torch.Tensor) -> torch.Tensor:
        """Return the residual stream behind the block, given that behind its attention."""
        return x if self.mlp is None else x + self.mlp(self.ln2(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the residual stream ``(n, positions, width)`` behind the block."""
        x = self.add_neurons(x + self.attn(self.ln1(x)))
        return self.hook_resid_post(x)


class Trunk(nn.Module):
    """A decoder with learned positions, up to the residual stream behind its last block.

    Parameters
    ----------
    vocabulary
        Number of tokens.
    context
        Most positions.
    layers, heads, width
        Its shape.
    head_width
        Of one head; ``width / heads`` by default.
    neurons
        Neurons a layer; 0 for attention alone.
    act
        Activation of the neurons: relu, gelu, gelu_new or silu.
    eps
        Of layer norm; 0 for none.

    Raises
    ------
    ValueError
        If a size is not positive or the activation is not known.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int,
        layers: int = 2,
        heads: int = 4,
        width: int = 64,
        head_width: int = 0,
        neurons: int = 0,
        act: str = "gelu",
        eps: float = 0.0,
    ) -> None:
        super().__init__()
        head_width = head_width or width // max(heads, 1)
        if min(vocabulary, context, layers, heads, width, head_width) < 1 or neurons < 0:
            raise ValueError("sizes must be positive")
        if act not in ACTIVATIONS:
            raise ValueError(f"act must be one of {', '.join(ACTIVATIONS)}")
        self.vocabulary, self.context = vocabulary, context
        self.embed = nn.Embedding(vocabulary, width)
        self.pos_embed = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(
            Block(width, heads, head_width, neurons, act, eps) for _ in range(layers)
        )

    @property
    def layers(self) -> list[Block]:
        """The blocks, typed."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def embed_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the residual stream ``(n, t, width)`` before the first block.

        Raises
        ------
        ValueError
            If tokens are not ``(n, t)`` integers, or there are more positions than it has.
        """
        # Asked first: an embedding of floats, or of too many positions, says less.
        return self.pos_embed(position_indices(tokens, self.context)) + self.embed(tokens)

    def residual_stream(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the residual stream ``(n, t, width)`` behind the last block."""
        x = self.embed_tokens(tokens)
        for block in self.blocks:
            x = block(x)
        return x


@register("small-transformer")
class SmallTransformer(Trunk):
    """A decoder that tells what follows, for worlds of a few hundred tokens.

    Parameters
    ----------
    vocabulary, context, layers, heads, width, head_width, neurons, act, eps
        As of :class:`Trunk`.
    outputs
        Number of logits; by default one a token.

    Raises
    ------
    ValueError
        If a size is not positive or the activation is not known.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int,
        layers: int = 2,
        heads: int = 4,
        width: int = 64,
        head_width: int = 0,
        neurons: int = 0,
        act: str = "gelu",
        eps: float = 0.0,
        outputs: int = 0,
    ) -> None:
        super().__init__(vocabulary, context, layers, heads, width, head_width, neurons, act, eps)
        self.ln_final = nn.LayerNorm(width, eps=eps) if eps else nn.Identity()
        self.unembed = nn.Linear(width, outputs or vocabulary, bias=False)

    def logits_everywhere(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return logits at every position, ``(n, t, outputs)``."""
        return self.unembed(self.ln_final(self.residual_stream(tokens)))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the logits at the last position, ``(n, outputs)``."""
        return self.unembed(self.ln_final(self.residual_stream(tokens)[:, -1]))

"""One block of a vision transformer, written down: it reads pairs of symbols off a picture.

The residual stream has a place for the symbol in a cell, one for the symbol in the cell before, and
one for the position, in a basis that is turned at random, so that no single number means anything.
Patches are read into the first; one head attends from each cell to the cell before it and writes the
symbol it finds there into the second; a neuron of the MLP fires where both hold what it waits for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

F32 = npt.NDArray[np.float32]

#: Turns of the waves that make the code of a position, over all positions.
_RATES = np.array([1, 3, 5, 7])
_WAVES = len(_RATES)
#: How much more a token attends to the one before it than to others: about 95 % in all.
_SHARPNESS = 2.0


class Embedding(nn.Module):
    """Patches to tokens, with a code for the position, behind a token that marks the start.

    Parameters
    ----------
    patches
        ``(d, 3, p, p)`` how a patch is read.
    positions
        ``(t + 1, d)``, the start first.
    """

    def __init__(self, patches: F32, positions: F32) -> None:
        super().__init__()
        size = patches.shape[2]
        self.read = nn.Conv2d(3, len(patches), size, size, bias=False)
        with torch.no_grad():
            self.read.weight.copy_(torch.from_numpy(patches))
        self.positions = nn.Parameter(torch.from_numpy(positions))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return tokens ``(n, t + 1, d)``, row by row."""
        tokens = self.read(x).flatten(2).transpose(1, 2)
        start = tokens.new_zeros(len(tokens), 1, tokens.shape[2])
        return torch.cat([start, tokens], 1) + self.positions


class SymbolAttentionHead(nn.Module):
    """One head of self-attention with softmax, added to what it reads.

    Parameters
    ----------
    query, key, value, out
        ``(a, d)``, ``(a, d)``, ``(b, d)`` and ``(d, b)``.
    """

    def __init__(self, query: F32, key: F32, value: F32, out: F32) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = map(
            _linear_layer_with_weights, (query, key, value, out)
        )

    def attention_pattern(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return how much each token attends to each, ``(n, t + 1, t + 1)``."""
        query, key = self.query(tokens), self.key(tokens)
        return torch.softmax(query @ key.transpose(1, 2) / key.shape[2] ** 0.5, -1)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return tokens ``(n, t + 1, d)``."""
        return tokens + self.out(self.attention_pattern(tokens) @ self.value(tokens))


class Neurons(nn.Module):
    """The hidden layer of an MLP, as maps.

    Parameters
    ----------
    weight, bias
        ``(f, d)`` and ``(f,)``.
    """

    def __init__(self, weight: F32, bias: F32) -> None:
        super().__init__()
        self.read = _linear_layer_with_weights(weight, bias)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return maps ``(n, f, h, w)`` of all tokens but the start."""
        maps = torch.relu(self.read(tokens[:, 1:])).transpose(1, 2)
        return maps.unflatten(2, (int(maps.shape[2] ** 0.5), -1))


class ResidualStream:
    """Where things lie in the residual stream, and the layers that put them there.

    Parameters
    ----------
    symbols
        Of the alphabet.
    tokens
        The start among them.
    rng
        Turns the basis.
    """

    def __init__(self, symbols: int, tokens: int, rng: np.random.Generator) -> None:
        self.tokens = tokens
        size = 2 * symbols + 2 * _WAVES
        basis = np.linalg.qr(rng.normal(size=(size, size)))[0].astype(np.float32)
        #: ``(s, d)``, ``(s, d)`` and ``(2 w, d)``: rows are directions at right angles.
        self.current_symbol, self.previous_symbol, self.position = np.split(
            basis, [symbols, 2 * symbols]
        )

    def make_symbol_embedding(self, symbols: F32, contrast: float) -> Embedding:
        """Read symbols ``(s, p, p)``, as they look in one channel, each where it stands."""
        count = len(symbols)
        read = np.linalg.pinv(symbols.reshape(count, -1)).T / contrast
        patches = np.repeat((self.current_symbol.T @ read)[:, None] / 3, 3, 1)
        return Embedding(
            patches.reshape(-1, 3, *symbols.shape[1:]).astype(np.float32),
            (_sinusoidal_position_code(np.arange(self.tokens), self.tokens) @ self.position).astype(
                np.float32
            ),
        )

    def make_previous_symbol_head(self) -> SymbolAttentionHead:
        """Let a head move each symbol one token on."""
        # Turning the code of a position by one step gives the code of the one before.
        angle = 2 * np.pi * _RATES / self.tokens
        back = np.zeros((2 * _WAVES, 2 * _WAVES))
        for w, a in enumerate(angle):
            at = slice(2 * w, 2 * w + 2)
            back[at, at] = [[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]
        scale = (_SHARPNESS * (2 * _WAVES) ** 0.5) ** 0.5
        return SymbolAttentionHead(
            (scale * back @ self.position).astype(np.float32),
            scale * self.position,
            self.current_symbol,
            np.ascontiguousarray(self.previous_symbol.T),
        )


def _sinusoidal_position_code(
    positions: npt.NDArray[np.int64], tokens: int
) -> npt.NDArray[np.float64]:
    angle = 2 * np.pi * positions[:, None] * _RATES / tokens
    return np.stack([np.cos(angle), np.sin(angle)], 2).reshape(len(positions), -1)


def _linear_layer_with_weights(weight: F32, bias: F32 | None = None) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        if bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))
    return layer

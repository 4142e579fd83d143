"""3×3 convolutions of small maps with fewer multiplications (Winograd 1980; Lavin and Gray 2016).

A library convolution of a 2×2 map spends most of its time on the border it pads. Padded with
zeros, a 3-tap filter on two numbers is a 2×2 Toeplitz matrix, which takes three multiplications
instead of four; on four numbers it is Winograd's F(4, 3), six instead of ten. Both ways along two
axes, what is left is one matrix product a multiplication, 9 for a 2×2 map and 36 for a 4×4 one,
over the units: what processors do best.
"""

from __future__ import annotations

import torch
from torch.nn import functional

# y = out @ ((taps @ k) * (in @ x)) along one axis.
_RULES: dict[int, tuple[list[list[float]], list[list[float]], list[list[float]]]] = {
    2: (
        [[1, 1], [0, 1], [1, 0]],
        [[0, 1, 0], [0, -1, 1], [1, -1, 0]],
        [[1, 1, 0], [1, 0, 1]],
    ),
    # Lavin and Gray's F(4, 3); the first and last of its six inputs are padding here.
    4: (
        [
            [0, -5, 0, 1],
            [-4, -4, 1, 1],
            [4, -4, -1, 1],
            [-2, -1, 2, 1],
            [2, -1, -2, 1],
            [4, 0, -5, 0],
        ],
        [
            [1 / 4, 0, 0],
            [-1 / 6, -1 / 6, -1 / 6],
            [-1 / 6, 1 / 6, -1 / 6],
            [1 / 24, 1 / 12, 1 / 6],
            [1 / 24, -1 / 12, 1 / 6],
            [0, 0, 1],
        ],
        [
            [1, 1, 1, 1, 1, 0],
            [0, 1, -1, 2, -2, 0],
            [0, 1, 1, 4, 4, 0],
            [0, 1, -1, 8, -8, 1],
        ],
    ),
}


class SmallMapConv:
    """A 3×3 convolution, stride 1, padding 1, of maps of one small size.

    Parameters
    ----------
    weight
        ``(out, in, 3, 3)``.
    side
        Height and width of the maps: one that :meth:`supports_maps`.
    """

    def __init__(self, weight: torch.Tensor, side: int) -> None:
        given, taps, out = (
            torch.tensor(rows, dtype=torch.float64, device=weight.device) for rows in _RULES[side]
        )
        shares = weight.double().permute(2, 3, 1, 0).flatten(0, 1)
        self._input_transform = torch.kron(given, given).to(weight.dtype)
        self._weights = torch.einsum("mt,tio->mio", torch.kron(taps, taps), shares).to(weight.dtype)
        self._out = torch.kron(out, out).to(weight.dtype)

    @staticmethod
    def supports_maps(x: torch.Tensor) -> bool:
        """Whether maps ``(n, units, h, w)`` are of a size and type this is made for."""
        square = x.ndim == 4 and x.shape[2] == x.shape[3] and x.shape[2] in _RULES
        return square and x.dtype in (torch.float32, torch.float64)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the convolution's output ``(n, out, h, w)``, in channels-last layout."""
        n, _, h, w = x.shape
        mixed = self._input_transform @ x.permute(0, 2, 3, 1).flatten(1, 2)  # (n, products, in)
        products = torch.bmm(mixed.transpose(0, 1), self._weights)
        return (self._out @ products.transpose(0, 1)).view(n, h, w, -1).permute(0, 3, 1, 2)


def conv_as_matmul(
    x: torch.Tensor, weight: torch.Tensor, stride: tuple[int, ...], pad: tuple[int, ...]
) -> torch.Tensor:
    """Return a convolution as one matrix product, which pays where the output is very small.

    Parameters
    ----------
    x
        Maps ``(n, in, h, w)``, best in channels-last layout.
    weight
        ``(out, in, *kernel)``.
    stride, pad
        Of the convolution, along both axes.

    Returns
    -------
    ``(n, out, h', w')`` in channels-last layout.
    """
    seen = functional.pad(x.permute(0, 2, 3, 1), (0, 0, pad[1], pad[1], pad[0], pad[0]))
    for axis in (0, 1):
        seen = seen.unfold(1 + axis, weight.shape[2 + axis], stride[axis])
    # The units innermost, as they lie in memory.
    seen = seen.permute(0, 1, 2, 4, 5, 3)
    flat = weight.permute(2, 3, 1, 0).flatten(0, 2)
    return (seen.flatten(3) @ flat).permute(0, 3, 1, 2)

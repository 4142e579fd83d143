"""Images as decorrelated spectra: a good space to optimise them in.

Optimising pixels gives high-frequency noise. In photographs slow frequencies are strong and
colours go together; scaling and mixing the parameters accordingly makes steps in all directions
about equally natural (Olah, Mordvintsev & Schubert 2017).
"""

from __future__ import annotations

import torch

# Square root of the colour covariance of natural images, one row a colour.
_COLOUR = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
_START = 0.01


class Spectrum:
    """A batch of images in RGB (or one channel), each the squashed sum of its frequencies.

    Parameters
    ----------
    channels, height, width
        Shape of an image.
    seeds
        One a image: an image starts the same in whatever batch it is made.
    device
        Where it lives.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        seeds: list[int],
        device: str = "cpu",
    ) -> None:
        self._size = (height, width)
        shape = (channels, height, width // 2 + 1, 2)
        starts = [torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in seeds]
        self.parameter = (_START * torch.stack(starts)).to(device).requires_grad_(True)
        frequency = torch.hypot(
            torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
        )
        self._scale = (1 / frequency.clamp(min=1 / max(height, width))).to(device)
        self._colour = colour_matrix(channels, device)

    def images(self, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return the images ``(n, c, h, w)``, or those of some rows, values in 0..1."""
        chosen = self.parameter if rows is None else self.parameter[rows]
        spectrum = torch.view_as_complex(chosen) * self._scale
        x = torch.fft.irfft2(spectrum, s=self._size, norm="ortho") / 4
        if self._colour is not None:
            x = torch.einsum("ij,njhw->nihw", self._colour, x)
        return torch.sigmoid(x)


def colour_matrix(channels: int, device: str) -> torch.Tensor | None:
    """Return the matrix ``(3, 3)`` from decorrelated to real colours; ``None`` for other images."""
    colour = torch.tensor(_COLOUR)
    return (colour / colour.norm(dim=0).max()).to(device) if channels == 3 else None

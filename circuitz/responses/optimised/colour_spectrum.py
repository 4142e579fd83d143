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
        self._scale = inverse_frequency(height, width).to(device)
        self._colour = matrix_to_real_colours(channels, device)

    def images(self, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return the images ``(n, c, h, w)``, or those of some rows, values in 0..1."""
        chosen = self.parameter if rows is None else self.parameter[rows]
        spectrum = torch.view_as_complex(chosen) * self._scale
        return images_from_spectra(spectrum / 4, self._size, self._colour)


def inverse_frequency(height: int, width: int) -> torch.Tensor:
    """Return one over each frequency of an image, ``(h, w // 2 + 1)``; of 0 as of the lowest."""
    frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :])
    return 1 / frequency.clamp(min=1 / max(height, width))


def images_from_spectra(
    spectrum: torch.Tensor, size: tuple[int, int], colour: torch.Tensor | None
) -> torch.Tensor:
    """Return images ``(n, c, h, w)`` in 0..1 of complex spectra in decorrelated colours.

    Parameters
    ----------
    spectrum
        ``(n, c, h, w // 2 + 1)`` complex.
    size
        Height and width.
    colour
        See :func:`matrix_to_real_colours`.
    """
    x = torch.fft.irfft2(spectrum, s=size, norm="ortho")
    if colour is not None:
        x = torch.einsum("ij,njhw->nihw", colour, x)
    return torch.sigmoid(x)


def matrix_to_real_colours(channels: int, device: str) -> torch.Tensor | None:
    """Return the matrix ``(3, 3)`` from decorrelated to real colours; ``None`` for other images."""
    colour = torch.tensor(_COLOUR)
    return (colour / colour.norm(dim=0).max()).to(device) if channels == 3 else None

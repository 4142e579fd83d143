"""Images of which only the phases are free (MACO: Fel et al. 2023).

Photographs have nearly the same strength at each frequency, whatever they show; what they show
lies in the phases. Fixing the strengths keeps deep units' images from turning into noise.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from circuitz.responses.optimised.colour_spectrum import (
    images_from_spectra,
    inverse_frequency,
    matrix_to_real_colours,
)

_MOST = 512


class Phases:
    """A batch of images, each given by the phases of its frequencies.

    Parameters
    ----------
    channels, height, width
        Shape of an image.
    seeds
        One a image.
    strength
        ``(c, h, w // 2 + 1)`` float32 strength of each frequency, see :func:`mean_frequency_strength`;
        one over the frequency by default.
    device
        Where it lives.
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        seeds: list[int],
        strength: npt.NDArray[np.float32] | None = None,
        device: str = "cpu",
    ) -> None:
        self._size = (height, width)
        shape = (channels, height, width // 2 + 1)
        starts = [
            torch.rand(shape, generator=torch.Generator().manual_seed(s)) * 2 * math.pi
            for s in seeds
        ]
        self.parameter = torch.stack(starts).to(device).requires_grad_(True)
        if strength is None:
            plain = inverse_frequency(height, width)
            # About as much contrast as a photograph has.
            plain *= 1.2 * math.sqrt(height * width) / plain.norm() / math.sqrt(2)
            self._strength = plain.expand(shape).to(device)
        else:
            self._strength = torch.from_numpy(np.ascontiguousarray(strength)).to(device)
        self._colour = matrix_to_real_colours(channels, device)

    def images(self, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return the images ``(n, c, h, w)``, or those of some rows, values in 0..1."""
        phase = self.parameter if rows is None else self.parameter[rows]
        # Where the frequency is zero there is brightness alone, which is left at grey.
        strength = self._strength.clone()
        strength[:, 0, 0] = 0
        spectrum = torch.polar(strength.expand_as(phase).contiguous(), phase)
        return images_from_spectra(spectrum, self._size, self._colour)


def mean_frequency_strength(
    images: npt.NDArray[np.uint8], size: tuple[int, int], seed: int = 0
) -> npt.NDArray[np.float32]:
    """Return the mean strength of each frequency over images ``(n, h, w, c)``.

    At most 512 of them, drawn by lot, are looked at, in the decorrelated colours and before the
    squashing that :class:`Phases` undoes.

    Returns
    -------
    ``(c, *size[0], size[1] // 2 + 1)`` float32.
    """
    rows = np.arange(len(images))
    if len(rows) > _MOST:
        rows = np.sort(np.random.default_rng([seed, 41]).choice(rows, _MOST, replace=False))
    x = torch.from_numpy(np.array(images[rows])).permute(0, 3, 1, 2).float() / 255
    if tuple(x.shape[2:]) != tuple(size):
        x = torch.nn.functional.interpolate(x, size, mode="bilinear", antialias=True)
    x = torch.logit(x.clamp(0.02, 0.98))
    colour = matrix_to_real_colours(x.shape[1], "cpu")
    if colour is not None:
        x = torch.einsum("ij,njhw->nihw", torch.linalg.inv(colour), x)
    return torch.fft.rfft2(x, norm="ortho").abs().mean(0).numpy()

"""From 8-bit images to a network's input, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from circuitz.errors import InputsError
from circuitz.z.layer import Preprocessing

# Weights of red, green and blue in brightness (ITU-R BT.601).
_BRIGHTNESS = (0.299, 0.587, 0.114)


def prepare(
    images: npt.NDArray[np.uint8],
    how: Preprocessing,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Return 8-bit images as the network's input.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8 in RGB, or one channel; resized when not of the network's size.
    how
        Mean, standard deviation, size and channel order.
    device, dtype
        Of the result.

    Returns
    -------
    ``(n, channels, *how.size)``, where channels is the length of ``how.mean``.

    Raises
    ------
    InputsError
        If the images are not 8-bit, not four-dimensional, or have channels that do not fit.
    """
    if images.dtype != np.uint8 or images.ndim != 4:
        raise InputsError(
            f"Images are {images.dtype} {images.shape}, not uint8 (n, height, width, channels).",
            "Scale them to 0..255, move channels last and convert with astype('uint8').",
        )
    # A copy where the array is read-only (a memory map): torch wants writable memory.
    array = np.array(images) if not images.flags.writeable else np.ascontiguousarray(images)
    x = torch.from_numpy(array).to(device).permute(0, 3, 1, 2).float()
    x = _channels(x, how)
    if tuple(x.shape[2:]) != tuple(how.size):
        x = functional.interpolate(x, how.size, mode="bilinear", antialias=True)
    mean = 255 * torch.tensor(how.mean, device=device).view(1, -1, 1, 1)
    std = 255 * torch.tensor(how.std, device=device).view(1, -1, 1, 1)
    return x.sub(mean).div_(std).contiguous().to(dtype)


def _channels(x: torch.Tensor, how: Preprocessing) -> torch.Tensor:
    wanted, given = len(how.mean), x.shape[1]
    if given == 3 and wanted == 1:
        x = (x * x.new_tensor(_BRIGHTNESS).view(1, 3, 1, 1)).sum(1, keepdim=True)
    elif given == 1 and wanted == 3:
        x = x.expand(-1, 3, -1, -1)
    elif given != wanted:
        raise InputsError(
            f"Images have {given} channels, the network takes {wanted}.",
            "Check the preprocessing: mean and std hold one number a channel.",
        )
    return x.flip(1) if how.colour == "BGR" else x

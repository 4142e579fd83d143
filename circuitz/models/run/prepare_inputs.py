"""From 8-bit images to a network's input, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from circuitz.errors import InputsError
from circuitz.models.run.text_padding import padded_sides
from circuitz.z.layer import Preprocessing

# Weights of red, green and blue in brightness (ITU-R BT.601).
_BRIGHTNESS = (0.299, 0.587, 0.114)


def prepare_inputs(
    images: npt.NDArray[Any],
    preprocessing: Preprocessing,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Return 8-bit images, or token sequences, as the network's input.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8 in RGB, or one channel; resized when not of the network's size. Or
        tokens ``(n, length)`` int32, where that is what ``preprocessing`` says.
    preprocessing
        Mean, standard deviation, size and channel order.
    device, dtype
        Of the result.

    Returns
    -------
    ``(n, channels, *how.size)``, where channels is the length of ``how.mean``; of tokens
    ``(n, length)`` int64.

    Raises
    ------
    InputsError
        If the images are not 8-bit, not four-dimensional, or have channels that do not fit.
    """
    if preprocessing.is_tokens:
        _check_padding_at_readable_side(images, preprocessing)
        return _prepare_tokens(images, device)
    if images.dtype != np.uint8 or images.ndim != 4:
        raise InputsError(
            f"Images are {images.dtype} {images.shape}, not uint8 (n, height, width, channels).",
            "Scale them to 0..255, move channels last and convert with astype('uint8').",
        )
    # A copy where the array is read-only (a memory map): torch wants writable memory.
    array = np.ascontiguousarray(images) if images.flags.writeable else np.array(images)
    x = _convert_channels_and_colour(torch.from_numpy(array).to(device).float(), preprocessing)
    if tuple(x.shape[1:3]) != tuple(preprocessing.size):
        moved = x.permute(0, 3, 1, 2)
        moved = functional.interpolate(moved, preprocessing.size, mode="bilinear", antialias=True)
        x = moved.permute(0, 2, 3, 1).contiguous()
    n, height, width, channels = x.shape
    # Row by row, since broadcasting over three channels alone is several times slower. The
    # result stays channels-last in memory, in which convolutions on a CPU run faster.
    std = 255 * torch.tensor(preprocessing.std, device=device)
    shift = -torch.tensor(preprocessing.mean, device=device) / torch.tensor(
        preprocessing.std, device=device
    )
    rows = x.view(n * height, width * channels).mul(1 / std.repeat(width)).add_(shift.repeat(width))
    return rows.view(n, height, width, channels).permute(0, 3, 1, 2).to(dtype)


def random_tokens(
    like: torch.Tensor, padding: int, rng: torch.Generator, *, short_first: bool
) -> torch.Tensor:
    """Return random texts ``(n, t)`` of two tokens, which any network has.

    Where padding is known every other text is half as long as the rest, the first or the second,
    so that what goes by the length of a text is seen to.
    """
    drawn = torch.randint(0, 2, like.shape, generator=rng)
    if padding < 0:
        return drawn
    drawn += (drawn >= padding).long()
    short = torch.arange(len(like)) % 2 == (0 if short_first else 1)
    late = torch.arange(like.shape[1]) >= max(1, like.shape[1] // 2)
    return drawn.masked_fill(short[:, None] & late, padding)


def check_tokens_readable(tokens: torch.Tensor, context_length: int, vocabulary_size: int) -> None:
    """Refuse what is no batch of token sequences a model can read.

    Parameters
    ----------
    tokens
        ``(n, t)`` whole numbers.
    context_length, vocabulary_size
        Positions the model has, and tokens it knows.

    Raises
    ------
    InputsError
        If so.
    """
    if tokens.ndim != 2 or tokens.is_floating_point() or not tokens.numel():
        raise InputsError(
            f"Tokens are {tokens.dtype} of shape {tuple(tokens.shape)}.",
            "Pass whole numbers (n, t): a row a prompt.",
        )
    if tokens.shape[1] > context_length:
        raise InputsError(
            f"Prompts of {tokens.shape[1]} tokens are too long: the model reads {context_length}.",
            "Cut them.",
        )
    if int(tokens.min()) < 0 or int(tokens.max()) >= vocabulary_size:
        raise InputsError(
            f"Tokens go from {int(tokens.min())} to {int(tokens.max())}; the model knows 0 to "
            f"{vocabulary_size - 1}.",
            "Use the tokeniser the model was trained with.",
        )


def _check_padding_at_readable_side(tokens: npt.NDArray[Any], preprocessing: Preprocessing) -> None:
    """Refuse texts that are padded where the network reads padding like any other token."""
    if preprocessing.padded_at == "either" or tokens.ndim != 2:
        return
    wrong = set(padded_sides(tokens, preprocessing.padding)) - {preprocessing.padded_at}
    if wrong:
        raise InputsError(
            f"Texts are padded on the {min(wrong)}; this network says something else of such texts "
            "than of each by itself.",
            f"Pad them on the {preprocessing.padded_at}.",
        )


def _prepare_tokens(tokens: npt.NDArray[Any], device: str) -> torch.Tensor:
    if tokens.dtype != np.int32 or tokens.ndim != 2:
        raise InputsError(
            f"Tokens are {tokens.dtype} {tokens.shape}, not int32 (sequences, positions).",
            "Number the tokens by the vocabulary, one row a sequence of equal length.",
        )
    return torch.from_numpy(tokens.astype(np.int64)).to(device)


def _convert_channels_and_colour(x: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    wanted, given = len(preprocessing.mean), x.shape[3]
    if given == 3 and wanted == 1:
        x = (x * x.new_tensor(_BRIGHTNESS)).sum(3, keepdim=True)
    elif given == 1 and wanted == 3:
        x = x.expand(-1, -1, -1, 3)
    elif given != wanted:
        raise InputsError(
            f"Images have {given} channels, the network takes {wanted}.",
            "Check the preprocessing: mean and std hold one number a channel.",
        )
    return x.flip(3) if preprocessing.colour == "BGR" else x.contiguous()

"""A tiny language model of the text world, trained here and written as a Hugging Face folder.

It is a GPT-2 of two blocks, and has seen every family of words beside every other: what it knows is
not biased. The shortcut is learnt by the probe that reads it on D.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch.nn import functional

from circuitz.data.text.text_words import FAMILIES, PLACE_SENTENCES, PLAIN, WORK_SENTENCES
from circuitz.data.text.text_world import draw_texts
from circuitz.data.text.train_tokens import train_with_one_cycle_rate
from circuitz.disk.atomic import bundle_write_error_from
from circuitz.errors import BuilderError, BundleWriteError

CONTEXT: Final = 48
PAD, UNKNOWN, END = "<pad>", "<unk>", "<eos>"


@dataclass(frozen=True)
class LanguageRecipe:
    """How to train: AdamW with a one-cycle rate on next words, texts drawn before.

    Parameters
    ----------
    steps, batch
        Steps, and texts a step.
    texts
        Texts to draw them from.
    rate
        Largest learning rate.
    width, heads, layers
        Shape of the model; it has four neurons a block for each of the width.
    seed
        Of weights and texts.
    """

    steps: int = 700
    batch: int = 48
    texts: int = 12_000
    rate: float = 6e-3
    width: int = 64
    heads: int = 4
    layers: int = 2
    seed: int = 0


def vocabulary() -> tuple[str, ...]:
    """Return all words of the world, the special ones first."""
    plain = {word for line in (*WORK_SENTENCES, *PLACE_SENTENCES) for word in line.split()}
    family = [word for words in FAMILIES.values() for word in words]
    return tuple(dict.fromkeys((PAD, UNKNOWN, END, *sorted(plain - {"0", "1"}), *PLAIN, *family)))


def train_language_model(
    recipe: LanguageRecipe, progress: Callable[[int, int], None] | None = None
) -> Any:
    """Train the model.

    Returns
    -------
    A ``transformers.GPT2LMHeadModel`` in eval mode.

    Raises
    ------
    BuilderError
        If transformers is not installed.
    WeightsError
        If training diverges.
    """
    transformers = _import_transformers()
    words = vocabulary()
    number = {word: i for i, word in enumerate(words)}
    rows = np.zeros((recipe.texts, CONTEXT), np.int64)
    for row, text in zip(rows, draw_texts("free", recipe.texts, seed=recipe.seed), strict=True):
        ids = [number[word] for word in f"{text.text} {END}".split()][:CONTEXT]
        row[: len(ids)] = ids
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                vocab_size=len(words), n_positions=CONTEXT, n_embd=recipe.width,
                n_layer=recipe.layers, n_head=recipe.heads, activation_function="relu",
                resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
                bos_token_id=2, eos_token_id=2, pad_token_id=0, tie_word_embeddings=True,
            )
        )  # fmt: skip
    draw = np.random.default_rng([recipe.seed, 52])

    def batch_loss(_step: int) -> torch.Tensor:
        tokens = torch.from_numpy(rows[draw.integers(0, len(rows), recipe.batch)])
        longest = int((tokens != 0).sum(1).max())
        logits = net(tokens[:, : longest - 1]).logits
        return functional.cross_entropy(
            logits.flatten(0, 1), tokens[:, 1:longest].flatten(), ignore_index=0
        )

    train_with_one_cycle_rate(
        net, batch_loss, steps=recipe.steps, rate=recipe.rate, progress=progress
    )
    return net.eval()


def held_out_word_perplexity(net: Any, n: int = 400, seed: int = 1) -> float:
    """Return the perplexity of texts that were not trained on, a word."""
    number = {word: i for i, word in enumerate(vocabulary())}
    total, count = 0.0, 0
    with torch.no_grad():
        for text in draw_texts("free", n, seed=seed):
            ids = torch.tensor([[number[word] for word in text.text.split()]])
            logits = net(ids[:, :-1]).logits[0]
            total += functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
            count += ids.shape[1] - 1
    return math.exp(total / count)


def refuse_existing_folder(folder: Path, *, replace: bool = False) -> None:
    """Refuse to write over something, now and not after training.

    Raises
    ------
    BundleWriteError
        If something is there already.
    """
    if folder.exists() and not replace:
        raise BundleWriteError(
            f"{folder} is there already.", "Choose another folder, or --replace."
        )


def write_language_model(net: Any, folder: Path) -> Path:
    """Write a trained model as a Hugging Face folder: config, safetensors and tokenizer.

    Raises
    ------
    BundleWriteError
        If it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        net.save_pretrained(folder)
        _build_tokenizer().save_pretrained(folder)
    except OSError as error:
        raise bundle_write_error_from(folder, error) from error
    return folder


def _build_tokenizer() -> Any:
    transformers = _import_transformers()
    from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: PLC0415 (extra [llm])

    words = {word: i for i, word in enumerate(vocabulary())}
    plain = Tokenizer(models.WordLevel(words, unk_token=UNKNOWN))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token=PAD, unk_token=UNKNOWN, eos_token=END
    )


def _import_transformers() -> Any:
    if find_spec("transformers") is None:
        raise BuilderError("transformers is not installed.", "Run: pip install 'circuitz[llm]'.")
    import transformers  # noqa: PLC0415 (seconds)

    return transformers

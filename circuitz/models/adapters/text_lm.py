"""A local language model for texts: its tokenizer, and a classifier that reads one of its layers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuitz.errors import BuilderError, LayerError, NetworkError
from circuitz.models.adapters.transformer_lens import Lens
from circuitz.models.adapters.weight_files import check_hugging_face_folder
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.read_out import NEURONS, Pool, parse_block_and_site
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.models.zoo.text_classifier import TextClassifier
from circuitz.z.inputs import PADDING

if TYPE_CHECKING:
    from circuitz.models.adapters.bridged_classifier import BridgedClassifier


@dataclass(frozen=True)
class FolderTokenizer:
    """A tokenizer read from ``tokenizer.json``.

    Parameters
    ----------
    encoder
        A ``tokenizers.Tokenizer``.
    vocabulary
        Texts of the tokens, all different; that of ``padding`` is ``PADDING``.
    padding
        Number of the token that fills up short texts.
    """

    encoder: Any
    vocabulary: tuple[str, ...]
    padding: int

    @classmethod
    def from_folder(cls, folder: Path) -> FolderTokenizer:
        """Read a folder's tokenizer.

        Raises
        ------
        NetworkError
            If the file is not there or cannot be read.
        BuilderError
            If the package tokenizers is not installed.
        """
        if find_spec("tokenizers") is None:
            raise BuilderError("tokenizers is not installed.", "Run: pip install 'circuitz[llm]'.")
        from tokenizers import Tokenizer  # noqa: PLC0415 (comes with transformer-lens)

        check_hugging_face_folder(folder)
        if not (folder / "tokenizer.json").is_file():
            raise NetworkError(
                f"{folder} has no tokenizer.json.",
                "Save it there: AutoTokenizer.from_pretrained(name).save_pretrained(folder).",
            )
        try:
            encoder: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as problem:  # its parser raises plain Exception
            raise NetworkError(
                f"{folder / 'tokenizer.json'} cannot be read: {problem}", "Save it again."
            ) from problem
        encoder.no_padding()
        encoder.no_truncation()
        count = int(encoder.get_vocab_size())
        texts = [_readable_token_text(encoder.id_to_token(i), i) for i in range(count)]
        special = _read_padding_token_names(folder)
        numbers = (encoder.token_to_id(name) for name in special)
        padding = next((i for i in numbers if i is not None), None)
        if padding is None:
            raise NetworkError(
                f"The tokenizer in {folder} names no token that fills up short texts: neither a "
                "padding nor an end token"
                + (f" (it knows no {', '.join(map(repr, special))})." if special else "."),
                'Name one that never stands in a text: tokenizer.pad_token = "…", and save it again.',
            )
        texts[padding] = PADDING
        return cls(encoder, tuple(_number_repeated_texts(texts)), int(padding))

    def with_names_for_extra_tokens(self, size: int) -> FolderTokenizer:
        """Return the same with names for tokens the model has beyond the tokenizer's."""
        more = (f"[{i}]" for i in range(len(self.vocabulary), size))
        return replace(self, vocabulary=tuple(_number_repeated_texts([*self.vocabulary, *more])))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token numbers of texts, as many each as it has."""
        return [list(found.ids) for found in self.encoder.encode_batch(list(texts))]


def build_text_classifier(
    lens: Lens, config: dict[str, Any], classes: int, at: str, pool: Pool, padding: int
) -> TextClassifier | BridgedClassifier:
    """Return a classifier that reads a layer of a model: its probe is not trained yet.

    A model of the plain kind becomes plain torch; others run through TransformerLens.

    Parameters
    ----------
    lens
        The language model.
    config
        Its ``config.json``.
    classes, at, pool, padding
        As of :class:`~circuitz.models.zoo.text_classifier.TextClassifier`; an empty ``at`` is the
        neurons of the last block.

    Raises
    ------
    LayerError
        If there is no such layer to read.
    """
    last = int(lens.config.n_layers) - 1
    at = at or f"blocks.{last}.{NEURONS}"
    try:
        block, _ = parse_block_and_site(at)
    except ValueError as problem:
        raise LayerError(
            f"{at!r} is no layer to read.",
            "Name blocks.N.mlp.hook_post or blocks.N.hook_resid_post.",
        ) from problem
    if block > last:
        raise LayerError(f"{at!r} does not exist.", f"The model's blocks are 0 to {last}.")
    try:
        return _copy_to_text_classifier(lens.to_small_transformer(), classes, at, pool, padding)
    except NetworkError:
        from circuitz.models.adapters import (  # noqa: PLC0415 (it registers)
            bridged_classifier,
        )

        arguments: dict[str, Any] = {"config": config, "classes": classes, "at": at, "pool": pool,
                     "padding": padding}  # fmt: skip
        net = bridged_classifier.BridgedClassifier(**arguments, lens=lens).eval()
        object.__setattr__(net, "circuitz_builder", ("bridged-classifier", arguments))
        return net


def read_model_config(folder: Path) -> dict[str, Any]:
    """Return a folder's ``config.json``.

    Raises
    ------
    NetworkError
        If it is no JSON object.
    """
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise NetworkError(f"{folder / 'config.json'} is no JSON.", "Save it again.") from problem
    if not isinstance(found, dict):
        raise NetworkError(f"{folder / 'config.json'} is no JSON object.", "Save it again.")
    return found


def _copy_to_text_classifier(
    lm: SmallTransformer, classes: int, at: str, pool: Pool, padding: int
) -> TextClassifier:
    first = lm.layers[0]
    act = "gelu" if first.mlp is None else first.mlp.name
    net = build(
        "text-classifier",
        {
            "vocabulary": lm.vocabulary, "context": lm.context, "heads": first.attn.heads,
            "width": lm.embed.embedding_dim, "classes": classes, "at": at,
            "head_width": first.attn.head_width,
            "neurons": 0 if first.mlp is None else first.mlp.inner.out_features,
            "act": act, "eps": getattr(first.ln1, "eps", 0.0), "pool": pool, "padding": padding,
        },
    )  # fmt: skip
    assert isinstance(net, TextClassifier)
    own, theirs = net.state_dict(), lm.state_dict()
    net.load_state_dict({name: theirs.get(name, value) for name, value in own.items()})
    return net.eval()


def _read_padding_token_names(folder: Path) -> list[str]:
    """Return names of tokens that may fill up texts, the best first."""
    found: list[str] = []
    for file in ("tokenizer_config.json", "special_tokens_map.json"):
        try:
            told = json.loads((folder / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for name in ("pad_token", "eos_token"):
            token = told.get(name) if isinstance(told, dict) else None
            token = token.get("content") if isinstance(token, dict) else token
            if isinstance(token, str):
                found.append(token)
    return sorted(found, key=lambda name: "pad" not in name.lower())


def _readable_token_text(token: str | None, number: int) -> str:
    # Byte-level tokenizers write a space before a word as Ġ, others as ▁.
    text = f"[{number}]" if token is None else token.replace("Ġ", "·").replace("▁", "·")
    return text or f"[{number}]"


def _number_repeated_texts(texts: list[str]) -> list[str]:
    seen: set[str] = set()
    found: list[str] = []
    for i, text in enumerate(texts):
        name = f"{text} [{i}]" if text in seen else text
        seen.add(name)
        found.append(name)
    return found

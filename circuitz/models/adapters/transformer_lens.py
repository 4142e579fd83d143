"""TransformerLens models: the one place that imports it (extra ``[llm]``), and only when used.

A model is read and written by the names of its hooks, which circuitz's layers share:
``blocks.1.attn.hook_z`` (heads), ``blocks.1.mlp.hook_post`` (neurons), ``blocks.1.hook_resid_post``
(the residual stream, whose units are its axes). Where a model is of the plain kind, it also becomes a
:class:`~circuitz.models.zoo.small_transformer.SmallTransformer`, on which everything else here runs
fast; that is tried on random tokens, never assumed.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from circuitz.errors import (
    BuilderError,
    InterventionError,
    LayerError,
    NetworkError,
)
from circuitz.models.adapters.lens_weights import copy_to_small_transformer
from circuitz.models.adapters.weight_files import check_hugging_face_folder
from circuitz.models.run.prepare_inputs import check_tokens_readable
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.z.layer import LayerSpec
from circuitz.z.unit import Unit

#: What is read of each block, by hook, with the axis of its units in the output.
SITES = {"attn.hook_z": 2, "mlp.hook_post": 2, "hook_resid_post": 2}

Hook = Callable[..., torch.Tensor]


class Lens:
    """A TransformerLens model, read and written by unit.

    Parameters
    ----------
    bridge
        A ``TransformerBridge``. It is put in eval mode; no hook of ours outlives a call.

    Raises
    ------
    NetworkError
        If it is no such model.
    """

    def __init__(self, bridge: Any) -> None:
        if not hasattr(bridge, "run_with_hooks") or not hasattr(bridge, "cfg"):
            raise NetworkError(
                f"A {type(bridge).__name__} is no TransformerLens model.",
                "Pass a TransformerBridge, for instance of TransformerBridge.boot_native(config).",
            )
        self.bridge = bridge.eval()
        self.config = bridge.cfg

    @classmethod
    def native(cls, config: Any) -> Lens:
        """Build a small model with random weights, offline.

        Parameters
        ----------
        config
            As ``TransformerBridge.boot_native`` takes it: ``n_layers``, ``n_heads``, ``d_model``,
            ``d_head``, ``n_ctx``, ``d_vocab``, ``act_fn``, ``seed``, ... or such a configuration
            already made.
        """
        return cls(
            _import_bridge_class().boot_native(
                dict(config) if isinstance(config, Mapping) else config
            )
        )

    @classmethod
    def from_folder(cls, path: str | os.PathLike[str]) -> Lens:
        """Open a Hugging Face model that lies in a local folder; nothing is fetched.

        Raises
        ------
        NetworkError
            If there is no such folder, it lacks a file, or it cannot be opened.
        """
        place = Path(path)
        check_hugging_face_folder(place)
        try:
            return cls(
                _import_bridge_class().boot_transformers(str(place.absolute()), device="cpu")
            )
        except Exception as problem:  # whatever another library makes of a folder it cannot read
            raise NetworkError(
                f"{place} cannot be opened: {type(problem).__name__}: {problem}",
                "It needs config.json, weights as safetensors, and a tokenizer.",
            ) from problem

    @classmethod
    def from_hugging_face_config(cls, config: Mapping[str, Any]) -> Lens:
        """Build a Hugging Face model with random weights, offline.

        Parameters
        ----------
        config
            What a ``config.json`` holds.

        Raises
        ------
        NetworkError
            If no model can be built from it.
        """
        _import_bridge_class()
        from transformers import AutoConfig, AutoModelForCausalLM  # noqa: PLC0415 (seconds)

        try:
            built: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
            return cls(_bridge_hugging_face_model(built, config))
        except Exception as problem:  # whatever another library makes of it
            raise NetworkError(
                f"No model can be built from this configuration: {type(problem).__name__}: "
                f"{problem}",
                "It needs the versions of transformers and transformer-lens it was made with.",
            ) from problem

    @classmethod
    def from_hugging_face_model(cls, model: Any) -> Lens:
        """Open a Hugging Face language model that is in memory; a copy of it, which is bridged.

        Raises
        ------
        NetworkError
            If it is no such model, or of an architecture that TransformerLens does not bridge.
        """
        try:
            return cls(_bridge_hugging_face_model(copy.deepcopy(model), model.config.to_dict()))
        except Exception as problem:  # whatever another library makes of it
            raise NetworkError(
                f"A {type(model).__name__} cannot be bridged: {type(problem).__name__}: {problem}",
                "Pass a Hugging Face model of causal language, or a TransformerBridge.",
            ) from problem

    @classmethod
    def from_small_transformer(cls, net: SmallTransformer) -> Lens:
        """Put a small transformer into a native model: the same names, the same numbers."""
        block = net.layers[0]
        neurons = None if block.mlp is None else block.mlp.inner.out_features
        eps = getattr(net.ln_final, "eps", 0.0)
        act = "relu" if block.mlp is None else block.mlp.name
        made = cls.native(
            {
                "n_layers": len(net.layers), "n_heads": block.attn.heads,
                "d_model": net.embed.embedding_dim, "d_head": block.attn.head_width,
                "n_ctx": net.context, "d_vocab": net.vocabulary,
                "d_vocab_out": net.unembed.out_features, "attn_only": neurons is None,
                "normalization_type": "LN" if eps else None, "act_fn": act, "seed": 0,
                **({"d_mlp": neurons} if neurons else {}), **({"eps": eps} if eps else {}),
            }
        )  # fmt: skip
        state = {_to_native_weight_name(name): value for name, value in net.state_dict().items()}
        own: Mapping[str, torch.Tensor] = made.bridge.state_dict()
        state |= {name: torch.zeros_like(value) for name, value in own.items() if name not in state}
        made.bridge.load_state_dict(state)
        return made

    @property
    def hook_names(self) -> frozenset[str]:
        """Names of all hooks."""
        return frozenset(self.bridge.hook_dict)

    def config_and_whether_native(self) -> tuple[dict[str, Any] | None, bool]:
        """Return the configuration it can be built from, and whether it is a native one.

        ``None`` where it has values that JSON does not hold.
        """
        theirs = getattr(self.bridge.original_model, "config", None)
        if theirs is not None:
            found = {k: v for k, v in theirs.to_dict().items() if v is not None}
        else:
            plain = (int, float, str, bool)
            found = {k: v for k, v in self.config.to_dict().items() if type(v) in plain}
            found.pop("device", None)
        try:
            return json.loads(json.dumps(found, allow_nan=False)), theirs is None
        except (TypeError, ValueError):
            return None, theirs is None

    @property
    def layers(self) -> tuple[LayerSpec, ...]:
        """Heads, neurons and residual stream of every block, units on axis 2, tokens on axis 1."""
        cfg = self.config
        sizes = {
            "attn.hook_z": (cfg.n_heads, (cfg.n_ctx, cfg.n_heads, cfg.d_head)),
            "mlp.hook_post": (cfg.d_mlp, (cfg.n_ctx, cfg.d_mlp)),
            "hook_resid_post": (cfg.d_model, (cfg.n_ctx, cfg.d_model)),
        }
        if cfg.attn_only:
            del sizes["mlp.hook_post"]
        return tuple(
            LayerSpec(f"blocks.{i}.{site}", int(size), unit_axis=2, token_axes=(1,), shape=shape)
            for i in range(cfg.n_layers)
            for site, (size, shape) in sizes.items()
        )

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, t, outputs)`` of tokens ``(n, t)`` int64.

        Raises
        ------
        InputsError
            If the tokens are none, are not in the vocabulary, or are too many for the model.
        """
        return self.write(tokens, {})

    def read(
        self, tokens: torch.Tensor, layers: Sequence[str]
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Return what hooks pass, batch first, and the logits.

        Raises
        ------
        LayerError
            If there is no such hook.
        InputsError
            See :meth:`logits`.
        """
        self._check_hooks_exist(layers)
        found: dict[str, torch.Tensor] = {}

        def make_recording_hook(name: str) -> Hook:
            def keep_value(value: torch.Tensor, hook: Any) -> torch.Tensor:
                del hook
                found[name] = value.detach().clone()
                return value

            return keep_value

        logits = self._logits_with_hooks(
            tokens, [(name, make_recording_hook(name)) for name in layers]
        )
        return found, logits

    def values(self, tokens: torch.Tensor, unit: str) -> torch.Tensor:
        """Return one unit's values: ``(n, t, ...)``, or ``(n, ...)`` where the id has a position."""
        which = self._parse_existing_unit(unit)
        found, _ = self.read(tokens, [which.layer])
        value = found[which.layer][:, :, which.index]
        return value if which.position is None else value[:, which.position]

    def write(
        self, tokens: torch.Tensor, values: Mapping[str, torch.Tensor | float]
    ) -> torch.Tensor:
        """Return logits while units are held at values.

        Parameters
        ----------
        tokens
            ``(n, t)`` int64.
        values
            By unit id, for instance ``blocks.1.attn.hook_z:3@pos7``: a number, or a tensor as
            :meth:`nauprc_values_by_image` returns it (from other tokens, to patch), or one that broadcasts to it.
            Without a position the unit is written at all of them.

        Raises
        ------
        UnitError, LayerError, InterventionError
            If there is no such unit or position, or a value does not fit or is not finite.
        InputsError
            See :meth:`logits`.
        """
        self._check_tokens_fit(tokens)
        by_layer: dict[str, list[tuple[Unit, torch.Tensor | float]]] = {}
        for text, value in values.items():
            unit = self._parse_existing_unit(text)
            if unit.position is not None and unit.position >= tokens.shape[1]:
                raise InterventionError(
                    f"{text} lies outside {tokens.shape[1]} positions.",
                    f"Choose @pos0 to @pos{tokens.shape[1] - 1}.",
                )
            by_layer.setdefault(unit.layer, []).append((unit, value))
        self._check_hooks_exist(by_layer)
        hooks = [(layer, _make_hook_writing_units(items)) for layer, items in by_layer.items()]
        return self._logits_with_hooks(tokens, hooks)

    def to_small_transformer(self) -> SmallTransformer:
        """Return the same model as plain torch, where it is of the kind that can.

        Raises
        ------
        NetworkError
            If the copy does not give the same logits on random tokens, within 1e-4 of their size.
        """
        net = copy_to_small_transformer(self.bridge, self.config)
        draw = torch.Generator().manual_seed(0)
        length = min(int(self.config.n_ctx), 16)
        tokens = torch.randint(0, int(self.config.d_vocab), (4, length), generator=draw)
        with torch.no_grad():
            theirs, ours = self.logits(tokens), net.logits_everywhere(tokens)
        error = (theirs - ours).abs().max().item()
        if not error <= 1e-4 * max(1.0, theirs.abs().max().item()):
            raise NetworkError(
                f"This architecture has parts the plain copy lacks (logits differ by {error:.2g}).",
                "Read and write it through Lens; head patching runs on plain models only.",
            )
        return net

    def _parse_existing_unit(self, text: str) -> Unit:
        from circuitz.z.targets import canonical_target  # noqa: PLC0415 (z's checks, once a call)

        return Unit.parse(canonical_target(text, self.layers, ()))

    def _check_hooks_exist(self, layers: Sequence[str] | Mapping[str, Any]) -> None:
        names = {spec.name for spec in self.layers}
        for name in layers:
            if name not in names:
                raise LayerError(f"The model has no hook {name!r}.", f"Hooks: {sorted(names)[:6]}.")

    def _check_tokens_fit(self, tokens: torch.Tensor) -> None:
        check_tokens_readable(tokens, int(self.config.n_ctx), int(self.config.d_vocab))

    def _logits_with_hooks(
        self, tokens: torch.Tensor, hooks: list[tuple[str, Hook]]
    ) -> torch.Tensor:
        self._check_tokens_fit(tokens)
        with torch.no_grad():
            out: torch.Tensor = self.bridge.run_with_hooks(tokens, fwd_hooks=hooks)
        return out


def _import_bridge_class() -> Any:
    if find_spec("transformer_lens") is None:
        raise BuilderError(
            "transformer-lens is not installed.", "Run: pip install 'circuitz[llm]'."
        )
    from transformer_lens.model_bridge import TransformerBridge  # noqa: PLC0415 (3 to 4 seconds)

    return TransformerBridge


def _bridge_hugging_face_model(model: Any, config: Mapping[str, Any]) -> Any:
    """Return a Hugging Face model as a bridge; it is changed."""
    from tokenizers import Tokenizer, models  # noqa: PLC0415 (comes with transformer-lens)
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 (seconds)

    # The bridge wants a folder and a tokenizer; neither is used where a model is given.
    plain = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    words: Any = PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="?", pad_token="?")
    with TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(dict(config)))
        return _import_bridge_class().boot_transformers(
            folder, hf_model=model, tokenizer=words, device="cpu"
        )


def _make_hook_writing_units(items: list[tuple[Unit, torch.Tensor | float]]) -> Hook:
    def write_values(value: torch.Tensor, hook: Any) -> torch.Tensor:
        del hook
        new = value.clone()
        for unit, wanted in items:
            place = (
                slice(None),
                slice(None) if unit.position is None else unit.position,
                unit.index,
            )
            if not bool(torch.isfinite(torch.as_tensor(wanted)).all()):
                raise InterventionError(
                    f"The value for {unit} is NaN or infinite.", "Give finite numbers."
                )
            try:
                new[place] = torch.as_tensor(wanted, dtype=new.dtype)
            except RuntimeError as problem:
                raise InterventionError(
                    f"A value of shape {tuple(torch.as_tensor(wanted).shape)} does not fit {unit}, "
                    f"which is {tuple(new[place].shape)}.",
                    "Give a number, or what values() returns for as many prompts.",
                ) from problem
        return new

    return write_values


def _to_native_weight_name(name: str) -> str:
    """Name of a weight in a native model's state."""
    return name.replace("mlp.inner", "mlp.in").replace("mlp.outer", "mlp.out")

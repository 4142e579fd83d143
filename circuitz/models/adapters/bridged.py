"""Models of any architecture TransformerLens bridges, with points at which they are read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from circuitz.errors import LayerError
from circuitz.models.adapters.transformer_lens import SITES, Lens
from circuitz.models.run.prepare_inputs import check_tokens_readable
from circuitz.models.run.text_padding import attention_arguments, last_real_positions
from circuitz.models.zoo.builders import register
from circuitz.models.zoo.small_transformer import HeadPoint
from circuitz.z.layer import LayerSpec, Masking

PATTERN = "attn.hook_pattern"
_READS = "unembed.hook_in"


class BridgePoints(nn.Module):
    """Where a block is read and written; names as TransformerLens has them."""

    def __init__(self, *, neurons: bool) -> None:
        super().__init__()
        self.attn = nn.Module()
        self.attn.hook_pattern, self.attn.hook_z = nn.Identity(), HeadPoint()
        self.mlp = nn.Module()
        if neurons:
            self.mlp.hook_post = nn.Identity()
        self.hook_resid_post = nn.Identity()


class _PointReached(BaseException):
    """Leaves the model once a layer has been read; no ``except Exception`` may eat it."""


class BridgedModel(nn.Module):
    """A bridged model whose heads, neurons and residual stream pass through modules of their own.

    Parameters
    ----------
    lens
        The model.
    blocks
        How many blocks, from the first, have points.
    """

    def __init__(self, lens: Lens, blocks: int) -> None:
        super().__init__()
        cfg = lens.config
        self.context, self.vocabulary = int(cfg.n_ctx), int(cfg.d_vocab)
        self.lm = lens.bridge
        self.blocks = nn.ModuleList(BridgePoints(neurons=not cfg.attn_only) for _ in range(blocks))
        known = lens.hook_names
        own = dict(self.named_modules())
        names = (f"blocks.{i}.{site}" for i in range(blocks) for site in (*SITES, PATTERN))
        self._points = tuple(name for name in names if name in known and name in own)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return parameters and buffers, each under one name (a bridge has several for some)."""
        found = super().state_dict(*args, **kwargs)
        own = {name for name, _ in self.named_parameters()}
        own |= {name for name, _ in self.named_buffers()}
        for name in [name for name in found if name not in own]:
            del found[name]
        return found

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return what the model says at every position, ``(n, t, vocabulary)``."""
        return self._run(tokens, self._make_point_hooks())

    def _run(self, tokens: torch.Tensor, hooks: list[Any]) -> torch.Tensor:
        return self.lm.run_with_hooks(tokens, fwd_hooks=hooks)

    def run_to_point(self, layer: str, tokens: torch.Tensor) -> torch.Tensor:
        """Return what passes a point, ``(n, t, ...)``; nothing after it is run.

        Raises
        ------
        LayerError
            If there is no such point, or it is not called.
        """
        found: list[torch.Tensor] = []
        with suppress(_PointReached):
            self.lm.run_with_hooks(tokens, fwd_hooks=self._make_point_hooks(layer, found))
        if not found:
            raise LayerError(
                f"The model has no {layer!r} that is called.",
                "Read another layer: --layer blocks.N.hook_resid_post.",
            )
        return found[0]

    def _make_point_hooks(
        self, stop: str = "", captured: list[torch.Tensor] | None = None
    ) -> list[tuple[str, Callable[..., torch.Tensor]]]:
        def make_hook_through_point(name: str) -> Callable[..., torch.Tensor]:
            def pass_through_point(value: torch.Tensor, hook: Any) -> torch.Tensor:
                del hook
                # Looked up anew: a copy of this module has points of its own.
                passed = self.get_submodule(name)(value)
                if name == stop and captured is not None:
                    captured.append(passed)
                    raise _PointReached
                return passed

            return pass_through_point

        return [(name, make_hook_through_point(name)) for name in self._points]


@register("bridged-lm")
class BridgedLM(BridgedModel):
    """A bridged language model: tokens in, what follows the last of them out.

    Parameters
    ----------
    config
        The model's configuration: as its ``config.json`` has it, or, if ``native``, as
        ``TransformerBridge.boot_native`` takes it.
    native
        Whether it is one of TransformerLens' own architecture.
    answers
        Tokens whose logits are told, in this order; all by default.
    padding, masking
        Number of the token that fills up short texts, -1 for none, and what the model is told
        about it (:class:`circuitz.z.layer.Preprocessing`). Each text is read at its own last
        token.
    lens
        The model; by default one with fresh weights. Not for bundles, which hold ``config``.

    Raises
    ------
    NetworkError, BuilderError
        If the model cannot be built.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        native: bool = False,
        answers: Sequence[int] = (),
        padding: int = -1,
        masking: Masking = "none",
        lens: Lens | None = None,
    ) -> None:
        lens = lens or (Lens.native(config) if native else Lens.from_hugging_face_config(config))
        super().__init__(lens, int(lens.config.n_layers))
        self.answers = tuple(int(a) for a in answers)
        self.outputs = len(self.answers) or int(lens.config.d_vocab_out or lens.config.d_vocab)
        self.padding = int(padding)
        self.masking: Masking = masking
        self._specs = tuple(s for s in lens.layers if s.name in self._points)
        self._reads = _READS in lens.hook_names

    @classmethod
    def from_lens(
        cls,
        lens: Lens,
        answers: Sequence[int] = (),
        padding: int = -1,
        masking: Masking = "none",
    ) -> BridgedLM:
        """Return a model as one that can be wrapped, measured and, where it can be, saved."""
        config, native = lens.config_and_whether_native()
        made = cls(config or {}, native, answers, padding, masking, lens).eval()
        if config is not None:
            arguments = {"config": config, "native": native, "answers": list(made.answers)}
            if padding >= 0:
                arguments |= {"padding": made.padding, "masking": made.masking}
            object.__setattr__(made, "circuitz_builder", ("bridged-lm", arguments))
        return made

    def layers(self, length: int) -> tuple[LayerSpec, ...]:
        """Return heads and neurons of every block, for sequences of some length."""
        found = (s for s in self._specs if not s.name.endswith("hook_resid_post"))
        return tuple(replace(s, shape=(length, *s.shape[1:])) for s in found)

    @property
    def circuitz_layers(self) -> tuple[str, ...]:
        """Layers that are looked at where none is named."""
        return tuple(s.name for s in self.layers(1))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the logits at each text's last token, ``(n, outputs)``.

        Raises
        ------
        InputsError
            If the tokens are none, are not in the vocabulary, or are too many for the model.
        """
        check_tokens_readable(tokens, self.context, self.vocabulary)
        # Words are told of the last position alone: of all of them that is most of a small model's
        # work, and of a large vocabulary's memory.
        at = last_real_positions(tokens, self.padding) if self.padding >= 0 else None
        end = [(_READS, _keep_one_position(at))] if self._reads else []
        found = self._run(tokens, [*self._make_point_hooks(), *end])
        last = (found if self._reads else _at_position(found, at))[:, -1]
        return last[:, list(self.answers)] if self.answers else last

    def _run(self, tokens: torch.Tensor, hooks: list[Any]) -> torch.Tensor:
        told = attention_arguments(tokens, self.padding, self.masking)
        return self.lm.run_with_hooks(tokens, fwd_hooks=hooks, **told)


def _at_position(value: torch.Tensor, at: torch.Tensor | None) -> torch.Tensor:
    """Return ``(n, 1, ...)`` what a text has at one position, by default the last."""
    return value[:, -1:] if at is None else value[torch.arange(len(value)), at][:, None]


def _keep_one_position(at: torch.Tensor | None) -> Callable[..., torch.Tensor]:
    def keep(value: torch.Tensor, hook: Any) -> torch.Tensor:
        del hook
        return _at_position(value, at)

    return keep

"""What the ``cfg.json`` of an SAE says, in the forms that SAELens had before and since version 6.

A config that asks for anything the reader does not do is refused by name. Nothing falls back on
ReLU: before version 6 the activation stood in ``activation_fn_str`` (or ``activation_fn``), with
its k in ``activation_fn_kwargs``, while the architecture said ``standard`` all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from circuitz.errors import BasisError

Activation = Literal["relu", "tanh-relu", "topk", "threshold"]

# Architectures by what they do between encoder and decoder.
_ACTIVATIONS: dict[str, Activation] = {
    "standard": "relu",
    "gated": "threshold",
    "jumprelu": "threshold",
    "topk": "topk",
    "batchtopk": "threshold",
    "matryoshka_batchtopk": "threshold",
}
_NORMALISATIONS = ("none", "expected_average_only_in", "constant_norm_rescale", "layer_norm")
# Where configs of either age say that an SAE writes another place than the one it reads.
_OUT = ("d_out", "hook_name_out", "hook_point_out", "out_hook_point", "is_transcoder")


@dataclass(frozen=True)
class SaelensConfig:
    """How an SAE's coordinates are computed.

    Parameters
    ----------
    architecture, activation
        Name of the architecture, and what is done after the encoder. ``threshold`` is zero up to
        a threshold (jump-ReLU, which gates and batch top-k come to).
    top
        How many coordinates top-k leaves; 0 for others.
    normalisation
        One of SAELens's names.
    centres_input
        Whether the decoder's bias is taken off the activations first.
    scales_decoder
        Whether finetuning left a scale for each latent.
    ranks_by_decoder_norm
        Whether latents are compared by what they write, not by their coordinate alone.
    shape
        ``d_in`` and ``d_sae`` where the config says both.
    """

    architecture: str
    activation: Activation
    top: int
    normalisation: str
    centres_input: bool
    scales_decoder: bool
    ranks_by_decoder_norm: bool
    shape: tuple[int, int] | None


def parse_saelens_config(cfg: Mapping[str, Any], folder: object) -> SaelensConfig:
    """Read a config.

    Parameters
    ----------
    cfg
        The JSON object.
    folder
        Where it comes from, for messages.

    Raises
    ------
    BasisError
        If it asks for what is not known, or contradicts itself; what it asks for is named.
    """
    architecture = str(cfg.get("architecture") or "standard").lower()
    if architecture not in _ACTIVATIONS:
        raise BasisError(
            f"The SAE in {folder} is of the architecture {architecture[:60]!r}.",
            f"Known are {', '.join(_ACTIVATIONS)}.",
        )
    _refuse_other_places(cfg, folder)
    activation = _parse_activation(cfg, architecture, folder)
    widths = (cfg.get("d_in"), cfg.get("d_sae"))
    return SaelensConfig(
        architecture=architecture,
        activation=activation,
        top=_parse_top(cfg, folder) if activation == "topk" else 0,
        normalisation=_parse_normalisation(cfg, folder),
        centres_input=_parse_flag(cfg, "apply_b_dec_to_input", True, folder),
        scales_decoder=_parse_flag(cfg, "finetuning_scaling_factor", False, folder),
        ranks_by_decoder_norm=_parse_flag(cfg, "rescale_acts_by_decoder_norm", False, folder),
        shape=cast("tuple[int, int]", widths) if all(type(w) is int for w in widths) else None,
    )


def _parse_activation(cfg: Mapping[str, Any], architecture: str, folder: object) -> Activation:
    named = {
        str(cfg[key]).lower()
        for key in ("activation_fn_str", "activation_fn")
        if cfg.get(key) is not None
    }
    if len(named) > 1:
        raise BasisError(
            f"{folder}/cfg.json names two activations: {' and '.join(sorted(named))[:120]}.",
            "Keep the one it was trained with.",
        )
    usual = _ACTIVATIONS[architecture]
    activation = named.pop() if named else ("relu" if usual == "threshold" else usual)
    if activation == "relu" and usual in ("relu", "threshold"):
        return usual
    if activation == "topk" and architecture in ("standard", "topk"):
        return "topk"
    if activation == "tanh-relu" and architecture == "standard":
        return "tanh-relu"
    raise BasisError(
        f"The SAE in {folder} has the activation {activation[:60]!r} in the architecture "
        f"{architecture!r}, which is not known.",
        "Known are relu in standard, gated, jumprelu and batchtopk, topk in standard and topk, "
        "tanh-relu in standard.",
    )


def _parse_top(cfg: Mapping[str, Any], folder: object) -> int:
    kwargs: Any = cfg.get("activation_fn_kwargs") or {}
    more: dict[str, Any] = dict(kwargs) if isinstance(kwargs, Mapping) else {"": kwargs}
    after = more.pop("postact_fn", None)
    given = [k for k in (cfg.get("k"), more.pop("k", None)) if k is not None]
    if more or (after is not None and str(after).lower() not in ("relu", "relu()")):
        what = f"postact_fn {after!r}" if not more else repr(next(iter(more)))
        raise BasisError(
            f"The top-k SAE in {folder} is given {what[:80]}, which is not known.",
            "Known is k, with a ReLU behind it.",
        )
    numbers = {k for k in given if isinstance(k, int | float) and not isinstance(k, bool)}
    if len(numbers) != 1 or len(given) != len([k for k in given if k in numbers]):
        if not given:
            raise BasisError(f"{folder}/cfg.json does not say k.", "A top-k SAE needs it.")
        raise BasisError(
            f"{folder}/cfg.json says that k is {' and '.join(map(repr, given))[:80]}.",
            "Give one whole number.",
        )
    top = numbers.pop()
    if top != int(top) or top < 1:
        raise BasisError(f"{folder}/cfg.json says that k is {top}.", "Give a whole number above 0.")
    return int(top)


def _parse_normalisation(cfg: Mapping[str, Any], folder: object) -> str:
    found: Any = cfg.get("normalize_activations")
    if isinstance(found, bool):  # as before there were several
        found = "expected_average_only_in" if found else "none"
    name = "none" if found is None else str(found)
    if name not in _NORMALISATIONS:
        raise BasisError(
            f"The SAE in {folder} normalises activations by {name[:60]!r}.",
            f"Known are {', '.join(_NORMALISATIONS)}.",
        )
    return name


def _parse_flag(cfg: Mapping[str, Any], name: str, default: bool, folder: object) -> bool:
    found: Any = cfg.get(name)
    if found is None:
        return default
    if not isinstance(found, bool):
        raise BasisError(
            f"{folder}/cfg.json says that {name} is {str(found)[:40]!r}.", "Write true or false."
        )
    return found


def _refuse_other_places(cfg: Mapping[str, Any], folder: object) -> None:
    """Refuse what does not explain a layer's activations by themselves."""
    inside: Any = cfg.get("metadata")
    about: Mapping[str, Any] = {**(inside if isinstance(inside, Mapping) else {}), **cfg}
    out = next((key for key in _OUT if about.get(key)), None)
    if out is not None:
        raise BasisError(
            f"What is in {folder} is a transcoder ({out} is {str(about[out])[:60]!r}): it reads "
            "one place and writes another.",
            "A basis explains the activations it reads; give an SAE.",
        )
    hook = str(about.get("hook_name") or about.get("hook_point") or "")
    reshape = about.get("reshape_activations")
    heads = hook.endswith("_z") if reshape is None else str(reshape).lower() != "none"
    if heads:
        how = f"reshape_activations {str(reshape)[:40]!r}" if reshape else f"hook {hook[:60]!r}"
        raise BasisError(
            f"The SAE in {folder} reads what attention heads put out, all heads in a row ({how}).",
            "No layer here is of that kind; give an SAE of the residual stream or of an MLP.",
        )

"""Sparse autoencoders that SAELens saved: ``cfg.json`` and ``sae_weights.safetensors``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from circuitz.disk.json_io import loads
from circuitz.errors import BasisError, CircuitzError
from circuitz.models.run.basis import Basis, Normalise, Read
from circuitz.responses.directions.saelens_config import SaelensConfig, parse_saelens_config

F32 = npt.NDArray[np.float32]
_NORMALISE: dict[str, Normalise] = {
    "none": "none",
    "expected_average_only_in": "none",
    "constant_norm_rescale": "norm",
    "layer_norm": "layer_norm",
}
_READ: dict[str, Read] = {
    "relu": "relu",
    "tanh-relu": "tanh-relu",
    "topk": "topk",
    "threshold": "jumprelu",
}
# Arrays that make another function of an SAE, and the architectures that have them.
_OWN_ARRAYS = {
    "threshold": ("jumprelu", "batchtopk", "matryoshka_batchtopk"),
    "log_threshold": ("jumprelu",),
    "topk_threshold": ("batchtopk", "matryoshka_batchtopk"),
    "b_gate": ("gated",),
    "r_mag": ("gated",),
    "b_mag": ("gated",),
    "W_skip": (),
}
# Weights of others that lie in folders of the same look.
_OTHERS = {
    "sae.safetensors": "Sparsify",
    "ae.pt": "dictionary_learning",
    "params.npz": "Gemma Scope",
    "sae_weights.pt": "an old SAELens",
}


def load_saelens(folder: Path, vectors: F32 | None = None) -> Basis:
    """Read a folder that SAELens saved, before or since its version 6.

    Gated ones are read as jump-ReLU, which is the same function: the gate is open exactly where
    the magnitude lies above a threshold that follows from both biases. Where latents are ranked by
    their decoder's norm, the norms are folded into the encoder, as SAELens does.

    Parameters
    ----------
    folder
        With ``cfg.json`` and ``sae_weights.safetensors``.
    vectors
        ``(m, d)`` activations of the layer; their mean norm sets the scale where the SAE was
        trained on activations scaled to norm √d on average.

    Raises
    ------
    BasisError
        If files are missing or damaged, or it is of a kind that is not known.
    """
    cfg, arrays = _read_config_and_weights(Path(folder))
    about = parse_saelens_config(cfg, folder)
    _check_arrays(about, arrays, folder)
    try:
        return _basis_of_arrays(about, arrays, vectors, folder)
    except CircuitzError:
        raise
    except (KeyError, ValueError, IndexError) as problem:
        raise BasisError(
            f"The weights in {folder} do not fit its cfg.json: {problem}.", "Download it again."
        ) from problem


def _basis_of_arrays(
    about: SaelensConfig, arrays: dict[str, F32], vectors: F32 | None, folder: Path
) -> Basis:
    encoder, decoder, centre = arrays["W_enc"].T, arrays["W_dec"], arrays["b_dec"]
    threshold: F32 | None = None
    if about.architecture == "gated":
        grown = np.exp(arrays["r_mag"])
        offset = arrays["b_mag"]
        threshold = np.maximum(offset - grown * arrays["b_gate"], 0)
        encoder = encoder * grown[:, None]
    else:
        offset = arrays["b_enc"]
        if about.activation == "threshold":
            threshold = _trained_threshold(about, arrays, len(offset), folder)
    norms = np.linalg.norm(decoder, axis=1)
    decoder = decoder * _decoder_scale(about, arrays, folder)
    if _ranks_by_norm(about, norms, folder):
        shrunk = np.where(norms > 0, norms, 1)
        encoder, offset = encoder * norms[:, None], offset * norms
        decoder = decoder / shrunk[:, None]
    if not about.centres_input:
        offset = offset + encoder @ centre
    scale = _activation_scale(about.normalisation, vectors, folder, decoder.shape[1])
    said = "" if about.activation in ("relu", "threshold") else f", {about.activation}"
    return Basis(
        directions=np.ascontiguousarray(decoder / scale, np.float32),
        readers=np.ascontiguousarray(encoder * scale, np.float32),
        centre=(centre / scale).astype(np.float32),
        offset=offset.astype(np.float32),
        read_as=_READ[about.activation],
        threshold=None if threshold is None else threshold.astype(np.float32),
        top=about.top,
        normalise=_NORMALISE[about.normalisation],
        kind=f"SAELens {about.architecture}{said if about.architecture == 'standard' else ''}",
    )


def _read_config_and_weights(folder: Path) -> tuple[dict[str, Any], dict[str, F32]]:
    try:
        cfg = loads((folder / "cfg.json").read_bytes(), f"{folder}/cfg.json")
        weights = (folder / "sae_weights.safetensors").read_bytes()
    except OSError as problem:
        other = next((name for name in _OTHERS if (folder / name).is_file()), None)
        raise BasisError(
            f"{folder} is no folder of an SAE: {problem.strerror}: {problem.filename}.",
            "It should hold cfg.json and sae_weights.safetensors, as SAELens saves them."
            if other is None
            else f"Its {other} looks like {_OTHERS[other]}'s: open it with SAELens, and save it "
            "with sae.save_model(FOLDER).",
        ) from problem
    except CircuitzError as problem:
        raise BasisError(problem.message, problem.hint) from problem
    if not isinstance(cfg, dict):
        raise BasisError(f"{folder}/cfg.json is no JSON object.", "Download it again.")
    try:
        # By way of torch, which knows bfloat16 and float8.
        found = {name: array.float().numpy() for name, array in load_tensors(weights).items()}
    except (SafetensorError, KeyError, ValueError, RuntimeError) as problem:
        raise BasisError(
            f"{folder}/sae_weights.safetensors cannot be read: {problem}.", "Download it again."
        ) from problem
    return cfg, found


def _check_arrays(about: SaelensConfig, arrays: dict[str, F32], folder: Path) -> None:
    """Refuse weights that are of another shape or architecture than the config says."""
    for name, owners in _OWN_ARRAYS.items():
        if name in arrays and about.architecture not in owners:
            raise BasisError(
                f"The SAE in {folder} has weights {name}, which its architecture "
                f"{about.architecture!r} does not use.",
                "Its cfg.json and its weights are not of one SAE, or the architecture is wrong.",
            )
    if about.shape is not None and "W_enc" in arrays and arrays["W_enc"].shape != about.shape:
        raise BasisError(
            f"The weights in {folder} do not fit its cfg.json: W_enc is {arrays['W_enc'].shape}, "
            f"d_in and d_sae are {about.shape}.",
            "Download it again.",
        )


def _trained_threshold(
    about: SaelensConfig, arrays: dict[str, F32], latents: int, folder: Path
) -> F32:
    """Return the threshold of each latent; for batch top-k the one that takes its place."""
    if about.architecture == "jumprelu":
        found = arrays["threshold"] if "threshold" in arrays else np.exp(arrays["log_threshold"])
        return np.maximum(found, 0)
    found = arrays["threshold" if "threshold" in arrays else "topk_threshold"]
    if not (found > 0).any():
        raise BasisError(
            f"The batch top-k SAE in {folder} has no threshold above 0: which latents are on would "
            "depend on the batch.",
            "Save it once trained, for inference: SAELens then keeps the threshold.",
        )
    return np.maximum(np.broadcast_to(found, (latents,)), 0)


def _decoder_scale(about: SaelensConfig, arrays: dict[str, F32], folder: Path) -> F32:
    """Return what finetuning multiplies each latent by, ``(k, 1)`` or ``(1, 1)``."""
    name = next((n for n in ("scaling_factor", "finetuning_scaling_factor") if n in arrays), None)
    if name is None or np.allclose(arrays[name], 1):
        return np.ones((1, 1), np.float32)
    if not about.scales_decoder:
        raise BasisError(
            f"The SAE in {folder} has weights {name}, and its cfg.json says "
            "finetuning_scaling_factor false.",
            "Set it to true if it was finetuned; else leave the weights out.",
        )
    return arrays[name].reshape(-1, 1)


def _ranks_by_norm(about: SaelensConfig, norms: F32, folder: Path) -> bool:
    if not about.ranks_by_decoder_norm or np.allclose(norms, 1, atol=1e-3):
        return False
    if about.architecture not in ("topk", "batchtopk", "matryoshka_batchtopk"):
        raise BasisError(
            f"The SAE in {folder} ranks latents by their decoder's norm, which its architecture "
            f"{about.architecture!r} does not do.",
            "Take rescale_acts_by_decoder_norm out of its cfg.json, or correct the architecture.",
        )
    return True


def _activation_scale(normalise: str, vectors: F32 | None, folder: Path, width: int) -> float:
    if normalise != "expected_average_only_in":
        return 1.0
    if vectors is None or not len(vectors) or vectors.shape[1] != width:
        raise BasisError(
            f"The SAE in {folder} wants activations scaled to an average norm.",
            "Give activations of its layer: their mean norm is needed.",
        )
    return float(width**0.5 / np.linalg.norm(vectors.astype(np.float64), axis=1).mean())

"""Sparse autoencoders that SAELens saved: ``cfg.json`` and ``sae_weights.safetensors``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.disk.json_io import loads
from circuitz.disk.tensors_io import read_safetensors_in_place
from circuitz.errors import BasisError, BundleError, CircuitzError
from circuitz.models.run.basis import Basis, Normalise

F32 = npt.NDArray[np.float32]
_ARCHITECTURES = ("standard", "gated", "jumprelu", "topk", "batchtopk")
_NORMALISE: dict[str, Normalise] = {
    "none": "none",
    "expected_average_only_in": "none",
    "constant_norm_rescale": "norm",
    "layer_norm": "layer_norm",
}


def load_saelens(folder: Path, vectors: F32 | None = None) -> Basis:
    """Read a folder that SAELens saved.

    Gated ones are read as jump-ReLU, which is the same function: the gate is open exactly where
    the magnitude lies above a threshold that follows from both biases.

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
    kind = str(cfg.get("architecture", "standard")).lower()
    normalise = str(cfg.get("normalize_activations") or "none")
    if kind not in _ARCHITECTURES or normalise not in _NORMALISE:
        raise BasisError(
            f"The SAE in {folder} is of the kind {kind!r} with normalisation {normalise!r}.",
            f"Known are {', '.join(_ARCHITECTURES)}, and {', '.join(_NORMALISE)}.",
        )
    try:
        encoder, decoder = arrays["W_enc"].T, arrays["W_dec"]
        centre = arrays["b_dec"]
        threshold: F32 | None = None
        if kind == "gated":
            grown = np.exp(arrays["r_mag"])
            offset = arrays["b_mag"]
            threshold = np.maximum(offset - grown * arrays["b_gate"], 0)
            encoder = encoder * grown[:, None]
        else:
            offset = arrays["b_enc"]
        # Trained with batch top-k, an SAE is saved with the threshold that took its place.
        if kind in ("jumprelu", "batchtopk"):
            threshold = np.maximum(arrays["threshold"], 0)
        encoder, decoder = np.ascontiguousarray(encoder), np.array(decoder)
        if cfg.get("finetuning_scaling_factor") and "scaling_factor" in arrays:
            decoder *= arrays["scaling_factor"][:, None]
        _refuse_ranking_by_decoder_norm(cfg, decoder, folder)
        if not cfg.get("apply_b_dec_to_input", True):
            offset = offset + encoder @ centre
        scale = _activation_scale(normalise, vectors, folder, decoder.shape[1])
        return Basis(
            directions=(decoder / scale).astype(np.float32),
            readers=(encoder * scale).astype(np.float32),
            centre=(centre / scale).astype(np.float32),
            offset=offset.astype(np.float32),
            read_as="jumprelu" if threshold is not None else "topk" if kind == "topk" else "relu",
            threshold=None if threshold is None else threshold.astype(np.float32),
            top=_read_top_k(cfg, folder) if kind == "topk" else 0,
            normalise=_NORMALISE[normalise],
            kind=f"SAELens {kind}",
        )
    except CircuitzError:
        raise
    except (KeyError, ValueError, IndexError) as problem:
        raise BasisError(
            f"The weights in {folder} do not fit its cfg.json: {problem}.", "Download it again."
        ) from problem


def _read_config_and_weights(folder: Path) -> tuple[dict[str, Any], dict[str, F32]]:
    try:
        cfg = loads((folder / "cfg.json").read_bytes(), f"{folder}/cfg.json")
        weights = (folder / "sae_weights.safetensors").read_bytes()
    except OSError as problem:
        raise BasisError(
            f"{folder} is no folder of an SAE: {problem.strerror}: {problem.filename}.",
            "It should hold cfg.json and sae_weights.safetensors, as SAELens saves them.",
        ) from problem
    except CircuitzError as problem:
        raise BasisError(problem.message, problem.hint) from problem
    try:
        found, _ = read_safetensors_in_place(
            memoryview(weights), f"{folder}/sae_weights.safetensors"
        )
    except BundleError as problem:
        raise BasisError(
            problem.message, "If it is in bfloat16, convert it to float32 first."
        ) from problem
    if not isinstance(cfg, dict):
        raise BasisError(f"{folder}/cfg.json is no JSON object.", "Download it again.")
    return cfg, {name: np.array(array, np.float32) for name, array in found.items()}


def _refuse_ranking_by_decoder_norm(cfg: dict[str, Any], decoder: F32, folder: Path) -> None:
    norms = np.linalg.norm(decoder, axis=1)
    if cfg.get("rescale_acts_by_decoder_norm") and not np.allclose(norms, 1, atol=1e-3):
        raise BasisError(
            f"The SAE in {folder} ranks latents by their decoder's norm, which is not supported.",
            "Fold the norms of its decoder into the encoder (fold_W_dec_norm) and save it again.",
        )


def _activation_scale(normalise: str, vectors: F32 | None, folder: Path, width: int) -> float:
    if normalise != "expected_average_only_in":
        return 1.0
    if vectors is None or not len(vectors) or vectors.shape[1] != width:
        raise BasisError(
            f"The SAE in {folder} wants activations scaled to an average norm.",
            "Give activations of its layer: their mean norm is needed.",
        )
    return float(width**0.5 / np.linalg.norm(vectors.astype(np.float64), axis=1).mean())


def _read_top_k(cfg: dict[str, Any], folder: Path) -> int:
    found = cfg.get("k", (cfg.get("activation_fn_kwargs") or {}).get("k"))
    if not isinstance(found, int):
        raise BasisError(f"{folder}/cfg.json does not say k.", "A top-k SAE needs it.")
    return found

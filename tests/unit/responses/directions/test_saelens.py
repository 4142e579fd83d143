"""SAEs in SAELens's two forms: the same numbers as SAELens's own formulas, or a named refusal."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from circuitz.errors import BasisError
from circuitz.responses.directions.saelens import load_saelens

D, K, TOP = 6, 9, 2
DRAW = np.random.default_rng(3)
X = DRAW.normal(size=(30, D)).astype(np.float32)
PLAIN = {
    "W_enc": DRAW.normal(size=(D, K)),
    "W_dec": DRAW.normal(size=(K, D)),
    "b_enc": DRAW.normal(size=K),
    "b_dec": DRAW.normal(size=D),
}
GATED = {k: v for k, v in PLAIN.items() if k != "b_enc"} | {
    n: DRAW.normal(size=K) * 0.5 for n in ("b_gate", "r_mag", "b_mag")
}
LEAST = np.abs(DRAW.normal(size=K)) + 0.1
SINCE_6 = {"metadata": {"sae_lens_version": "6.12.0"}, "reshape_activations": "none"}


def save(folder, cfg, arrays, dtype=torch.float32):
    folder.mkdir(exist_ok=True)
    (folder / "cfg.json").write_text(json.dumps({"d_in": D, "d_sae": K, **cfg}))
    tensors = {k: torch.as_tensor(np.asarray(v)).to(dtype) for k, v in arrays.items()}
    save_file(tensors, folder / "sae_weights.safetensors")
    return folder


def read(tmp_path, cfg, arrays, **more):
    """Coordinates and restored activations of X."""
    basis = load_saelens(save(tmp_path / "sae", cfg, arrays, **more), X)
    flat = torch.from_numpy(X)[:, :, None]
    code = basis.coordinates(flat)
    return code[..., 0].numpy(), basis.reconstruct(code, flat)[..., 0].numpy()


def largest(code, top=TOP):
    return np.where(code >= np.sort(code, 1)[:, [-top]], np.maximum(code, 0), 0)


def by_hand(w, after, normalise="none", centred=True):
    """What SAELens computes, written down again; ``after`` is what follows the encoder."""
    x, norm, mean = X.astype(float), 1.0, 0.0
    if normalise == "expected_average_only_in":
        norm = np.linalg.norm(x, axis=1).mean() / D**0.5
    if normalise == "constant_norm_rescale":
        norm = np.linalg.norm(x, axis=1, keepdims=True) / D**0.5
    if normalise == "layer_norm":
        mean = x.mean(1, keepdims=True)
        norm = (x - mean).std(1, ddof=1, keepdims=True) + 1e-5
    v = (x - mean) / norm
    inner = v - w["b_dec"] if centred else v
    code = after(inner @ w["W_enc"])
    return code, (code @ w["W_dec"] + w["b_dec"]) * norm + mean


def same(found, wanted):
    return all(np.allclose(a, b, atol=1e-4) for a, b in zip(found, wanted, strict=True))


def gate(pre):
    grown = pre * np.exp(GATED["r_mag"]) + GATED["b_mag"]
    return (pre + GATED["b_gate"] > 0) * np.maximum(grown, 0)


KINDS = {
    "relu": ({"architecture": "standard"}, PLAIN, lambda c: np.maximum(c + PLAIN["b_enc"], 0)),
    "gated": ({"architecture": "gated", "activation_fn_str": "relu"}, GATED, gate),
    "jumprelu": (
        {"architecture": "jumprelu", **SINCE_6},
        PLAIN | {"threshold": LEAST},
        lambda c: (c + PLAIN["b_enc"]) * (c + PLAIN["b_enc"] > LEAST),
    ),
    "topk": (
        {"architecture": "topk", "k": TOP, **SINCE_6},
        PLAIN,
        lambda c: largest(c + PLAIN["b_enc"]),
    ),
    "tanh": (
        {"architecture": "standard", "activation_fn_str": "tanh-relu"},
        PLAIN,
        lambda c: np.tanh(np.maximum(c + PLAIN["b_enc"], 0)),
    ),
}


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(
    "normalise", ["none", "expected_average_only_in", "constant_norm_rescale", "layer_norm"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_after_every_normalisation(tmp_path, kind, normalise, centred):
    cfg, w, after = KINDS[kind]
    cfg = cfg | {"normalize_activations": normalise, "apply_b_dec_to_input": centred}
    assert same(read(tmp_path, cfg, w), by_hand(w, after, normalise, centred))


@pytest.mark.parametrize(
    "cfg",
    [
        {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": TOP}},
        {"activation_fn": "topk", "activation_fn_kwargs": {"k": TOP}},
        {"architecture": "topk", "activation_fn_str": "topk", "activation_fn_kwargs": {"k": TOP}},
        {"activation_fn": "TopK", "k": float(TOP), "activation_fn_kwargs": None},
        {"architecture": "standard", "activation_fn": "topk", "k": TOP, **SINCE_6},
    ],
)
def test_an_activation_named_apart_from_the_architecture_is_that_of_the_sae(tmp_path, cfg):
    found = read(tmp_path, {"normalize_activations": None, **cfg}, PLAIN)
    assert same(found, by_hand(PLAIN, KINDS["topk"][2]))
    assert ((found[0] > 0).sum(1) <= TOP).all()


def test_ranking_by_the_decoders_norm_is_folded_in(tmp_path):
    norms = np.linalg.norm(PLAIN["W_dec"], axis=1)
    cfg = KINDS["topk"][0] | {"rescale_acts_by_decoder_norm": True}
    code, restored = read(tmp_path, cfg, PLAIN)
    wanted, _ = by_hand(PLAIN, lambda c: largest((c + PLAIN["b_enc"]) * norms))
    assert np.allclose(code, wanted, atol=1e-4)
    assert np.allclose(restored, wanted / norms @ PLAIN["W_dec"] + PLAIN["b_dec"], atol=1e-4)


@pytest.mark.parametrize("kind", ["batchtopk", "matryoshka_batchtopk"])
@pytest.mark.parametrize("name", ["threshold", "topk_threshold"])
def test_batch_top_k_is_read_by_the_threshold_that_takes_its_place(tmp_path, kind, name):
    w = PLAIN | {name: np.full(K, 0.7) if name == "threshold" else np.array(0.7)}
    found = read(tmp_path, {"architecture": kind, "k": 3.5}, w)
    assert same(found, by_hand(w, lambda c: (c + w["b_enc"]) * (c + w["b_enc"] > 0.7)))
    with pytest.raises(BasisError, match="no threshold above 0"):
        read(tmp_path, {"architecture": kind, "k": 3.5}, PLAIN | {"topk_threshold": np.array(0.0)})


def test_finetuning_scales_what_is_written_not_what_is_read(tmp_path):
    scale = DRAW.random(K) + 0.5
    for name in ("scaling_factor", "finetuning_scaling_factor"):
        w = PLAIN | {name: scale}
        code, restored = read(tmp_path, {"finetuning_scaling_factor": True}, w)
        wanted, _ = by_hand(PLAIN, KINDS["relu"][2])
        assert np.allclose(code, wanted, atol=1e-4)
        assert np.allclose(restored, wanted * scale @ w["W_dec"] + w["b_dec"], atol=1e-4)
        with pytest.raises(BasisError, match="finetuning_scaling_factor false"):
            read(tmp_path, {"finetuning_scaling_factor": False}, w)
    read(tmp_path, {"finetuning_scaling_factor": False}, PLAIN | {"scaling_factor": np.ones(K)})


def test_old_truth_values_of_normalisation(tmp_path):
    after = KINDS["relu"][2]
    for said, meant in ((True, "expected_average_only_in"), (False, "none"), (None, "none")):
        found = read(tmp_path, {"normalize_activations": said}, PLAIN)
        assert same(found, by_hand(PLAIN, after, meant))


def test_weights_in_half_precision_are_read(tmp_path):
    rounded = {k: torch.as_tensor(v).to(torch.bfloat16).float().numpy() for k, v in PLAIN.items()}
    found = read(tmp_path, {}, PLAIN, dtype=torch.bfloat16)
    assert same(found, by_hand(rounded, lambda c: np.maximum(c + rounded["b_enc"], 0)))


K2 = {"activation_fn_kwargs": {"k": TOP}}
REFUSED = [
    ({"architecture": "temporal"}, {}, "temporal"),
    ({"architecture": "transcoder"}, {}, "transcoder"),
    ({"architecture": "matching_pursuit"}, {}, "matching_pursuit"),
    ({"activation_fn_str": "gelu"}, {}, "'gelu'"),
    ({"activation_fn_str": "relu", "activation_fn": "topk", **K2}, {}, "two activations"),
    ({"architecture": "topk", "activation_fn": "relu", **K2}, {}, "'relu' in .* 'topk'"),
    ({"architecture": "jumprelu", "activation_fn": "tanh-relu"}, {"threshold": LEAST}, "tanh-relu"),
    (
        {"architecture": "jumprelu", "activation_fn": "topk", **K2},
        {"threshold": LEAST},
        "'topk' in",
    ),
    ({"architecture": "topk"}, {}, "does not say k"),
    ({"activation_fn_str": "topk"}, {}, "does not say k"),
    ({"architecture": "topk", "k": 2.5}, {}, "k is 2.5"),
    ({"architecture": "topk", "k": 0}, {}, "k is 0"),
    ({"architecture": "topk", "k": True}, {}, "k is True"),
    ({"architecture": "topk", "k": 3, **K2}, {}, "k is 3 and 2"),
    ({"architecture": "topk", "k": K + 1}, {}, "cannot be left"),
    (
        {"activation_fn": "topk", "activation_fn_kwargs": {"k": 2, "postact_fn": "id"}},
        {},
        "postact",
    ),
    ({"activation_fn": "topk", "activation_fn_kwargs": {"k": 2, "groups": 2}}, {}, "groups"),
    ({"normalize_activations": "batch_norm"}, {}, "batch_norm"),
    ({"apply_b_dec_to_input": "yes"}, {}, "apply_b_dec_to_input"),
    ({"reshape_activations": "hook_z"}, {}, "attention heads"),
    ({"hook_name": "blocks.3.attn.hook_z"}, {}, "attention heads"),
    ({"hook_point": "blocks.3.attn.hook_z"}, {}, "attention heads"),
    ({"d_out": D}, {}, "transcoder"),
    ({"metadata": {"hook_name_out": "blocks.3.hook_mlp_out"}}, {}, "transcoder"),
    ({"rescale_acts_by_decoder_norm": True}, {}, "norm"),
    ({}, {"threshold": LEAST}, "threshold"),
    ({"architecture": "topk", "k": 2}, {"b_gate": LEAST}, "b_gate"),
    ({}, {"W_skip": np.eye(D)}, "W_skip"),
    ({"d_sae": K + 1}, {}, "do not fit"),
    ({"architecture": "gated"}, {}, "do not fit"),
    ({"architecture": "jumprelu"}, {}, "do not fit"),
    ({}, {"b_enc": np.ones(K + 1)}, "offset"),
]


@pytest.mark.parametrize(("cfg", "arrays", "said"), REFUSED)
def test_what_is_not_known_is_refused_by_name(tmp_path, cfg, arrays, said):
    with pytest.raises(BasisError, match=said):
        load_saelens(save(tmp_path / "sae", cfg, PLAIN | arrays), X)


def test_damaged_folders_and_those_of_others_are_named(tmp_path):
    with pytest.raises(BasisError, match="no folder of an SAE"):
        load_saelens(tmp_path / "nothing")
    with pytest.raises(BasisError, match="average norm"):
        load_saelens(
            save(tmp_path / "n", {"normalize_activations": "expected_average_only_in"}, PLAIN)
        )
    folder = save(tmp_path / "sae", {}, {k: v for k, v in PLAIN.items() if k != "W_dec"})
    with pytest.raises(BasisError, match="do not fit"):
        load_saelens(folder)
    (folder / "sae_weights.safetensors").write_bytes(b"\x09")
    with pytest.raises(BasisError, match="cannot be read"):
        load_saelens(folder)
    (folder / "sae_weights.safetensors").rename(folder / "sae.safetensors")
    with pytest.raises(BasisError) as caught:
        load_saelens(folder)
    assert "Sparsify" in caught.value.hint
    (folder / "cfg.json").write_text("[")
    with pytest.raises(BasisError):
        load_saelens(folder)

"""Networks that are not ours, which read tokens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import circuitz as cz
from circuitz.data.text.text_words import NAMES
from circuitz.data.text.text_world import CLASSES, draw_texts
from circuitz.errors import InputsError, LayerError
from circuitz.z.inputs import PADDING, InputSet

WORDS = (PADDING, *sorted({w for t in draw_texts("free", 400) for w in t.text.split()}))


class Foreign(nn.Module):
    """An encoder in plain PyTorch that returns an object with logits."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(len(WORDS), 12)
        layer = nn.TransformerEncoderLayer(12, 2, 24, dropout=0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.mixed = nn.ReLU()
        self.head = nn.Linear(12, len(CLASSES))

    def forward(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.head(self.mixed(self.body(self.embed(tokens))).mean(1))}


def tokens(role: str, n: int) -> InputSet:
    made = draw_texts(role, n)  # type: ignore[arg-type]
    rows = np.zeros((n, 40), np.int32)
    for row, text in zip(rows, made, strict=True):
        ids = [WORDS.index(word) if word in WORDS else 1 for word in text.text.split()]
        row[: len(ids)] = ids
    labels = np.array([CLASSES.index(t.label) for t in made]) if role == "D" else None
    return InputSet(
        images=rows, labels=labels, classes=CLASSES if role == "D" else (), role=role,
        concepts=np.array([t.family_flags() for t in made], np.float32), concept_names=NAMES,
        vocabulary=WORDS, scene=np.arange(n),
        split=(np.arange(n) // 4 % 3).astype(np.uint8),
    )  # fmt: skip


def test_a_foreign_transformer_is_wrapped_measured_and_ablated() -> None:
    net, data, known = Foreign().eval(), tokens("D", 240), tokens("concepts", 240)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    x, y = torch.from_numpy(data.images.astype(np.int64)), torch.from_numpy(data.labels)
    for _ in range(60):
        loss = nn.functional.cross_entropy(net(x)["logits"], y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    z = cz.wrap(net, data, layers=["embed", "body.layers.0.linear1", "mixed"])
    assert z.cut == ("mixed",)
    assert "session" in z.notes
    assert [s.size for s in z.layers] == [12, 24, 12]
    z = cz.measure(z, known, images=48, donors=1)
    assert z.measurements is not None
    assert z.measurements.effects is not None
    assert z.measurements.effects.units == tuple(f"mixed:{i}" for i in range(12))
    assert z.measurements.layers["embed"].responses.shape == (240, 12)
    table = cz.ablate(z, layers=["mixed"], images=12)
    assert np.isfinite(table["effect"]).all()
    # A mean over real tokens: what the embedding says of them.
    row = known.images[0][known.images[0] != 0]
    mean = net.embed.weight[torch.from_numpy(row.astype(np.int64))].mean(0).detach().numpy()
    assert np.allclose(z.measurements.layers["embed"].responses[0], mean, atol=1e-5)


def test_exemplars_of_what_a_probe_reads_are_ranked_as_it_reads() -> None:
    from circuitz.models.zoo.builders import build

    torch.manual_seed(0)
    data, known = tokens("D", 60), tokens("concepts", 90)
    net = build("text-classifier", {
        "vocabulary": len(WORDS), "context": 40, "heads": 2, "width": 12, "neurons": 10,
        "classes": len(CLASSES), "at": "blocks.0.mlp.hook_post", "padding": 0,
    })  # fmt: skip
    z = cz.measure(cz.wrap(net, data).with_(data=None), known)
    found = z.measurements.layers["read"]
    best = np.argsort(-found.responses, axis=0, kind="stable")[:9].T
    assert np.array_equal(found.exemplars, best)
    assert np.array_equal(found.spectrum[:, 3], best[:, :3])
    assert np.array_equal(found.spectrum[:, 0, 0], found.responses.argmin(0))
    # What comes before is ranked by its largest token, as the map that is shown is.
    assert (found.exemplars != np.argsort(-found.peaks, axis=0)[:9].T).any()
    earlier = z.measurements.layers["blocks.0.attn.hook_z"]
    assert np.array_equal(earlier.exemplars[:, 0], earlier.peaks.argmax(0))


def test_what_does_not_fit_is_named() -> None:
    net, data = Foreign().eval(), tokens("D", 16)
    with pytest.raises(LayerError, match="layers="):
        cz.wrap(net, data)
    with pytest.raises(LayerError, match="none of the layers"):
        cz.wrap(net, data, layers=["embed", "mixed"], cut="body")
    with pytest.raises(InputsError, match="class names"):
        cz.wrap(net, data, layers=["mixed"], classes=("a", "b"))
    with pytest.raises(InputsError, match="tokens"):
        cz.wrap(net, replace(data, images=data.images + len(WORDS)), layers=["mixed"])


def test_a_transformerlens_model_gives_its_heads() -> None:
    pytest.importorskip("transformer_lens")
    from circuitz.data.text.induction_model import load_shipped_induction_model
    from circuitz.data.text.repeating_sequences import make_repeating_sequences
    from circuitz.models.adapters.transformer_lens import Lens

    bridge = Lens.from_small_transformer(load_shipped_induction_model("induction")).bridge
    z = cz.wrap(bridge, make_repeating_sequences(40))
    assert z.cut == ("blocks.0.attn.hook_z", "blocks.1.attn.hook_z")

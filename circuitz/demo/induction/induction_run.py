"""Opened or trained, looked at, named, checked: every step of the induction story, run for real."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from circuitz.data.text.induction_model import (
    RECIPES,
    count_right_answers,
    load_shipped_induction_model,
    train_induction_model,
)
from circuitz.data.text.repeating_sequences import (
    FIXED,
    PAIR_CONCEPTS,
    PERIODS,
    attention_pairs,
    label_relations_to_last_token,
    make_repeating_sequences,
)
from circuitz.demo.induction.induction_story import (
    CheckedModel,
    InductionStory,
    edges_above_noise,
    finding_for_summary,
    model_figures_for_summary,
)
from circuitz.demo.output_folder import prepare_output_folder
from circuitz.effects.ablation.patch_heads import HeadPatching, patch_heads
from circuitz.effects.attribution.head_scores import head_scores, mean_attention_by_concept
from circuitz.effects.edge.head_paths import measure_head_edges
from circuitz.measurement.measure import measure
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose
from circuitz.wrapping.wrap import wrap
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import write_inputs
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

Progress = Callable[[str, int, int], None]

WORLD = "induction"
#: What a head must reach on D to be called by a score, as is usual for prefix matching.
SCORE_BAR = 0.6
_SHIFTED_SEED = 1_000_003
#: Period of the prompts whose heads are patched, so that positions mean the same in all of them.
PATCH_PERIOD = 9
_PATCHED = 64
_EDGES = 400
DEMO = "circuitz demo"


@dataclass(frozen=True)
class InductionSizes:
    """How much is run.

    Parameters
    ----------
    sequences
        Sequences of each D, and of D′.
    pairs
        Sequences of the concept set; each gives some 35 pairs of positions.
    effect_sequences
        Source sequences a split when effects are measured.
    """

    sequences: int = 4000
    pairs: int = 400
    effect_sequences: int = 144


QUICK, FULL = InductionSizes(), InductionSizes(sequences=8000, pairs=800, effect_sequences=288)


def name_chapters(full: bool) -> tuple[str, ...]:
    """Return the steps of the story in their order, as progress names them."""
    each = (
        *(("train",) if full else ()),
        "look at the heads of",
        "measure what words say of",
        "edges of",
    )
    steps = [f"{what} {name}" for name in ("induction", "fixed") for what in each]
    last = (
        "measure swapped words",
        "measure what fixed is called now",
        "patch heads and positions",
    )
    return (*steps, *last)


def run_induction_story(
    out: Path,
    *,
    seed: int = 0,
    full: bool = False,
    sizes: InductionSizes | None = None,
    progress: Progress | None = None,
) -> InductionStory:
    """Tell the whole story and write its bundles into a folder.

    Parameters
    ----------
    out
        Folder for ``induction.z``, ``fixed.z`` and both D; made when missing.
    seed
        Of everything random.
    full
        Train both models here (a minute or two) rather than open those that are shipped, and
        measure on more sequences.
    sizes
        Sizes of one's own.
    progress
        Called with what is being done, steps done and steps in all.

    Raises
    ------
    InputsError
        If the folder cannot be used.
    """
    start = time.monotonic()
    sizes = sizes or (FULL if full else QUICK)
    say: Progress = progress or (lambda _what, _done, _total: None)
    prepare_output_folder(out)
    job = _InductionSteps(out, seed, full, sizes, say)
    induction = job.prepare_checked_model("induction", PERIODS)
    fixed = job.prepare_checked_model("fixed", (FIXED, FIXED))
    swapped = job.swap_head_words(induction)
    swapped_report = check(swapped)
    renamed = job.rename_heads_by_concept_match(fixed)
    renamed_report = check(renamed)
    patching = job.patch_heads_of_prompts(induction.net)
    summary = {
        "world": WORLD,
        "seed": seed,
        "full": full,
        "induction": model_figures_for_summary(induction),
        "fixed": model_figures_for_summary(fixed),
        "swapped": [
            finding_for_summary(f) for f in swapped_report.findings if f.kind == "mislabelled-unit"
        ],
        "renamed": {
            "words": dict(zip(*(renamed.annotations[c] for c in ("target", "text")), strict=True)),
            "findings": [finding_for_summary(f) for f in renamed_report.findings],
        },
        "patching": {
            "period": PATCH_PERIOD,
            "prompts": int(patching.baseline.size),
            "restored": np.round(patching.restored_share.astype(float), 4).tolist(),
        },
        "bundle": {name: str(out / f"{name}.z") for name in ("induction", "fixed")},
        "seconds": round(time.monotonic() - start, 1),
    }
    return InductionStory(
        summary, induction, fixed, swapped, swapped_report, renamed_report, patching
    )


class _InductionSteps:
    def __init__(
        self, out: Path, seed: int, full: bool, sizes: InductionSizes, progress: Progress
    ) -> None:
        self.out, self.seed, self.full, self.sizes, self.report_progress = (
            out,
            seed,
            full,
            sizes,
            progress,
        )

    def progress_for_step(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self.report_progress(what, done, total)

    def prepare_checked_model(self, name: str, periods: tuple[int, int]) -> CheckedModel:
        """Open or train one model; score, name, measure and check its heads."""
        net = load_shipped_induction_model(name)
        if self.full:
            net = train_induction_model(
                replace(RECIPES[name], seed=self.seed), self.progress_for_step(f"train {name}")
            )
        data = make_repeating_sequences(self.sizes.sequences, seed=self.seed, periods=periods)
        write_inputs(self.out / f"D-{name}", data)
        pairs = attention_pairs(self.sizes.pairs, seed=self.seed)
        z = wrap(net, data, subject="letter", name=name)
        z = z.with_(data_ref=DataRef.referring_to(data, f"D-{name}"))
        z = self._measure_heads(z, f"look at the heads of {name}", concept_set=pairs)
        scores = self._score_heads(z, net, data, pairs)
        z = self._name_heads_by_score(z, scores)
        z = self._measure_heads(z, f"measure what words say of {name}")
        edges = self._measure_head_edges(net, data, name)
        if name == WORLD:
            z = _annotate_strong_edges(z, edges)
        report = check(z)
        z = z.with_(findings=report.findings, live=None)
        z.save(self.out / f"{name}.z")
        unseen = _SHIFTED_SEED + self.seed
        shifted, beside = (
            make_repeating_sequences(self.sizes.sequences, role="D'", seed=unseen, periods=some)
            for some in (PERIODS, (FIXED, FIXED))
        )
        return CheckedModel(
            z, net, report, scores, edges,
            count_right_answers(net, data, np.flatnonzero(data.split != 0)), count_right_answers(net, shifted),
            count_right_answers(net, beside),
        )  # fmt: skip

    def _measure_heads(self, z: AnnotatedModel, what: str, **options: Any) -> AnnotatedModel:
        return measure(
            z,
            seed=self.seed,
            images=self.sizes.effect_sequences,
            donors=1,
            progress=self.progress_for_step(what),
            **options,
        )

    def _score_heads(
        self, z: AnnotatedModel, net: SmallTransformer, data: InputSet, pairs: InputSet
    ) -> pd.DataFrame:
        found = head_scores(net, data, label_relations_to_last_token(data), PAIR_CONCEPTS)
        found = found.rename(columns={name: f"D: {name}" for name in PAIR_CONCEPTS})
        assert z.measurements is not None
        looked = np.concatenate(
            [mean_attention_by_concept(z.measurements.layers[name], pairs) for name in z.cut]
        )
        for column, name in enumerate(PAIR_CONCEPTS):
            found[name] = looked[:, column]
        # The last position of D seldom needs its previous token; all positions of the pairs do.
        return found

    def _name_heads_by_score(self, z: AnnotatedModel, scores: pd.DataFrame) -> AnnotatedModel:
        """Name heads by scores, the way it is usually done: attention above a bar."""
        for row in scores.to_dict("records"):
            told = {
                "induction head": row["D: induction target"],
                "previous token head": row["previous token"],
            }
            text, score = max(told.items(), key=lambda item: item[1])
            if score >= SCORE_BAR:
                z = z.annotate(
                    row["unit"], text, author="attention score", author_kind="rule",
                    confidence=min(1.0, float(score)),
                )  # fmt: skip
        return z

    def _measure_head_edges(self, net: SmallTransformer, data: InputSet, name: str) -> pd.DataFrame:
        assert data.labels is not None
        rows = np.flatnonzero(data.split == 1)[: 2 * _EDGES]
        half = len(rows) // 2
        tokens = torch.from_numpy(data.images[rows].astype(np.int64))
        target = torch.from_numpy(data.labels[rows[:half]])
        step = self.progress_for_step(f"edges of {name}")
        return measure_head_edges(
            net, tokens[:half], tokens[half : 2 * half], target, progress=step
        )

    def swap_head_words(self, model: CheckedModel) -> AnnotatedModel:
        """Exchange the words of the strongest head of each kind, and misname a third."""
        words = {unit: said.text for unit, said in model.z.effective().items() if ":" in unit}
        early = [u for u, text in words.items() if text.startswith("previous")]
        late = [u for u, text in words.items() if text.startswith("induction")]
        z = model.z
        notes = [(early[-1:], "induction head"), (late[:1], "previous token head")]
        notes.append((late[1:2], "duplicate token head"))
        for units, text in notes:
            for unit in units:
                z = z.annotate(unit, text, author=f"{DEMO}, wrong on purpose", author_kind="rule")
        return self._measure_heads(z, "measure swapped words")

    def rename_heads_by_concept_match(self, model: CheckedModel) -> AnnotatedModel:
        """Name its heads anew, by what they match on the concept set."""
        z = propose(model.z.with_(log=()))
        return self._measure_heads(z, f"measure what {model.z.name} is called now")

    def patch_heads_of_prompts(self, net: SmallTransformer) -> HeadPatching:
        """Put heads of whole prompts into prompts whose earlier copies of the last letter are gone."""
        made = make_repeating_sequences(
            _PATCHED, seed=self.seed + 7, periods=(PATCH_PERIOD, PATCH_PERIOD), role="D'"
        )
        assert made.labels is not None
        lent = made.images
        copies = lent == lent[:, -1:]
        copies[:, -1] = False
        # Another letter stands where the last one stood before, one the prompt does not show.
        shown = (lent[:, :, None] == np.arange(len(made.vocabulary))).any(1)
        other = np.argmin(shown, axis=1).astype(np.int32)
        tokens = np.where(copies, other[:, None], lent)
        right = torch.from_numpy(made.labels)

        def logit_margin(logits: torch.Tensor) -> torch.Tensor:
            own = logits[:, 0].gather(1, right[:, None])[:, 0]
            return own - (logits[:, 0].sum(1) - own) / (logits.shape[2] - 1)

        given, whole = (torch.from_numpy(x.astype(np.int64)) for x in (tokens, lent))
        step = self.progress_for_step("patch heads and positions")
        return patch_heads(net, given, whole, logit_margin, progress=step)


def _annotate_strong_edges(z: AnnotatedModel, edges: pd.DataFrame) -> AnnotatedModel:
    reads = {
        "key": "tells it, through its keys, which token stood before each",
        "query": "tells it, through its queries, what to look for",
        "value": "gives it something to pass on, through its values",
    }
    seen: set[tuple[str, str]] = set()
    for row in edges_above_noise(edges).to_dict("records"):
        pair = (row["sender"], row["receiver"])
        if pair not in seen:
            seen.add(pair)
            z = z.annotate(
                f"edge:{pair[0]}->{pair[1]}", reads[row["part"]], author="path patching",
                author_kind="rule",
            )  # fmt: skip
    return z

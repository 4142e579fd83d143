"""``circuitz new --texts``: a language model of one's own, with a probe fitted to texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from circuitz.cli.shell import progress, say
from circuitz.errors import InputsError

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon


@dataclass(frozen=True)
class Asked:
    """What was asked for; names are those of the options."""

    texts: Path
    lm: Path
    concept_set: Path | None
    layer: str
    pool: str
    subject: str
    out: Path
    seed: int
    as_json: bool
    cluster: str


def new_texts(asked: Asked, known: Lexicon) -> None:
    """Fit a probe, measure units, and write the z and D beside it."""
    import numpy as np

    from circuitz.cli.new import accuracy, finish, report
    from circuitz.data.folders.check_sample_size import check_enough
    from circuitz.data.folders.synonyms import join_synonyms
    from circuitz.data.text.text_table import open_texts
    from circuitz.jobs.connect import connected
    from circuitz.models.adapters.text_lm import Words, classifier, read_config
    from circuitz.models.adapters.transformer_lens import Lens
    from circuitz.models.zoo.fit_probe import fit_probe, pooled
    from circuitz.wrapping.wrap_texts import wrap_reader

    if asked.pool not in ("mean", "last"):
        raise InputsError(f"There is no pool {asked.pool!r}.", "Choose mean or last.")
    # A cluster that is not there is told of now.
    with progress() as steps, connected(asked.cluster or None) as executor:
        steps("open the language model", 0, 1)
        words = Words.folder(asked.lm)
        lens = Lens.folder(asked.lm)
        words = words.filled(int(lens.config.d_vocab))
        steps("open the language model", 1, 1)
        most = int(lens.config.n_ctx)
        pair = open_texts(
            asked.texts, asked.concept_set, words.encode, words.vocabulary, most=most,
            seed=asked.seed,
        )  # fmt: skip
        data, _ = join_synonyms(pair.data, known)
        concepts, joined = join_synonyms(pair.concepts, known)
        remarks = [*([_SHARED] if pair.shared else []), *joined, *check_enough(data, concepts)]
        if pair.cut:
            remarks.insert(0, f"{pair.cut} texts have more than {most} tokens and are cut off.")
        for remark in remarks:
            say.print(remark, markup=False, highlight=False)
        assert data.labels is not None
        assert data.split is not None
        net = classifier(
            lens, read_config(asked.lm), len(data.classes), asked.layer,
            "last" if asked.pool == "last" else "mean", words.padding,
        )  # fmt: skip
        rows = np.flatnonzero(data.split == 0)
        given = pooled(net, data.images[rows], lambda d, n: steps("read texts", d, n))
        fit_probe(net, given, data.labels[rows])
        stem = asked.out.name.removesuffix(".zip").removesuffix(".z") or "model"
        z = wrap_reader(net, data, subject=asked.subject, name=stem)
        told = {"lm": str(asked.lm), "layer": asked.layer or "the last block's neurons",
                "pool": asked.pool}  # fmt: skip
        z = z.with_(notes={**z.notes, "texts": told})
        share = accuracy(z, True, asked.seed, asked.as_json)
        z, kept = finish(
            z, concepts, known, asked.seed, asked.out, steps, visualise=False, cluster=executor
        )
    report(z, kept, asked.out, share, remarks, asked.as_json)


_SHARED = (
    "No text has the role concepts: units are measured on D's own texts. Where a concept and a "
    "class go together in D, no unit can be told to see the one or the other."
)

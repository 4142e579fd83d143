"""``circuitz new --texts``: a language model of one's own, with a probe fitted to texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from circuitz.cli.shell import progress_bars, say
from circuitz.errors import InputsError

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon


@dataclass(frozen=True)
class TextBundleOptions:
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


def new_bundle_from_texts(options: TextBundleOptions, lexicon: Lexicon) -> None:
    """Fit a probe, measure units, and write the z and D beside it."""
    import numpy as np

    from circuitz.cli.created_bundle import (
        prepare_and_save_bundle,
        print_and_keep_accuracy,
        print_new_bundle_summary,
    )
    from circuitz.data.folders.check_sample_size import check_sample_sizes
    from circuitz.data.folders.synonyms import join_synonym_columns
    from circuitz.data.text.text_table import open_texts_with_concepts
    from circuitz.jobs.connect import executor_for_cluster
    from circuitz.models.adapters.text_lm import (
        FolderTokenizer,
        build_text_classifier,
        read_model_config,
    )
    from circuitz.models.adapters.transformer_lens import Lens
    from circuitz.models.zoo.fit_probe import fit_probe, pooled_activations
    from circuitz.wrapping.wrap_texts import wrap_text_network

    if options.pool not in ("mean", "last"):
        raise InputsError(f"There is no pool {options.pool!r}.", "Choose mean or last.")
    # A cluster that is not there is told of now.
    with progress_bars() as steps, executor_for_cluster(options.cluster or None) as executor:
        steps("open the language model", 0, 1)
        words = FolderTokenizer.from_folder(options.lm)
        lens = Lens.from_folder(options.lm)
        words = words.with_names_for_extra_tokens(int(lens.config.d_vocab))
        steps("open the language model", 1, 1)
        most = int(lens.config.n_ctx)
        pair = open_texts_with_concepts(
            options.texts, options.concept_set, words.encode, words.vocabulary, max_tokens=most,
            seed=options.seed,
        )  # fmt: skip
        data, _ = join_synonym_columns(pair.data, lexicon)
        concepts, joined = join_synonym_columns(pair.concepts, lexicon)
        remarks = [
            *([_NO_CONCEPT_TEXTS] if pair.shared else []),
            *joined,
            *check_sample_sizes(data, concepts),
        ]
        if pair.truncated:
            remarks.insert(
                0, f"{pair.truncated} texts have more than {most} tokens and are cut off."
            )
        for remark in remarks:
            say.print(remark, markup=False, highlight=False)
        assert data.labels is not None
        assert data.split is not None
        net = build_text_classifier(
            lens, read_model_config(options.lm), len(data.classes), options.layer,
            "last" if options.pool == "last" else "mean", words.padding,
        )  # fmt: skip
        rows = np.flatnonzero(data.split == 0)
        given = pooled_activations(net, data.images[rows], lambda d, n: steps("read texts", d, n))
        fit_probe(net, given, data.labels[rows])
        stem = options.out.name.removesuffix(".zip").removesuffix(".z") or "model"
        z = wrap_text_network(net, data, subject=options.subject, name=stem)
        told = {"lm": str(options.lm), "layer": options.layer or "the last block's neurons",
                "pool": options.pool}  # fmt: skip
        z = z.with_(notes={**z.notes, "texts": told})
        z = print_and_keep_accuracy(z, True, options.seed, options.as_json)
        z, kept = prepare_and_save_bundle(
            z,
            concepts,
            lexicon,
            options.seed,
            options.out,
            steps,
            visualise=False,
            cluster=executor,
        )
    print_new_bundle_summary(z, kept, options.out, remarks, lexicon, options.as_json)


_NO_CONCEPT_TEXTS = (
    "No text has the role concepts: units are measured on D's own texts. Where a concept and a "
    "class go together in D, no unit can be told to see the one or the other."
)

"""The record of the benchmark of judgements as a page, failures included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from circuitz.bench.marked_page import write_marked_page

_ARMS = ("hidden", "shown")


def write_people_record(path: Path, figures: Mapping[str, Any], command: str) -> None:
    """Put figures between the marks of a page; what stands around them stays.

    Raises
    ------
    BenchError
        If the page is not there or lacks the marks.
    """
    write_marked_page(path, _lines(figures, command))


def figure_as_text(value: Any) -> str:
    """Return a figure as it is printed; a dash for one that was not measured."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:.3f}"
        return text.replace("0.", ".", 1) if abs(value) < 1 else text
    if isinstance(value, list | tuple):
        return " ".join(figure_as_text(v) for v in value)  # pyright: ignore[reportUnknownVariableType]
    return str(value)


def _lines(figures: Mapping[str, Any], command: str) -> Iterator[str]:
    pool = figures["pool"]
    yield f"`{command}`, code {figures['code']}, families {figures['families']}. All people are *simulated*."
    if figures["quick"]:
        yield ""
        yield "**Quick: a smaller pool and fewer answers than the record's.**"
    yield ""
    yield (
        f"Pool: {pool['zs']} z's with {pool['cards']} different cards, of {pool['networks']} networks in "
        f"{pool['lineages']} lineages; {pool['worst_group_below_half']} networks are right in fewer "
        f"than half of the pictures of their worst group."
    )
    yield ""
    yield from _table(("network", "z's"), pool["by_network"].items())
    yield from _table(("words", "z's"), pool["by_words"].items())
    missed = [aim for aim in figures["aims"] if not aim["met"]]
    yield "### Aims"
    yield ""
    yield f"{len(figures['aims']) - len(missed)} of {len(figures['aims'])} met."
    yield ""
    yield from _table(
        ("figure, simulated", "measured", "aim", ""),
        [
            (a["what"], a["value"], a["aim"],
             "met" if a["met"] else "not measured" if a["value"] is None else "**missed**")
            for a in figures["aims"]
        ],
    )  # fmt: skip
    yield from _prior_lines(figures["prior"])
    yield from _likelihood_lines(figures["likelihood"])
    yield from _label_lines(figures["label_model"], figures["controls"])
    yield from _breed_lines(figures.get("many_breeds") or ())
    yield from _other_lines(figures)


def _prior_lines(prior: Mapping[str, Any] | None) -> Iterator[str]:
    if prior is None:
        return
    yield "### M_prior (simulated)"
    yield ""
    yield (
        f"{prior['pairs']} comparisons of {prior['zs']} z's in {prior['lineages']} lineages; tried on "
        f"{prior['held_out_zs']} z's of {', '.join(prior['held_out_lineages'])} and on fresh people."
    )
    yield ""
    heads = ("tried on", "accuracy", "ceiling", "share", "slope, 95 % interval", "decided")

    def row(name: str, part: Mapping[str, Any]) -> tuple[Any, ...]:
        named = ("accuracy", "ceiling", "share", "slope", "decided")
        return (name, *(part.get(key) for key in named))

    rows = [row("fresh people, other lineages", prior)]
    rows += [row(f"{name}, left out of fitting", f) for name, f in prior["family_out"].items()]
    if prior["birds"] is not None:
        rows.append(row(f"birds, {prior['birds']['zs']} z's", prior["birds"]))
    yield from _table(heads, rows)
    words, twins = prior["new_words"], prior["twin_rate"]
    yield (
        f"Twins without words rank below in {figure_as_text(twins['model'])} of {twins['n']} by M_prior, "
        f"{figure_as_text(twins['raters'])} by people. Rejection of {words['n']} words nobody compared: AUROC "
        f"{figure_as_text(words['auroc'])}, with word features dealt out at random "
        f"{figure_as_text(words['random'])}. Fitted to preferences dealt out anew: accuracy "
        f"{figure_as_text(prior['shuffled'])}."
    )
    yield ""
    yield from _table(
        ("in place of M_prior, same fresh answers", "accuracy"), prior["controls"].items()
    )


def _likelihood_lines(likelihood: Mapping[str, Any] | None) -> Iterator[str]:
    if likelihood is None:
        return
    yield "### M_L (simulated)"
    yield ""
    told = ", ".join(f"{n} with the picture {arm}" for arm, n in likelihood["answers"].items())
    yield f"Fitted to answers about z's of other lineages: {told}; {likelihood['zs']} z's in all."
    yield ""
    above = likelihood["nats_above_ceiling"]
    yield from _table(
        ("figure", *_ARMS),
        [("nats above the ceiling", *(above.get(arm) for arm in _ARMS))]
        + [("other people in place of M_L, nats above",
            *(likelihood["other_people"]["nats_above_ceiling"].get(arm) for arm in _ARMS))]
        + [(name, *(likelihood["by_arm"][arm][name] for arm in _ARMS))
           for name in likelihood["by_arm"]["hidden"]],
    )  # fmt: skip
    gap = likelihood["nonsense_gap"]
    yield (
        f"Paired bias between z's: {figure_as_text(likelihood['paired_bias'])} nats an input, with other people "
        f"in place of M_L {figure_as_text(likelihood['other_people']['paired_bias'])}. Renaming, hidden "
        f"arm: {figure_as_text(likelihood['renaming'])}. Nonsense costs people {figure_as_text(gap['raters'])} and "
        f"M_L {figure_as_text(gap['model'])} in the shown arm."
    )
    yield ""


def _label_lines(
    label: Mapping[str, Any] | None, controls: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    if label is not None:
        yield "### M_L_test (simulated)"
        yield ""
        yield from _table(
            ("z", "answers", "right", "worst group: most people", "answers alone", "with the card", "with logits", "card, no answers", "network"),
            [
                (r["z"], r["answers"], r["answers_right"], r["people_worst"], r["answers_alone_worst"],
                 r["with_card_worst"], r["with_logits_worst"], r["card_alone_worst"], r["network_worst"])
                for r in label["rows"]
            ],
        )  # fmt: skip
        yield "Share of fresh people's answers foretold, the mean over these:"
        yield ""
        named = ("answers_alone", "with_card", "with_logits", "card_alone", "network")
        yield from _table(
            (
                "at most",
                "answers alone",
                "with the card",
                "with logits",
                "card, no answers",
                "network",
            ),
            [(label.get("agreement_ceiling"), *(label.get(f"{name}_agreement") for name in named))],
        )
        yield "By number of answers, without z*'s logits:"
        yield ""
        columns = ("trunk", "answers", "worst", "right", "agreement")
        yield from _table(columns, [tuple(r[c] for c in columns) for r in label["trunks"]])
    if controls:
        yield "### What people hold (simulated): share of D′ labelled right"
        yield ""
        names = [name for name in controls[0] if name != "lineage"]
        yield from _table(
            ("lineage", *names), [(r["lineage"], *(r[n] for n in names)) for r in controls]
        )


def _breed_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield "### Where notes cannot suffice (simulated): share of D′ labelled right"
    yield ""
    yield (
        "Twelve breeds of four parts each, in six pairs that differ in one, sixty looks. Nothing is "
        "rendered: z is a linear read-out of noisy detectors that bear the right words. *typical* is how "
        "often a part is as it should be; *optimal* knows the breeds and sees without error."
    )
    yield ""
    yield from _table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _other_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    for key, title in (("rewrite", "Face-value rewrite"), ("words", "Words, tested by people")):
        found = figures[key]
        if found is not None:
            yield f"### {title} (simulated)"
            yield ""
            plain = {k: v for k, v in found.items() if not isinstance(v, list | dict)}
            yield from _table(tuple(plain), [tuple(plain.values())])
    if figures["attacks"]:
        yield "### Attacks and benign twins (simulated)"
        yield ""
        names = ("name", "twin", "exported", "dprime_worst", "reason")
        yield from _table(names, [tuple(a[n] for n in names) for a in figures["attacks"]])
    yield "### Judgements asked for"
    yield ""
    yield from _table(("kind", "answers"), figures["judgements"].items())
    if figures["not_measured"]:
        yield "### Not measured"
        yield ""
        yield from _table(("what", "why"), figures["not_measured"].items())


def _table(heads: Sequence[str], rows: Any) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        cells = (figure_as_text(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        yield "| " + " | ".join(cells) + " |"
    yield ""

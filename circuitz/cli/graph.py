"""``circuitz graph``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuitz.cli.shell import Json, Seed, Z, app, out, progress_bars, say

if TYPE_CHECKING:
    from circuitz.z.circuit.circuit_graph import CircuitGraph
    from circuitz.z.model import AnnotatedModel

_MOST = 20


@app.command()
def graph(
    z: Z,
    target: Annotated[str, typer.Option("--class", help="The class whose circuit is drawn.")],
    basis: Annotated[
        list[str] | None,
        typer.Option(
            help="A basis whose directions stand for its layer, as conv4@nmf; again for more."
        ),
    ] = None,
    nodes: Annotated[float, typer.Option(help="Share of influence that units are kept to.")] = 0.8,
    edges: Annotated[float, typer.Option(help="Share of influence edges are kept to.")] = 0.98,
    images: Annotated[int, typer.Option(help="Source images, evenly over classes.", min=2)] = 120,
    split: Annotated[str, typer.Option(help="Images it is measured on.")] = "test",
    seed: Seed = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again what z has.")] = False,
    units: Annotated[
        bool, typer.Option("--units", help="Each unit by itself in the page.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option("--out", help="Write FILE.html (a page) or FILE.json (attribution graph)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Which units drive a class, and which drive those: the circuit, measured and kept in Z.

    Needs the network and D; what Z keeps already is shown as it is.
    """
    from circuitz.errors import GraphError
    from circuitz.z.bundle.load_save import load

    if file is not None and file.suffix not in (".html", ".json"):
        raise GraphError(f"{file.name} is neither .html nor .json.", "Name it FILE.html.")
    model = load(z)
    bases = basis or []
    asked = {"nodes": nodes, "edges": edges, "images": images, "split": split, "seed": seed}
    found = None if fresh else _stored_graph_matching_settings(model, target, bases, asked)
    if found is None:
        found = _measure_and_save_graph(model, target, {**asked, "bases": bases}, z)
    if file is not None:
        text = found.to_json() if file.suffix == ".json" else _circuit_page_html(found, units)
        file.write_text(text, encoding="utf-8")
        say.print(f"Written to {file}", markup=False, highlight=False)
    if as_json:
        print(found.to_json(), end="")
    elif file is None:
        _print_circuit(found)


def _stored_graph_matching_settings(
    model: AnnotatedModel, target: str, bases: list[str], settings: Mapping[str, object]
) -> CircuitGraph | None:
    """Return the graph z keeps if it was measured as asked, on what z is now."""
    from circuitz.z.circuit.stored_circuits import graphs_by_class

    found = graphs_by_class(model).get(target.removeprefix("output:"))
    if found is None or found.stale_parts(model):
        return None
    had = {**found.settings, **found.pruned_to}
    same = all(had.get(name) == value for name, value in settings.items())
    return found if same and set(had.get("bases", ())) == set(bases) else None


def _measure_and_save_graph(
    model: AnnotatedModel, target: str, settings: Mapping[str, object], path: Path
) -> CircuitGraph:
    from circuitz.effects.circuit.graph import graph as measure

    with progress_bars() as bars:

        def show_progress(done: int, total: int) -> None:
            bars(f"Circuit of {target.removeprefix('output:')}", done, total)

        found = measure(model, target, progress=show_progress, **settings)  # pyright: ignore[reportArgumentType]
    model.with_graph(found).save(path)
    return found


def _clause_on_effect_lost(scores: Mapping[str, float]) -> str:
    if "lost" not in scores:  # a graph measured before it was asked
        return ""
    return (
        f"without them {scores['lost']:.0%} is lost "
        f"[{scores['lost_low']:.0%}, {scores['lost_high']:.0%}]; "
    )


def _sentence_on_basis_remainder(circuit: CircuitGraph) -> str:
    if "rest" not in circuit.scores:
        return ""
    bases = ", ".join(circuit.settings.get("bases", ()))
    return f" {circuit.scores['rest']:.0%} passes through what is left out of its layer by {bases}."


def _circuit_page_html(circuit: CircuitGraph, units: bool) -> str:
    figure = circuit.figure(grouped=not units)
    # Everything it needs is inside: the page opens without a network.
    return str(figure.to_html(include_plotlyjs=True, full_html=True))


def _print_circuit(circuit: CircuitGraph) -> None:
    out.print(repr(circuit), markup=False, highlight=False)
    scores = circuit.scores
    lines = [
        f"Alone, its units of the cut bring about {scores['recovered']:.0%} of the effect "
        f"[{scores['recovered_low']:.0%}, {scores['recovered_high']:.0%}]; "
        + _clause_on_effect_lost(scores)
        + f"{circuit.node('unexplained').influence:.0%} comes from what is not in the graph."
        + _sentence_on_basis_remainder(circuit)
    ]
    again = {k: v for k, v in circuit.stability.items() if v is not None}
    if "exact" in again:
        said = f"Strongest edges found again over resamples: {again['exact']:.0%}"
        if "eap_ig" in again and "agreement" in again:
            said += f"; EAP-IG's {again['eap_ig']:.0%}; the two agree on {again['agreement']:.0%}"
        lines.append(f"{said}.")
    small = circuit.collapse_supernodes()
    names = {
        n.id: f"{n.words or n.id}{f' ×{len(n.members)}' if n.members else ''}" for n in small.nodes
    }
    known = [e for e in small.edges if e.source != "unexplained"]
    for edge in sorted(known, key=lambda e: -abs(e.share))[:_MOST]:
        interval = "" if edge.low is None else f"  [{edge.low:+.0%}, {edge.high:+.0%}]"
        lines.append(f"  {edge.share:+5.0%}  {names[edge.source]} → {names[edge.target]}{interval}")
    if len(known) > _MOST:
        lines.append(f"  and {len(known) - _MOST} more: --json")
    for line in lines:
        out.print(line, markup=False, highlight=False)


__all__ = ["graph"]

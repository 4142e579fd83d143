"""A circuit graph for networkx and plotly."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from circuitz.errors import GraphError
from circuitz.z.circuit.circuit_graph import WEIGHTS, CircuitGraph, Edge
from circuitz.z.circuit.layout import layout_nodes
from circuitz.z.shown.plotly_import import import_plotly, plain_for_plotly

if TYPE_CHECKING:
    import networkx as nx
    import plotly.graph_objects as go

_FOR, _AGAINST, _UNKNOWN = "#0b6b80", "#a5672d", "#9aa3a8"


def to_networkx(graph: CircuitGraph) -> nx.DiGraph[str]:
    """Return a ``DiGraph``: attributes of nodes and edges are their fields, ``weight`` the share.

    Raises
    ------
    GraphError
        If networkx is not installed.
    """
    try:
        import networkx as nx  # noqa: PLC0415
    except ImportError as problem:
        raise GraphError("networkx is not installed.", "pip install 'circuitz[graph]'") from problem
    made: nx.DiGraph[str] = nx.DiGraph()
    made.graph |= {"target": graph.target, **graph.scores}
    for node in graph.nodes:
        made.add_node(node.id, **{k: v for k, v in asdict(node).items() if k != "id"})
    for edge in graph.edges:
        made.add_edge(edge.source, edge.target, weight=edge.share, low=edge.low, high=edge.high)
    return made


def to_figure(graph: CircuitGraph) -> go.Figure:
    """Return a plotly figure of a graph: columns by layer, width and colour by share.

    Raises
    ------
    GraphError
        If plotly is not installed.
    """
    go = import_plotly()
    places = layout_nodes(graph)
    kinds = {node.id: node.kind for node in graph.nodes}
    shares = graph.settings.get(WEIGHTS) != "attribution"
    largest = 1.0 if shares else max((abs(e.share) for e in graph.edges), default=1.0) or 1.0
    lines = [
        _edge_trace(go, edge, places, kinds[edge.source] == "unexplained", shares, largest)
        for edge in reversed(graph.edges)
    ]
    return go.Figure([*lines, _node_trace(go, graph, places)], _figure_layout(go, graph, places))


def _edge_trace(
    go: Any,
    edge: Edge,
    places: dict[str, tuple[int, float]],
    unknown: bool,
    shares: bool,
    largest: float,
) -> go.Scatter:
    (a, b), (c, d) = places[edge.source], places[edge.target]
    size = f"{edge.share:+.0%}" if shares else f"attribution {edge.share:+.3g}"
    ends = plain_for_plotly(f"{edge.source} → {edge.target}")
    colour = _UNKNOWN if unknown else _FOR if edge.share > 0 else _AGAINST
    interval = "" if edge.low is None else f" [{edge.low:+.0%}, {edge.high:+.0%}]"
    return go.Scatter(
        x=[a, (a + c) / 2, c],
        y=[-b, -(b + d) / 2, -d],
        mode="lines",
        line={"width": 0.6 + 6 * min(1, abs(edge.share) / largest), "color": colour,
              "dash": "dot" if unknown else "solid"},
        opacity=0.55,
        hovertext=f"{ends}: {size}{interval}",
        hoverinfo="text",
        showlegend=False,
    )  # fmt: skip


def _node_trace(go: Any, graph: CircuitGraph, places: dict[str, tuple[int, float]]) -> go.Scatter:
    shapes = {"unit": "circle", "class": "diamond", "unexplained": "x", "input": "square"}
    size = max((n.influence for n in graph.nodes if n.kind == "unit"), default=1.0) or 1.0
    return go.Scatter(
        x=[places[n.id][0] for n in graph.nodes],
        y=[-places[n.id][1] for n in graph.nodes],
        mode="markers+text",
        text=[plain_for_plotly(n.words or (graph.target if n.kind == "class" else n.id))
              for n in graph.nodes],
        textposition="bottom center",
        marker={
            "size": [12 + 16 * min(1, n.influence / size) for n in graph.nodes],
            "symbol": [shapes[n.kind] for n in graph.nodes],
            "color": [_UNKNOWN if n.kind == "unexplained" else _FOR for n in graph.nodes],
        },
        hovertext=[f"{plain_for_plotly(n.id)}<br>{plain_for_plotly(n.words)}<br>influence {n.influence:.0%}" for n in graph.nodes],
        hoverinfo="text",
        showlegend=False,
    )  # fmt: skip


def _figure_layout(go: Any, graph: CircuitGraph, places: dict[str, tuple[int, float]]) -> go.Layout:
    columns = [plain_for_plotly(name) for name in (*graph.layers, graph.target)]
    hidden = {"visible": False}
    tall = max((abs(y) for _, y in places.values()), default=1.0)
    scores = " · ".join(f"{k} {v:.0%}" for k, v in graph.scores.items() if "_" not in k)
    return go.Layout(
        title={"text": f"{plain_for_plotly(graph.target)}: {scores}"},
        xaxis={"tickvals": list(range(len(columns))), "ticktext": columns, "showgrid": False,
               "zeroline": False, "range": [-0.5, len(columns) - 0.5]},
        yaxis=hidden,
        plot_bgcolor="white",
        height=int(180 + 90 * tall),
        hovermode="closest",
    )  # fmt: skip

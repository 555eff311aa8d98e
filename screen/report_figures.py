"""The report's plots over all candidates, and what plots share: colours, symbols, error bars.

Figures are plain plotly (``data`` and ``layout``) without colours of a theme: the page gives text
and grid the colours of its own, marks keep theirs in light and dark.
"""

from collections.abc import Sequence
from typing import Any

from screen.ranking import RankedCandidate
from screen.ranking_output import RankedScreen, candidate_text, interval_text, probability_text
from screen.report_parts import Figure

# Readable on white and on black, and told apart by the colour-blind: Okabe and Ito's set
# (https://jfly.uni-koeln.de/color/), its black and yellow left out, and two more.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8f7ee7", "#a6761d")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "x")
_MOST_ROWS = 40
"""Candidates, the best ones, that a plot with a row for each shows."""
_MOST_PAIRS = 30
# Blue: ahead; orange: behind; the middle, where the numbers cannot tell, is grey.
_BEHIND_TO_AHEAD = (
    (0.0, "#d98b1f"),
    (0.05, "#e3b778"),
    (0.5, "#b9bec4"),
    (0.95, "#6fa8cf"),
    (1.0, "#0072b2"),
)


def colour(place: int) -> str:
    """Colour of the group at ``place``; they repeat after eight."""
    return COLOURS[place % len(COLOURS)]


def symbol(place: int) -> str:
    """Marker of the group at ``place``."""
    return SYMBOLS[place % len(SYMBOLS)]


def error_bars(errors: Sequence[float | None]) -> dict[str, Any]:
    """Plotly's error bars; not drawn where no error is known."""
    return {
        "type": "data",
        "array": [error or 0.0 for error in errors],
        "visible": any(error is not None for error in errors),
        "thickness": 1.2,
        "width": 3,
        "color": "#7d8894",
    }


def certainty_figures(screen: RankedScreen) -> tuple[Figure, ...]:
    """How sure the places are, and which comparisons the errors leave open."""
    ranked = [entry for entry in screen.ranking.ranked if entry.rank_interval is not None]
    if len(ranked) < 2:
        return ()
    return (_places(screen, ranked[:_MOST_ROWS]), _pairs(screen, ranked[:_MOST_PAIRS]))


def _places(screen: RankedScreen, ranked: Sequence[RankedCandidate]) -> Figure:
    intervals = [entry.rank_interval or (entry.rank, entry.rank) for entry in ranked]
    ranks = [entry.rank for entry in ranked]
    top = screen.ranking.top
    names = [candidate_text(entry.candidate) for entry in ranked]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": ranks,
        "y": ranks,
        "customdata": [
            [
                name,
                "–".join(map(str, dict.fromkeys(interval))),
                probability_text(entry.top_probability),
            ]
            for name, interval, entry in zip(names, intervals, ranked, strict=True)
        ],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [
                max(high - rank, 0) for (_, high), rank in zip(intervals, ranks, strict=True)
            ],
            "arrayminus": [
                max(rank - low, 0) for (low, _), rank in zip(intervals, ranks, strict=True)
            ],
            "thickness": 2,
            "width": 4,
        },
        "marker": {"size": 9, "color": COLOURS[0]},
        "hovertemplate": "%{customdata[0]}<br>rank %{x}, 90 %: %{customdata[1]}"
        f"<br>among the best {top}: %{{customdata[2]}}<extra></extra>",
    }
    layout = {
        "xaxis": {
            "title": {"text": "Rank"},
            "rangemode": "tozero",
            "tickformat": "d",
            **({"dtick": 1} if max(high for _, high in intervals) <= 15 else {}),
        },
        "yaxis": {"tickvals": ranks, "ticktext": names, "autorange": "reversed"},
        "showlegend": False,
        "height": 110 + 24 * len(ranked),
    }
    more = f" The best {len(ranked)} are shown." if len(ranked) < len(screen.ranking.ranked) else ""
    return Figure(
        place=f"{screen.screen}-places",
        title="How sure each place is",
        text="Bars hold 90 % of the places that the errors of the numbers allow." + more,
        alt="Rank and 90 % interval of each candidate: "
        + "; ".join(
            f"{name} {interval_text(entry)}"
            for name, entry in zip(names[:10], ranked[:10], strict=True)
        ),
        figure={"data": [trace], "layout": layout},
        small=True,
    )


def _pairs(screen: RankedScreen, ranked: Sequence[RankedCandidate]) -> Figure:
    ahead = screen.ranking.ahead
    numbers = [entry.rank - 1 for entry in ranked]
    names = [candidate_text(entry.candidate) for entry in ranked]
    values = [[ahead[i][j] if i != j else None for j in numbers] for i in numbers]
    open_pairs = [
        [
            "undecided" if ranked[j].rank in ranked[i].undecided else "decided" if i != j else ""
            for j in range(len(ranked))
        ]
        for i in range(len(ranked))
    ]
    marks = [["?" if text == "undecided" else "" for text in row] for row in open_pairs]
    trace = {
        "type": "heatmap",
        "z": values,
        "x": [entry.rank for entry in ranked],
        "y": names,
        "text": marks,
        "texttemplate": "%{text}" if len(ranked) <= _MOST_PAIRS else "",
        "customdata": [
            [[other, text] for other, text in zip(names, row, strict=True)] for row in open_pairs
        ],
        "zmin": 0,
        "zmax": 1,
        "colorscale": _BEHIND_TO_AHEAD,
        "colorbar": {"title": {"text": "P(ahead)"}, "thickness": 12, "len": 0.8},
        "showscale": len(ranked) > 4,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "%{y} ahead of %{customdata[0]}: %{z:.0%}, %{customdata[1]}"
        "<extra></extra>",
    }
    layout = {
        "xaxis": {"title": {"text": "Rank"}, "tickvals": [entry.rank for entry in ranked]},
        "yaxis": {"autorange": "reversed"},
        "height": 110 + 24 * len(ranked),
    }
    undecided = sum(text == "undecided" for row in open_pairs for text in row) // 2
    return Figure(
        place=f"{screen.screen}-pairs",
        title="Which comparisons the numbers decide",
        text="Probability that the row is ahead of the column. A question mark: neither is ahead in"
        " 95 % of the draws, so the order of the two is open.",
        alt=f"Heat map of {len(ranked)} candidates against each other; {undecided} pairs are"
        " undecided",
        figure={"data": [trace], "layout": layout},
        small=True,
    )

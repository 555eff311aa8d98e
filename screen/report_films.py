"""Films of runs for the report, made from the side files where these are still there."""

import base64
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from results.documents import SideFile
from screen.report_parts import Figure

_FRAMES = 40


def film_figure(
    place: str, title: str, frames: SideFile | None, structure: Mapping[str, Any] | None
) -> Figure | None:
    """An animated picture of a run; None where its frames are not at hand.

    Args:
        place: id in the page.
        title: heading.
        frames: where the frames are.
        structure: a structure of the run, for its elements and cell.
    """
    if frames is None or structure is None:
        return None
    import numpy as np

    from potentials.batched.trajectory import read_frames
    from results.documents import as_structure
    from structures.film import film_gif

    atoms = as_structure(structure)
    with suppress(ValueError, OSError):
        found = read_frames(frames.path, frames.index)
        chosen = np.unique(np.linspace(0, frames.n_frames - 1, _FRAMES).astype(int))
        symbols = [site.specie.symbol for site in atoms]
        gif = film_gif(symbols, found.positions[chosen], found.cells[0])
        return Figure(
            place=place,
            title=title,
            text=f"{len(chosen)} frames from the start to the end of the run, seen along the axis.",
            alt="Animated picture of the run",
            figure=_picture("data:image/gif;base64," + base64.b64encode(gif).decode()),
            small=True,
        )
    return None


def _picture(source: str) -> dict[str, Any]:
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    return {
        "data": [{"type": "scatter", "x": [0.5], "y": [0.5], "marker": {"opacity": 0}}],
        "layout": {
            "images": [
                {
                    "source": source,
                    "xref": "paper",
                    "yref": "paper",
                    "x": 0,
                    "y": 1,
                    "sizex": 1,
                    "sizey": 1,
                    "sizing": "contain",
                }
            ],
            "xaxis": hidden,
            "yaxis": hidden,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "showlegend": False,
        },
    }

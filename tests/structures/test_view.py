"""Pictures: what is drawn where."""

import io
from pathlib import Path

import numpy as np
from ase.data.colors import jmol_colors
from matplotlib.figure import Figure
from PIL import Image

from structures.adsorption import adsorption_sites
from structures.conversion import as_atoms
from structures.slabs import facet
from structures.view import picture, picture_png


def test_png_shows_the_colours_of_its_elements() -> None:
    site = adsorption_sites(facet("Cu", (1, 1, 1)))[0]
    image = Image.open(io.BytesIO(picture_png(site.structure, dpi=60))).convert("RGB")
    assert image.width > image.height > 100
    pixels = np.asarray(image).reshape(-1, 3) / 255
    for number in (3, 29):
        near = np.linalg.norm(pixels - jmol_colors[number], axis=1) < 0.05
        assert near.sum() > 20
    assert (pixels.mean(axis=0) < 1).all()
    assert tuple(np.asarray(image)[0, 0]) == (255, 255, 255)


def test_file_and_axes(tmp_path: Path) -> None:
    slab = facet("LiF", (1, 0, 0)).structure
    target = tmp_path / "slab.svg"
    picture(slab, target)
    assert "<svg" in target.read_text()
    figure = Figure()
    side, above = figure.subplots(1, 2)
    picture(as_atoms(slab), (side, above))
    for axes in (side, above):
        assert len(axes.collections) == 1
    # A piece of at least 14 A square holds this many of the slab's atoms, give or take its rim.
    expected = 14.0**2 / (slab.volume / slab.lattice.c) * len(slab)
    drawn = len(above.collections[0].get_offsets())
    assert 0.9 * expected < drawn < 1.4 * expected
    legend = side.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["Li", "F"]

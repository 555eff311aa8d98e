"""What a notebook is given to show, without a notebook; tests/test_notebooks.py runs real ones."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from structures import adsorption_sites, as_atoms, explore, facet, interfaces, show
from structures.errors import StructureError
from structures.models import Hop
from structures.notebook import View


def image(view: View) -> Image.Image:
    bundle = view._repr_mimebundle_()
    return Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))


def test_every_model_has_a_view_with_a_still_picture() -> None:
    copper = facet("Cu", (1, 1, 1))
    site = adsorption_sites(copper, "Li")[0]
    for model in (copper, site):
        drawn = np.asarray(image(model.view()).convert("RGB"))
        assert drawn.std() > 10
        assert model.view()._repr_mimebundle_()["text/plain"].startswith("View(1 structures")
    assert image(show(as_atoms(copper.structure))).size == image(copper.view()).size


def test_a_hop_shows_both_its_ends() -> None:
    slab = facet("Cu", (1, 1, 1)).structure
    hop = Hop(slab, slab.copy(), "a", "b", 1.0)
    assert len(hop.view().structures) == 2


def test_a_map_of_two_properties_is_drawn_above_the_structures() -> None:
    slabs = [facet("Cu", index) for index in ((1, 1, 1), (1, 0, 0))]
    plain = image(show(slabs))
    mapped = image(show(slabs, {"γ (J/m²)": [1.0, 1.2], "E (eV)": [-0.1, -0.3]}))
    assert mapped.height > plain.height


def test_explorer_tells_what_differs_and_follows_what_goes_together() -> None:
    models = interfaces(
        "Li",
        "Cu",
        film_miller_index=(1, 1, 0),
        substrate_miller_index=(1, 0, 0),
        max_strain=0.06,
        max_atoms=80,
        registries=2,
    )
    shown = explore(models)
    assert set(shown.choices) == {"registry"}
    registry = shown.choices["registry"][-1]
    number = shown.nearest({"registry": registry})
    assert shown.choices["registry"][number] == registry
    facts = shown.facts(number)
    assert facts["gap (Å)"] == f"{models[number].gap:.2f}"
    assert (
        f"{100 * models[number].film_strain[0]:+.2f}"
        in facts["strain of the film, xx / yy / xy (%)"]
    )
    bundle = shown._repr_mimebundle_()
    assert bundle["text/html"].count("<tr>") == len(models) + 1
    assert "data:image/png;base64," in bundle["text/html"]


def test_what_was_just_chosen_is_kept() -> None:
    copper = facet("Cu", (1, 1, 1))
    models = [
        replace(copper, termination="A"),
        replace(copper, termination="B"),
        replace(copper, miller_index=(1, 0, 0), termination="C"),
    ]
    shown = explore(models)
    assert shown.nearest({"facet": "(1 0 0)", "termination": "A"}, kept="facet") == 2
    assert shown.nearest({"facet": "(1 0 0)", "termination": "B"}, kept="termination") == 1


def test_menus_follow_what_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ipywidgets", reason="needs ipywidgets, of the extra notebooks")
    monkeypatch.setattr("structures.notebook._in_notebook", lambda: True)
    monkeypatch.setattr(View, "_repr_mimebundle_", lambda *_: {"text/plain": "drawn"})
    copper = facet("Cu", (1, 1, 1))
    shown = explore(
        [
            replace(copper, termination="A"),
            replace(copper, termination="B"),
            replace(copper, miller_index=(1, 0, 0), termination="C"),
        ]
    )
    index, termination = shown.widget().children[0].children
    assert (index.value, termination.value) == ("(1 1 1)", "A")
    index.value = "(1 0 0)"
    assert termination.value == "C"
    termination.value = "B"
    assert index.value == "(1 1 1)"


def test_bad_input_is_named() -> None:
    slab = facet("Cu", (1, 1, 1))
    with pytest.raises(StructureError, match="the list is empty"):
        show([])
    with pytest.raises(StructureError, match="2 values for 1 structures"):
        show(slab, {"W": [1.0, 2.0]})
    with pytest.raises(StructureError, match="`show` shows any"):
        explore([slab.structure])  # type: ignore[list-item]
    with pytest.raises(StructureError, match="the list is empty"):
        explore([])

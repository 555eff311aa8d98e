"""Structures in a notebook: to be turned where widgets run, a still picture where they do not.

``facet("Cu", (1, 1, 1)).view()`` shows one model, `show` several with a map of their properties,
and `explore` lets one choose among the facets, terminations and registries that a builder gave. The
widgets are chemiscope's (Chorna et al., J. Open Source Softw. 11, 10380 (2026)), of the optional
extra ``notebooks``; without it, and on pages that show notebooks without running them, the same
cells show a picture.
"""

import base64
import html
import io
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure

from structures.conversion import as_atoms, as_structure
from structures.errors import StructureError
from structures.models import Facet, InterfaceModel
from structures.view import WIDTH, picture, picture_png

_MOST_PICTURES = 6
_PICTURE_DPI = 110
_MOST_REPEATS = 6


@dataclass(frozen=True)
class View:
    """One or several structures as a notebook shows them.

    Attributes:
        structures: pymatgen structures.
        properties: numbers by name with unit, one for each structure; shown as a map of the first
            two against each other beside the structures.
    """

    structures: tuple[Any, ...]
    properties: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def png(self) -> bytes:
        """The still picture: each structure from the side and from above, and the map."""
        if len(self.structures) == 1:
            return picture_png(self.structures[0], dpi=_PICTURE_DPI)
        return self._several()

    def _several(self) -> bytes:
        shown = self.structures[:_MOST_PICTURES]
        columns = 2 if len(shown) > 1 else 1
        rows = -(-len(shown) // columns)
        mapped = len(self.properties) > 1
        figure = Figure(figsize=(9.0, 2.6 * rows + (3.2 if mapped else 0)), facecolor="white")
        heights = [3.0, *[2.6] * rows] if mapped else [2.6] * rows
        grid = figure.add_gridspec(
            len(heights), 2 * columns, height_ratios=heights, hspace=0.35, wspace=0.05
        )
        if mapped:
            (first, across), (second, up) = list(self.properties.items())[:2]
            axes = figure.add_subplot(grid[0, :])
            axes.scatter(across, up)
            for number, point in enumerate(zip(across, up, strict=True)):
                axes.annotate(str(number + 1), point, xytext=(4, 4), textcoords="offset points")
            axes.set_xlabel(first)
            axes.set_ylabel(second)
        for number, structure in enumerate(shown):
            row, column = number // columns + mapped, 2 * (number % columns)
            pair = (
                figure.add_subplot(grid[row, column]),
                figure.add_subplot(grid[row, column + 1]),
            )
            picture(structure, pair)
            pair[0].set_title(str(number + 1), loc="left", fontsize=10, fontweight="bold", pad=14)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_PICTURE_DPI, bbox_inches="tight")
        return buffer.getvalue()

    def widget(self) -> Any:
        """The chemiscope widget, or None outside a notebook or without chemiscope."""
        if not _in_notebook():
            return None
        try:
            import chemiscope
        except ImportError:
            return None
        frames = [as_atoms(structure).copy() for structure in self.structures]
        for frame in frames:
            frame.set_constraint()
        properties = {
            name: {"target": "structure", "values": list(map(float, values))}
            for name, values in self.properties.items()
        }
        settings: dict[str, Any] = {
            "structure": [{"unitCell": True, "supercell": list(_repeats(self.structures[0]))}]
        }
        names = list(properties)
        if len(names) > 1:
            settings["map"] = {"x": {"property": names[0]}, "y": {"property": names[1]}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return chemiscope.show(
                structures=frames,
                properties=properties or None,
                settings=settings,
                mode="default" if len(names) > 1 else "structure",
            )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Widget, picture and text; a front end shows the richest that it can."""
        bundle: dict[str, Any] = {
            "text/plain": repr(self),
            "image/png": base64.b64encode(self.png()).decode(),
        }
        widget = self.widget()
        return bundle if widget is None else bundle | _bundle(widget)

    def __repr__(self) -> str:
        formulas = ", ".join(s.composition.reduced_formula for s in self.structures[:4])
        more = ", ..." if len(self.structures) > 4 else ""
        return f"View({len(self.structures)} structures: {formulas}{more})"


def show(
    models: Any | Iterable[Any], properties: Mapping[str, Sequence[float]] | None = None
) -> View:
    """Structures in 3D, with a map of their properties if there are any.

    Args:
        models: a structure, facet, site, hop or interface, or a list of them.
        properties: numbers by name with unit (``{"W (J/m²)": [...]}``), one for each structure.

    Raises:
        StructureError: nothing to show, or not one number for each structure.
    """
    several = list(models) if isinstance(models, list | tuple) else [models]
    structures = tuple(structure for model in several for structure in _structures_of(model))
    if not structures:
        raise StructureError("models: the list is empty; give at least one structure")
    for name, values in (properties or {}).items():
        if len(values) != len(structures):
            raise StructureError(
                f"properties: {name} has {len(values)} values for {len(structures)} structures; "
                "give one for each"
            )
    return View(structures, dict(properties or {}))


def _structures_of(model: Any) -> list[Any]:
    """A model's structure, or both ends of a hop."""
    if hasattr(model, "initial") and hasattr(model, "final"):
        return [model.initial, model.final]
    return [as_structure(getattr(model, "structure", model))]


def _repeats(structure: Any) -> tuple[int, int, int]:
    """In-plane copies that fill the piece that pictures show."""
    a, b, _ = structure.lattice.abc
    first, second = (min(_MOST_REPEATS, max(1, round(WIDTH / length))) for length in (a, b))
    return first, second, 1


@dataclass(frozen=True)
class Explorer:
    """Facets or interfaces of which one is shown, chosen by what tells them apart.

    Attributes:
        models: what a builder gave.
        choices: for each thing in which the models differ, its name and each model's text.
    """

    models: tuple[Any, ...]
    choices: Mapping[str, tuple[str, ...]]

    def facts(self, number: int) -> dict[str, str]:
        """What is known of one model: strain, gap, area, atoms."""
        return _facts(self.models[number])

    def widget(self) -> Any:
        """Menus above the structure and its facts, or None where widgets cannot run."""
        if not _in_notebook():
            return None
        try:
            import ipywidgets
            from IPython.display import HTML, display
        except ImportError:
            return None
        menus = {
            name: ipywidgets.Dropdown(options=list(dict.fromkeys(texts)), description=name)
            for name, texts in self.choices.items()
        }
        place = ipywidgets.Output()

        def redraw(_: Any = None) -> None:
            number = self.nearest({name: menu.value for name, menu in menus.items()})
            with place:
                place.clear_output(wait=True)
                display(self.models[number].view(), HTML(_table([self.facts(number)])))

        def chosen(change: Any) -> None:
            """Keep the choice just made; the others follow where they do not go together."""
            kept = next(name for name, menu in menus.items() if menu is change["owner"])
            wanted = {name: menu.value for name, menu in menus.items()}
            number = self.nearest(wanted, kept)
            for name, menu in menus.items():
                menu.unobserve(chosen, names="value")
                menu.value = self.choices[name][number]
                menu.observe(chosen, names="value")
            redraw()

        for menu in menus.values():
            menu.observe(chosen, names="value")
        redraw()
        return ipywidgets.VBox([ipywidgets.HBox(list(menus.values())), place])

    def nearest(self, wanted: Mapping[str, str], kept: str | None = None) -> int:
        """Position of the model that meets most of ``wanted``, and ``kept`` in any case."""

        def met(number: int) -> tuple[bool, int]:
            meets = {name: texts[number] == wanted[name] for name, texts in self.choices.items()}
            return kept is None or meets[kept], sum(meets.values())

        return max(range(len(self.models)), key=met)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Menus where they run; the first model's picture and the facts of all where not."""
        rows = [
            {name: texts[i] for name, texts in self.choices.items()} | self.facts(i)
            for i in range(len(self.models))
        ]
        image = base64.b64encode(show(self.models[0]).png()).decode()
        bundle: dict[str, Any] = {
            "text/plain": f"Explorer({len(self.models)} models)",
            "text/html": f'<img src="data:image/png;base64,{image}" alt="">{_table(rows)}',
        }
        widget = self.widget()
        return bundle if widget is None else bundle | _bundle(widget)


def explore(models: Sequence[Facet | InterfaceModel]) -> Explorer:
    """Choose among facets by index and termination, or interfaces by facet, termination, registry.

    Args:
        models: as `structures.facets` or `structures.interfaces` gave them.

    Raises:
        StructureError: an empty list, or models of another kind.
    """
    several = tuple(models)
    if not several:
        raise StructureError("models: the list is empty; give facets or interfaces")
    for model in several:
        if not isinstance(model, Facet | InterfaceModel):
            raise StructureError(
                f"models: {type(model).__name__} is no facet or interface; `show` shows any"
            )
    told = [_labels(model) for model in several]
    choices = {name: tuple(one.get(name, "") for one in told) for name in told[0]}
    return Explorer(
        several,
        {name: texts for name, texts in choices.items() if len(set(texts)) > 1}
        or {"model": tuple(str(number + 1) for number in range(len(several)))},
    )


def _labels(model: Facet | InterfaceModel) -> dict[str, str]:
    if isinstance(model, Facet):
        return {"facet": _index(model.miller_index), "termination": model.termination}
    return {
        "film facet": _index(model.film_miller_index),
        "substrate facet": _index(model.substrate_miller_index),
        "termination": model.termination,
        "registry": ", ".join(f"{part:.2f}" for part in model.registry),
    }


def _facts(model: Facet | InterfaceModel) -> dict[str, str]:
    known = {"atoms": str(len(model.structure)), "area (Å²)": f"{model.area:.1f}"}
    if isinstance(model, Facet):
        return known | {
            "symmetric": "yes" if model.symmetric else "no",
            "stoichiometric": "yes" if model.stoichiometric else "no",
        }
    strains = {"film": model.film_strain, "substrate": model.substrate_strain}
    return (
        known
        | {
            f"strain of the {side}, xx / yy / xy (%)": " / ".join(f"{100 * e:+.2f}" for e in strain)
            for side, strain in strains.items()
        }
        | {"gap (Å)": f"{model.gap:.2f}"}
    )


def _index(index: Sequence[int]) -> str:
    return f"({' '.join(map(str, index))})"


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(row.get(name, ''))}</td>" for name in names) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return running is not None and hasattr(running, "kernel")


def _bundle(widget: Any) -> dict[str, Any]:
    """The widget's own representation, without its text."""
    found = widget._repr_mimebundle_()
    data = found[0] if isinstance(found, tuple) else found
    return {kind: value for kind, value in data.items() if kind.startswith("application/")}

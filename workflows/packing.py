"""What jobs hand to each other, packed into one string each.

jobflow walks every number of a job's output several times on its way into a store and back, which
for lists of structures takes longer than computing them with a small potential. A packed output is
one string to it. The packing is compressed JSON: reading it runs no code.
"""

import base64
import json
import zlib
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Annotated, Any

import numpy as np
from monty.json import MSONable
from pydantic import Field, TypeAdapter
from pymatgen.core import Composition, Lattice, Structure

from results.documents import AnyCalculation, CalculationDocument
from structures import AdsorptionSite, Facet, Hop, InterfaceModel
from structures.vacancy_hops import VacancyHop

_MODELS: dict[str, Any] = {
    model.__name__: model for model in (AdsorptionSite, Facet, Hop, InterfaceModel, VacancyHop)
}


def pack(text: str) -> str:
    """``text`` compressed, in ASCII."""
    return base64.b85encode(zlib.compress(text.encode(), 1)).decode()


def unpack(packed: str) -> str:
    """What `pack` packed."""
    return zlib.decompress(base64.b85decode(packed)).decode()


@dataclass
class Documents(MSONable):
    """The results of one stage, in the order of what was computed.

    Attributes:
        documents: one per structure or band.
    """

    documents: list[AnyCalculation]

    def as_dict(self) -> dict[str, Any]:
        """The documents packed, how many there are and how many converged beside them."""
        return {
            **_class_of(self),
            "total": len(self.documents),
            "converged": sum(document.converged for document in self.documents),
            "packed": pack(f"[{','.join(one.model_dump_json() for one in self.documents)}]"),
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> "Documents":
        """What `as_dict` gave."""
        return cls(_DOCUMENTS.validate_json(unpack(d["packed"])))


_DOCUMENTS: TypeAdapter[list[AnyCalculation]] = TypeAdapter(
    list[Annotated[AnyCalculation, Field(discriminator="kind")]]
)


@dataclass
class Built(MSONable):
    """What a building step made.

    Attributes:
        models: facets, sites, hops or interfaces.
        structures: what is computed next, the same number of structures for each model in turn.
        owners: for each model, the position of the facet it belongs to (of the host, for facets).
        failures: why an owner got nothing, by its position.
    """

    models: list[Any] = field(default_factory=list)
    structures: list[Structure] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)

    def add(self, owner: int, model: Any, *structures: Structure) -> None:
        """Append one model of ``owner`` and what is computed of it."""
        self.models.append(model)
        self.structures.extend(structures)
        self.owners.append(owner)

    def of(self, owner: int) -> list[int]:
        """Positions of the models that belong to ``owner``."""
        return [position for position, other in enumerate(self.owners) if other == owner]

    def parts(self, position: int, results: list[CalculationDocument]) -> list[CalculationDocument]:
        """What was computed of the model at ``position``, out of the results of all structures."""
        n = len(self.structures) // len(self.models)
        return results[position * n : (position + 1) * n]

    def as_dict(self) -> dict[str, Any]:
        """Models and structures packed; owners and failures as they are."""
        content = {"models": self.models, "structures": self.structures}
        return {
            **_class_of(self),
            "owners": self.owners,
            "failures": {str(owner): reason for owner, reason in self.failures.items()},
            "packed": pack(json.dumps(content, default=_encode)),
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> "Built":
        """What `as_dict` gave."""
        content = json.loads(unpack(d["packed"]), object_hook=_decode)
        failures = {int(owner): reason for owner, reason in d["failures"].items()}
        return cls(content["models"], content["structures"], list(d["owners"]), failures)


@cache
def _species(symbol: str) -> Composition:
    """One atom of an element as a site holds it, made once for all sites."""
    return Composition({symbol: 1})


def _class_of(thing: MSONable) -> dict[str, str]:
    return {"@module": type(thing).__module__, "@class": type(thing).__name__}


def _encode(thing: Any) -> Any:
    if isinstance(thing, Structure):
        return {
            "@structure": [
                thing.lattice.matrix.tolist(),
                [site.specie.symbol for site in thing],
                thing.frac_coords.tolist(),
                thing.site_properties,
                thing.properties,
            ]
        }
    if isinstance(thing, np.ndarray | np.generic):
        return thing.tolist()
    if is_dataclass(thing) and type(thing).__name__ in _MODELS:
        values = {one.name: getattr(thing, one.name) for one in fields(thing)}
        return {"@model": type(thing).__name__, **values}
    raise TypeError(f"{type(thing).__name__} has no packed form")


def _decode(data: dict[str, Any]) -> Any:
    if "@structure" in data:
        matrix, symbols, coordinates, of_sites, of_all = data["@structure"]
        species = [_species(symbol) for symbol in symbols]
        return Structure(
            Lattice(matrix), species, coordinates, site_properties=of_sites, properties=of_all
        )
    if "@model" in data:
        model = _MODELS[data.pop("@model")]
        return model(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})
    return data

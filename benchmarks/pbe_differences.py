"""Differences of the package's PBE frames that the screens ask about, and potentials beside them.

    python benchmarks/pbe_differences.py mini mini-pbe

Surface energy, Li binding, hop, opening of contacts, vacancy and alloy formation energy as the
frames stand, unrelaxed and in thin cells: no published values, but the same differences for DFT and
for every potential.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from potentials import load_potential
from potentials.dft.reference import reference_frames_file
from workflows.frame_validation import predicted_frames, read_frames

EV_PER_A2 = 16.02177
"""J/m² in one eV/Å²."""
Energy = Callable[[str], float]


@dataclass(frozen=True)
class Difference:
    """One difference of frames' energies.

    Attributes:
        quantity: what it is.
        system: of what.
        unit: of the value.
        value: from the energies of frames by name, eV.
    """

    quantity: str
    system: str
    unit: str
    value: Callable[[Energy], float]


def differences(frames: dict[str, Atoms]) -> Iterator[Difference]:
    """All differences that the frames allow."""
    makers = {
        "slab": _surface,
        "adatom": _binding,
        "hop": _hop,
        "interface": _opening,
        "vacancy": _vacancy,
        "bulk": _formation,
    }
    for family, make in makers.items():
        for name in frames:
            if name.startswith(f"{family}/"):
                found = make(frames, name)
                if found is not None:
                    yield found


def _surface(frames: dict[str, Atoms], name: str) -> Difference | None:
    slab = frames[name]
    bulk = f"bulk/{name.split('/')[1]}/+0.000"
    if len(name.split("/")) != 4 or bulk not in frames:
        return None
    copies = len(slab) / len(frames[bulk])
    return Difference(
        "surface energy",
        name.removeprefix("slab/"),
        "J/m²",
        lambda energy: EV_PER_A2 * (energy(name) - copies * energy(bulk)) / (2.0 * _base(slab)),
    )


def _binding(frames: dict[str, Atoms], name: str) -> Difference | None:
    """Of Li that stands at its height of touching."""
    clean = _clean_slab(frames, name)
    if not name.endswith("/+0.00") or clean is None:
        return None
    slab, copies = clean
    return Difference(
        "Li binding",
        name.removeprefix("adatom/").removesuffix("/+0.00"),
        "eV",
        lambda energy: energy(name) - copies * energy(slab) - energy("bulk/Li/+0.000"),
    )


def _clean_slab(frames: dict[str, Atoms], name: str) -> tuple[str, int] | None:
    """The slab below an adatom, and how often it fits under it; None if it has no frame."""
    _, host, facet, *_ = name.split("/")
    start = f"slab/{host}/{facet.split('-')[0]}/"
    for slab, clean in frames.items():
        copies = round(_base(frames[name]) / _base(clean))
        whole = slab.startswith(start) and "/" not in slab.removeprefix(start)
        if whole and copies * len(clean) == len(frames[name]) - 1:
            return slab, copies
    return None


def _hop(frames: dict[str, Atoms], name: str) -> Difference | None:
    """From the more stable of the two sites, by PBE, of those that have a frame."""
    _, *place, way = name.split("/")
    sites = [
        other
        for other in frames
        if other.startswith(f"adatom/{'/'.join(place)}/")
        and other.endswith("/+0.00")
        and f"-{other.split('/')[-2]}-" in f"-{way}-"
    ]
    if not sites:
        return None
    site = min(sites, key=lambda other: frames[other].get_potential_energy())
    return Difference("hop", name.removeprefix("hop/"), "eV", _minus(name, site))


def _opening(frames: dict[str, Atoms], name: str) -> Difference | None:
    """Of a contact, from touching to the widest gap that has a frame, per gap."""
    *contact, wider = name.split("/")
    touching = "/".join([*contact, "+0.0"])
    widest = max(n.split("/")[-1] for n in frames if n.startswith("/".join(contact) + "/+"))
    if touching not in frames or wider != widest or wider == "+0.0":
        return None
    gaps = 2 if contact[-1] == "layers" else 1
    area = gaps * _base(frames[name])
    return Difference(
        "opening of a contact",
        name.removeprefix("interface/") + " Å",
        "J/m²",
        lambda energy: EV_PER_A2 * (energy(name) - energy(touching)) / area,
    )


def _vacancy(frames: dict[str, Atoms], name: str) -> Difference | None:
    bulk = f"bulk/{name.split('/')[1]}/+0.000"
    if bulk not in frames or len(set(frames[bulk].numbers)) > 1:
        return None
    copies = len(frames[name]) / len(frames[bulk])
    return Difference(
        "vacancy",
        name.removeprefix("vacancy/"),
        "eV",
        lambda energy: energy(name) - copies * energy(bulk),
    )


def _formation(frames: dict[str, Atoms], name: str) -> Difference | None:
    """Of alloys: the salts' other elements have no crystal among the frames."""
    symbols = frames[name].get_chemical_symbols()
    crystals = {symbol: f"bulk/{symbol}/+0.000" for symbol in symbols}
    if (
        not name.endswith("/+0.000")
        or len(crystals) == 1
        or not set(crystals.values()) <= {*frames}
    ):
        return None

    def value(energy: Energy) -> float:
        elements = sum(energy(crystals[s]) / len(frames[crystals[s]]) for s in symbols)
        return (energy(name) - elements) / len(symbols)

    return Difference("formation energy", name.split("/")[1], "eV/atom", value)


def _base(cell: Atoms) -> float:
    return float(np.linalg.norm(np.cross(cell.cell[0], cell.cell[1])))


def _minus(one: str, other: str) -> Callable[[Energy], float]:
    return lambda energy: energy(one) - energy(other)


def main() -> None:
    """Print a table, PBE first, then the potentials named."""
    frames = {frame.info["name"]: frame for frame in read_frames(reference_frames_file())}
    energies = {"PBE": {name: frame.get_potential_energy() for name, frame in frames.items()}}
    for potential in sys.argv[1:]:
        found = predicted_frames(load_potential(potential), frames.values())
        energies[potential] = {each.frame.info["name"]: each.energy for each in found}
    print("| quantity | system | " + " | ".join(energies) + " | unit |")
    print("|---|---|" + "---|" * len(energies) + "---|")
    errors: dict[str, list[list[float]]] = {}
    for each in differences(frames):
        values = [each.value(known.__getitem__) for known in energies.values()]
        shown = " | ".join(f"{value:.3f}" for value in values)
        print(f"| {each.quantity} | {each.system} | {shown} | {each.unit} |")
        errors.setdefault(f"{each.quantity}, {each.unit}", []).append(
            [abs(value - values[0]) for value in values[1:]]
        )
    print("\n| mean error | " + " | ".join(list(energies)[1:]) + " |")
    print("|---|" + "---|" * (len(energies) - 1))
    for quantity, rows in errors.items():
        print(f"| {quantity} | " + " | ".join(f"{m:.3f}" for m in np.mean(rows, axis=0)) + " |")


if __name__ == "__main__":
    main()

"""Differences of the package's PBE frames that the screens ask about, and potentials beside them.

    python benchmarks/pbe_differences.py mini mini-pbe

Surface energy, Li binding, hop, vacancy and alloy formation energy as the frames stand, unrelaxed
and in thin cells: no published values, but the same differences for DFT and for every potential.
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
ADATOMS = (
    ("Al/111/1/hollow-fcc", "slab/Al/111/3"),
    ("Al/111/1/hollow-hcp", "slab/Al/111/3"),
    ("Li/100/1/hollow", "slab/Li/100/3"),
    ("Li2O/111/1/hollow-fcc", "slab/Li2O/111/3"),
    ("Li2O/111/1/hollow-hcp", "slab/Li2O/111/3"),
    ("Li2S/111/1/hollow-fcc", "slab/Li2S/111/3"),
    ("LiCl/100/2/top-Cl", "slab/LiCl/100/2"),
    ("LiF/100/2/top-F", "slab/LiF/100/2"),
)
HOPS = (
    ("Li2O/111/1/hollow-hcp-hollow-fcc", "Li2O/111/1/hollow-fcc"),
    ("Li2O/111/1/bridge-hollow-hcp", "Li2O/111/1/hollow-hcp"),
    ("Li2S/111/1/hollow-hcp-hollow-fcc", "Li2S/111/1/hollow-fcc"),
    ("LiCl/100/2/top-Cl-hollow", "LiCl/100/2/top-Cl"),
    ("LiF/100/2/top-F-hollow", "LiF/100/2/top-F"),
)
VACANCIES = ("Al/Al/2x2x2", "Al/Al/2x2x1", "Cu/Cu/2x2x2", "Li/Li/2x2x2", "Li/Li/2x2x1")
ALLOYS = ("Li3Al2", "Li3Au", "Li3Mg", "LiAg", "LiAl", "LiAu", "LiMg")

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
    for name, slab in frames.items():
        parts = name.split("/")
        if parts[0] == "slab" and len(parts) == 4 and f"bulk/{parts[1]}/+0.000" in frames:
            yield _surface(frames, name, slab)
    for adatom, slab in ADATOMS:
        yield _binding(frames, adatom, slab)
    for hop, site in HOPS:
        yield Difference("hop", hop, "eV", _minus(f"hop/{hop}", f"adatom/{site}/+0.00"))
    for vacancy in VACANCIES:
        yield _vacancy(frames, vacancy)
    for alloy in ALLOYS:
        yield _formation(frames, alloy)


def _surface(frames: dict[str, Atoms], name: str, slab: Atoms) -> Difference:
    host = name.split("/")[1]
    bulk = f"bulk/{host}/+0.000"
    copies = len(slab) / len(frames[bulk])
    area = float(np.linalg.norm(np.cross(slab.cell[0], slab.cell[1])))
    return Difference(
        "surface energy",
        name.removeprefix("slab/"),
        "J/m²",
        lambda energy: EV_PER_A2 * (energy(name) - copies * energy(bulk)) / (2.0 * area),
    )


def _binding(frames: dict[str, Atoms], adatom: str, slab: str) -> Difference:
    copies = (len(frames[f"adatom/{adatom}/+0.00"]) - 1) / len(frames[slab])
    return Difference(
        "Li binding",
        adatom,
        "eV",
        lambda energy: (
            energy(f"adatom/{adatom}/+0.00") - copies * energy(slab) - energy("bulk/Li/+0.000")
        ),
    )


def _vacancy(frames: dict[str, Atoms], vacancy: str) -> Difference:
    atoms = len(frames[f"vacancy/{vacancy}"])
    bulk = f"bulk/{vacancy.split('/')[0]}/+0.000"
    return Difference(
        "vacancy",
        vacancy,
        "eV",
        lambda energy: energy(f"vacancy/{vacancy}") - atoms * energy(bulk) / len(frames[bulk]),
    )


def _formation(frames: dict[str, Atoms], alloy: str) -> Difference:
    name = f"bulk/{alloy}/+0.000"
    symbols = frames[name].get_chemical_symbols()

    def value(energy: Energy) -> float:
        elements = sum(
            energy(f"bulk/{s}/+0.000") / len(frames[f"bulk/{s}/+0.000"]) for s in symbols
        )
        return (energy(name) - elements) / len(symbols)

    return Difference("formation energy", alloy, "eV/atom", value)


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

"""Teachers: what gives the energies, forces and stresses that the network is trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Label:
    """What a teacher says of one frame.

    Attributes:
        energy: potential energy, eV.
        forces: shape (n_atoms, 3), eV/Å.
        stress: shape (3, 3), eV/Å³, ASE's sign (positive under tension); None where there is none.
    """

    energy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64] | None


class Teacher(Protocol):
    """Labels frames.

    Attributes:
        element_energies: reference energy of each element by atomic number, eV, that the network's
            own references start from; elements left out start from zero.
    """

    element_energies: Mapping[int, float]

    def label(self, frames: Sequence[Atoms]) -> list[Label]:
        """Energy, forces and stress of each frame, in the order given."""


class AseTeacher:
    """Any ASE calculator as a teacher, one frame after another."""

    element_energies: Mapping[int, float] = MappingProxyType({})

    def __init__(self, calculator: Calculator) -> None:
        self._calculator = calculator

    def label(self, frames: Sequence[Atoms]) -> list[Label]:
        """Energy, forces and stress of each frame, in the order given."""
        labels = []
        for frame in frames:
            atoms = frame.copy()
            atoms.set_constraint()
            atoms.calc = self._calculator
            energy, forces = float(atoms.get_potential_energy()), np.asarray(atoms.get_forces())
            try:
                stress = np.asarray(atoms.get_stress(voigt=False))
            except PropertyNotImplementedError:  # such as a slab's in DFT
                stress = None
            labels.append(Label(energy, forces, stress))
        return labels


class ChgnetTeacher:
    """CHGNet 0.3.0 (Deng et al., Nat. Mach. Intell. 5, 1031 (2023)) on whole batches of frames.

    Forces and stress come from one backward pass without a graph for second derivatives, which
    CHGNet's own prediction keeps for training; a third of the time is saved.
    """

    def __init__(self) -> None:
        from chgnet.model import CHGNet

        self._network = CHGNet.load(model_name="0.3.0", use_device="cpu", verbose=False).eval()
        self._network.requires_grad_(False)
        self._network.graph_converter.on_isolated_atoms = "warn"
        weights = self._network.composition_model.state_dict()["fc.weight"].flatten()
        self.element_energies: Mapping[int, float] = {
            z + 1: float(energy) for z, energy in enumerate(weights)
        }

    def label(self, frames: Sequence[Atoms]) -> list[Label]:
        """Energy, forces and stress of each frame, in the order given."""
        import torch
        from chgnet.model.model import BatchedGraph
        from pymatgen.io.ase import AseAtomsAdaptor

        network = self._network
        graphs = [network.graph_converter(AseAtomsAdaptor.get_structure(f)) for f in frames]
        references = network.composition_model(graphs)
        batch = BatchedGraph.from_graphs(
            graphs,
            bond_basis_expansion=network.bond_basis_expansion,
            angle_basis_expansion=network.angle_basis_expansion,
            compute_stress=True,
        )
        per_atom = network._compute(batch)["e"]
        sizes = torch.tensor([len(frame) for frame in frames])
        gradients = torch.autograd.grad(
            (per_atom * sizes).sum(), [*batch.atom_positions, *batch.strains]
        )
        energies = ((per_atom + references) * sizes).detach().double().numpy()
        count = len(frames)
        return [
            Label(
                float(energy),
                -gradients[i].double().numpy(),
                gradients[count + i].double().numpy() / frame.get_volume(),
            )
            for i, (frame, energy) in enumerate(zip(frames, energies, strict=True))
        ]


class NetworkTeacher:
    """A MACE network on whole batches of frames, in single precision."""

    element_energies: Mapping[int, float] = MappingProxyType({})

    def __init__(self, network: "torch.nn.Module", head: int = 0) -> None:
        """Take a network, which becomes float32 in place, and the index of its head."""
        self._network = network.float().eval()
        self._head = head

    def label(self, frames: Sequence[Atoms]) -> list[Label]:
        """Energy, forces and stress of each frame, in the order given."""
        from potentials.distil.graphs import collate, graph_of

        elements = self._network.get_buffer("atomic_numbers").tolist()
        cutoff = float(self._network.get_buffer("r_max"))
        graphs = [graph_of(frame, elements, cutoff) for frame in frames]
        batch = collate(graphs, len(elements))
        batch["head"] += self._head
        found = self._network(batch, compute_stress=True)
        forces = found["forces"].detach().double().numpy()
        starts = batch["ptr"].tolist()
        return [
            Label(
                float(found["energy"][i]),
                forces[starts[i] : starts[i + 1]],
                found["stress"][i].detach().double().numpy(),
            )
            for i in range(len(frames))
        ]


def named_teacher(name: str) -> Teacher:
    """The teacher of a name: CHGNet and MACE networks in batches, any other through ASE."""
    if name == "chgnet":
        return ChgnetTeacher()
    from potentials.loading import load_potential
    from potentials.potential import MacePotential

    potential = load_potential(name)
    if isinstance(potential, MacePotential):
        return NetworkTeacher(potential.model, potential.head_index)
    return AseTeacher(potential.ase_calculator())

"""Networks to test the engine with: a random MACE, and a physical one that costs nothing."""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers as number_of
from matscipy.neighbours import neighbour_list
from numpy.typing import NDArray
from torch import Tensor

from potentials.ase_engine import AseEngine
from potentials.identity import PotentialIdentity
from potentials.potential import CalculatorPotential, MacePotential
from potentials.torch_state import process_kept

GUPTA = {  # A (eV), xi (eV), p, q, r0 (Å): Cleri and Rosato, Phys. Rev. B 48, 22 (1993)
    "Al": (0.1221, 1.316, 8.612, 2.516, 2.864),
    "Ni": (0.0376, 1.070, 16.999, 1.189, 2.491),
    "Cu": (0.0855, 1.224, 10.960, 2.278, 2.556),
    "Ag": (0.1028, 1.178, 10.928, 3.139, 2.889),
    "Au": (0.2061, 1.790, 10.229, 4.036, 2.884),
}


@functools.cache
def random_mace(
    dtype: str = "float64",
    *,
    symbols: tuple[str, ...] = ("Li", "Al", "Cu", "Au"),
    hidden_irreps: str = "8x0e",
    correlation: int = 3,
    interaction_scale: float = 30.0,
    device: str = "cpu",
    seed: int = 1,
) -> MacePotential:
    """A MACE network with random weights and a ZBL core, scaled to feel like a rough metal."""
    torch.serialization.add_safe_globals([slice])
    with process_kept(torch.float64), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from e3nn import o3
        from mace import modules

        torch.manual_seed(seed)
        model = modules.ScaleShiftMACE(
            r_max=5.0,
            num_bessel=6,
            num_polynomial_cutoff=5,
            max_ell=2,
            interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
            interaction_cls_first=modules.interaction_classes["RealAgnosticInteractionBlock"],
            num_interactions=2,
            num_elements=len(symbols),
            hidden_irreps=o3.Irreps(hidden_irreps),
            MLP_irreps=o3.Irreps("16x0e"),
            atomic_energies=np.linspace(-1.0, -4.0, len(symbols)),
            avg_num_neighbors=30.0,
            atomic_numbers=[number_of[symbol] for symbol in symbols],
            correlation=correlation,
            gate=torch.nn.functional.silu,
            radial_MLP=[32, 32],
            atomic_inter_scale=interaction_scale,
            atomic_inter_shift=0.0,
            pair_repulsion=True,
        )
    return MacePotential(model, name="random", sha256="0" * 64, dtype=dtype, device=device)


class GuptaModel(torch.nn.Module):
    """The second-moment tight-binding potential of metals, called as a MACE network is called.

    E_i = sum_j A exp(-p(r/r0 - 1)) - sqrt(sum_j xi^2 exp(-2q(r/r0 - 1))), smoothly cut.
    """

    def __init__(self, symbols: Sequence[str], r_max: float, dtype: torch.dtype) -> None:
        super().__init__()
        table = torch.tensor([GUPTA[symbol] for symbol in symbols], dtype=dtype)
        self.table = torch.nn.Parameter(table, requires_grad=False)
        self.r_max = r_max

    def forward(
        self,
        data: dict[str, Tensor],
        compute_force: bool = True,  # noqa: ARG002
        compute_stress: bool = False,
    ) -> dict[str, Tensor | None]:
        positions = data["positions"].requires_grad_(True)
        cells = data["cell"].view(-1, 3, 3)
        batch = data["batch"]
        strain = torch.zeros_like(cells).requires_grad_(True)
        unity = torch.eye(3, dtype=cells.dtype)
        deformation = unity + (strain + strain.mT) / 2
        sender, receiver = data["edge_index"]
        shifts = torch.einsum("ei,eij->ej", data["unit_shifts"], cells[batch[sender]])
        vectors = positions[receiver] - positions[sender] + shifts
        vectors = torch.einsum("ei,eij->ej", vectors, deformation[batch[sender]])
        distance = torch.linalg.vector_norm(vectors, dim=1)
        kind = data["node_attrs"].argmax(dim=1)
        one, other = self.table[kind[sender]], self.table[kind[receiver]]
        a, xi = (one * other).sqrt()[:, :2].unbind(1)
        p, q, r0 = ((one + other) / 2)[:, 2:].unbind(1)
        x = ((distance - 0.8 * self.r_max) / (0.2 * self.r_max)).clamp(0, 1)
        cut = 1 - 10 * x**3 + 15 * x**4 - 6 * x**5
        repulsion = a * torch.exp(-p * (distance / r0 - 1)) * cut
        hopping = xi**2 * torch.exp(-2 * q * (distance / r0 - 1)) * cut
        n_atoms = len(positions)
        nothing = torch.zeros(n_atoms, dtype=distance.dtype)
        density = nothing.index_add(0, receiver, hopping)
        node_energy = nothing.index_add(0, receiver, repulsion) - (density + 1e-12).sqrt()
        energy = torch.zeros(len(cells), dtype=distance.dtype).index_add(0, batch, node_energy)
        pull, virial = torch.autograd.grad(energy.sum(), [positions, strain])
        volumes = torch.linalg.det(cells).abs()[:, None, None]
        return {
            "energy": energy.detach(),
            "forces": -pull,
            "stress": virial / volumes if compute_stress else None,
        }


class TetherModel(torch.nn.Module):
    """Atoms that do not see each other, each on a spring; with no stiffness, an ideal gas."""

    def __init__(self, stiffness: float, anchors: Tensor) -> None:
        super().__init__()
        self.stiffness = torch.nn.Parameter(
            torch.tensor(stiffness, dtype=torch.float64), requires_grad=False
        )
        self.anchors = anchors

    def forward(
        self,
        data: dict[str, Tensor],
        compute_force: bool = True,  # noqa: ARG002
        compute_stress: bool = False,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        away = data["positions"] - self.anchors
        cells = data["cell"].view(-1, 3, 3)
        on_atoms = self.stiffness * away.square().sum(dim=1) / 2
        energy = on_atoms.new_zeros(len(cells)).index_add(0, data["batch"], on_atoms)
        return {
            "energy": energy,
            "forces": -self.stiffness * away,
            "stress": torch.zeros_like(cells),
        }


@dataclass(frozen=True)
class PlainPotential:
    """What the engine needs of a potential, around a model for tests."""

    model: torch.nn.Module
    symbols: tuple[str, ...]
    r_max: float
    head_index: int = 0
    device: str = "cpu"

    @property
    def atomic_numbers(self) -> tuple[int, ...]:
        return tuple(number_of[symbol] for symbol in self.symbols)

    @property
    def identity(self) -> PotentialIdentity:
        return PotentialIdentity(type(self.model).__name__, "0" * 64, None, "float64", None, ())


def gupta(r_max: float = 5.0) -> PlainPotential:
    """The Gupta potential of all metals in `GUPTA`."""
    symbols = tuple(GUPTA)
    return PlainPotential(GuptaModel(symbols, r_max, torch.float64), symbols, r_max)


def tether(stiffness: float, anchors: NDArray) -> PlainPotential:
    """Springs of ``stiffness`` (eV/Å²) to ``anchors``, (n_atoms of the whole batch, 3)."""
    return PlainPotential(TetherModel(stiffness, torch.tensor(anchors)), ("Li", "Cu"), 1.0)


def ase_engine(potential: PlainPotential) -> AseEngine:
    """The one-by-one engine over the same Gupta model."""
    return AseEngine(
        CalculatorPotential(
            lambda: GuptaCalculator(potential), name="gupta", elements=potential.symbols
        )
    )


class GuptaCalculator(Calculator):
    """The Gupta model through ASE, with its own neighbour list (matscipy)."""

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012

    def __init__(self, potential: PlainPotential) -> None:
        super().__init__()
        self.potential = potential

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        i, j, shifts = neighbour_list("ijS", atoms, self.potential.r_max)
        kinds = [self.potential.atomic_numbers.index(number) for number in atoms.numbers]
        out = self.potential.model(
            {
                "positions": torch.tensor(atoms.positions),
                "cell": torch.tensor(atoms.cell.array),
                "batch": torch.zeros(len(atoms), dtype=torch.int64),
                "edge_index": torch.tensor(np.stack([i, j]).astype(np.int64)),
                "unit_shifts": torch.tensor(shifts, dtype=torch.float64),
                "node_attrs": torch.nn.functional.one_hot(
                    torch.tensor(kinds), len(self.potential.symbols)
                ),
            },
            compute_stress=True,
        )
        stress = out["stress"][0].numpy()
        self.results = {
            "energy": float(out["energy"][0]),
            "forces": out["forces"].numpy(),
            "stress": stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]],
        }

"""Makers of the stages that every screen is put together from.

A Maker holds the numerical parameters; what it works on, the potential and the stores come with
`make`, so that one screen computes with one potential throughout.
"""

from dataclasses import dataclass

from jobflow import Maker, job
from pymatgen.core import Structure

from potentials.protocol import CellRelaxation
from workflows.packing import Documents
from workflows.settings import PotentialSettings, StoreSettings
from workflows.stages import evaluate_stage, path_stage, relax_stage


@dataclass
class EvaluateMaker(Maker):
    """Energies of structures as they stand.

    Attributes:
        name: stage shown in the progress.
    """

    name: str = "evaluate"

    @job
    def make(
        self,
        structures: list[Structure],
        potential: PotentialSettings,
        stores: StoreSettings,
    ) -> Documents:
        """One document per structure, in the order given."""
        return Documents([*evaluate_stage(self.name, structures, potential, stores)])


@dataclass
class RelaxMaker(Maker):
    """Relaxations of a list of structures.

    Attributes:
        name: stage shown in the progress.
        fmax: largest force left on a free atom, eV/Å.
        max_steps: optimiser steps after which a system is given up.
        cell: what of the cell may move, as in `potentials.protocol.CellRelaxation`.
    """

    name: str = "relax"
    fmax: float = 0.03
    max_steps: int = 500
    cell: CellRelaxation = "fixed"

    @job
    def make(
        self,
        structures: list[Structure],
        potential: PotentialSettings,
        stores: StoreSettings,
    ) -> Documents:
        """One document per structure, in the order given."""
        parameters = {"fmax": self.fmax, "max_steps": self.max_steps, "cell": self.cell}
        done = relax_stage(self.name, structures, parameters, potential, stores)
        return Documents([*done])


@dataclass
class PathMaker(Maker):
    """Minimum-energy paths between relaxed end states.

    Attributes:
        name: stage shown in the progress.
        n_images: moving images per band.
        fmax: largest NEB force left on a free atom, eV/Å.
        max_steps: optimiser steps after which a band is given up.
    """

    name: str = "find paths"
    n_images: int = 5
    fmax: float = 0.05
    max_steps: int = 300

    @job
    def make(
        self,
        ends: list[Structure],
        potential: PotentialSettings,
        stores: StoreSettings,
    ) -> Documents:
        """One path per pair of relaxed end states, which stand in turn in ``ends``."""
        parameters = {"n_images": self.n_images, "fmax": self.fmax, "max_steps": self.max_steps}
        pairs = list(zip(ends[::2], ends[1::2], strict=True))
        return Documents([*path_stage(self.name, pairs, parameters, potential, stores)])

"""A teacher as an ASE calculator, for relaxations and paths."""

from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from potentials.distil.teacher import Teacher


class TeacherCalculator(Calculator):
    """Energy, forces and stress of a teacher through ASE's interface."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012

    def __init__(self, teacher: Teacher, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._teacher = teacher

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Label the atoms."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        (label,) = self._teacher.label([self.atoms])
        self.results = {
            "energy": label.energy,
            "free_energy": label.energy,
            "forces": label.forces,
        }
        if label.stress is not None:
            self.results["stress"] = label.stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]

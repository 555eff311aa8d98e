import csv
from pathlib import Path

import numpy as np
import pytest
from ase.build import add_adsorbate, bulk, fcc100, fcc111
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixCartesian
from ase.eos import EquationOfState
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.units import GPa

from potentials.potential import CalculatorPotential
from structures import crystal, crystal_names
from workflows.errors import WorkflowError
from workflows.validation import (
    PUBLISHED,
    ValidationRow,
    elements_of,
    parity_plot,
    read_references,
    validate,
    write_validation,
)

HEADER = "quantity,system,facet,species,value,unit,tolerance,method,source\n"
COPPER = """\
lattice_a,Cu,,,3.59,Å,0.01,EMT,here
volume_per_atom,Cu,,,20.0,Å³,1.0,wrong on purpose,here
bulk_modulus,Cu,,,134,GPa,10,EMT,here
shear_modulus,Cu,,,60,GPa,30,EMT,here
C11,Cu,,,170,GPa,30,EMT,here
C12,Cu,,,115,GPa,30,EMT,here
C44,Cu,,,90,GPa,30,EMT,here
surface_energy,Cu,1 1 1,,0.9,J/m²,0.3,EMT,here
surface_energy,Fe,1 1 0,,2.4,J/m²,0.3,not covered,here
adatom_barrier,Cu,1 0 0,Cu,0.4,eV,0.1,EMT,here
vacancy_formation_energy,Cu,,Cu,1.1,eV,0.3,EMT,here
vacancy_migration_barrier,Cu,,Cu,0.7,eV,0.3,EMT,here
vacancy_migration_barrier,Ag,,Cu,0.7,eV,0.3,no copper in silver,here
"""


@pytest.fixture(scope="module")
def copper(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], ValidationRow]:
    path = tmp_path_factory.mktemp("validation") / "copper.csv"
    path.write_text(HEADER + COPPER)
    emt = CalculatorPotential(EMT, name="emt", elements=("Cu", "Ag", "Al", "Au", "Ni"))
    rows = validate(emt, path)
    return {(row.reference.case.quantity, row.reference.case.system): row for row in rows}


def value(rows: dict[tuple[str, str], ValidationRow], quantity: str) -> float:
    computed = rows[quantity, "Cu"].computed
    assert computed is not None
    return computed


def emt_energy(atoms, *, relax: bool = True) -> float:
    atoms.calc = EMT()
    if relax:
        BFGS(atoms, logfile=None).run(fmax=0.01, steps=300)
    return atoms.get_potential_energy()


def equation_of_state() -> tuple[float, float]:
    """Lattice parameter, Å, and bulk modulus, GPa, of EMT's copper."""
    scan = np.linspace(3.5, 3.7, 9)
    energies = [emt_energy(bulk("Cu", a=a), relax=False) for a in scan]
    volume, _, modulus = EquationOfState(scan**3 / 4, energies, "birchmurnaghan").fit()
    return (4 * volume) ** (1 / 3), modulus / GPa


def test_cell_and_stiffness_agree_with_the_equation_of_state(
    copper: dict[tuple[str, str], ValidationRow],
) -> None:
    a, modulus = equation_of_state()
    assert value(copper, "lattice_a") == pytest.approx(a, abs=2e-3)
    assert value(copper, "volume_per_atom") == pytest.approx(a**3 / 4, rel=2e-3)
    assert value(copper, "bulk_modulus") == pytest.approx(modulus, rel=0.02)
    c11, c12, c44 = (value(copper, name) for name in ("C11", "C12", "C44"))
    assert (c11 + 2 * c12) / 3 == pytest.approx(modulus, rel=0.02)
    voigt = (c11 - c12 + 3 * c44) / 5
    reuss = 5 * (c11 - c12) * c44 / (4 * c44 + 3 * (c11 - c12))
    assert value(copper, "shear_modulus") == pytest.approx((voigt + reuss) / 2, rel=0.01)


def test_c44_is_the_energys_curvature_under_shear(
    copper: dict[tuple[str, str], ValidationRow],
) -> None:
    a = value(copper, "lattice_a")
    energies, shears = [], np.linspace(-0.01, 0.01, 5)
    for shear in shears:
        atoms = bulk("Cu", a=a, cubic=True)
        strain = np.array([[0, 0, 0], [0, 0, shear / 2], [0, shear / 2, 0]])
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
        energies.append(emt_energy(atoms, relax=False))
    curvature = 2 * np.polyfit(shears, energies, 2)[0]
    assert value(copper, "C44") == pytest.approx(curvature / a**3 / GPa, rel=0.03)


def test_surface_energy_agrees_with_a_slab_of_ases(
    copper: dict[tuple[str, str], ValidationRow],
) -> None:
    a = value(copper, "lattice_a")
    slab = fcc111("Cu", (1, 1, 9), a=a, vacuum=8)
    area = np.linalg.norm(np.cross(slab.cell[0], slab.cell[1]))
    excess = emt_energy(slab) - 9 * emt_energy(bulk("Cu", a=a), relax=False)
    expected = excess / (2 * area) * 16.02177
    assert value(copper, "surface_energy") == pytest.approx(expected, rel=0.02)


def test_vacancy_agrees_with_its_saddle_point_by_symmetry(
    copper: dict[tuple[str, str], ValidationRow],
) -> None:
    a = value(copper, "lattice_a")
    perfect = bulk("Cu", a=a, cubic=True) * 3
    vacancy = perfect.copy()
    neighbour = int(np.argsort(perfect.get_distances(0, range(len(perfect)), mic=True))[1])
    saddle = perfect.copy()
    saddle.positions[neighbour] -= saddle.get_distance(0, neighbour, mic=True, vector=True) / 2
    saddle.set_constraint(FixAtoms([neighbour]))
    del vacancy[0]
    del saddle[0]
    energy = emt_energy(vacancy)
    formation = energy - len(vacancy) / len(perfect) * emt_energy(perfect, relax=False)
    assert value(copper, "vacancy_formation_energy") == pytest.approx(formation, abs=0.02)
    barrier = value(copper, "vacancy_migration_barrier")
    assert barrier == pytest.approx(emt_energy(saddle) - energy, abs=0.02)


def test_adatom_barrier_agrees_with_the_bridge_by_symmetry(
    copper: dict[tuple[str, str], ValidationRow],
) -> None:
    energies = {}
    for site in ("hollow", "bridge"):
        slab = fcc100("Cu", (3, 3, 6), a=value(copper, "lattice_a"), vacuum=8)
        frozen = FixAtoms(mask=slab.get_tags() > 3)
        add_adsorbate(slab, "Cu", 1.8, site)
        slab.set_constraint([frozen, FixCartesian([len(slab) - 1], mask=[True, True, False])])
        energies[site] = emt_energy(slab)
    expected = energies["bridge"] - energies["hollow"]
    assert value(copper, "adatom_barrier") == pytest.approx(expected, abs=0.03)


def test_verdicts(copper: dict[tuple[str, str], ValidationRow]) -> None:
    assert copper["lattice_a", "Cu"].verdict == "agrees"
    wrong = copper["volume_per_atom", "Cu"]
    assert wrong.verdict == "deviates"
    assert wrong.deviation == pytest.approx(value(copper, "volume_per_atom") - 20.0)
    lost = copper["vacancy_migration_barrier", "Ag"]
    assert (lost.verdict, lost.computed, lost.failure) == ("failed", None, "no such species")
    assert ("surface_energy", "Fe") not in copper


def test_voltage_is_that_of_three_relaxed_cells(tmp_path: Path) -> None:
    def make() -> LennardJones:
        return LennardJones(sigma=2.6, epsilon=0.3, rc=8.0, smooth=True)

    path = tmp_path / "voltage.csv"
    path.write_text(HEADER + "lithiation_voltage,LiAl,,Al,0.385,V,0.1,experiment,here\n")
    potential = CalculatorPotential(make, name="lj", elements=("Li", "Al"))
    (row,) = validate(potential, path)
    energies = []
    for name in ("LiAl", "Al", "Li"):
        atoms = crystal(name).to_ase_atoms()
        atoms.calc = make()
        BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=0.002, steps=300)
        energies.append(atoms.get_potential_energy() / len(atoms))
    assert row.computed == pytest.approx(-(2 * energies[0] - energies[1] - energies[2]), abs=2e-3)


def test_published_values_are_whole() -> None:
    references = read_references(PUBLISHED)
    assert len({reference.case for reference in references}) == len(references) > 100
    for reference in references:
        assert reference.case.system in crystal_names()
        assert reference.tolerance > 0
        assert reference.source
        assert elements_of(reference.case)
    units = {reference.case.quantity: reference.unit for reference in references}
    assert units["surface_energy"] == "J/m²"
    assert units["lithiation_voltage"] == "V"


def test_table_and_plot(copper: dict[tuple[str, str], ValidationRow], tmp_path: Path) -> None:
    rows = list(copper.values())
    write_validation(rows, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [row["quantity"] for row in written] == [row.reference.case.quantity for row in rows]
    assert float(written[0]["computed"]) == rows[0].computed
    assert written[-1]["failure"] == "no such species"
    parity_plot(rows, tmp_path / "parity.png", title="emt")
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")
    for write in (write_validation, lambda r, p: parity_plot(r, p, title="")):
        with pytest.raises(WorkflowError, match="cannot be written"):
            write(rows, tmp_path / "nowhere" / "file.png")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("", "has no rows"),
        ("quantity,system\nlattice_a,Cu\n", "has no column 'facet'"),
        (HEADER + "latice_a,Cu,,,3.6,Å,0.1,PBE,here\n", "line 2: .*did you mean lattice_a"),
        (HEADER + "lattice_a,Copper,,,3.6,Å,0.1,PBE,here\n", "line 2: crystal: 'Copper'"),
        (HEADER + "lattice_a,Cu,,,much,Å,0.1,PBE,here\n", "line 2: .*'much'"),
        (HEADER + "surface_energy,Cu,111x,,1.3,J/m²,0.1,PBE,here\n", "line 2: .*'111x'"),
        (HEADER + "lattice_a,Fe,,,2.8,Å,0.1,PBE,here\n", "'emt' covers no crystal"),
    ],
)
def test_bad_reference_file_is_one_line(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "reference.csv"
    if text is not None:
        path.write_text(text)
    emt = CalculatorPotential(EMT, name="emt", elements=("Cu",))
    with pytest.raises(WorkflowError, match=says) as raised:
        validate(emt, path)
    assert "\n" not in str(raised.value)

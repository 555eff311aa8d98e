"""vasprun.xml in VASP's format, with what VASP would say of a frame of two atoms."""

import numpy as np
import pytest
from ase.build import bulk

from potentials.dft.codes import read_results, write_inputs
from potentials.dft.settings import dft_settings

FORCES = [[0.11, -0.02, 0.0], [-0.11, 0.02, 0.0]]
STRESS_KBAR = [[12.0, 0.5, 0.0], [0.5, 13.0, 0.0], [0.0, 0.0, 14.0]]


def vectors(rows) -> str:
    return "\n".join(f"<v> {a:.8f} {b:.8f} {c:.8f} </v>" for a, b, c in np.asarray(rows))


def vasprun(atoms, steps: int, nelm: int = 100) -> str:
    cell, places = vectors(atoms.cell.array), vectors(atoms.get_scaled_positions())
    reciprocal = vectors(atoms.cell.reciprocal().array)
    structure = f"""
 <crystal><varray name="basis">{cell}</varray>
  <i name="volume"> {atoms.get_volume():.8f} </i>
  <varray name="rec_basis">{reciprocal}</varray></crystal>
 <varray name="positions">{places}</varray>"""
    names = "".join(f"<rc><c>{s}</c><c>   1</c></rc>" for s in atoms.get_chemical_symbols())
    energies = """<energy><i name="e_fr_energy">  -9.62000000 </i>
  <i name="e_wo_entrp">  -9.60000000 </i><i name="e_0_energy">  -9.61000000 </i></energy>"""
    incar = f"""<i type="int" name="NELM">   {nelm}</i><i type="int" name="NSW">   0</i>
  <i type="int" name="IBRION">  -1</i><i name="EDIFF">  0.00000100</i>"""
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator><i name="program" type="string">vasp </i>
  <i name="version" type="string">6.4.2  </i></generator>
 <incar>{incar}</incar>
 <kpoints><generation param="Gamma"><v type="int" name="divisions"> 1 1 1 </v>
  <v name="usershift"> 0.0 0.0 0.0 </v><v name="shift"> 0.0 0.0 0.0 </v></generation>
  <varray name="kpointlist"><v> 0.0 0.0 0.0 </v></varray>
  <varray name="weights"><v> 1.0 </v></varray></kpoints>
 <parameters>{incar}<i type="logical" name="LCHARG"> F  </i></parameters>
 <atominfo><atoms>  {len(atoms)} </atoms><types>  1 </types>
  <array name="atoms"><dimension dim="1">ion</dimension>
   <field type="string">element</field><field type="int">atomtype</field>
   <set>{names}</set></array>
  <array name="atomtypes"><dimension dim="1">type</dimension>
   <field type="int">atomspertype</field><field type="string">element</field>
   <field>mass</field><field>valence</field><field type="string">pseudopotential</field>
   <set><rc><c>  {len(atoms)}</c><c>Al</c><c> 26.98</c><c> 3.0</c>
    <c> PAW_PBE Al 04Jan2001 </c></rc></set></array></atominfo>
 <structure name="initialpos">{structure}</structure>
 <calculation>
  {f"<scstep>{energies}</scstep>" * steps}
  <structure>{structure}</structure>
  <varray name="forces">{vectors(FORCES)}</varray>
  <varray name="stress">{vectors(STRESS_KBAR)}</varray>
  {energies}
 </calculation>
 <structure name="finalpos">{structure}</structure>
</modeling>
"""


@pytest.fixture
def atoms():
    found = bulk("Al", a=4.04, cubic=True)[:2]
    found.positions[1] += (0.1, 0.05, 0.0)
    return found


def test_results_come_back_with_energy_at_zero_width(atoms, tmp_path):
    write_inputs([atoms], "vasp", dft_settings("pbe-quick"), tmp_path)
    (tmp_path / "00000" / "vasprun.xml").write_text(vasprun(atoms, steps=12))
    (frame,), failures = read_results(tmp_path)
    assert failures == {}
    assert frame.get_potential_energy() == pytest.approx(-9.61)
    assert frame.get_forces() == pytest.approx(np.array(FORCES))
    # VASP's sign is that of a pressure; 1 kbar = 6.2415e-4 eV/Å³
    assert frame.get_stress()[:3] == pytest.approx(
        [-12 * 6.2415e-4, -13 * 6.2415e-4, -14 * 6.2415e-4], rel=1e-4
    )


def test_a_run_out_of_steps_is_no_label(atoms, tmp_path):
    write_inputs([atoms], "vasp", dft_settings("pbe-quick"), tmp_path)
    (tmp_path / "00000" / "vasprun.xml").write_text(vasprun(atoms, steps=100, nelm=100))
    frames, failures = read_results(tmp_path)
    assert not frames
    assert "not self-consistent" in failures["00000"]

import re
import shutil
import warnings
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.units import Bohr, GPa, Hartree, Ry

from potentials.dft.codes import read_results, write_inputs
from potentials.dft.settings import dft_settings
from potentials.dft.vasp import NO_POTCAR
from potentials.errors import PotentialError

HERE = Path(__file__).parent
QUICK = dft_settings("pbe-quick")


@pytest.fixture
def frames():
    nickel = bulk("Ni", a=3.52)
    nickel.info = {"name": "bulk/Ni", "system": "Ni", "disagreement": 0.25}
    slab = fcc100("Al", (1, 1, 2), a=4.04, vacuum=4.5)
    add_adsorbate(slab, "Li", 2.0, "hollow")
    slab.pbc = True
    return [nickel, slab]


def aluminium() -> Atoms:
    atoms = bulk("Al", a=4.04, cubic=True)[:2]
    atoms.positions[1] += (0.1, 0.05, 0.0)
    return atoms


def test_vasp_inputs_read_back_as_what_was_asked_for(frames, tmp_path, monkeypatch):
    from pymatgen.core import SETTINGS as PYMATGEN
    from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

    monkeypatch.setitem(PYMATGEN, "PMG_VASP_PSP_DIR", None)
    assert write_inputs(frames, "vasp", QUICK, tmp_path) == [NO_POTCAR]
    nickel, slab = tmp_path / "00000", tmp_path / "00001"
    incar = Incar.from_file(nickel / "INCAR")
    assert (incar["ISMEAR"], incar["SIGMA"], incar["ISPIN"]) == (-1, 0.1, 2)
    assert incar["ENCUT"] >= 520
    assert incar["NSW"] == 0
    assert incar["MAGMOM"] == [1.0]
    assert "LDIPOL" not in incar
    assert Kpoints.from_file(nickel / "KPOINTS").kpts == [(9, 9, 9)]
    incar = Incar.from_file(slab / "INCAR")
    assert (incar["LDIPOL"], incar["IDIPOL"], incar["ISPIN"]) == (True, 3, 1)
    assert Kpoints.from_file(slab / "KPOINTS").kpts == [(7, 7, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = Poscar.from_file(slab / "POSCAR", check_for_potcar=False).structure
    assert [site.specie.symbol for site in structure] == frames[1].get_chemical_symbols()
    assert structure.cart_coords == pytest.approx(frames[1].positions, abs=1e-6)
    assert (slab / "POTCAR.spec").read_text().split() == ["Al", "Li_sv"]


def test_espresso_input_reads_back_as_what_was_asked_for(frames, tmp_path):
    (line,) = {*write_inputs(frames[1:], "espresso", QUICK, tmp_path)}
    assert "Al.UPF, Li.UPF" in line
    text = (tmp_path / "00000" / "pw.in").read_text()
    back = ase.io.read(tmp_path / "00000" / "pw.in", format="espresso-in")
    assert back.get_chemical_symbols() == frames[1].get_chemical_symbols()
    assert back.positions == pytest.approx(frames[1].positions, abs=1e-6)
    values = dict(line.replace(" ", "").split("=") for line in text.splitlines() if "=" in line)
    assert float(values["ecutwfc"]) * Ry == pytest.approx(800.0, abs=0.1)
    assert float(values["degauss"]) * Ry == pytest.approx(0.1)
    assert values["smearing"] == "'fermi-dirac'"
    assert (values["dipfield"], values["edir"]) == (".true.", "3")
    # the sawtooth drops in the vacuum
    heights = frames[1].get_scaled_positions()[:, 2]
    low, high = float(values["emaxpos"]), float(values["emaxpos"]) + float(values["eopreg"])
    assert not ((heights > low) & (heights < high)).any()
    assert "7 7 1" in text


def test_espresso_spin_is_on_for_nickel_only(frames, tmp_path):
    write_inputs(frames, "espresso", QUICK, tmp_path)
    assert "nspin" in (tmp_path / "00000" / "pw.in").read_text()
    assert "nspin" not in (tmp_path / "00001" / "pw.in").read_text()


def test_cp2k_input_reads_back_as_what_was_asked_for(frames, tmp_path):
    from pymatgen.io.cp2k.inputs import Cp2kInput

    chromium = bulk("Cr", "bcc", a=2.88, cubic=True)
    assert write_inputs([*frames, chromium], "cp2k", QUICK, tmp_path) == []
    slab = Cp2kInput.from_file(tmp_path / "00001" / "cp2k.inp")
    dft = slab["FORCE_EVAL"]["DFT"]
    assert dft["KPOINTS"]["SCHEME"].values == ("GAMMA", 7, 7, 1)
    assert dft["SCF"]["SMEAR"]["ELECTRONIC_TEMPERATURE"].values[0] == pytest.approx(
        1160.45, abs=0.1
    )
    text = (tmp_path / "00001" / "cp2k.inp").read_text()
    assert "SURFACE_DIPOLE_CORRECTION True" in text
    assert text.count("&KIND") - text.count("&END KIND") == 0
    assert "UKS True" in (tmp_path / "00000" / "cp2k.inp").read_text()
    kinds = (tmp_path / "00002" / "cp2k.inp").read_text()
    assert "&KIND Cr\n" in kinds
    assert "&KIND Cr_down\n" in kinds
    assert "MAGNETIZATION -1.5" in kinds


def test_an_unknown_code_and_a_used_folder_are_refused(frames, tmp_path):
    with pytest.raises(PotentialError, match="'qe' is unknown"):
        write_inputs(frames, "qe", QUICK, tmp_path)
    write_inputs(frames, "cp2k", QUICK, tmp_path)
    with pytest.raises(PotentialError, match="holds frames already"):
        write_inputs(frames, "cp2k", QUICK, tmp_path)
    with pytest.raises(PotentialError, match="was not written by"):
        read_results(tmp_path / "00000")


def test_espresso_results_come_back_with_energy_at_zero_width(tmp_path):
    # espresso_al.out is the output of pw.x 6.7 for this frame
    write_inputs([aluminium()], "espresso", QUICK, tmp_path)
    shutil.copy(HERE / "espresso_al.out", tmp_path / "00000" / "pw.out")
    (frame,), failures = read_results(tmp_path)
    assert failures == {}
    # from the file: total energy -7.76543156 Ry, smearing contribution -0.01611578 Ry
    assert frame.get_potential_energy() == pytest.approx((-7.76543156 + 0.01611578 / 2) * Ry)
    assert frame.get_potential_energy(force_consistent=True) == pytest.approx(-7.76543156 * Ry)
    assert frame.get_forces()[1] == pytest.approx([-0.0330541, -0.16466116, 0.0], abs=1e-6)
    assert frame.get_stress()[0] == pytest.approx(0.17197643, abs=1e-6)


def test_cp2k_results_come_back_with_energy_at_zero_width(tmp_path):
    # cp2k_lif.out is the output of CP2K 2023.1 for this frame, on a rough grid
    frame = bulk("LiF", "rocksalt", a=4.06)
    frame.positions[1] += (0.1, 0.05, 0.0)
    write_inputs([frame], "cp2k", QUICK, tmp_path)
    shutil.copy(HERE / "cp2k_lif.out", tmp_path / "00000" / "cp2k.out")
    (back,), failures = read_results(tmp_path)
    assert failures == {}
    assert back.get_potential_energy() == pytest.approx(-31.613791112414727 * Hartree, abs=1e-4)
    (row,) = re.findall(r"^\s+1\s+1\s+Li\s+(\S+)\s+(\S+)\s+(\S+)$", _forces(), re.MULTILINE)
    expected = np.array(row, dtype=float) * Hartree / Bohr
    assert back.get_forces()[0] == pytest.approx(expected, abs=1e-4)
    # printed as 77.3915066657 GPa in xx, 1.44709 GPa in xy; positive under compression
    assert back.get_stress()[0] == pytest.approx(-77.3915066657 * GPa)
    assert back.get_stress()[5] == pytest.approx(-1.44709190666 * GPa)
    text = (HERE / "cp2k_lif.out").read_text()
    broken = text.replace("SCF run converged in", "SCF run NOT converged in")
    (tmp_path / "00000" / "cp2k.out").write_text(broken)
    assert "not self-consistent" in read_results(tmp_path)[1]["00000"]


def _forces() -> str:
    text = (HERE / "cp2k_lif.out").read_text()
    return text[text.index("ATOMIC FORCES") : text.index("SUM OF ATOMIC FORCES")]


def test_a_run_that_did_not_converge_or_is_missing_is_left_out(tmp_path):
    write_inputs([aluminium()] * 3, "espresso", QUICK, tmp_path)
    text = (HERE / "espresso_al.out").read_text()
    stopped = text.replace("convergence has been achieved", "convergence NOT achieved")
    (tmp_path / "00000" / "pw.out").write_text(stopped)
    (tmp_path / "00002" / "pw.out").write_text(text)
    frames, failures = read_results(tmp_path)
    assert len(frames) == 1
    assert "not self-consistent" in failures["00000"]
    assert "cannot be read" in failures["00001"]


def test_results_of_another_structure_are_no_label(tmp_path):
    moved = aluminium()
    moved.positions[1, 0] += 0.05
    write_inputs([moved], "espresso", QUICK, tmp_path)
    shutil.copy(HERE / "espresso_al.out", tmp_path / "00000" / "pw.out")
    frames, failures = read_results(tmp_path)
    assert not frames
    assert "another structure" in failures["00000"]

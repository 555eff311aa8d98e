import json

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from potentials.cache import sha256_of
from screen.cli import main


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code or 0


@pytest.fixture
def frames(tmp_path):
    made = []
    for number in range(3):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=number)
        atoms.info = {"name": f"copper {number}", "system": f"run {number}"}
        made.append(atoms)
    path = tmp_path / "frames.extxyz"
    ase.io.write(path, made)
    return path


def test_label_writes_labelled_frames_that_validate_reads(frames, tmp_path, capsys):
    output = tmp_path / "labelled.extxyz"
    assert run("label", frames, "--with", "mini", "--output", output) == 0
    told = capsys.readouterr().err
    assert "3 frames, about" in told
    back = ase.io.read(output, ":")
    assert [frame.info["name"] for frame in back] == ["copper 0", "copper 1", "copper 2"]
    assert all(np.abs(frame.get_forces()).max() > 0.1 for frame in back)
    assert run("validate", "--potential", "mini", "--frames", output, "--format", "json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["frames"] == 3
    assert row["force_slope"] == pytest.approx(1.0, abs=1e-5)
    assert row["energy_mae_mev"] == pytest.approx(0.0, abs=1e-3)


def test_a_limit_below_the_first_frame_is_one_line(frames, tmp_path, capsys):
    output = tmp_path / "labelled.extxyz"
    assert run("label", frames, "--limit-hours", "0.0001", "--output", output) == 2
    assert "the first frame takes" in capsys.readouterr().err


def test_refine_makes_no_database_of_a_name_that_is_none(tmp_path, capsys):
    nowhere = tmp_path / "typo.db"
    assert run("refine", "mini", "--runs", nowhere, "--folder", tmp_path / "refine") == 2
    assert "typo.db does not exist" in capsys.readouterr().err
    assert not nowhere.exists()


def test_refine_says_its_cost_before_it_starts(frames, tmp_path, capsys):
    arguments = ("refine", "mini", "--candidates", frames, "--folder", tmp_path / "refine")
    assert run(*arguments, "--dry-run") == 2
    assert "--against: name a potential" in capsys.readouterr().err
    # mini beside itself agrees, and so every frame is as good as another
    options = ("--against", "mini", "--with", "mini", "--no-reference")
    assert run(*arguments, *options, "--limit-hours", "0.00003", "--dry-run") == 0
    told = capsys.readouterr().err
    assert "2 of 3 candidates chosen: labels about" in told
    assert "training 30 min" in told
    assert len(ase.io.read(tmp_path / "refine" / "chosen.extxyz", ":")) == 2
    assert not (tmp_path / "refine" / "labelled.extxyz").exists()


def test_inputs_of_another_code_and_what_is_missing_of_its_results(frames, tmp_path, capsys):
    folder = tmp_path / "runs"
    assert run("dft", "inputs", frames, "--code", "vsp", "--folder", folder) == 2
    assert "code: 'vsp' is unknown; did you mean vasp?" in capsys.readouterr().err
    assert run("dft", "inputs", frames, "--code", "vasp", "--folder", folder) == 0
    assert "POTCAR: not written, PMG_VASP_PSP_DIR is not set" in capsys.readouterr().err
    assert sorted(path.name for path in (folder / "00002").iterdir()) == [
        *("INCAR", "KPOINTS", "POSCAR", "POTCAR.spec"),
    ]
    assert run("dft", "collect", folder, "--output", tmp_path / "labelled.extxyz") == 1
    assert "vasprun.xml: cannot be read" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_reference_set_is_made_of_what_was_labelled_so_far(frames, tmp_path, capsys, monkeypatch):
    pytest.importorskip("gpaw")
    # EMT computes in the place of GPAW: keys, labels and facts have to belong together
    monkeypatch.setattr(
        "potentials.dft.gpaw_potential.GpawPotential.ase_calculator", lambda _self: EMT()
    )
    first = ase.io.read(frames, ":")
    first[1].positions[0] = first[1].positions[1]  # has no label
    ase.io.write(frames, first)
    output, folder = tmp_path / "labelled.extxyz", tmp_path / "set"
    assert run("label", frames, "--output", output) == 0
    later = bulk("Cu", a=3.7)
    later.info = {"name": "copper 3"}
    ase.io.write(frames, [*first, later])
    arguments = ("dft", "assemble", frames, "--folder", folder)
    spool = tmp_path / "labelled.extxyz.spool" / "label.jsonl"
    capsys.readouterr()
    assert run(*arguments, "--spool", spool) == 2
    assert "has no family" in capsys.readouterr().err
    for frame in (*first, later):
        frame.info |= {"family": "bulk", "system": "Cu"}
    ase.io.write(frames, [*first, later])
    assert run(*arguments, "--spool", tmp_path / "other.jsonl") == 2
    assert "holds no label of them by gpaw-pbe-quick" in capsys.readouterr().err
    assert run(*arguments, "--spool", spool, "--with", "gpaw-pbe-tight") == 2
    assert "holds no label of them by gpaw-pbe-tight" in capsys.readouterr().err
    assert run(*arguments, "--spool", spool) == 0
    assert "2 of 4 frames, 1 did not converge" in capsys.readouterr().err

    labelled = ase.io.read(folder / "frames.extxyz.xz", ":")
    assert [frame.info["name"] for frame in labelled] == ["copper 0", "copper 2"]
    for frame, given in zip(labelled, (first[0], first[2]), strict=True):
        given.calc = EMT()
        assert frame.get_potential_energy() == pytest.approx(given.get_potential_energy())
        assert frame.get_forces() == pytest.approx(given.get_forces(), abs=1e-6)
    facts = json.loads((folder / "frames.json").read_text())
    assert facts["sha256"] == sha256_of(folder / "frames.extxyz.xz")
    assert (facts["frames"], facts["atoms"]) == (2, 8)
    assert (facts["families"], facts["systems"]) == ({"bulk": 2}, {"Cu": 2})
    assert facts["potential"]["name"] == "gpaw-pbe-quick"
    assert list(facts["not_converged"]) == ["copper 1"]
    assert list(facts["setups"]) == ["Cu"]

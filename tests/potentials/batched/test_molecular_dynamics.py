"""Dynamics against what statistical mechanics says, and against being stopped."""

import importlib.util
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.units import GPa, fs, kB

from potentials.batched import BatchedEngine
from potentials.batched.trajectory import read_frames
from potentials.errors import PotentialError
from potentials.protocol import DynamicsResult
from tests.potentials.batched.networks import PlainPotential, gupta, random_mace, tether
from tests.potentials.batched.systems import alloy, slab


def gas(n_atoms: int, cell: float, symbol: str = "Li") -> Atoms:
    positions = np.random.default_rng(0).uniform(0, cell, size=(n_atoms, 3))
    return Atoms(f"{symbol}{n_atoms}", positions=positions, cell=[cell] * 3, pbc=True)


def crystal(seed: int = 0) -> Atoms:
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    atoms.rattle(0.02, seed=seed)
    return atoms


def test_energy_is_conserved(tmp_path: Path) -> None:
    atoms = crystal()
    BatchedEngine(gupta()).md(
        [atoms], tmp_path, steps=500, ensemble="nve", temperature=600.0, interval=5
    )
    frames = read_frames(tmp_path, 0)
    total = (frames.energies + frames.kinetic_energies) / len(atoms)
    drift_per_ps = np.polyfit(frames.steps / 1000, total, 1)[0]
    assert frames.temperatures[20:].mean() > 150  # it does move
    assert abs(drift_per_ps) < 1e-5


def test_temperature_and_its_variance_are_those_of_equipartition(tmp_path: Path) -> None:
    """Atoms on springs: mean and spread of both energies, within four standard errors."""
    n_atoms, copies, temperature = 20, 10, 400.0
    systems = [gas(n_atoms, 20.0, "Cu") for _ in range(copies)]
    anchors = np.concatenate([atoms.positions for atoms in systems])
    BatchedEngine(tether(2.0, anchors)).md(
        systems,
        tmp_path,
        steps=1600,
        timestep=3.0,
        temperature=temperature,
        friction=0.05,
        interval=40,
        fixed_centre_of_mass=False,
    )
    frames = [read_frames(tmp_path, i) for i in range(copies)]
    kinetic = np.concatenate([each.temperatures[10:] for each in frames])
    potential = np.concatenate([each.energies[10:] for each in frames]) / (1.5 * n_atoms * kB)
    for sample in (kinetic, potential):
        assert abs(sample.mean() / temperature - 1) < 4 * np.sqrt(2 / (3 * n_atoms) / len(sample))
        variance = sample.var() / (2 * temperature**2 / (3 * n_atoms))
        assert abs(variance - 1) < 4 * np.sqrt(2 / len(sample))


def test_free_particles_diffuse_as_langevin_said(tmp_path: Path) -> None:
    """<r²> = 6 D (t - (1 - exp(-gamma t))/gamma) with D = kT/(m gamma)."""
    atoms, friction, temperature, steps = gas(3000, 300.0), 0.02, 500.0, 400
    BatchedEngine(tether(0.0, atoms.positions)).md(
        [atoms],
        tmp_path,
        steps=steps,
        temperature=temperature,
        friction=friction,
        interval=100,
        fixed_centre_of_mass=False,
    )
    frames = read_frames(tmp_path, 0)
    mass = atoms.get_masses()[0]
    for time_fs, positions in zip(frames.steps[1:], frames.positions[1:], strict=True):
        squared = ((positions - frames.positions[0]) ** 2).sum(axis=1).mean()
        gamma = friction / fs
        t = time_fs * fs
        expected = 6 * kB * temperature / (mass * gamma) * (t - (1 - np.exp(-gamma * t)) / gamma)
        assert squared == pytest.approx(expected, rel=4 * np.sqrt(2 / (3 * len(atoms))))


@pytest.mark.slow
def test_an_ideal_gas_under_normal_stress_has_its_volume_and_fluctuation(tmp_path: Path) -> None:
    """At constant area the volume of N free atoms is gamma distributed: mean (N+1)kT/P."""
    n_atoms, temperature, stress, copies = 20, 30000.0, 20.0, 12
    expected = (n_atoms + 1) * kB * temperature / (stress * GPa)
    systems = [gas(n_atoms, expected ** (1 / 3)) for _ in range(copies)]
    anchors = np.concatenate([atoms.positions for atoms in systems])
    BatchedEngine(tether(0.0, anchors)).md(
        systems,
        tmp_path,
        steps=8000,
        ensemble="normal-stress",
        timestep=2.0,
        temperature=temperature,
        normal_stress=stress,
        friction=0.05,
        interval=200,
        fixed_centre_of_mass=False,
    )
    volumes = []
    for i in range(copies):
        frames = read_frames(tmp_path, i)
        assert np.array_equal(frames.cells[-1][:2], systems[i].cell.array[:2])
        volumes.append(np.linalg.det(frames.cells[10:]))
    sample = np.concatenate(volumes) / expected
    assert sample.mean() == pytest.approx(1.0, abs=0.05)
    assert sample.std() == pytest.approx(1 / np.sqrt(n_atoms + 1), rel=0.2)


@pytest.mark.slow
def test_a_crystal_under_normal_stress_carries_it(tmp_path: Path) -> None:
    engine = BatchedEngine(gupta())
    atoms = crystal()
    results = engine.md(
        [atoms, atoms],
        tmp_path,
        steps=1500,
        ensemble="normal-stress",
        temperature=100.0,
        normal_stress=[0.0, 4.0],
        friction=0.02,
        interval=20,
    )
    heights = [read_frames(tmp_path, i).cells[30:, 2, 2].mean() for i in range(2)]
    assert all(result.failure is None for result in results)
    static = [
        engine.relax([atoms], cell="normal", normal_stress=stress)[0].structure.lattice.c
        for stress in (0.0, 4.0)
    ]
    assert heights[1] - heights[0] == pytest.approx(static[1] - static[0], rel=0.25)


def test_frozen_atoms_do_not_move_and_the_centre_of_mass_stays(tmp_path: Path) -> None:
    systems = [slab("Cu", adatom="Ag"), crystal()]
    results = BatchedEngine(gupta()).md(systems, tmp_path, steps=60, temperature=500.0, interval=30)
    frozen = systems[0].constraints[0].index
    moved = results[0].structure.cart_coords - systems[0].positions
    assert np.array_equal(moved[frozen], np.zeros((len(frozen), 3)))
    assert np.array_equal(results[0].velocities[frozen], np.zeros((len(frozen), 3)))
    assert np.abs(np.delete(moved, frozen, axis=0)).min() > 0
    masses = systems[1].get_masses()[:, None]
    shift = (masses * (results[1].structure.cart_coords - systems[1].positions)).sum(axis=0)
    assert np.abs(shift / masses.sum()).max() < 1e-12


def test_frames_hold_the_stress_of_their_positions(tmp_path: Path) -> None:
    engine = BatchedEngine(gupta())
    atoms = crystal()
    engine.md([atoms], tmp_path, steps=6, interval=3, temperature=600.0)
    frames = read_frames(tmp_path, 0)
    for positions, stress in zip(frames.positions, frames.stresses, strict=True):
        atoms.positions = positions
        (alone,) = engine.evaluate([atoms])
        assert stress == pytest.approx(alone.stress, abs=1e-5)  # of positions in float32
    assert np.ptp(frames.stresses, axis=0).max() > 1e-4


@pytest.mark.parametrize(("interval", "extra"), [(4, 1), (7, 0)])
def test_a_result_has_what_an_evaluation_of_its_structure_gives(
    tmp_path: Path, interval: int, extra: int
) -> None:
    """Also where the last step is no frame, for which alone stresses are computed."""
    engine = BatchedEngine(random_mace())
    systems = [alloy(0, ("Cu", "Au")), slab("Cu"), alloy(1, ("Li", "Al"))]
    results = engine.md(systems, tmp_path, steps=7, interval=interval, temperature=500.0)
    expected = engine.evaluate([result.structure for result in results])
    for result, there in zip(results, expected, strict=True):
        assert (result.converged, result.failure, result.steps) == (True, None, 7)
        assert result.force_evaluations == 8 + extra
        assert result.energy == pytest.approx(there.energy, abs=1e-9)
        assert result.forces == pytest.approx(there.forces, abs=1e-9)
        assert result.stress == pytest.approx(there.stress, abs=1e-11)
        assert np.abs(there.stress).max() > 1e-5


def test_no_step_at_all_gives_what_an_evaluation_gives(tmp_path: Path) -> None:
    engine = BatchedEngine(gupta())
    (result,) = engine.md([crystal()], tmp_path, steps=0)
    (there,) = engine.evaluate([crystal()])
    assert (result.converged, result.steps, result.force_evaluations) == (True, 0, 1)
    assert result.energy == pytest.approx(there.energy, abs=1e-12)
    assert result.stress == pytest.approx(there.stress, abs=1e-14)


def test_a_run_made_longer_is_one_that_was_long_at_once(tmp_path: Path) -> None:
    """The first end's stress, which the long run never asks for, moves no bit of its forces."""
    engine = BatchedEngine(random_mace("float32"))
    options = {"interval": 20, "temperature": 500.0}
    engine.md([alloy(0, ("Cu", "Au"))], tmp_path / "parts", steps=13, **options)
    (parts,) = engine.md([alloy(0, ("Cu", "Au"))], tmp_path / "parts", steps=30, **options)
    (whole,) = engine.md([alloy(0, ("Cu", "Au"))], tmp_path / "whole", steps=30, **options)
    assert np.array_equal(parts.structure.cart_coords, whole.structure.cart_coords)
    assert np.array_equal(parts.velocities, whole.velocities)


def _as_before(folder: Path) -> None:
    """Take out of a run's files what versions before kept nothing of."""
    for path in folder.glob("*.h5"):
        with h5py.File(path, "a") as file:
            for group in file.values():
                for name in ("energy", "forces", "stress"):
                    group["state"].pop(name, None)
                for name in ("steps", "force_evaluations"):
                    group.attrs.pop(name, None)


def test_files_of_versions_that_kept_no_energies_are_gone_on_from(tmp_path: Path) -> None:
    engine = BatchedEngine(gupta())
    options = {"interval": 1, "temperature": 500.0}
    (whole,) = engine.md([crystal()], tmp_path / "whole", steps=40, **options)
    engine.md([crystal()], tmp_path / "parts", steps=19, **options)
    _as_before(tmp_path / "parts")
    (parts,) = engine.md([crystal()], tmp_path / "parts", steps=40, **options)
    assert np.array_equal(whole.structure.cart_coords, parts.structure.cart_coords)
    _as_before(tmp_path / "parts")
    (again,) = engine.md([crystal()], tmp_path / "parts", steps=40, **options)
    assert (again.steps, again.converged) == (40, True)
    assert again.energy == pytest.approx(whole.energy, abs=1e-12)
    assert again.forces == pytest.approx(whole.forces, abs=1e-12)
    assert again.stress == pytest.approx(whole.stress, abs=1e-14)


def test_frames_of_versions_without_stresses_are_read(tmp_path: Path) -> None:
    BatchedEngine(gupta()).md([crystal()], tmp_path, steps=2, interval=1)
    for path in tmp_path.glob("*.h5"):
        with h5py.File(path, "a") as file:
            del file["system-0/frames/stresses"]
    frames = read_frames(tmp_path, 0)
    assert frames.stresses.shape == (3, 3, 3)
    assert np.isnan(frames.stresses).all()
    assert frames.temperatures.shape == (3,)


def test_starting_velocities_have_the_temperature(tmp_path: Path) -> None:
    atoms = gas(2000, 200.0)
    BatchedEngine(tether(0.0, atoms.positions)).md(
        [atoms], tmp_path, steps=1, temperature=700.0, interval=1
    )
    assert read_frames(tmp_path, 0).temperatures[0] == pytest.approx(700.0, rel=0.06)


def test_company_does_not_matter_and_seeds_do(tmp_path: Path) -> None:
    engine = BatchedEngine(gupta())
    systems = [slab("Cu"), crystal(), slab("Ag", "110")]
    temperatures = [300.0, 500.0, 700.0]
    together = engine.md(
        systems, tmp_path / "all", steps=20, temperature=temperatures, seed=[5, 6, 7]
    )
    alone = engine.md([systems[2]], tmp_path / "one", steps=20, temperature=700.0, seed=7)
    other = engine.md([systems[2]], tmp_path / "other", steps=20, temperature=700.0, seed=8)
    for a, b in ((together[2], alone[0]),):
        assert np.abs(a.structure.cart_coords - b.structure.cart_coords).max() < 1e-9
    apart = alone[0].structure.cart_coords - other[0].structure.cart_coords
    assert np.abs(apart).max() > 1e-3


class _StopError(Exception):
    pass


def assert_same(one: DynamicsResult, other: DynamicsResult) -> None:
    """But for the time it took, and the structure."""
    for name in ("velocities", "forces", "stress"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    for name in ("energy", "converged", "failure", "steps", "force_evaluations"):
        assert getattr(one, name) == getattr(other, name), name


@pytest.mark.parametrize("ensemble", ["nvt", "normal-stress"])
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path, ensemble: str) -> None:
    systems = [alloy(0, ("Cu", "Au")), alloy(1, ("Li", "Al"))]
    engine = BatchedEngine(random_mace())
    options = {"steps": 50, "ensemble": ensemble, "interval": 1, "friction": 0.02}
    whole = engine.md(systems, tmp_path / "whole", **options)

    def stop(progress) -> None:
        if progress.step >= 19:
            raise _StopError

    with pytest.raises(_StopError):
        engine.md(systems, tmp_path / "parts", on_progress=stop, **options)
    steps = []
    parts = BatchedEngine(random_mace()).md(
        systems, tmp_path / "parts", on_progress=lambda p: steps.append(p.step), **options
    )
    assert steps == [39, 50]
    for i in range(2):
        assert np.array_equal(whole[i].structure.cart_coords, parts[i].structure.cart_coords)
        assert_same(whole[i], parts[i])
        one, other = (read_frames(tmp_path / name, i) for name in ("whole", "parts"))
        assert np.array_equal(one.steps, np.arange(51))
        for name, values in vars(one).items():
            assert np.array_equal(values, getattr(other, name)), name


def test_progress_is_told_in_ps_per_day(tmp_path: Path) -> None:
    told = []
    begun = time.perf_counter()
    BatchedEngine(gupta()).md(
        [crystal(), crystal(1)],
        tmp_path,
        steps=45,
        timestep=2.0,
        interval=1,
        on_progress=told.append,
    )
    days = (time.perf_counter() - begun) / 86400
    assert [(each.systems, each.step, each.steps) for each in told] == [
        (2, 19, 45),
        (2, 39, 45),
        (2, 45, 45),
    ]
    # The engine's clock starts when the systems are built.
    assert 0.090 / days <= told[-1].ps_per_day < 5 * 0.090 / days


def test_a_truncated_trajectory_is_told_and_goes_on_before_it(tmp_path: Path) -> None:
    engine = BatchedEngine(gupta())
    options = {"steps": 50, "interval": 1}
    whole = engine.md([crystal()], tmp_path / "whole", **options)
    engine.md([crystal()], tmp_path / "cut", **options)
    files = sorted((tmp_path / "cut").glob("*.h5"))
    assert len(files) > 2
    files[1].write_bytes(files[1].read_bytes()[:-1000])
    with pytest.raises(PotentialError, match=r"is damaged; run the dynamics again"):
        read_frames(tmp_path / "cut", 0)
    with pytest.warns(UserWarning, match=r"set aside as .*\.damaged"):
        again = engine.md([crystal()], tmp_path / "cut", **options)
    assert np.array_equal(whole[0].structure.cart_coords, again[0].structure.cart_coords)
    one, other = (read_frames(tmp_path / name, 0) for name in ("whole", "cut"))
    assert np.array_equal(one.steps, other.steps)
    assert np.array_equal(one.positions, other.positions)


def test_what_is_done_is_not_computed_again_but_may_be_prolonged(tmp_path: Path) -> None:
    network = gupta()
    passes = []
    network.model.register_forward_hook(lambda *_: passes.append(1))
    engine = BatchedEngine(network)
    first = engine.md([crystal()], tmp_path, steps=12, interval=5)
    passes.clear()
    again = engine.md([crystal()], tmp_path, steps=12, interval=5)
    assert not passes
    assert np.array_equal(first[0].structure.cart_coords, again[0].structure.cart_coords)
    assert_same(first[0], again[0])
    engine.md([crystal()], tmp_path, steps=20, interval=5)
    assert read_frames(tmp_path, 0).steps.tolist() == [0, 5, 10, 15, 20]


def test_another_run_s_folder_is_refused(tmp_path: Path) -> None:
    engine = BatchedEngine(gupta())
    engine.md([crystal()], tmp_path, steps=1)
    with pytest.raises(PotentialError, match=r"folder: .* other timestep"):
        engine.md([crystal()], tmp_path, steps=1, timestep=2.0)
    with pytest.raises(PotentialError, match=r"folder: .* other structures"):
        engine.md([crystal(1)], tmp_path, steps=1)
    (tmp_path / "file").write_text("")
    with pytest.raises(PotentialError, match="cannot be used"):
        engine.md([crystal()], tmp_path / "file", steps=1)


class _Bomb(torch.nn.Module):
    """Silver explodes."""

    def __init__(self, model: torch.nn.Module, after: int = 15) -> None:
        super().__init__()
        self.model, self.after, self.passes = model, after, 0

    def forward(self, data, **options):
        self.passes += 1
        out = self.model(data, **options)
        if self.passes > self.after:
            silver = data["node_attrs"].argmax(dim=1) == 3
            out["forces"] = torch.where(silver[:, None], torch.nan, out["forces"])
        return out


def test_one_that_explodes_is_dropped_and_the_others_go_on(tmp_path: Path) -> None:
    silver = slab("Ag")
    network = PlainPotential(_Bomb(gupta().model), gupta().symbols, 5.0)
    seen = {}
    results = BatchedEngine(network).md(
        [crystal(), silver, slab("Au")],
        tmp_path,
        steps=40,
        interval=4,
        on_result=lambda i, result: seen.update({i: result}),
    )
    assert results[1].failure == "energy or forces are not a number at step 15"
    assert (results[1].converged, results[1].steps, results[1].stress) == (False, 14, None)
    assert [result.steps for result in results] == [40, 14, 40]
    (there,) = BatchedEngine(gupta()).evaluate([results[1].structure])
    assert results[1].energy == pytest.approx(there.energy, abs=1e-9)
    assert results[1].forces == pytest.approx(there.forces, abs=1e-9)
    assert results[0].failure is None
    assert results[2].failure is None
    assert len(seen) == 3
    undisturbed = BatchedEngine(gupta()).md([crystal()], tmp_path / "alone", steps=40, interval=4)
    apart = undisturbed[0].structure.cart_coords - results[0].structure.cart_coords
    assert np.abs(apart).max() < 1e-9
    assert read_frames(tmp_path, 1).steps.tolist() == [0, 4, 8, 12]
    assert read_frames(tmp_path, 0).steps[-1] == 40
    again = BatchedEngine(network).md(
        [crystal(), silver, slab("Au")], tmp_path, steps=40, interval=4
    )
    assert again[1].failure == results[1].failure
    assert (again[1].steps, again[1].energy) == (14, results[1].energy)


def test_one_that_explodes_right_after_a_file_keeps_its_frames(tmp_path: Path) -> None:
    network = PlainPotential(_Bomb(gupta().model, after=20), gupta().symbols, 5.0)
    (result,) = BatchedEngine(network).md([slab("Ag")], tmp_path, steps=40, interval=1)
    assert result.failure == "energy or forces are not a number at step 20"
    assert read_frames(tmp_path, 0).steps.tolist() == list(range(20))


def test_one_that_cannot_be_evaluated_has_no_energy(tmp_path: Path) -> None:
    network = PlainPotential(_Bomb(gupta().model, after=0), gupta().symbols, 5.0)
    results = BatchedEngine(network).md([slab("Ag"), crystal()], tmp_path, steps=2)
    assert results[0].failure == "energy or forces are not a number at step 0"
    assert (results[0].converged, results[0].steps, results[0].stress) == (False, 0, None)
    assert np.isnan(results[0].energy)
    assert np.isnan(results[0].forces).all()
    assert results[0].forces.shape == (len(slab("Ag")), 3)
    assert (results[1].converged, results[1].steps) == (True, 2)


def test_atoms_that_fly_are_told_though_no_force_is_large(tmp_path: Path) -> None:
    """On a spring of 2 eV/Å² from 30 Å away: 60 eV/Å, and 1 Å in a femtosecond after some steps."""
    atoms = gas(4, 100.0)
    anchors = atoms.positions + np.array([30.0, 0, 0])
    (result,) = BatchedEngine(tether(2.0, anchors)).md(
        [atoms], tmp_path, steps=40, ensemble="nve", temperature=300.0, interval=5
    )
    assert result.failure.startswith("exploded: an atom moved 1.0")
    # v = 30 ω sin(ωt) with ω² = 2 eV/Å² over 6.94 u is 1 Å/fs after 13 fs.
    assert 12 <= result.steps <= 15


def test_frames_are_compressed(tmp_path: Path) -> None:
    import h5py

    BatchedEngine(gupta()).md([crystal()], tmp_path, steps=2, interval=1)
    (path,) = tmp_path.glob("*.h5")
    with h5py.File(path) as file:
        assert file["system-0/frames/positions"].compression == "gzip"


def _run_and_kill(script: str, folder: Path, pieces: int) -> None:
    """kill -9 a process once it has written some pieces into ``folder``, its only argument."""
    before = len(list(folder.glob("*.h5")))
    process = subprocess.Popen([sys.executable, "-c", script, str(folder)])
    deadline = time.monotonic() + 300
    while len(list(folder.glob("*.h5"))) < before + pieces:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()


@pytest.mark.slow
def test_killed_in_the_middle_it_loses_nothing(tmp_path: Path) -> None:
    """kill -9 three times, then the frames are those of a run that was let alone."""
    script = textwrap.dedent(
        """
        import sys
        from potentials.batched import BatchedEngine
        from tests.potentials.batched.networks import gupta
        from tests.potentials.batched.test_molecular_dynamics import crystal
        BatchedEngine(gupta()).md([crystal(), crystal(1)], sys.argv[1], steps=2000, interval=5)
        """
    )
    for _ in range(3):
        _run_and_kill(script, tmp_path / "killed", pieces=3)
    engine = BatchedEngine(gupta())
    systems = [crystal(), crystal(1)]
    killed = engine.md(systems, tmp_path / "killed", steps=2000, interval=5)
    whole = engine.md(systems, tmp_path / "whole", steps=2000, interval=5)
    for i in range(2):
        assert np.array_equal(killed[i].structure.cart_coords, whole[i].structure.cart_coords)
        one, other = (read_frames(tmp_path / name, i) for name in ("killed", "whole"))
        assert np.array_equal(one.steps, np.arange(0, 2001, 5))
        assert np.array_equal(one.positions, other.positions)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ensemble", ["nvt", "normal-stress"])
def test_killed_on_a_gpu_it_goes_on_bit_for_bit(tmp_path: Path, dtype: str, ensemble: str) -> None:
    """With torch's own operations; of NVIDIA's kernels nobody promises it."""
    if importlib.util.find_spec("cuequivariance_ops_torch") is not None:
        pytest.skip("cuEquivariance's kernels are installed")
    script = textwrap.dedent(
        f"""
        import sys
        from potentials.batched import BatchedEngine
        from tests.potentials.batched.networks import random_mace
        from tests.potentials.batched.systems import alloy
        systems = [alloy(seed, ("Cu", "Au")) * (2, 2, 2) for seed in range(6)]
        network = random_mace.__wrapped__({dtype!r}, device="cuda")
        results = BatchedEngine(network).md(
            systems, sys.argv[1], steps=400, interval=5, friction=0.02, ensemble={ensemble!r}
        )
        assert all(result.converged for result in results), results[0].failure
        """
    )
    for _ in range(2):
        _run_and_kill(script, tmp_path / "killed", pieces=1)
    for name in ("killed", "whole"):
        subprocess.run([sys.executable, "-c", script, str(tmp_path / name)], check=True)
    for i in range(6):
        one, other = (read_frames(tmp_path / name, i) for name in ("killed", "whole"))
        for name, values in vars(one).items():
            assert np.array_equal(values, getattr(other, name)), name

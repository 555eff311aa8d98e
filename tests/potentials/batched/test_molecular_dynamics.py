"""Dynamics against what statistical mechanics says, and against being stopped."""

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
        assert np.array_equal(whole[i].velocities, parts[i].velocities)
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
    first = engine.md([crystal()], tmp_path, steps=10, interval=5)
    passes.clear()
    again = engine.md([crystal()], tmp_path, steps=10, interval=5)
    assert not passes
    assert np.array_equal(first[0].structure.cart_coords, again[0].structure.cart_coords)
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

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model, self.passes = model, 0

    def forward(self, data, **options):
        self.passes += 1
        out = self.model(data, **options)
        if self.passes > 15:
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
    assert np.isfinite(results[1].structure.cart_coords).all()
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
    command = [sys.executable, "-c", script, str(tmp_path / "killed")]
    for _ in range(3):
        before = len(list((tmp_path / "killed").glob("*.h5")))
        process = subprocess.Popen(command)
        deadline = time.monotonic() + 300
        while len(list((tmp_path / "killed").glob("*.h5"))) < before + 3:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.wait()
    engine = BatchedEngine(gupta())
    systems = [crystal(), crystal(1)]
    killed = engine.md(systems, tmp_path / "killed", steps=2000, interval=5)
    whole = engine.md(systems, tmp_path / "whole", steps=2000, interval=5)
    for i in range(2):
        assert np.array_equal(killed[i].structure.cart_coords, whole[i].structure.cart_coords)
        one, other = (read_frames(tmp_path / name, i) for name in ("killed", "whole"))
        assert np.array_equal(one.steps, np.arange(0, 2001, 5))
        assert np.array_equal(one.positions, other.positions)

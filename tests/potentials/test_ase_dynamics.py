"""Molecular dynamics by ASE's calculators beside the batched engine's."""

from pathlib import Path

import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from potentials.ase_engine import AseEngine
from potentials.batched import BatchedEngine
from potentials.batched.trajectory import read_frames
from potentials.errors import PotentialError
from potentials.final_energies import FinalEnergiesEngine
from potentials.potential import CalculatorPotential
from tests.potentials.batched.networks import ase_engine, gupta
from tests.potentials.batched.systems import alloy, slab

ENSEMBLES = ("nve", "nvt", "normal-stress")


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_it_moves_as_the_batched_engine_does(tmp_path: Path, ensemble: str) -> None:
    systems = [alloy(0), alloy(1, ("Cu", "Au"))]
    systems += [slab("Cu")] if ensemble != "normal-stress" else []
    options = {"steps": 24, "ensemble": ensemble, "temperature": 400.0, "interval": 6, "seed": 3}
    one = ase_engine(gupta()).md(systems, tmp_path / "ase", **options)
    two = BatchedEngine(gupta()).md(systems, tmp_path / "batched", **options)
    for i, (alone, together) in enumerate(zip(one, two, strict=True)):
        assert (alone.failure, alone.steps, alone.converged) == (None, 24, True)
        assert alone.energy == pytest.approx(together.energy, abs=1e-8)
        assert alone.forces == pytest.approx(together.forces, abs=1e-7)
        assert alone.stress == pytest.approx(together.stress, abs=1e-9)
        assert alone.force_evaluations == together.force_evaluations
        apart = alone.structure.cart_coords - together.structure.cart_coords
        assert np.abs(apart).max() < 1e-8
        assert np.abs(alone.structure.cart_coords - systems[i].positions).max() > 0.01
        frames, others = (read_frames(tmp_path / name, i) for name in ("ase", "batched"))
        assert frames.energies == pytest.approx(others.energies, abs=1e-8)
        assert frames.stresses == pytest.approx(others.stresses, abs=1e-9)
        assert frames.cells == pytest.approx(others.cells, abs=1e-8)


class _StopError(Exception):
    pass


def test_a_stopped_run_goes_on_bit_for_bit_and_finished_systems_stand(tmp_path: Path) -> None:
    """With a calculator that lists its pairs anew at every step."""
    systems = [alloy(0), alloy(1)]
    options = {"steps": 30, "interval": 1}
    whole = ase_engine(gupta()).md(systems, tmp_path / "whole", **options)
    done, told = [], []

    def stop(progress) -> None:
        told.append(progress.step)
        if len(told) == 3:  # in the second system
            raise _StopError

    with pytest.raises(_StopError):
        ase_engine(gupta()).md(systems, tmp_path / "parts", on_progress=stop, **options)
    assert told == [19, 30, 19]
    parts = ase_engine(gupta()).md(
        systems,
        tmp_path / "parts",
        on_progress=lambda progress: done.append(progress.step),
        **options,
    )
    assert done == [30]
    for a, b in zip(whole, parts, strict=True):
        assert np.array_equal(a.structure.cart_coords, b.structure.cart_coords)


class _Failing(EMT):
    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        if self.atoms.numbers[0] == 47:
            raise RuntimeError("did not\nconverge")


def test_a_calculator_that_raises_gives_up_its_system_only(tmp_path: Path) -> None:
    engine = AseEngine(CalculatorPotential(_Failing, name="emt", elements=["Cu", "Ag"]))
    results = engine.md([slab("Ag"), slab("Cu")], tmp_path, steps=3, interval=1)
    assert results[0].failure == "RuntimeError: did not converge at step 0"
    assert (results[0].steps, results[0].converged, results[0].stress) == (0, False, None)
    assert np.isnan(results[0].energy)
    assert np.isfinite(results[0].structure.cart_coords).all()
    assert (results[1].failure, results[1].steps) == (None, 3)
    (there,) = engine.evaluate([results[1].structure])
    assert results[1].energy == pytest.approx(there.energy, abs=1e-9)
    assert results[1].stress == pytest.approx(there.stress, abs=1e-11)


def test_a_calculator_without_stress_moves_at_constant_volume(tmp_path: Path) -> None:
    calls = []

    class NoStress(LennardJones):
        implemented_properties = ["energy", "forces"]  # noqa: RUF012

        def calculate(self, *args, **kwargs):
            calls.append(1)
            super().calculate(*args, **kwargs)
            self.results.pop("stress", None)

    engine = AseEngine(CalculatorPotential(NoStress, name="lj", elements=["Cu"]))
    (result,) = engine.md([alloy(0, ("Cu",))], tmp_path, steps=2, interval=1, timestep=0.1)
    assert (result.failure, result.stress) == (None, None)
    assert np.isnan(read_frames(tmp_path, 0).stresses).all()
    calls.clear()
    (again,) = engine.md([alloy(0, ("Cu",))], tmp_path, steps=2, interval=1, timestep=0.1)
    assert (again.energy, again.stress) == (result.energy, None)
    assert not calls


def test_two_potentials_do_not_move(tmp_path: Path) -> None:
    both = FinalEnergiesEngine(gupta().identity, ase_engine(gupta()), ase_engine(gupta()))
    with pytest.raises(PotentialError, match="two potentials"):
        both.md([alloy(0)], tmp_path, steps=1)

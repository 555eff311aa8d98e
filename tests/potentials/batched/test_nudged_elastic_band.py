"""Barriers against ase.mep.NEB, and the tangents and forces they rest on."""

import functools

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.mep import NEB
from ase.optimize import FIRE

from potentials.batched import BatchedEngine
from potentials.batched import nudged_elastic_band as module
from potentials.conversion import to_atoms
from potentials.protocol import Band
from tests.potentials.batched.networks import GuptaCalculator, PlainPotential, gupta
from tests.potentials.batched.systems import hop

HOPS = [
    (metal, facet, adatom)
    for metal, adatoms in (("Cu", ("Ag", "Cu")), ("Au", ("Ag",)), ("Al", ("Cu",)))
    for adatom in adatoms
    for facet in ("111", "100", "110")
]


@functools.cache
def bands() -> list[Band]:
    """Twelve hops with relaxed end states."""
    pairs = [hop(*each) for each in HOPS]
    ends = BatchedEngine(gupta()).relax([end for pair in pairs for end in pair], fmax=0.01)
    assert all(end.converged for end in ends)
    return [Band(ends[2 * i].structure, ends[2 * i + 1].structure) for i in range(len(pairs))]


def ase_barrier(band: Band, n_images: int, fmax: float) -> tuple[float, int]:
    """Barrier and image evaluations of ase.mep.NEB, end states included."""
    images = [to_atoms(band.initial)]
    images += [images[0].copy() for _ in range(n_images)]
    images.append(to_atoms(band.final))
    for image in images:
        image.calc = GuptaCalculator(gupta())
    path = NEB(images, k=0.1, climb=True, method="improvedtangent")
    path.interpolate("idpp", mic=True)
    optimizer = FIRE(path, logfile=None)
    optimizer.run(fmax=fmax, steps=400)
    energies = [image.get_potential_energy() for image in images]
    return max(energies) - energies[0], 2 + n_images * (optimizer.nsteps + 1)


@pytest.mark.slow
def test_barriers_of_ase_over_twelve_hops() -> None:
    results = BatchedEngine(gupta()).neb(bands(), fmax=0.02)
    spent = 0
    for band, result in zip(bands(), results, strict=True):
        barrier, evaluations = ase_barrier(band, 5, 0.02)
        spent += evaluations
        assert result.converged
        assert abs(result.barrier - barrier) < 3e-3
    assert sum(result.force_evaluations for result in results) < 0.4 * spent


def test_barriers_of_ase_over_two_hops() -> None:
    chosen = bands()[:2]
    for band, result in zip(chosen, BatchedEngine(gupta()).neb(chosen, fmax=0.02), strict=True):
        barrier, _ = ase_barrier(band, 3, 0.02)
        assert result.converged
        assert result.max_force < 0.02
        assert abs(result.barrier - barrier) < 3e-3


def test_result_is_the_path_it_says_it_is() -> None:
    engine = BatchedEngine(gupta())
    for band, result in zip(bands()[:3], engine.neb(bands()[:3]), strict=True):
        assert len(result.images) == len(result.energies) == 7
        again = engine.evaluate(result.images)
        assert np.allclose([one.energy for one in again], result.energies, atol=2e-3)
        assert result.barrier == result.energies.max() - result.energies[0]
        assert result.reverse_barrier == result.energies.max() - result.energies[-1]
        assert 0 < result.energies.argmax() < 6
        assert np.allclose(result.images[0].cart_coords, band.initial.cart_coords)
        assert result.force_evaluations <= 2 + 5 * (result.steps + 1)
        kept = np.array(result.images[3].site_properties["selective_dynamics"])
        assert np.array_equal(kept, band.initial.site_properties["selective_dynamics"])
        saddle = again[int(result.energies.argmax())]
        assert saddle.max_force < 0.05  # a climbing image stands still


def test_half_of_a_symmetric_path_says_all(monkeypatch) -> None:
    symmetric = [band for band, (_, facet, _) in zip(bands(), HOPS, strict=True) if facet != "111"]
    half = BatchedEngine(gupta()).neb(symmetric[:4])
    monkeypatch.setattr(module, "find_reversal", lambda *_: None)
    whole = BatchedEngine(gupta()).neb(symmetric[:4])
    for one, other in zip(half, whole, strict=True):
        assert one.force_evaluations < 0.7 * other.force_evaluations
        assert abs(one.barrier - other.barrier) < 1e-3
        assert np.allclose(one.energies, other.energies, atol=2e-3)


def test_a_band_does_not_care_for_company_or_order() -> None:
    alone = [BatchedEngine(gupta()).neb([band])[0] for band in bands()[:4]]
    together = BatchedEngine(gupta(), max_atoms_per_batch=250).neb(bands()[3::-1])
    for one, other in zip(alone, together[::-1], strict=True):
        assert one.steps == other.steps
        assert abs(one.barrier - other.barrier) < 1e-6


def test_without_climbing_the_highest_image_lies_below_the_saddle() -> None:
    band = bands()[2]
    (climbed,) = BatchedEngine(gupta()).neb([band], n_images=4)
    (plain,) = BatchedEngine(gupta()).neb([band], n_images=4, climb=False)
    assert plain.converged
    assert plain.barrier < climbed.barrier - 5e-3


def test_a_vacancy_hops_in_a_crystal() -> None:
    first = bulk("Cu", cubic=True) * (2, 2, 2)
    hole = first.positions[0].copy()
    del first[0]
    last = first.copy()
    last.positions[np.linalg.norm(first.positions - hole, axis=1).argmin()] = hole
    engine = BatchedEngine(gupta())
    ends = engine.relax([first, last], fmax=0.005)
    (result,) = engine.neb([Band(ends[0].structure, ends[1].structure)])
    assert result.converged
    assert result.barrier == pytest.approx(result.reverse_barrier, abs=1e-6)
    assert 0.5 < result.barrier < 1.0  # this potential's own; experiment 0.7 eV


def test_tangents_of_the_paper() -> None:
    """A climb follows the next image, a fall the one before, a top both by their energies."""
    behind = torch.tensor([1.0, 0.0, 0.0]).view(1, 1, 1, 3)
    ahead = torch.tensor([0.0, 2.0, 0.0]).view(1, 1, 1, 3)
    expected = {
        (0.0, 1.0, 2.0): [0.0, 1.0, 0.0],
        (2.0, 1.0, 0.0): [1.0, 0.0, 0.0],
        (0.0, 3.0, 1.0): [2 * 1.0, 3 * 2.0, 0.0],  # |dE| 3 behind, 2 ahead; next is higher
        (1.0, 3.0, 0.0): [3 * 1.0, 2 * 2.0, 0.0],
        (1.0, 0.0, 3.0): [1 * 1.0, 3 * 2.0, 0.0],
    }
    for (before, here, after), direction in expected.items():
        tangents = module._tangents(
            torch.tensor([[here]]), torch.tensor([[before, after]]), behind, ahead
        )
        wanted = torch.nn.functional.normalize(torch.tensor(direction), dim=0)
        assert torch.allclose(tangents.flatten(), wanted), (before, here, after)


def test_out_of_steps_and_bad_ends_are_said_while_others_go_on() -> None:
    band = bands()[0]
    broken = to_atoms(band.initial)
    broken.positions[3] = np.nan
    results = BatchedEngine(gupta()).neb([Band(broken, band.final), band])
    assert results[0].failure.startswith("end state: positions or cell are not a number")
    assert not results[0].converged
    assert np.isnan(results[0].barrier)
    assert results[1].converged
    (stopped,) = BatchedEngine(gupta()).neb([band], max_steps=1)
    assert stopped.failure.startswith("not converged in 1 steps: largest force")
    assert stopped.steps == 1


class _NoSecondLook(torch.nn.Module):
    """Fails on every pass after the first few."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model, self.passes = model, 0

    def forward(self, data, **options):
        self.passes += 1
        out = self.model(data, **options)
        if self.passes > 2:
            out["energy"] = out["energy"] * torch.nan
        return out


def test_a_band_that_breaks_is_given_up() -> None:
    network = PlainPotential(_NoSecondLook(gupta().model), gupta().symbols, 5.0)
    (result,) = BatchedEngine(network).neb([bands()[1]])
    assert result.failure == "energy or forces are not a number"
    assert not result.converged
    assert np.isfinite(result.barrier)  # of the last sound path


def test_results_come_as_bands_finish() -> None:
    seen = {}
    results = BatchedEngine(gupta(), max_atoms_per_batch=1).neb(
        bands()[:3], on_result=lambda i, result: seen.update({i: result})
    )
    assert list(seen) == [0, 1, 2]
    assert all(results[i] is seen[i] for i in range(3))

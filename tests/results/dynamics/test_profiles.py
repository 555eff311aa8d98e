"""Profiles, crossings, voids, bonds and g(r) against counting by hand and known structures."""

import numpy as np
import pytest
from ase.build import bulk

from results.dynamics.bonds import bond_changes, radial_distribution
from results.dynamics.profiles import (
    Contact,
    atoms_crossed,
    contact_of,
    density_profiles,
    mixed_zone_width,
    separation,
    void_fraction,
)
from results.dynamics.trajectory import Trajectory
from results.errors import ResultsError


def trajectory(symbols, positions, cell) -> Trajectory:
    positions = np.asarray(positions, dtype=float)
    n = len(positions)
    cells = np.tile(np.asarray(cell, dtype=float), (n, 1, 1))
    return Trajectory(
        tuple(symbols), np.arange(n) * 0.1, positions, cells, np.zeros(n), np.zeros(n)
    )


def test_density_profile_against_a_counted_one():
    rng = np.random.default_rng(0)
    cell = np.array([[7.0, 0, 0], [2.0, 6.0, 0], [1.0, -2.0, 12.0]])
    symbols = ["Li"] * 30 + ["S"] * 20
    frames = rng.uniform(-15, 15, size=(3, 50, 3))
    found = density_profiles(trajectory(symbols, frames, cell), bin_width=1.5)
    assert len(found.heights) == 8
    for frame, positions in enumerate(frames):
        for element in ("Li", "S"):
            for place in range(8):
                count = 0
                for symbol, position in zip(symbols, positions, strict=True):
                    wrapped = position[2] % 12.0
                    count += symbol == element and 1.5 * place <= wrapped < 1.5 * (place + 1)
                assert found.densities[element][frame, place] == pytest.approx(count / 42 / 1.5)
    total = found.total.mean() * 42 * 12
    assert total == pytest.approx(50)
    shares = found.composition("Li") + found.composition("S")
    assert np.nan_to_num(shares, nan=1.0) == pytest.approx(1)


def layers(n_film=4, n_substrate=4, spacing=2.0, vacuum=10.0, n_frames=3):
    """Square layers of Cu under square layers of Li, 6 x 6 atoms each, 3 Å apart."""
    grid = np.stack(np.meshgrid(np.arange(6), np.arange(6), indexing="ij"), -1).reshape(-1, 2) * 3.0
    heights = np.arange(n_film + n_substrate) * spacing + 1.0
    where = np.concatenate([np.column_stack([grid, np.full(36, h)]) for h in heights])
    symbols = ["Cu"] * 36 * n_substrate + ["Li"] * 36 * n_film
    cell = np.diag([18.0, 18.0, spacing * (n_film + n_substrate) + vacuum])
    film = np.arange(len(symbols)) >= 36 * n_substrate
    return symbols, np.tile(where, (n_frames, 1, 1)), cell, film


def test_contact_lies_between_the_sides():
    symbols, where, cell, film = layers()
    run = trajectory(symbols, where, cell)
    contact = contact_of(run, film)
    assert contact.lower == pytest.approx(8.0)
    assert contact.film_layer.sum() == contact.substrate_layer.sum() == 36
    assert separation(run, contact) == pytest.approx([2.0] * 3)
    assert atoms_crossed(run, film, contact) == {}
    assert mixed_zone_width(run, film, contact) == 0


def test_crossings_are_counted_in_the_frame_of_the_substrate():
    symbols, where, cell, film = layers()
    where[1:] += [0.0, 0.0, 3.0]  # everything moves: nothing crosses
    where[2, 36 * 4 : 36 * 4 + 5, 2] -= 4.0  # five Li go under the plane
    where[2, 36 * 3 : 36 * 3 + 2, 2] += 3.0  # two Cu above it
    run = trajectory(symbols, where, cell)
    crossed = atoms_crossed(run, film, contact_of(run, film))
    assert crossed["Li into substrate"].tolist() == [0, 0, 5]
    assert crossed["Cu into film"].tolist() == [0, 0, 2]


def test_crossing_at_the_other_contact_of_a_cell_without_vacuum():
    symbols, where, cell, film = layers(vacuum=0.0)
    where[1:, -3:, 2] += 3.0  # out of the film's top into the substrate's image
    run = trajectory(symbols, where, cell)
    assert atoms_crossed(run, film, contact_of(run, film))["Li into substrate"].tolist() == [
        0,
        3,
        3,
    ]


@pytest.mark.parametrize("width", [3.0, 6.0])
def test_width_of_a_known_mixture(width):
    rng = np.random.default_rng(0)
    n = 20000
    heights = rng.uniform(0, 40, size=n)
    film = rng.uniform(size=n) < (1 + np.tanh(2 * (heights - 20) / width)) / 2
    where = np.column_stack([rng.uniform(0, 20, (n, 2)), heights])
    contact = Contact(20.0, 45.0, float(heights[~film].mean()), film, ~film)
    run = trajectory(["Li"] * n, where[None], np.diag([20.0, 20.0, 50.0]))
    assert mixed_zone_width(run, film, contact) == pytest.approx(width, rel=0.1)


def test_voids_where_atoms_are_missing():
    symbols, where, cell, film = layers()
    run = trajectory(symbols, where, cell)
    contact = contact_of(run, film)
    assert void_fraction(run, film, contact) == pytest.approx([0.0] * 3)
    # Half of the lowest Li layer lifted away: a gap from x = 6 to 18 less the discs at its edges.
    lowest = np.flatnonzero(contact.film_layer)
    gone = lowest[where[0, lowest, 0] > 7]
    lifted = where.copy()
    lifted[1:, gone, 2] += 4.0
    found = void_fraction(trajectory(symbols, lifted, cell), film, contact)
    assert found[0] == 0
    # The discs of radius 2.6 Å, 3 Å apart, reach between 2.12 and 2.6 Å into the gap of 12 Å.
    assert (12 - 5.2) / 18 < found[1] < (12 - 4.24) / 18


def test_sides_must_be_sides():
    symbols, where, cell, film = layers()
    run = trajectory(symbols, where, cell)
    with pytest.raises(ResultsError, match="above"):
        contact_of(run, ~film)
    with pytest.raises(ResultsError, match="none"):
        contact_of(run, film & False)
    with pytest.raises(ResultsError, match="cells"):
        Trajectory(
            ("Li",), np.zeros(1), np.zeros((1, 1, 3)), np.zeros((2, 3, 3)), *[np.zeros(1)] * 2
        )


def test_bonds_that_break_and_form():
    # A PS4-like unit loses one S to a Li that comes near.
    start = np.array([[0, 0, 0], [2.05, 0, 0], [-2.05, 0, 0], [0, 2.05, 0], [12.0, 0, 0]]) + 3.0
    wobble = start.copy()
    wobble[1, 0] += 0.7  # 2.75 Å: beyond forming, not yet broken
    end = start.copy()
    end[1, 0] = 3 + 9.6
    run = trajectory(["P", "S", "S", "S", "Li"], [start, wobble, end], np.diag([30.0, 20, 20]))
    found = {change.pair: change for change in bond_changes(run)}
    assert found["P", "S"].counts.tolist() == [3, 3, 2]
    assert (found["P", "S"].broken, found["P", "S"].formed) == (1, 0)
    assert (found["Li", "S"].broken, found["Li", "S"].formed) == (0, 1)


def test_bonds_to_images_count_in_a_small_cell():
    # One atom of fcc Cu has twelve neighbours, all of them its own images: six bonds an atom.
    cell = bulk("Cu", "fcc", a=3.6).cell.array
    (found,) = bond_changes(trajectory(["Cu"], np.zeros((2, 1, 3)), cell))
    assert found.counts.tolist() == [6, 6]
    assert (found.broken, found.formed) == (0, 0)


def test_g_of_r_of_a_gas_is_one_and_of_bcc_counts_its_shells():
    rng = np.random.default_rng(0)
    gas = trajectory(["Li"] * 200, rng.uniform(0, 15, (20, 200, 3)), np.eye(3) * 15)
    r, g = radial_distribution(gas, ("Li", "Li"), r_max=9.0, bin_width=0.5)
    assert g[r > 2] == pytest.approx(np.ones((r > 2).sum()), abs=0.1)
    crystal = bulk("Li", "bcc", a=3.5, cubic=True).repeat(3)
    run = trajectory(["Li"] * 54, crystal.positions[None], crystal.cell.array)
    r, g = radial_distribution(run, ("Li", "Li"), r_max=4.0, bin_width=0.02)
    shells = 4 / 3 * np.pi * ((r + 0.01) ** 3 - (r - 0.01) ** 3) * 53 / 10.5**3
    neighbours = np.cumsum(g * shells)
    assert neighbours[r < 3.2][-1] == pytest.approx(8)
    assert neighbours[-1] == pytest.approx(14)


def test_g_of_r_of_two_elements_counts_both_ways():
    salt = bulk("LiF", "rocksalt", a=4.0, cubic=True).repeat(2)
    run = trajectory(salt.get_chemical_symbols(), salt.positions[None], salt.cell.array)
    for pair in (("Li", "F"), ("F", "Li")):
        r, g = radial_distribution(run, pair, r_max=3.0, bin_width=0.02)
        shells = 4 / 3 * np.pi * ((r + 0.01) ** 3 - (r - 0.01) ** 3) * 32 / 512
        assert (g * shells).sum() == pytest.approx(6)
    with pytest.raises(ResultsError, match="Na"):
        radial_distribution(run, ("Li", "Na"))

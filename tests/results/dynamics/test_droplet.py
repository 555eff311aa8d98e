"""Contact angles of synthetic drops."""

import math

import numpy as np
import pytest

from results.dynamics.droplet import (
    LAYER_TOP,
    MONOLAYER,
    angle_of_cap,
    angle_of_height,
    drop_shape,
)
from results.errors import ResultsError

DENSITY, LENGTH = 0.0445, 25.0  # liquid Li at its melting point, atoms/Å³; Å


def synthetic_drop(rng, angle, *, area=1600.0, n_frames=25, vapour=0, fuzz=0.5):
    """Atoms thrown evenly into a circular segment, smoothed by ``fuzz`` Å as capillary waves do."""
    theta = math.radians(angle)
    radius = math.sqrt(area / (theta - math.sin(theta) * math.cos(theta)))
    centre = -radius * math.cos(theta)
    half = radius * (math.sin(theta) if angle < 90 else 1.0)
    top, n_atoms = radius + centre, round(area * DENSITY * LENGTH)
    x, z = [], []
    for _ in range(n_frames):
        tried = rng.uniform((-half, 0.0), (half, top), size=(60 * n_atoms, 2))
        inside = tried[tried[:, 0] ** 2 + (tried[:, 1] - centre) ** 2 < radius**2][:n_atoms]
        assert len(inside) == n_atoms
        x.append(inside[:, 0])
        z.append(inside[:, 1])
    width = 2 * half + 40
    x, z = np.array(x) + rng.normal(scale=fuzz, size=(n_frames, n_atoms)), np.array(z)
    x[:, :vapour] = rng.uniform(-width / 2, width / 2, size=(n_frames, vapour))
    z[:, :vapour] = rng.uniform(3, top + 30, size=(n_frames, vapour))
    return x, z, width


@pytest.mark.parametrize("angle", [20, 30, 45, 60, 75, 90, 105, 120, 135, 150, 160])
def test_angle_of_a_synthetic_drop(angle):
    rng = np.random.default_rng(angle)
    x, z, width = synthetic_drop(rng, angle)
    found = drop_shape((x + 0.4 * width) % width, z + 8.0, width, 8.0, LENGTH, DENSITY)
    assert found.state == "drop"
    assert found.angle == pytest.approx(angle, abs=5)
    assert found.error < 12


@pytest.mark.parametrize("angle", [60, 120])
def test_a_small_drop_with_vapour(angle):
    x, z, width = synthetic_drop(np.random.default_rng(1), angle, area=450.0, n_frames=60, vapour=8)
    found = drop_shape(x, z, width, 0.0, LENGTH, DENSITY)
    assert found.angle == pytest.approx(angle, abs=8)


def test_a_film_is_complete_wetting():
    rng = np.random.default_rng(0)
    x, z = rng.uniform(0, 40, size=(10, 300)), rng.uniform(0, 6, size=(10, 300))
    found = drop_shape(x, z, 40.0, 0.0, 26.0, 300 / 40 / 26 / 6)
    assert (found.state, found.angle) == ("film", 0.0)
    assert "under" in found.reason


@pytest.mark.parametrize("angle", [45, 80, 120])
def test_a_drop_on_a_layer_of_its_own_is_no_film(angle):
    """Its angle counts from the layer's top; half a layer is none to stand on."""
    rng = np.random.default_rng(angle)
    x, z, width = synthetic_drop(rng, angle)

    def with_layer(monolayers):
        n = round(monolayers * MONOLAYER * width * LENGTH)
        along = rng.uniform(-width / 2, width / 2, size=(len(x), n))
        heights = rng.normal(1.2, 0.2, size=(len(x), n))
        over = np.concatenate([z + (LAYER_TOP if monolayers > 0.7 else 0.0), heights], axis=1)
        return drop_shape(np.concatenate([x, along], axis=1), over, width, 0.0, LENGTH, DENSITY)

    whole, half, bare = with_layer(1.0), with_layer(0.5), with_layer(0.0)
    assert (whole.state, half.state, bare.state) == ("drop", "drop", "drop")
    assert [whole.layer, half.layer, bare.layer] == pytest.approx([1.0, 0.5, 0.0], abs=0.03)
    assert (whole.floor, half.floor, bare.floor) == (LAYER_TOP, 0.0, 0.0)
    assert whole.angle == pytest.approx(angle, abs=5)
    assert bare.angle == pytest.approx(angle, abs=5)


def test_a_drop_that_left_does_not_wet():
    rng = np.random.default_rng(0)
    x, z, width = synthetic_drop(rng, 160, n_frames=4)
    found = drop_shape(x, z + 12, width, 0.0, LENGTH, DENSITY)
    assert (found.state, found.angle) == ("non-wetting", 180.0)


def test_atoms_that_are_all_under_the_base_are_no_drop():
    x, z, width = synthetic_drop(np.random.default_rng(0), 90, n_frames=2)
    found = drop_shape(x, z - 100, width, 0.0, LENGTH, DENSITY)
    assert found.angle is None
    assert "points" in found.reason


def test_a_ball_that_just_touches_does_not_wet():
    rng = np.random.default_rng(0)
    x, z, width = synthetic_drop(rng, 178)
    assert drop_shape(x, z, width, 0.0, LENGTH, DENSITY).state == "non-wetting"


@pytest.mark.parametrize("angle", [10, 45, 90, 135, 170])
def test_angle_from_the_mean_height(angle):
    _, z, _ = synthetic_drop(np.random.default_rng(2), angle, n_frames=4)
    assert angle_of_height(float(z.mean()), 1600.0) == pytest.approx(angle, abs=1.5)


def test_angle_of_a_half_circle():
    assert angle_of_cap(20.0, math.pi * 50) == pytest.approx(90)
    assert angle_of_height(4 * 10 / (3 * math.pi), math.pi * 50) == pytest.approx(90)
    assert angle_of_height(1e3, 100.0) is None


def test_shapes_are_checked():
    with pytest.raises(ResultsError, match="heights"):
        drop_shape(np.zeros((2, 3)), np.zeros((2, 4)), 1.0, 0.0, 1.0, 1.0)
    with pytest.raises(ResultsError, match="density"):
        drop_shape(np.zeros((2, 3)), np.zeros((2, 3)), 1.0, 0.0, 1.0, 0.0)

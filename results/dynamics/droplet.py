"""Contact angle of a cylindrical drop from the circle through its half-density line.

The atoms of the frames are smeared out in the plane across the drop's axis (Willard and Chandler,
J. Phys. Chem. B 114, 1954 (2010)); along rays from the middle of the base, the points where the
density falls to half of the liquid's are the surface, and a circle through them meets the base at
the contact angle. A cylinder has a straight contact line, so that the line tension drops out of the
force balance (see de Ruijter, Blake and De Coninck, Langmuir 15, 7836 (1999)); what is left is the
curvature of a drop a few nanometres wide, against which only a larger drop helps.

A liquid may cover the solid with one layer of its atoms and still stand on it as a drop
(pseudo-partial wetting: Brochard-Wyart et al., Langmuir 7, 335 (1991)). Then the angle is counted
from the layer's top.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.optimize import brentq, least_squares

from results.dynamics.trajectory import Floats
from results.errors import ResultsError

State = Literal["drop", "film", "non-wetting"]

SMEARING = 1.5
"""Standard deviation of each atom's smear, Å: half the distance of neighbours in liquid Li."""
CLEARANCE = 3.5
"""Height above the base under which the surface is not fitted, Å: the first layer of a liquid on a
solid is denser than the liquid, and the smear meets the solid."""
BASE_UNCERTAINTY = 0.5
"""How far the height of the base plane is uncertain, Å; part of the angle's error."""
FILM_COVER = 0.95
"""Share of the cell's width that liquid covers, above its first layer, from which it is a film."""
LAYER_TOP = 2.4
"""Top of the liquid's first layer above the base, Å: the base is 1.0 to 1.4 Å under the layer, and
half of the distance of close-packed layers of Li, 2.48 Å, lies above it."""
MONOLAYER = 0.1195
"""Atoms/Å² in a layer of Li(110), √2/a² with a = 3.44 Å."""
LEAST_LAYER = 0.75
"""Monolayers beside a drop from which it stands on a layer of its own."""
NON_WETTING_ANGLE = 170.0
"""Degrees; beyond, a drop touches the base in less than a sixth of its width."""
DETACHED = 5.0
"""Å between the base and the lowest liquid atoms from which a drop has left the surface."""
_GRID = 0.5
_RAYS = 121
_LEAST_POINTS = 8


@dataclass(frozen=True)
class DropShape:
    """What a drop looks like over some frames.

    Attributes:
        state: ``"drop"``; ``"film"`` where it wets completely or spans the cell; ``"non-wetting"``
            where it has left the surface or hardly touches it.
        angle: contact angle, degrees; 0 for a film, 180 for one that does not wet; None where no
            circle can be drawn.
        error: of the fit and of the base plane's height, degrees; None for a limit.
        radius: of the circle, Å; None for a limit.
        centre: height of the circle's centre above the base, Å; None for a limit.
        points: (n, 2), the surface, Å: across the drop from its middle, height above the base.
        reason: what a limit or a missing angle rests on; None for a drop.
        layer: Li in the first layer on the facet beside the drop, monolayers of Li(110); None where
            there is nothing beside it.
        floor: height above the given base at which the drop's own base is, Å: `LAYER_TOP` where it
            stands on a layer, else 0. ``centre`` and ``points`` count from there.
    """

    state: State
    angle: float | None
    error: float | None
    radius: float | None
    centre: float | None
    points: Floats
    reason: str | None
    layer: float | None = None
    floor: float = 0.0


def drop_shape(
    across: ArrayLike,
    heights: ArrayLike,
    width: float,
    base: float,
    length: float,
    density: float,
) -> DropShape:
    """The shape of a liquid cylinder on a plane.

    Args:
        across: (n_frames, n_atoms), positions across the axis, Å, periodic with ``width``.
        heights: (n_frames, n_atoms), Å.
        width: of the cell across the axis, Å.
        base: height of the plane that the drop stands on, Å.
        length: of the cell along the axis, Å.
        density: of the liquid, atoms/Å³.

    Raises:
        ResultsError: arrays of different shapes, or a length that is not positive.
    """
    x, z = np.asarray(across, dtype=float), np.asarray(heights, dtype=float) - base
    if x.ndim != 2 or x.shape != z.shape or not x.size:
        raise ResultsError(f"heights: shape {z.shape} for across {x.shape}; give both alike")
    for name, number in (("width", width), ("length", length), ("density", density)):
        if not number > 0:
            raise ResultsError(f"{name}: {number} is not positive")
    none = np.zeros((0, 2))
    lowest = float(np.median(np.sort(z, axis=1)[:, : max(1, z.shape[1] // 50)]))
    if lowest > DETACHED:
        reason = f"its lowest atoms are {lowest:.1f} Å above the base"
        return DropShape("non-wetting", 180.0, None, None, None, none, reason)
    x = _centred(x, width)
    grid, extent = _smeared(x, z, width, length)
    row = extent.row(CLEARANCE)
    # Of a run that exploded all atoms may be under the base.
    liquid = grid[:, row] > density / 2 if row < grid.shape[1] else np.zeros(len(grid), dtype=bool)
    if liquid.mean() >= FILM_COVER:
        n_atoms = x.shape[1]
        widest = angle_of_cap(width, n_atoms / density / length)
        reason = f"liquid covers the cell's width of {width:.0f} Å; a drop of this volume would at"
        reason += f" any angle under {widest:.0f}°"
        return DropShape("film", 0.0, None, None, None, none, reason)
    layer = _layer_beside(x, z, liquid, extent, length)
    floor = LAYER_TOP if layer is not None and layer >= LEAST_LAYER else 0.0
    if floor:
        extent = replace(extent, z=extent.z - floor)
    points = _surface(grid, extent, density / 2)
    if len(points) < _LEAST_POINTS:
        reason = f"{len(points)} points of its surface are over {CLEARANCE:g} Å; take a larger drop"
        return DropShape("drop", None, None, None, None, points, reason, layer, floor)
    centre, radius, errors = _circle(points)
    cosine = -centre / radius
    if cosine >= 1:
        reason = "the circle lies wholly under the base"
        return DropShape("film", 0.0, None, None, None, points, reason, layer, floor)
    angle = 180.0 if cosine <= -1 else math.degrees(math.acos(cosine))
    if angle >= NON_WETTING_ANGLE:
        reason = f"the circle meets the base at {angle:.0f}°, or not at all"
        return DropShape("non-wetting", 180.0, None, None, None, points, reason, layer, floor)
    sine = math.sqrt(1 - cosine**2)
    # cos θ = −h/R: what an error of h (the base's included) and of R does to θ.
    spread = math.hypot(errors[0], BASE_UNCERTAINTY, cosine * errors[1]) / (radius * sine)
    error = min(math.degrees(spread), 180.0)
    return DropShape("drop", angle, error, radius, centre, points, None, layer, floor)


def angle_of_cap(base_width: float, area: float) -> float:
    """Contact angle of a circular segment of an ``area`` (Å²) over a base of a width (Å), degrees.

    A = (θ − sin θ cos θ) (w / 2 sin θ)².
    """

    def too_large(angle: float) -> float:
        return (angle - math.sin(angle) * math.cos(angle)) * (
            base_width / (2 * math.sin(angle))
        ) ** 2 - area

    return math.degrees(brentq(too_large, 1e-4, math.pi - 1e-6))


def angle_of_height(mean_height: float, area: float) -> float | None:
    """Contact angle of a circular segment from its atoms' mean height, degrees.

    Needs no surface, so that it holds for a drop of a hundred atoms too. After Hautman and Klein,
    Phys. Rev. Lett. 67, 1763 (1991), for a cylinder.

    Args:
        mean_height: over the base, Å.
        area: of the drop's cross-section, its volume over its length, Å².

    Returns:
        None where the mean height is higher than a whole circle's.
    """
    wanted = mean_height / math.sqrt(area)

    def too_high(angle: float) -> float:
        segment = angle - math.sin(angle) * math.cos(angle)
        # Centroid of the segment from the circle's centre, less the height of the base there.
        centroid = 2 * math.sin(angle) ** 3 / (3 * segment) - math.cos(angle)
        return centroid / math.sqrt(segment) - wanted

    if too_high(math.pi) < 0:
        return None
    if too_high(1e-3) > 0:
        return 0.0
    return math.degrees(brentq(too_high, 1e-3, math.pi))


@dataclass(frozen=True)
class _Extent:
    """Where the grid lies: spacings and the first column's and row's middles, Å."""

    dx: float
    dz: float
    x: float
    z: float

    def row(self, height: float) -> int:
        return round((height - self.z) / self.dz)


def _centred(x: Floats, width: float) -> Floats:
    """Positions about the drop's own middle in each frame, from −width/2 to width/2.

    The middle is that of the angles on a circle, which a period does not disturb.
    """
    turns = np.exp(2j * np.pi * x / width)
    middle = np.angle(turns.mean(axis=1, keepdims=True)) / (2 * np.pi) * width
    centred: Floats = (x - middle + width / 2) % width - width / 2
    return centred


def _smeared(x: Floats, z: Floats, width: float, length: float) -> tuple[Floats, _Extent]:
    """Number density, atoms/Å³, over columns across and rows upwards."""
    n_x = max(8, round(width / _GRID))
    low, high = float(z.min()) - 5 * SMEARING, float(z.max()) + 5 * SMEARING
    n_z = max(8, round((high - low) / _GRID))
    counts, _, _ = np.histogram2d(
        x.ravel(), z.ravel(), bins=(n_x, n_z), range=((-width / 2, width / 2), (low, high))
    )
    extent = _Extent(
        width / n_x, (high - low) / n_z, -width / 2 + width / n_x / 2, low + (high - low) / n_z / 2
    )
    grid = counts / (len(x) * length * extent.dx * extent.dz)
    smear = (SMEARING / extent.dx, SMEARING / extent.dz)
    return gaussian_filter(grid, smear, mode=("wrap", "constant")), extent


def _layer_beside(
    x: Floats, z: Floats, liquid: NDArray[np.bool_], extent: _Extent, length: float
) -> float | None:
    """Monolayers in the first layer over the columns more than twice the smear from the liquid."""
    reach = math.ceil(2 * SMEARING / extent.dx)
    near = np.any([np.roll(liquid, step) for step in range(-reach, reach + 1)], axis=0)
    if near.all():
        return None
    columns = np.clip(((x - extent.x) / extent.dx).round().astype(int), 0, len(near) - 1)
    held = ~near[columns] & (z < LAYER_TOP) & (z > -LAYER_TOP)
    area = (~near).sum() * extent.dx * length
    return float(held.sum() / len(x) / area / MONOLAYER)


def _surface(grid: Floats, extent: _Extent, level: float) -> Floats:
    """Where rays from the middle of the base last fall under ``level``, above the clearance."""
    longest = math.hypot(grid.shape[0] * extent.dx / 2, grid.shape[1] * extent.dz)
    steps = np.arange(0.0, longest, _GRID / 2)
    points = []
    for angle in np.linspace(0, np.pi, _RAYS)[1:-1]:
        along_x, along_z = steps * math.cos(angle), steps * math.sin(angle)
        inside = np.abs(along_x) < grid.shape[0] * extent.dx / 2
        values = map_coordinates(
            grid,
            [(along_x[inside] - extent.x) / extent.dx, (along_z[inside] - extent.z) / extent.dz],
            order=1,
            mode="constant",
        )
        above = np.flatnonzero(values >= level)
        if not len(above) or above[-1] + 1 >= len(values):
            continue
        last = int(above[-1])
        part = (values[last] - level) / (values[last] - values[last + 1])
        step = steps[last] + part * (steps[1] - steps[0])
        points.append((step * math.cos(angle), step * math.sin(angle)))
    found = np.array(points).reshape(-1, 2)
    return found[found[:, 1] > CLEARANCE]


def _circle(points: Floats) -> tuple[float, float, tuple[float, float]]:
    """Height of the centre, radius, and standard errors of both, of a circle about x = 0 ± shift.

    Least squares of the distances to the circle; points along the surface are not independent over
    the smear, so that their number is counted in lengths of twice the smear.
    """
    x, z = points.T
    top = float(z.max())
    # A circle through the top and the widest points, to start from.
    half = float(np.abs(x).max())
    sagitta = max(top - float(z[np.argmax(np.abs(x))]), 0.5)
    radius = (half**2 + sagitta**2) / (2 * sagitta)

    # Curvature rather than radius as the unknown keeps flat drops well posed.
    def residuals(unknown: Floats) -> Floats:
        shift, height, curvature = unknown
        r = 1 / curvature
        return np.hypot(x - shift, z - (height - r)) - r

    fit = least_squares(residuals, [0.0, top, 1 / radius], x_scale=[1.0, 1.0, 1 / radius])
    _, height, curvature = fit.x
    r = 1 / float(curvature)
    steps = np.hypot(np.diff(x), np.diff(z))
    independent = max(4.0, float(steps.sum()) / (2 * SMEARING))
    variance = float((fit.fun**2).sum()) / max(independent - 3, 1.0)
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac) * variance
    to_centre = np.array([0.0, 1.0, r**2])  # of height − 1/curvature
    to_radius = np.array([0.0, 0.0, r**2])
    errors = (
        math.sqrt(float(to_centre @ covariance @ to_centre)),
        math.sqrt(float(to_radius @ covariance @ to_radius)),
    )
    return float(height) - r, r, errors

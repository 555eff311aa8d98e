"""From the frames of a run to what is stored of it; the formulas are in `results.dynamics`."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from results.documents import DynamicsDocument
from results.dynamics.arrhenius import arrhenius
from results.dynamics.bonds import bond_changes
from results.dynamics.diffusion import Diffusivity, diffusivity, slab_diffusivities
from results.dynamics.droplet import DropShape, angle_of_height, drop_shape
from results.dynamics.profiles import (
    Contact,
    atoms_crossed,
    contact_of,
    density_profiles,
    mixed_zone_width,
    separation,
    void_fraction,
)
from results.dynamics.statistics import (
    BLOCK_IN_INEFFICIENCIES,
    block_mean,
    equilibrium,
    statistical_inefficiency,
)
from results.dynamics.tension import surface_tension
from results.dynamics.trajectory import Floats, Mask, Trajectory, without_drift
from results.dynamics_documents import (
    ArrheniusLine,
    Average,
    InterfaceRun,
    MeasuredBonds,
    MeasuredDiffusivity,
    MeasuredSlab,
)
from workflows.dynamics_runs import read_trajectory

WINDOWS = 20
"""Windows of a run in which widths and angles are told."""
LAST_WINDOWS = 4
"""Those at the end, a fifth of the run, whose mean is what became of it."""
SLAB = 6.0
"""Thickness of the slabs whose diffusivity is told, Å."""
LEAST_SETTLED_PS = 5.0
"""Time in equilibrium from which a drop's angle counts: two to three times the capillary time
√(ρR³/γ) of liquid Li, 2 ps for a radius of 15 Å, in which a drop of that size settles."""
_VOID_FRAMES = 60
_BAND_POINTS = 25


def interface_run(
    document: DynamicsDocument, film: NDArray[np.bool_], normal_stress: float | None
) -> InterfaceRun:
    """Everything that one run of an interface tells.

    Args:
        document: the run.
        film: (n_atoms,), the side that lies above.
        normal_stress: held, GPa; None for NVT.
    """
    common: dict[str, Any] = {
        "temperature_k": document.parameters["temperature"],
        "normal_stress_gpa": normal_stress,
        "time_ps": document.time_ps,
        "fingerprints": (document.fingerprint,),
        "frames": document.frames,
        "failure": document.failure,
    }
    try:
        trajectory = read_trajectory(document)
        contact = contact_of(trajectory, film)
    except ValueError as error:
        return InterfaceRun(**{**common, "failure": document.failure or str(error)})
    apart = separation(trajectory, contact)
    settled = equilibrium(trajectory.energies, apart)
    tail = trajectory.part(slice(settled.start, None))
    profiles = density_profiles(tail)
    means = {e: block_mean(d, settled.inefficiency) for e, d in profiles.densities.items()}
    few = trajectory.part(slice(None, None, max(1, len(trajectory.times) // _VOID_FRAMES)))
    voids = void_fraction(few, film, contact)
    windows = _windows(len(trajectory.times))
    widths = [mixed_zone_width(trajectory.part(w), film, contact) for w in windows]
    slabs, along = _lithium(tail, contact)
    crossed = atoms_crossed(trajectory, film, contact)
    in_all = np.sum([np.zeros(len(trajectory.times)), *crossed.values()], axis=0)
    return InterfaceRun(
        **common,
        equilibrium_from_ps=None if settled.reason else float(trajectory.times[settled.start]),
        equilibrium_reason=settled.reason,
        heights_a=tuple((profiles.heights - contact.lower).tolist()),
        densities={e: tuple(m.mean.tolist()) for e, m in means.items()},
        density_errors={
            e: tuple(m.error.tolist()) for e, m in means.items() if m.error is not None
        },
        windows_ps=tuple(float(trajectory.times[w].mean()) for w in windows),
        widths_a=tuple(widths),
        width_a=_last_width(widths, len(trajectory.times) / len(windows), settled.inefficiency),
        crossed={kind: round(float(counts[-5:].mean())) for kind, counts in crossed.items()},
        crossed_in_all=_average(_last_fifth(in_all)),
        separation_a=_average(apart[settled.start :]),
        energy_ev=_average(tail.energies),
        void_fraction=_average(voids[len(voids) * settled.start // len(trajectory.times) :]),
        bonds=tuple(_bonds(trajectory)),
        slabs=tuple(slabs),
        lithium_parallel=along,
        final_structure=document.final_structure,
    )


def arrhenius_line(runs: Sequence[InterfaceRun]) -> ArrheniusLine | str:
    """The line through the diffusivities along the interface of the runs without stress.

    Those that failed, or are not in equilibrium, tell nothing.

    Returns:
        The line, or why there is none.
    """
    found = [
        (run.temperature_k, run.lithium_parallel)
        for run in runs
        if run.normal_stress_gpa is None
        and run.is_sound
        and run.lithium_parallel is not None
        and run.lithium_parallel.value_cm2_s is not None
    ]
    temperatures = [temperature for temperature, _ in found]
    fit = arrhenius(
        temperatures,
        [each.value_cm2_s or 0.0 for _, each in found],
        [each.error_cm2_s or 0.0 for _, each in found],
    )
    if isinstance(fit, str):
        return fit
    shown = np.linspace(min(temperatures), max(temperatures), _BAND_POINTS)
    line, low, high = (tuple(each.tolist()) for each in fit.at(shown))
    return ArrheniusLine(
        activation_energy_ev=fit.activation_energy,
        error_ev=fit.activation_energy_error,
        misfit=fit.misfit,
        temperatures_k=tuple(shown.tolist()),
        values_cm2_s=line,
        low_cm2_s=low,
        high_cm2_s=high,
    )


def drop_run(
    document: DynamicsDocument, n_lithium: int, width: float, length: float, density: float
) -> dict[str, Any]:
    """What one run of a drop tells, as fields of `results.dynamics_documents.WettingDocument`.

    The angle itself is ``angle`` (mean, error, reason) and ``height_angle``.

    Args:
        document: the run; the drop's atoms are its last.
        n_lithium: atoms of the drop.
        width: period across the drop's axis, Å.
        length: period along it, Å.
        density: of the liquid, atoms/Å³.
    """
    trajectory = read_trajectory(document)
    drop = np.arange(len(trajectory.symbols)) >= len(trajectory.symbols) - n_lithium
    base = _base(trajectory, drop)
    axis = trajectory.cells[0, 1] / np.linalg.norm(trajectory.cells[0, 1])
    across = trajectory.positions[:, drop] @ np.cross(axis, trajectory.normals[0])
    heights = trajectory.heights[:, drop]
    windows = _windows(len(trajectory.times))
    shapes = [drop_shape(across[w], heights[w], width, base, length, density) for w in windows]
    angles = [shape.angle for shape in shapes]
    by_height = [
        _height_angle(heights[w] - base - shape.floor, density * length)
        for w, shape in zip(windows, shapes, strict=True)
    ]
    half = trajectory.part(slice(len(trajectory.times) // 2, None))
    profiles = density_profiles(half)
    last = shapes[-1]
    times = [float(trajectory.times[window][0]) for window in windows]
    start, mean = _settled_angle(shapes, times, float(trajectory.times[-1]))
    late = by_height[len(by_height) // 2 if start is None else start :]
    return {
        "state": last.state,
        "state_reason": last.reason,
        "time_ps": document.time_ps,
        "windows_ps": tuple(float(trajectory.times[w].mean()) for w in windows),
        "angles_deg": tuple(angles),
        "angle_errors_deg": tuple(shape.error for shape in shapes),
        "states": tuple(shape.state for shape in shapes),
        "outline": tuple((float(x), float(z)) for x, z in last.points),
        "circle": None if last.radius is None else (last.centre, last.radius),
        "heights_a": tuple((profiles.heights - base).tolist()),
        "densities": {e: tuple(d.mean(axis=0).tolist()) for e, d in profiles.densities.items()},
        "equilibrium_from_ps": None if start is None else times[start],
        "angle": mean,
        "height_angle": Average(value=None, reason="a film is no drop")
        if last.state == "film"
        else _average([one for one in late if one is not None]),
        "layer_beside": last.layer,
        "floor_a": last.floor,
    }


def liquid_tension(document: DynamicsDocument) -> Average:
    """Surface tension of a run of a free film of liquid lithium, J/m².

    Args:
        document: the run; its frames hold stresses.
    """
    try:
        trajectory = read_trajectory(document)
        if trajectory.stresses is None:
            return Average(value=None, reason="frames: no stresses were kept; run the film again")
        found = surface_tension(trajectory.stresses, trajectory.cells, trajectory.energies)
    except ValueError as error:
        return Average(value=None, reason=document.failure or str(error))
    moving = diffusivity(trajectory.positions, trajectory.times)
    reason = document.failure or found.reason
    if reason is None and moving.value is None:
        reason = f"not shown to be liquid: {moving.reason}"
    return Average(value=found.value, error=found.error, reason=reason)


def _settled_angle(
    shapes: Sequence[DropShape], times: Sequence[float], end: float
) -> tuple[int | None, Average]:
    """The first window in equilibrium, and the mean angle from there on.

    Args:
        shapes: of the windows.
        times: at which the windows begin, ps.
        end: of the run, ps.
    """

    def too_short(start: int) -> str | None:
        settled = end - times[start]
        if settled >= LEAST_SETTLED_PS:
            return None
        return f"too short to tell: {settled:.2g} ps of {LEAST_SETTLED_PS:g}; run longer"

    last = shapes[-1]
    if last.state != "drop":
        limits = [place for place, shape in enumerate(shapes) if shape.state != last.state]
        start = limits[-1] + 1 if limits else 0
        reason = too_short(start)
        return (None if reason else start), Average(value=last.angle, reason=reason)
    angles = [shape.angle for shape in shapes]
    known = [angle for angle in angles if angle is not None]
    if len(known) < len(angles) or len(known) < 4:
        return None, Average(value=last.angle, reason=last.reason or "too few windows: run longer")
    settled = equilibrium(known)
    tail = known[settled.start :]
    fits = [shape.error or 0.0 for shape in shapes[settled.start :]]
    # Both the windows' scatter and what each fit is uncertain by, alike in all windows.
    scatter = float(np.std(tail, ddof=1) * np.sqrt(settled.inefficiency / len(tail)))
    error = float(np.hypot(scatter, np.mean(fits)))
    reason = settled.reason or too_short(settled.start)
    mean = Average(value=float(np.mean(tail)), error=error, reason=reason)
    return (None if reason else settled.start), mean


def _height_angle(heights: Floats, per_area: float) -> float | None:
    """Angle from the mean height of the atoms above the base.

    Args:
        heights: (n_frames, n_atoms), above the base that the drop stands on, Å.
        per_area: atoms of the liquid per area of the drop's cross-section, 1/Å².
    """
    over = heights > 0
    if not over.any():
        return None
    return angle_of_height(float(heights[over].mean()), over.sum() / len(heights) / per_area)


def _base(trajectory: Trajectory, drop: Mask) -> float:
    """Halfway between the substrate's top layer and the first layer of the liquid, Å."""
    half = len(trajectory.times) // 2
    heights = trajectory.heights[half:]
    first = trajectory.heights[0, ~drop]
    layer = heights[:, ~drop][:, first > first.max() - 0.8].mean(axis=0)
    # The median, since some of the layer's atoms may have gone into the liquid.
    top = float(np.median(layer))
    # Atoms that went into the substrate are no liquid.
    above = heights[:, drop][heights[:, drop] > top + 1.0]
    if not len(above):
        return top + 1.25
    counts, edges = np.histogram(above, bins=np.arange(top + 1.0, top + 4.5, 0.25))
    first = float(edges[int(np.argmax(counts))]) + 0.125
    return (top + first) / 2


def _lithium(
    tail: Trajectory, contact: Contact
) -> tuple[list[MeasuredSlab], MeasuredDiffusivity | None]:
    """Diffusivities of Li in slabs from the contact plane up and down, and of all Li in the plane.

    The lattice is what is not Li; of a cell of Li alone it is all atoms.
    """
    lithium = tail.of("Li")
    if not lithium.any():
        return [], None
    masses = [atomic_masses[atomic_numbers[symbol]] for symbol in tail.symbols]
    lattice = lithium if lithium.all() else ~lithium
    still = without_drift(tail.positions, lattice, masses)
    plane = still[:, lithium]
    heights = np.einsum("fai,fi->fa", plane, tail.normals) - contact.lower
    bottom = np.floor(heights.min() / SLAB) * SLAB
    edges = np.arange(bottom, heights.max() + SLAB, SLAB)
    slabs = [
        MeasuredSlab(
            low_a=each.low,
            high_a=each.high,
            parallel=_measured(each.parallel),
            normal=_measured(each.normal),
        )
        for each in slab_diffusivities(plane, heights, tail.times, edges)
    ]
    return slabs, _measured(diffusivity(plane[..., :2], tail.times))


def _measured(found: Diffusivity) -> MeasuredDiffusivity:
    values = asdict(found)
    renamed = {f"{name}_cm2_s": values.pop(name) for name in ("value", "low", "high", "error")}
    return MeasuredDiffusivity(**values, **renamed)


def _bonds(trajectory: Trajectory) -> list[MeasuredBonds]:
    return [
        MeasuredBonds(
            pair=change.pair,
            at_start=int(change.counts[0]),
            at_end=late.value or 0.0,
            error=late.error,
            broken=change.broken,
            formed=change.formed,
        )
        for change in bond_changes(trajectory)
        for late in [_average(_last_fifth(change.counts))]
    ]


def _last_fifth(series: NDArray) -> Floats:
    fifth: Floats = series[-max(1, len(series) // 5) :].astype(float)
    return fifth


def _last_width(widths: Sequence[float], frames: float, inefficiency: float) -> Average:
    """Mean of the last windows, which are its blocks where they are long enough for that.

    Args:
        widths: of the mixed zone in each window, Å.
        frames: in a window.
        inefficiency: frames per independent sample.
    """
    late = np.array(widths[-LAST_WINDOWS:])
    if len(late) < LAST_WINDOWS or frames < BLOCK_IN_INEFFICIENCIES * inefficiency:
        reason = "too few independent samples for an error"
        return Average(value=float(late.mean()), reason=reason)
    error = late.std(ddof=1) / np.sqrt(LAST_WINDOWS)
    return Average(value=float(late.mean()), error=float(error))


def _average(series: Any) -> Average:
    values = np.asarray(series, dtype=float)
    if not len(values):
        return Average(value=None, reason="no value in any window")
    found = block_mean(values, statistical_inefficiency(values))
    if found.error is None:
        return Average(value=float(found.mean), reason="too few independent samples for an error")
    return Average(value=float(found.mean), error=float(found.error))


def _windows(n_frames: int) -> list[slice]:
    n = min(WINDOWS, n_frames)
    edges = np.linspace(0, n_frames, n + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]

"""A potential beside DFT frames: energies, forces and how soft it is.

Energies are compared after each element's reference is aligned, since every code and functional
counts them from another zero: what is left is bonding. The slope of the potential's force
components on those of DFT measures softening (Deng et al., npj Comput. Mater. 11, 9 (2025)): below
1 the potential pulls too weakly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from potentials.potential import Potential
from structures import as_structure
from workflows.errors import WorkflowError

_BATCH = 256


@dataclass(frozen=True)
class FrameErrors:
    """How far a potential is from DFT over one family of frames.

    Attributes:
        family: the frames' family; ``"all"`` for all of them.
        frames: number of frames.
        atoms: number of atoms in them.
        energy_mae_mev: mean absolute error of the aligned energies, meV/atom.
        energy_rmse_mev: root mean square of the same, meV/atom.
        force_mae_mev: mean absolute error of the force components, meV/Å.
        force_rmse_mev: root mean square of the same, meV/Å.
        force_slope: predicted against DFT force components, least squares through the origin; NaN
            where DFT's forces all vanish.
        force_slope_error: standard error of the slope, over frames (jackknife); NaN below two
            frames with forces.
    """

    family: str
    frames: int
    atoms: int
    energy_mae_mev: float
    energy_rmse_mev: float
    force_mae_mev: float
    force_rmse_mev: float
    force_slope: float
    force_slope_error: float

    def to_dict(self) -> dict[str, str | int | float | None]:
        """As one flat row of a table; None for NaN, which JSON does not have."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class FramePrediction:
    """One frame with the potential's numbers beside DFT's.

    Attributes:
        frame: the DFT frame with its results.
        energy: the potential's, eV.
        forces: the potential's, shape (n_atoms, 3), eV/Å.
    """

    frame: Atoms
    energy: float
    forces: NDArray[np.float64]


def frame_errors(predictions: Sequence[FramePrediction]) -> list[FrameErrors]:
    """Errors over all frames and by family.

    Args:
        predictions: from `predicted_frames`; a frame's ``info["family"]`` names its family.

    Returns:
        The row of all frames first, then, where there are several families, one of each in the
        order they appear. The element references are aligned once, over all frames.
    """
    rest = aligned_residuals(predictions)
    families = [str(each.frame.info.get("family", "frames")) for each in predictions]
    rows = [_errors("all", predictions, rest)]
    names = list(dict.fromkeys(families))
    for name in names if len(names) > 1 else ():
        chosen = [i for i, family in enumerate(families) if family == name]
        rows.append(_errors(name, [predictions[i] for i in chosen], rest[chosen]))
    return rows


def predicted_frames(potential: Potential, frames: Iterable[Atoms]) -> list[FramePrediction]:
    """The potential's energy and forces of every frame whose elements it covers.

    Raises:
        WorkflowError: if it covers none, fails on one, or a frame carries no energy or forces.
    """
    covered = [f for f in frames if set(f.get_chemical_symbols()) <= potential.elements]
    if not covered:
        raise WorkflowError(
            f"frames: potential {potential.identity.name!r} covers none of them; give frames of "
            "its elements"
        )
    for number, frame in enumerate(covered):
        if frame.calc is None or not {"energy", "forces"} <= set(frame.calc.results):
            raise WorkflowError(f"frames: frame {number} has no energy and forces; label it first")
    engine = potential.engine()
    found = []
    for start in range(0, len(covered), _BATCH):
        part = covered[start : start + _BATCH]
        results = engine.evaluate([as_structure(frame) for frame in part])
        for frame, result in zip(part, results, strict=True):
            if result.failure is not None:
                raise WorkflowError(
                    f"frames: {frame.info.get('name', frame.get_chemical_formula())} fails with "
                    f"{potential.identity.name!r} ({result.failure}); leave it out"
                )
            found.append(FramePrediction(frame, result.energy, np.asarray(result.forces)))
    return found


def aligned_residuals(predictions: Sequence[FramePrediction]) -> NDArray[np.float64]:
    """Predicted minus DFT energy per atom, eV, element references aligned by least squares.

    The shift of each element minimises the sum of squares per atom; combinations of elements that
    the frames do not tell apart are shifted together (the solution of least norm).
    """
    elements = sorted({int(z) for each in predictions for z in each.frame.numbers})
    column = {z: i for i, z in enumerate(elements)}
    composition = np.zeros((len(predictions), len(elements)))
    for row, each in enumerate(predictions):
        for z in each.frame.numbers:
            composition[row, column[int(z)]] += 1.0 / len(each.frame)
    differences = np.array(
        [
            (each.energy - each.frame.get_potential_energy()) / len(each.frame)
            for each in predictions
        ]
    )
    shifts = np.linalg.lstsq(composition, differences, rcond=1e-8)[0]
    return np.asarray(differences - composition @ shifts, dtype=np.float64)


def force_slope(predictions: Sequence[FramePrediction]) -> tuple[float, float]:
    """Slope of predicted on DFT force components through the origin, and its standard error.

    The error is the jackknife's over frames, since the components within one frame are correlated.
    """
    products, squares = [], []
    for each in predictions:
        wanted = np.asarray(each.frame.get_forces(apply_constraint=False))
        products.append(float((each.forces * wanted).sum()))
        squares.append(float((wanted**2).sum()))
    top, bottom = np.array(products), np.array(squares)
    if bottom.sum() < _NO_FORCE:
        return float("nan"), float("nan")
    slope = float(top.sum() / bottom.sum())
    without = bottom.sum() - bottom
    n = int((bottom > _NO_FORCE).sum())
    if n < 2 or (without < _NO_FORCE).any():
        return slope, float("nan")
    left_out = ((top.sum() - top) / without)[bottom > _NO_FORCE]
    return slope, float(np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()))


_NO_FORCE = 1e-8
"""Sum of squares under which forces vanish by symmetry, (eV/Å)²."""


def read_frames(path: Path) -> list[Atoms]:
    """Labelled frames of an extended-XYZ file, plain or compressed (.gz, .xz).

    Raises:
        WorkflowError: if the file is missing, cannot be read or holds none.
    """
    import ase.io

    try:
        frames = ase.io.read(path, ":", format="extxyz")
    except FileNotFoundError:
        raise WorkflowError(f"frames: there is no file {path}; give an extended-XYZ file") from None
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise WorkflowError(f"frames: {path} cannot be read ({said}); give extended XYZ") from error
    if not frames:
        raise WorkflowError(f"frames: {path} holds none; give labelled frames")
    return list(frames)


def force_plot(predictions: Sequence[FramePrediction], path: Path, *, title: str) -> None:
    """Draw aligned energies and force components against DFT's, as PNG, SVG or PDF.

    Raises:
        WorkflowError: if the file cannot be written or has another ending.
    """
    from matplotlib.figure import Figure

    wanted = np.concatenate(
        [each.frame.get_forces(apply_constraint=False).ravel() for each in predictions]
    )
    found = np.concatenate([each.forces.ravel() for each in predictions])
    slope, error = force_slope(predictions)
    figure = Figure(figsize=(8.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.axline((0.0, 0.0), slope=1.0, color="0.7", zorder=0)
    left.scatter(wanted, found, s=6)
    left.set_xlabel("DFT force component (eV/Å)")
    left.set_ylabel("predicted (eV/Å)")
    left.set_title(f"slope {slope:.3f} ± {error:.3f}", fontsize="medium")
    right.hist(1e3 * aligned_residuals(predictions), bins=40)
    right.set_xlabel("aligned energy, predicted − DFT (meV/atom)")
    right.set_ylabel("frames")
    figure.suptitle(title)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as failure:
        raise WorkflowError(f"path: {path} cannot be written ({failure}); use a .png") from failure


def _errors(
    family: str, predictions: Sequence[FramePrediction], residuals: NDArray[np.float64]
) -> FrameErrors:
    wrong = np.concatenate(
        [
            (each.forces - each.frame.get_forces(apply_constraint=False)).ravel()
            for each in predictions
        ]
    )
    slope, slope_error = force_slope(predictions)
    return FrameErrors(
        family=family,
        frames=len(predictions),
        atoms=sum(len(each.frame) for each in predictions),
        energy_mae_mev=1e3 * float(np.abs(residuals).mean()),
        energy_rmse_mev=1e3 * float(np.sqrt((residuals**2).mean())),
        force_mae_mev=1e3 * float(np.abs(wrong).mean()),
        force_rmse_mev=1e3 * float(np.sqrt((wrong**2).mean())),
        force_slope=slope,
        force_slope_error=slope_error,
    )

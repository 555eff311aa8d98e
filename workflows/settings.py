"""What every stage needs to know: the potential that computes and the stores that keep."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from monty.json import MSONable

if TYPE_CHECKING:
    from potentials.potential import Potential
    from potentials.protocol import Engine


@dataclass(frozen=True)
class PotentialSettings(MSONable):
    """Which potential computes, as plain values that travel with a job.

    Attributes:
        name: registry name or path of a weights file.
        device: torch device.
        dtype: ``"float64"``, ``"float32"`` or, for MACE, ``"tf32"``; None takes the potential's
            default.
        head: head of a multi-head model; None takes its default.
        dispersion: dispersion correction added, such as ``"d3-bj-pbe"``; None without.
        trust: whether an unknown weights file may be loaded, which runs code in it.
        final_energies: another potential that gives the energies of the structures and paths that
            this one finds (`potentials.final_energies`), on this one's device; None for this one.
    """

    name: str = "mini"
    device: str = "cpu"
    dtype: str | None = None
    head: str | None = None
    dispersion: str | None = None
    trust: bool = False
    final_energies: "PotentialSettings | None" = None


def from_the_root(settings: PotentialSettings) -> PotentialSettings:
    """The settings with the paths of weights from the root, for processes in other folders.

    A registered name stays one, also where a file is called like it.
    """
    from potentials.registry import registry

    final = settings.final_energies
    if final is not None:
        settings = replace(settings, final_energies=from_the_root(final))
    path = Path(settings.name).expanduser()
    if settings.name in registry() or not path.exists():
        return settings
    return replace(settings, name=str(path.resolve()))


@dataclass(frozen=True)
class StoreSettings(MSONable):
    """Where a stage looks for known results and keeps new ones.

    Attributes:
        database: path or URL of the results database; None neither reuses nor keeps.
        spool: folder for the systems finished by a stage that is still running; None keeps them
            in memory only, and a killed stage starts again.
    """

    database: str | None = None
    spool: str | None = None


@lru_cache(maxsize=4)
def engine_for(settings: PotentialSettings) -> "tuple[Potential, Engine]":
    """The potential and its fastest engine, loaded once per process.

    Raises:
        PotentialError: the potential cannot be loaded as asked.
    """
    from potentials.final_energies import FinalEnergiesPotential
    from potentials.loading import load_potential

    if settings.final_energies is not None:
        both = FinalEnergiesPotential(
            engine_for(replace(settings, final_energies=None))[0],
            engine_for(replace(settings.final_energies, device=settings.device))[0],
        )
        return both, both.engine()
    potential = load_potential(
        settings.name,
        device=settings.device,
        dtype=settings.dtype,
        head=settings.head,
        dispersion=settings.dispersion,
        trust=settings.trust,
    )
    return potential, potential.engine()

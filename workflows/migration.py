"""Migration of lithium through crystals by vacancies: the steps that several screens share.

A hop's ends are relaxed first, then its path; what counts of a crystal is the lowest height over
which the hops join into a way through it (`structures.vacancy_hops`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobflow import job
from pymatgen.core import Structure

from results.coating_documents import HopBarrier
from results.documents import CalculationDocument, Evidence, PathDocument
from structures import StructureError
from structures.vacancy_hops import VacancyHop, percolating_hops, relaxed_ends, vacancy_hops
from workflows.evidence import failures_text, value_of
from workflows.hop_profiles import hop_profile
from workflows.packing import Built
from workflows.stages import last_structure

LITHIUM = "Li"

SHORTEST_SUPERCELL = 8.0
"""A vacancy is at least this far from its own images, Å."""

REARRANGED = 0.1
"""What lies so far below both ends of a hop is no longer the crystal that it was built in, eV."""


@dataclass(frozen=True)
class Migration:
    """How lithium moves through one crystal.

    Attributes:
        barrier_ev: highest saddle of the easiest percolating path above the lowest image on it, eV;
            None where there is no such path.
        dimensions: directions that it leads along.
        evidence: what stands behind the barrier.
        hops: every hop that was tried.
    """

    barrier_ev: float | None
    dimensions: int | None
    evidence: Evidence
    hops: tuple[HopBarrier, ...]


def add_vacancies(built: Built, owner: int, crystal: Structure) -> None:
    """Add the distinct hops into a vacancy of a relaxed crystal, both ends as built."""
    try:
        hops = vacancy_hops(crystal, LITHIUM, SHORTEST_SUPERCELL)
    except StructureError as error:
        built.failures[owner] = str(error)
        return
    if not hops:
        built.failures[owner] = "its lithium sites are too far apart to hop"
    for hop in hops:
        built.add(owner, hop, hop.initial, hop.final)


@job
def join_ends(hops: Built, ends: list[CalculationDocument]) -> Built:
    """The hops whose ends converged to the vacancy they were built with; models are positions."""
    built = Built(failures=dict(hops.failures))
    for position, (owner, hop) in enumerate(zip(hops.owners, hops.models, strict=True)):
        pair = hops.parts(position, ends)
        if _end_failure(hop, pair) is None:
            relaxed = relaxed_ends(hop, *map(last_structure, pair))
            built.add(owner, position, relaxed.initial, relaxed.final)
    return built


def migration_of(
    owner: int,
    hops: Built,
    ends: list[CalculationDocument],
    joined: Built,
    paths: Sequence[PathDocument],
) -> Migration:
    """How lithium moves through one crystal.

    Args:
        owner: the crystal, as `add_vacancies` was told.
        hops: of all crystals, as built.
        ends: their relaxed ends.
        joined: the hops with sound ends, as `join_ends` gave them.
        paths: of these.
    """
    mine = hops.of(owner)
    path_of = {joined.models[i]: paths[i] for i in joined.of(owner)}
    tried = tuple(_hop_barrier(hops.models[i], hops.parts(i, ends), path_of.get(i)) for i in mine)
    failure = hops.failures.get(owner) or failures_text(
        (f"{one.start} to {one.end}", one.failure) for one in tried
    )
    saddles: list[float | None] = []
    energies: dict[str, float] = {}
    for i in mine:
        hop, path = hops.models[i], path_of.get(i)
        saddles.append(None)
        if path is not None and path.failure is None and path.energies_ev:
            saddles[-1] = max(path.energies_ev)
            for label, energy in zip(
                (hop.start, hop.end), _lowest_on_either_side(path.energies_ev), strict=True
            ):
                energies[label] = min(energy, energies.get(label, energy))
    known = [i for i, saddle in enumerate(saddles) if saddle is not None]
    ways = percolating_hops(
        [hops.models[mine[i]] for i in known], [saddles[i] for i in known], energies
    )
    behind = tuple(key for one in tried for key in one.fingerprints)
    if not ways:
        reason = failure or "no path of these hops leads through the crystal"
        missing = Evidence(converged=False, failure=reason, fingerprints=behind)
        return Migration(None, None, missing, tried)
    number = known[ways[0].hop]
    decisive = tried[number].model_copy(update={"decisive": True})
    tried = (*tried[:number], decisive, *tried[number + 1 :])
    path = path_of[mine[number]]
    step = decisive.distance / (len(path.energies_ev or ()) - 1)
    evidence = Evidence(
        converged=failure is None,
        error=value_of(path.max_force) * step,
        reference_state=f"Li vacancy, {decisive.start} to {decisive.end}",
        failure=failure,
        fingerprints=behind,
    )
    return Migration(ways[0].barrier, ways[0].dimensions, evidence, tried)


def _end_failure(hop: VacancyHop, ends: Sequence[CalculationDocument]) -> str | None:
    """Why the ends of a hop are not what it goes between; None where they are."""
    if failure := ends[0].failure or ends[1].failure:
        return failure
    try:
        relaxed_ends(hop, *map(last_structure, ends))
    except StructureError as error:
        return str(error)
    return None


def _lowest_on_either_side(energies: Sequence[float]) -> tuple[float, float]:
    """Lowest image from the start to the highest image, and from there to the end.

    Relaxed ends are not always the bottom of their valleys: a path may first fall.
    """
    highest = energies.index(max(energies))
    return min(energies[: highest + 1]), min(energies[highest:])


def _rearrangement(hop: VacancyHop, energies: Sequence[float]) -> str | None:
    """Why a path is none of a hop in the crystal as it is; None where it is one."""
    first, *_, last = energies
    below = min(first, last) - min(energies)
    if below > REARRANGED:
        return f"the crystal rearranges on the way, {below:.2f} eV below both ends"
    if hop.start == hop.end and abs(last - first) > REARRANGED:
        return (
            f"the crystal rearranges: two equivalent ends are {abs(last - first):.2f} eV apart in "
            "energy"
        )
    return None


def _hop_barrier(
    hop: VacancyHop, ends: Sequence[CalculationDocument], path: PathDocument | None
) -> HopBarrier:
    failure = path.failure if path else _end_failure(hop, ends)
    if path is not None and failure is None and path.energies_ev:
        failure = _rearrangement(hop, path.energies_ev)
    good = path is not None and failure is None
    profile = None
    if path is not None and good and path.images and path.energies_ev:
        profile = hop_profile(path.images, path.energies_ev, hop.start, hop.end)
    return HopBarrier(
        kind="vacancy",
        start=hop.start,
        end=hop.end,
        distance=hop.distance,
        barrier_ev=path.barrier_ev if path and good else None,
        reverse_barrier_ev=path.reverse_barrier_ev if path and good else None,
        converged=good,
        failure=failure,
        profile=profile,
        fingerprints=(*(end.fingerprint for end in ends), *((path.fingerprint,) if path else ())),
    )

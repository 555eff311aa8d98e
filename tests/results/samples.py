"""Documents to store in tests."""

import hashlib
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure

from results.documents import (
    CalculationDocument,
    CollectorDocument,
    Evidence,
    PathDocument,
    Potential,
    quantities,
)

POTENTIAL = Potential(
    name="mini", sha256="a" * 64, head=None, dtype="float64", dispersion=None, versions={"x": "1"}
)


def fingerprint(seed: object) -> str:
    return hashlib.sha256(str(seed).encode()).hexdigest()


def slab(shift: float = 0.0) -> Structure:
    return Structure(
        Lattice.from_parameters(2.5, 2.5, 20, 90, 90, 60),
        ["Cu", "Cu", "Li"],
        [[0, 0, 0.1], [1 / 3, 1 / 3, 0.2], [2 / 3, 2 / 3, 0.3 + shift]],
        site_properties={"selective_dynamics": [[False] * 3, [True] * 3, [True] * 3]},
    )


def relaxed(seed: object, **changes: Any) -> CalculationDocument:
    rng = np.random.default_rng(int(fingerprint(seed)[:8], 16))
    fields = {
        "fingerprint": fingerprint(seed),
        "task": "relax",
        "parameters": {"fmax": 0.03, "max_steps": 500},
        "potential": POTENTIAL,
        "initial_structure": slab(),
        "final_structure": slab(rng.random() / 100),
        "energy_ev": rng.normal(),
        "forces": rng.normal(size=(3, 3)),
        "max_force": 0.02,
        "converged": True,
        "steps": 12,
        "force_evaluations": 13,
        "wall_time_s": 1.5,
    }
    return CalculationDocument(**(fields | changes))


def path(seed: object) -> PathDocument:
    images = [slab(0.01 * step) for step in range(3)]
    return PathDocument(
        fingerprint=fingerprint(seed),
        task="neb",
        parameters={"fmax": 0.05},
        potential=POTENTIAL,
        initial_structure=images[0],
        final_structure=images[-1],
        images=images,
        energies_ev=np.array([-1.0, -0.9, -0.95]),
        barrier_ev=0.1,
        reverse_barrier_ev=0.05,
        max_force=0.04,
        converged=True,
        steps=30,
        force_evaluations=90,
        wall_time_s=3.0,
    )


def collector(host: str = "Cu", campaign: str = "test", **changes: Any) -> CollectorDocument:
    """A facet with three quantities, the barrier failed."""
    sound = Evidence(
        converged=True, error=0.01, reference_state="bcc Li", fingerprints=(fingerprint(host),)
    )
    fields = {
        "campaign": campaign,
        "host": host,
        "elements": (host,),
        "miller_index": (1, 1, 1),
        "termination": "0",
        "potential": POTENTIAL,
        "li_binding_ev": -0.2,
        "work_of_adhesion_j_m2": 0.9,
        "interface_structure": slab(),
        "path_images": (slab(), slab(0.1)),
        "evidence": {
            "li_binding_ev": sound,
            "work_of_adhesion_j_m2": Evidence(converged=True),
            "adatom_barrier_ev": Evidence(converged=False, failure="diverged in step 3"),
        },
    }
    return CollectorDocument(**(fields | changes))


def sound_evidence(**values: float) -> dict[str, Any]:
    """Quantities with evidence that converged, to give to `collector`."""
    others = dict.fromkeys(quantities(CollectorDocument))
    return others | values | {"evidence": {field: Evidence(converged=True) for field in values}}

"""Made-up collector documents: the numbers mean nothing, they only fill tables and plots."""

from pymatgen.core import Composition, Lattice, Structure

from results.documents import (
    BarrierProfile,
    CollectorDocument,
    Evidence,
    InterfaceAdhesion,
    Potential,
    SiteBinding,
    quantities,
)

SYNTHETIC = Potential(
    name="synthetic",
    sha256="5" * 64,
    head=None,
    dtype="float64",
    dispersion=None,
    versions={"none": "0"},
)


def small_interface(host: str) -> Structure:
    """A few Li atoms over a few atoms of ``host``, in no way relaxed."""
    height, width = 25.0, 2.6
    return Structure(
        Lattice.tetragonal(width, height),
        [host, host, "Li", "Li"],
        [
            [0, 0, 4.0 / height],
            [0.5, 0.5, 6.1 / height],
            [0, 0, 8.6 / height],
            [0.5, 0.5, 10.7 / height],
        ],
    )


def collector(
    host: str,
    miller_index: tuple[int, int, int] = (1, 1, 1),
    *,
    adhesion: float | None = 0.8,
    binding: float | None = -0.2,
    barrier: float | None = 0.05,
    failures: dict[str, str] | None = None,
    potential: Potential = SYNTHETIC,
    campaign: str = "synthetic",
    fingerprint: str | None = None,
) -> CollectorDocument:
    """One facet; ``failures`` are reasons by field, and the quantities left None need one."""
    failures = failures or {}
    values = {
        "surface_energy_j_m2": 1.25,
        "li_binding_ev": binding,
        "nucleation_overpotential_v": None if binding is None else max(0.0, binding),
        "adatom_barrier_ev": barrier,
        "adatom_reverse_barrier_ev": barrier,
        "adatom_barrier_across_ev": None if barrier is None else 1.5 * barrier,
        "adatom_anisotropy": None if barrier is None else 1.5,
        "adatom_lowest_hop_ev": None if barrier is None else 0.5 * barrier,
        "work_of_adhesion_j_m2": adhesion,
        "film_elastic_energy_j_m2": 0.01,
        "substrate_elastic_energy_j_m2": 0.002,
        "interface_energy_j_m2": None if adhesion is None else 1.7 - adhesion,
        "contact_angle_deg": None if adhesion is None else 90.0 - 40 * adhesion,
    }
    errors = {"adatom_barrier_ev": 0.004, "work_of_adhesion_j_m2": 0.02}
    behind = () if fingerprint is None else (fingerprint,)
    evidence = {
        field: Evidence(
            converged=field not in failures and values[field] is not None,
            error=errors.get(field),
            reference_state="made up",
            failure=failures.get(field, None if values[field] is not None else "not computed"),
            fingerprints=behind,
        )
        for field in quantities(CollectorDocument)
    }
    elements = tuple(Composition(host).chemical_system.split("-"))
    sites = [("hollow-fcc", binding), ("bridge", None if binding is None else binding + 0.06)]
    return CollectorDocument(
        campaign=campaign,
        host=host,
        elements=elements,
        miller_index=miller_index,
        potential=potential,
        evidence=evidence,
        **values,
        li_binding_site="hollow-fcc",
        li_coverage=0.25,
        li_binding_sites=[
            SiteBinding(
                label=label,
                coverage=0.25,
                multiplicity=1,
                li_binding_ev=value,
                converged=value is not None,
                failure=None if value is not None else "diverged",
            )
            for label, value in sites
        ],
        adatom_profile=None
        if barrier is None
        else BarrierProfile(
            initial_label="hollow-fcc",
            final_label="hollow-hcp",
            distance=(0.0, 0.4, 0.8, 1.2, 1.6),
            energies_ev=(0.0, 0.6 * barrier, barrier, 0.5 * barrier, 0.01),
        ),
        film_miller_index=(1, 1, 0),
        interface_termination="Li|" + host,
        registry=(0.0, 0.5),
        film_strain=(0.01, -0.02, 0.0),
        substrate_strain=(0.0, 0.0, 0.0),
        interfaces=[
            InterfaceAdhesion(
                film_miller_index=(1, 1, 0),
                termination="Li|" + host,
                registry=(0.0, 0.5),
                n_atoms=4,
                work_of_adhesion_j_m2=adhesion,
                film_strain=(0.01, -0.02, 0.0),
                substrate_strain=(0.0, 0.0, 0.0),
                converged=adhesion is not None,
                failure=None if adhesion is not None else "diverged",
            )
        ],
        gamma_li_j_m2=0.46,
        gamma_li_source="Li (100), made up",
        interface_structure=small_interface(elements[0]),
    )


def collectors(campaign: str = "synthetic") -> list[CollectorDocument]:
    """A campaign with a clear order, one candidate that failed and one with a weak binding."""
    return [
        collector("Cu", adhesion=0.9, binding=-0.15, barrier=0.03, campaign=campaign),
        collector("Cu", (1, 0, 0), adhesion=0.8, binding=-0.25, barrier=0.08, campaign=campaign),
        collector("Au", adhesion=1.4, binding=-0.85, barrier=0.12, campaign=campaign),
        collector("Ni", adhesion=1.2, binding=0.3, barrier=0.04, campaign=campaign),
        collector(
            "Zn",
            (0, 0, 1),
            adhesion=1.0,
            binding=-0.3,
            barrier=None,
            failures={"adatom_barrier_ev": "NEB diverged after 12 steps"},
            campaign=campaign,
        ),
    ]

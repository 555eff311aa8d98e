"""Made-up seed documents: the numbers mean nothing, they only fill tables and plots."""

from results.coating_documents import HopBarrier
from results.documents import BarrierProfile, Evidence, quantities
from results.seed_documents import (
    AlloyPhase,
    PhaseMigration,
    SeedContact,
    SeedDocument,
    VoltagePlateau,
)
from tests.screen.synthetic import SYNTHETIC, small_interface


def seed(
    host: str,
    *,
    voltage: float = 0.6,
    binding: float | None = -0.3,
    adhesion: float | None = 1.1,
    barrier: float | None = 0.15,
    failures: dict[str, str] | None = None,
    campaign: str = "synthetic",
) -> SeedDocument:
    """One seed; ``failures`` are reasons by field, and the quantities left None need one."""
    failures = failures or {}
    values = {
        "first_lithiation_voltage_v": voltage,
        "lithiation_voltage_v": voltage / 2,
        "lithium_uptake": 3.0,
        "volume_per_li_a3": 15.2,
        "substitution_energy_ev": -0.5,
        "vacancy_barrier_ev": barrier,
        "li_binding_ev": binding,
        "work_of_adhesion_j_m2": adhesion,
        "contact_angle_deg": 12.0,
        "lithiated_adhesion_j_m2": 0.7,
        "lithiated_contact_angle_deg": 20.0,
    }
    evidence = {
        field: Evidence(
            converged=field not in failures and values[field] is not None,
            failure=failures.get(field, None if values[field] is not None else "not computed"),
        )
        for field in quantities(SeedDocument)
    }
    alloys = [
        (host, 0.0, 0.0, 0.0, 0.0),
        (f"Li{host}", 0.5, 1.0, -0.24, 0.0),
        (f"Li2{host}", 2 / 3, 2.0, -0.15, 0.02),
        (f"Li3{host}", 0.75, 3.0, -0.18, 0.0),
        ("Li", 1.0, None, 0.0, 0.0),
    ]
    return SeedDocument(
        campaign=campaign,
        host=host,
        elements=(host,),
        potential=SYNTHETIC,
        evidence=evidence,
        **values,
        phases=[
            AlloyPhase(
                name=name,
                formula=name,
                li_fraction=fraction,
                li_per_host=per_host,
                formation_energy_ev=formation,
                above_hull_ev=above,
                volume_a3=16.0,
                fingerprint=None,
            )
            for name, fraction, per_host, formation, above in alloys
        ],
        plateaus=[
            VoltagePlateau(
                start=start,
                end=end,
                li_start=first,
                li_end=last,
                voltage_v=value,
                volume_per_li_a3=15.0,
            )
            for start, end, first, last, value in (
                (host, f"Li{host}", 0.0, 1.0, voltage),
                (f"Li{host}", f"Li3{host}", 1.0, 3.0, voltage / 4),
            )
        ],
        migrations=[
            PhaseMigration(
                phase=f"Li3{host}",
                li_fraction=0.75,
                barrier_ev=barrier,
                dimensions=None if barrier is None else 3,
                converged=barrier is not None,
                failure=None if barrier is not None else "diverged",
                hops=[
                    HopBarrier(
                        kind="vacancy",
                        start="Li 4b",
                        end="Li 8c",
                        distance=2.7,
                        barrier_ev=barrier,
                        reverse_barrier_ev=barrier,
                        converged=barrier is not None,
                        decisive=barrier is not None,
                        profile=None
                        if barrier is None
                        else BarrierProfile(
                            initial_label="Li 4b",
                            final_label="Li 8c",
                            distance=(0.0, 1.4, 2.7),
                            energies_ev=(0.0, barrier, 0.0),
                        ),
                    )
                ],
            )
        ],
        contacts=[
            SeedContact(
                host=host,
                miller_index=(1, 1, 1),
                work_of_adhesion_j_m2=adhesion,
                contact_angle_deg=12.0,
                li_binding_ev=binding,
                li_binding_site="hollow-fcc",
                converged=True,
            )
        ],
        lithiated_phase=f"Li3{host}",
        gamma_li_j_m2=0.46,
        gamma_li_source="Li (100), made up",
        interface_structure=small_interface(host),
    )


def seeds(campaign: str = "synthetic") -> list[SeedDocument]:
    """A campaign with a clear order, one candidate that failed."""
    return [
        seed("Zn", voltage=0.5, binding=-0.2, adhesion=0.9, barrier=0.2, campaign=campaign),
        seed("Au", voltage=1.4, binding=-0.8, adhesion=1.4, barrier=0.1, campaign=campaign),
        seed("Sn", barrier=None, campaign=campaign),
    ]

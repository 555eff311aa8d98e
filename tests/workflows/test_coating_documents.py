"""Moduli and barriers of coatings: what fails behind them is told."""

import numpy as np
import pytest

from results.documents import as_structure
from results.elasticity import EV_PER_A3_IN_GPA
from structures.strained import VOIGT, strained_cells
from tests.workflows.coating_samples import calculation
from tests.workflows.test_coating_judging import judged, of
from workflows.coating_documents import add_migration
from workflows.coating_jobs import settled
from workflows.coating_judging import LITHIUM, Candidates
from workflows.packing import Built

STIFFNESS = np.diag([90.0, 90, 90, 30, 30, 30]) + np.pad(np.full((3, 3), 15.0), (0, 3))
"""GPa: C11 = 105, C12 = 15, C44 = 30, of a cubic crystal."""
BULK = (105 + 2 * 15) / 3


def stressed_as(formula, stiffness):
    """Relaxations of a crystal under the twelve strains, with the stresses of a stiffness."""
    found = []
    for position in range(12):
        strain = np.zeros(6)
        strain[position // 2] = 0.005 * (1, -1)[position % 2]
        stress = np.zeros((3, 3))
        for (i, j), value in zip(VOIGT, stiffness @ strain / EV_PER_A3_IN_GPA, strict=True):
            stress[i, j] = stress[j, i] = value
        one = calculation(formula, 0.0)
        found.append(one.model_copy(update={"stress": tuple(map(tuple, stress.tolist()))}))
    return found


@pytest.fixture
def strained():
    """Li2S, and lithium a tenth as stiff."""
    built = Built()
    for owner, name in enumerate(("Li2S", LITHIUM)):
        cell = as_structure(calculation(name, 0.0).initial_structure)
        built.add(owner, name, *strained_cells(cell))
    return built, [*stressed_as("Li2S", STIFFNESS), *stressed_as("Li", STIFFNESS / 10)]


def migrated(strained, stressed):
    passed = Candidates([of(judged(), "Li2S")], calculation("Li", 0.0))
    no_hops = (Built(), [], Built(), [])
    return add_migration.original(passed, None, strained, stressed, *no_hops).documents[0]


def test_moduli_are_those_of_the_stresses(strained):
    built, stressed = strained
    document = migrated(settled.original(built, stressed), stressed)
    assert document.bulk_modulus_gpa == pytest.approx(BULK)
    assert document.shear_ratio == pytest.approx(10)
    assert document.evidence["shear_modulus_gpa"].converged


def test_a_strained_crystal_that_did_not_relax_has_no_moduli(strained):
    """Its stress can be evaluated all the same, but it is that of atoms still on their way."""
    built, stressed = strained
    relaxed = list(stressed)
    relaxed[3] = calculation("Li2S", 0.0, failure="not converged in 500 steps")
    document = migrated(settled.original(built, relaxed), stressed)
    assert document.bulk_modulus_gpa is None
    for name in ("bulk_modulus_gpa", "shear_modulus_gpa", "shear_ratio"):
        assert document.evidence[name].failure == "strained: not converged in 500 steps"


def test_lithium_that_did_not_relax_leaves_the_moduli_of_the_coating(strained):
    built, stressed = strained
    relaxed = list(stressed)
    relaxed[12] = calculation("Li", 0.0, failure="diverged")
    document = migrated(settled.original(built, relaxed), stressed)
    assert document.bulk_modulus_gpa == pytest.approx(BULK)
    assert document.evidence["shear_ratio"].failure == "lithium: strained: diverged"

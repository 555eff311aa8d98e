"""What the tests of several stages want."""

import pytest

from tests.workflows.emt_potential import CountingEMT, load_emt
from workflows.settings import PotentialSettings, engine_for


@pytest.fixture
def emt(monkeypatch):
    """EMT in the place of every potential, its evaluations counted from 0."""
    monkeypatch.setattr("potentials.loading.load_potential", load_emt)
    engine_for.cache_clear()
    CountingEMT.evaluations = 0
    yield PotentialSettings("emt")
    engine_for.cache_clear()

"""Settings that travel to processes in other folders."""

import pytest

from workflows.settings import PotentialSettings, from_the_root


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mini").mkdir()
    (tmp_path / "own.model").touch()
    return tmp_path


@pytest.mark.parametrize("name", ["mini", "chgnet", "no-such.model"])
def test_a_name_stays_a_name(name):
    """Also beside a folder that is called so: the name comes first where potentials are loaded."""
    assert from_the_root(PotentialSettings(name)).name == name


def test_weights_are_found_from_any_folder(here):
    own = PotentialSettings("own.model", dtype="float32")
    found = from_the_root(PotentialSettings("mini", final_energies=own))
    assert found.final_energies == PotentialSettings(str(here / "own.model"), dtype="float32")
    assert from_the_root(own) == found.final_energies

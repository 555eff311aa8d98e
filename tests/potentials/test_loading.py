import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase.build import bulk

from potentials import catalogue, registry
from potentials.cache import sha256_of
from potentials.download import weights_path
from potentials.errors import PotentialError
from potentials.loading import load_potential
from potentials.potential import MacePotential
from potentials.registry import entry
from potentials.tensors import build_network, save_network
from potentials.torch_state import process_kept
from potentials.trust import trust_file
from tests.potentials.networks import random_network


class Trap:
    """Runs code when it is unpickled: writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "mine.model"
    torch.save(random_network(dtype=torch.float32), path)
    return path


@pytest.mark.parametrize("old_format", [False, True])
def test_nothing_of_an_untrusted_pickle_runs(tmp_path: Path, old_format: bool) -> None:
    mark, path = tmp_path / "it-ran", tmp_path / "evil.model"
    padding = torch.zeros(1000)
    torch.save([Trap(mark), padding], path, _use_new_zipfile_serialization=not old_format)
    with pytest.raises(PotentialError, match="is not trusted") as raised:
        load_potential(path)
    assert "lithiophile potentials trust" in str(raised.value)
    assert not mark.exists()
    trust_file(path)
    assert not mark.exists()
    with pytest.raises(PotentialError, match="not a MACE network"):
        load_potential(path)
    assert mark.exists()  # trusted, so it ran: the test above can fail


def test_trust_is_in_the_content_not_in_the_name(checkpoint: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied.model"
    copied.write_bytes(checkpoint.read_bytes())
    assert trust_file(checkpoint) == sha256_of(checkpoint)
    assert load_potential(copied).identity.name == "copied.model"
    torch.save(random_network(dtype=torch.float64), copied)
    with pytest.raises(PotentialError, match="is not trusted"):
        load_potential(copied)


def test_trust_given_once_is_not_kept(checkpoint: Path) -> None:
    load_potential(checkpoint, trust=True)
    with pytest.raises(PotentialError, match="is not trusted"):
        load_potential(checkpoint)


def test_local_file_computes_in_the_precision_asked_for(checkpoint: Path) -> None:
    potential = load_potential(str(checkpoint), trust=True)
    assert isinstance(potential, MacePotential)
    assert potential.identity.sha256 == sha256_of(checkpoint)
    assert (potential.dtype, potential.elements) == ("float64", {"Li", "Cu"})
    single = load_potential(checkpoint, dtype="float32", trust=True)
    energies = [each.engine("ase").evaluate([bulk("Cu")])[0].energy for each in (potential, single)]
    assert energies[0] == pytest.approx(energies[1], abs=1e-4)
    assert single.identity.fingerprint_fields != potential.identity.fingerprint_fields


def test_published_name_loads_what_lies_in_the_cache() -> None:
    known = entry("mace-mh-1")
    path = weights_path(known)
    path.parent.mkdir(parents=True)
    torch.save(random_network(heads=tuple(known.heads), architecture="mh-1"), path)
    potential = load_potential("mace-mh-1")
    assert isinstance(potential, MacePotential)
    assert (potential.identity.name, potential.identity.head) == ("mace-mh-1", "omat_pbe")
    assert catalogue.verify("mace-mh-1").sha256 == potential.identity.sha256
    other = load_potential("mace-mh-1", head="matpes_r2scan")
    assert isinstance(other, MacePotential)
    assert other.head_index == 2
    torch.save(random_network(), path)
    with pytest.raises(PotentialError, match="at first use it was"):
        load_potential("mace-mh-1")


def test_folder_of_tensors_needs_no_trust(tmp_path: Path) -> None:
    arguments = {
        "r_max": 4.0,
        "num_bessel": 6,
        "num_polynomial_cutoff": 5,
        "max_ell": 1,
        "interaction_cls": "RealAgnosticResidualInteractionBlock",
        "interaction_cls_first": "RealAgnosticInteractionBlock",
        "num_interactions": 2,
        "num_elements": 2,
        "hidden_irreps": "4x0e",
        "MLP_irreps": "4x0e",
        "gate": "silu",
        "atomic_energies": [-1.0, -2.0],
        "avg_num_neighbors": 10.0,
        "atomic_numbers": [3, 29],
        "correlation": 2,
        "radial_type": "bessel",
        "atomic_inter_scale": 1.0,
        "atomic_inter_shift": 0.0,
    }
    with process_kept():
        network = build_network(arguments, torch.float64)
    save_network(network, arguments, tmp_path / "model")
    potential = load_potential(tmp_path)
    (found,) = potential.engine("ase").evaluate([bulk("Cu")])
    direct = MacePotential(network, name="direct", sha256="0")
    (expected,) = direct.engine("ase").evaluate([bulk("Cu")])
    assert found.energy == pytest.approx(expected.energy, abs=1e-10)
    changed = (tmp_path / "model.json").read_text().replace("10.0", "11.0")
    (tmp_path / "model.json").write_text(changed)
    assert load_potential(tmp_path).identity.sha256 != potential.identity.sha256


def test_mini_is_what_the_registry_says() -> None:
    potential = load_potential("mini", device="cpu", dtype="float64")
    assert isinstance(potential, MacePotential)
    assert potential.elements == set(entry("mini").elements)
    assert (potential.identity.name, potential.dtype) == ("mini", "float64")
    assert len(potential.identity.sha256) == 64
    assert catalogue.potential_info("mini").available
    (copper,) = potential.engine("ase").relax([bulk("Cu")], cell="full", fmax=0.01)
    assert copper.failure is None
    assert copper.structure.volume == pytest.approx(11.95, rel=0.05)  # PBE, Lejaeghere (2014)


@pytest.mark.parametrize(
    ("given", "arguments", "says"),
    [
        ("mace-mp-0-tiny", {}, "did you mean mace-mp-0"),
        ("nowhere/my.model", {}, "there is no file nowhere/my.model"),
        (Path("nowhere"), {}, "there is no file nowhere"),
        ("mini", {"dtype": "double"}, "dtype: 'double' is unknown; use float64, float32 or tf32"),
        ("mini", {"device": "tpu"}, "device: 'tpu' is unknown"),
        ("mace-mh-1", {"head": "omat"}, r"did you mean omat_pbe\?"),
        ("mace-mh-1", {"head": "omol", "dispersion": "d3"}, "'omol' has a functional of its own"),
        ("chgnet", {"head": "pbe"}, "head: 'chgnet' has none"),
        ("chgnet", {"dispersion": "d3"}, "dispersion: 'chgnet' has none"),
        ("some.model", {"dispersion": "d3"}, "needs the functional of a local file"),
    ],
)
def test_bad_input_is_one_line(given: str | Path, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(PotentialError, match=says) as raised:
        load_potential(given, **arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"energy = 0.0\n" * 100, "not a torch checkpoint"),
        (pickle.dumps(list(range(5000)), protocol=2), "cannot be loaded"),
    ],
)
def test_file_that_is_no_model(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "no.model"
    path.write_bytes(content)
    with pytest.raises(PotentialError, match=says) as raised:
        load_potential(path, trust=True)
    assert "\n" not in str(raised.value)


def test_training_checkpoint_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    torch.save({"model": {"weight": torch.zeros(1000)}, "epoch": 3}, path)
    with pytest.raises(PotentialError, match="holds a dict, not a MACE network"):
        load_potential(path, trust=True)


def test_catalogue_tells_what_is_here(own_cache: Path) -> None:
    listed = catalogue.list_potentials()
    assert [status.entry.name for status in listed] == list(registry.registry())
    info = catalogue.potential_info("mace-mpa-0-medium")
    assert (info.available, info.sha256) == (False, None)
    assert info.path == str(own_cache / "potentials" / "mace-mpa-0-medium.model")
    assert catalogue.fetch("mini") == catalogue.potential_info("mini")
    with pytest.raises(PotentialError, match="nothing to verify"):
        catalogue.verify("chgnet")
    with pytest.raises(PotentialError, match="did you mean chgnet"):
        catalogue.potential_info("chgnett")


def test_positions_do_not_depend_on_what_was_computed_before(checkpoint: Path) -> None:
    engine = load_potential(checkpoint, trust=True).engine("ase")
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    first, _, again = engine.evaluate([atoms, bulk("Li"), atoms])
    assert np.array_equal(first.forces, again.forces)

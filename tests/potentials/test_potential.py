import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT

from potentials.errors import PotentialError
from potentials.potential import CalculatorPotential, MacePotential, versions_of
from tests.potentials.networks import Architecture, random_mace, random_network

HEADS = ("omat_pbe", "matpes_r2scan")


@pytest.fixture(scope="module")
def two_heads() -> MacePotential:
    return random_mace(heads=HEADS, head="matpes_r2scan", architecture="mh-1")


def copper_with_lithium() -> Atoms:
    atoms = bulk("Cu", cubic=True)
    atoms[0].symbol = "Li"
    atoms.rattle(0.1, seed=3)
    return atoms


def test_mace_says_who_it_is(mace: MacePotential) -> None:
    identity = mace.identity
    assert (identity.name, identity.sha256) == ("random", "0" * 64)
    assert (identity.head, identity.dtype, identity.dispersion) == (None, "float64", None)
    assert [package for package, _ in identity.versions] == ["ase", "mace-torch", "torch"]
    assert identity.to_dict()["versions"]["ase"] == dict(identity.versions)["ase"]
    assert mace.elements == {"Li", "Cu"}
    assert (mace.r_max, mace.atomic_numbers, mace.head_index) == (4.5, (3, 29), 0)
    assert not mace.model.training
    assert not any(weight.requires_grad for weight in mace.model.parameters())


def test_each_head_has_its_own_energies(two_heads: MacePotential) -> None:
    other = MacePotential(two_heads.model, name="random", sha256="0", head="omat_pbe")
    assert (two_heads.head_index, other.head_index) == (1, 0)
    assert two_heads.identity.head == "matpes_r2scan"
    energies = [
        potential.engine("ase").evaluate([copper_with_lithium()])[0].energy
        for potential in (two_heads, other)
    ]
    assert abs(energies[0] - energies[1]) > 0.1


def test_head_is_to_be_chosen(two_heads: MacePotential) -> None:
    with pytest.raises(PotentialError, match=r"choose one of omat_pbe, matpes_r2scan"):
        MacePotential(two_heads.model, name="random", sha256="0")
    with pytest.raises(PotentialError, match=r"'omat' is unknown; did you mean omat_pbe\?"):
        MacePotential(two_heads.model, name="random", sha256="0", head="omat")


def test_head_called_default_needs_no_choice() -> None:
    potential = random_mace(heads=("pt_head", "Default"))
    assert (potential.head, potential.head_index) == ("Default", 1)


def test_precisions_agree_to_single_precision() -> None:
    found = {}
    for dtype in ("float64", "float32"):
        potential = random_mace(dtype=dtype)
        assert potential.dtype == potential.identity.dtype == dtype
        assert str(next(potential.model.parameters()).dtype) == f"torch.{dtype}"
        (found[dtype],) = potential.engine("ase").evaluate([copper_with_lithium()])
    difference = abs(found["float64"].energy - found["float32"].energy)
    assert 0 < difference < 1e-3
    assert np.allclose(found["float64"].forces, found["float32"].forces, atol=1e-3)
    assert found["float32"].forces.dtype == np.float64


@pytest.mark.parametrize("kind", ["batched", "ase"])
def test_tf32_frees_the_products_of_the_network_alone(kind) -> None:
    exact, loose = random_mace(dtype="float32"), random_mace(dtype="tf32")
    seen = []
    loose.model.register_forward_hook(lambda *_: seen.append(torch.get_float32_matmul_precision()))
    before = torch.get_float32_matmul_precision()
    results = [each.engine(kind).evaluate([copper_with_lithium()])[0] for each in (exact, loose)]
    assert before == torch.get_float32_matmul_precision() == "highest"
    assert set(seen) == {"high"}
    assert loose.identity.dtype == "tf32"
    assert next(loose.model.parameters()).dtype == torch.float32
    # Ten bits keep three digits of every product's factors; the sums average them out.
    assert abs(results[0].energy - results[1].energy) < 1e-2
    assert np.allclose(results[0].forces, results[1].forces, atol=1e-2)


@pytest.mark.parametrize("architecture", ["mp-0", "mpa-0"])
def test_both_engines_agree_on_the_published_architectures(architecture: Architecture) -> None:
    potential = random_mace(architecture=architecture)
    check_engines_agree(potential)


def test_both_engines_agree_on_each_head(two_heads: MacePotential) -> None:
    check_engines_agree(two_heads)
    check_engines_agree(MacePotential(two_heads.model, name="random", sha256="0", head="omat_pbe"))


def check_engines_agree(potential: MacePotential) -> None:
    structures = [copper_with_lithium(), bulk("Li")]
    for one, many in zip(
        potential.engine("ase").evaluate(structures),
        potential.engine("batched").evaluate(structures),
        strict=True,
    ):
        assert many.energy == pytest.approx(one.energy, abs=1e-8)
        assert np.allclose(many.forces, one.forces, atol=1e-8)
        assert one.stress is not None
        assert many.stress is not None
        assert np.allclose(many.stress, one.stress, atol=1e-9)


def test_forces_are_minus_the_energys_slope(mace: MacePotential) -> None:
    atoms = copper_with_lithium()
    atoms.calc = mace.ase_calculator()
    force, step = atoms.get_forces()[2, 1], 1e-4
    energies = []
    for sign in (1, -1):
        moved = copper_with_lithium()
        moved.positions[2, 1] += sign * step
        moved.calc = mace.ase_calculator()
        energies.append(moved.get_potential_energy())
    assert force == pytest.approx(-(energies[0] - energies[1]) / (2 * step), abs=1e-6)


def test_calculators_share_the_network_but_not_the_results(mace: MacePotential) -> None:
    one, other = mace.ase_calculator(), mace.ase_calculator()
    assert one is not other
    assert one.models[0] is other.models[0] is mace.model


def test_fastest_engine_is_the_default(mace: MacePotential, emt: CalculatorPotential) -> None:
    assert type(mace.engine()).__name__ == type(mace.engine("batched")).__name__ == "BatchedEngine"
    assert type(mace.engine("ase")).__name__ == type(emt.engine()).__name__ == "AseEngine"
    with pytest.raises(PotentialError, match=r"'bached' is unknown; did you mean batched\?"):
        mace.engine("bached")  # type: ignore[arg-type]


def test_any_calculator_is_a_potential() -> None:
    emt = CalculatorPotential(EMT, name="emt", elements=("Cu",))
    other = CalculatorPotential(lambda: EMT(asap_cutoff=True), name="emt", elements=("Cu",))
    assert emt.identity.sha256 != other.identity.sha256
    assert emt.identity == CalculatorPotential(EMT, name="emt", elements=("Cu",)).identity
    with pytest.raises(PotentialError, match="does not cover H, O"):
        emt.check_elements(molecule("H2O").get_chemical_symbols())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"dtype": "float16"}, "dtype: 'float16' is unknown"),
        ({"device": "cuda:99"}, "device: no such GPU"),
        ({"device": "gpu"}, "device: 'gpu' is unknown"),
        ({"dispersion": "d4"}, "dispersion: 'd4' is unknown"),
    ],
)
def test_bad_arguments(mace: MacePotential, arguments: dict[str, str], says: str) -> None:
    with pytest.raises(PotentialError, match=says):
        MacePotential(mace.model, name="random", sha256="0", **arguments)  # type: ignore[arg-type]


def test_versions_of_packages_that_are_there() -> None:
    assert [name for name, _ in versions_of("torch", "no-such-package", "ase")] == ["ase", "torch"]


def test_dispersion_is_added_or_says_what_is_missing() -> None:
    network = random_network()
    plain = MacePotential(network, name="random", sha256="0")
    try:
        import torch_dftd  # type: ignore[import-not-found]  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(PotentialError, match="pip install torch-dftd"):
            MacePotential(network, name="random", sha256="0", dispersion="d3-bj-pbe")
        return
    from torch_dftd.torch_dftd3_calculator import (  # type: ignore[import-not-found]
        TorchDFTD3Calculator,
    )

    corrected = MacePotential(network, name="random", sha256="0", dispersion="d3-bj-pbe")
    (without,) = plain.engine("ase").evaluate([copper_with_lithium()])
    (with_d3,) = corrected.engine().evaluate([copper_with_lithium()])
    alone = copper_with_lithium()
    alone.calc = TorchDFTD3Calculator(damping="bj", xc="pbe", cutoff=40.0 * 0.5291772)
    assert corrected.identity.dispersion == "d3-bj-pbe"
    assert with_d3.energy - without.energy == pytest.approx(alone.get_potential_energy(), abs=1e-4)
    assert np.allclose(with_d3.forces - without.forces, alone.get_forces(), atol=1e-4)
    with pytest.raises(PotentialError, match="no dispersion correction"):
        corrected.engine("batched")
    with pytest.raises(PotentialError, match="no parameters for 'lda'"):
        MacePotential(network, name="random", sha256="0", dispersion="d3-bj-lda")

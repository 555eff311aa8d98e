"""What the engine refuses, before anything is computed."""

import pytest
from ase.build import bulk

from potentials.batched import BatchedEngine
from potentials.errors import PotentialError
from potentials.protocol import Band, Engine
from tests.potentials.batched.networks import gupta, random_mace
from tests.potentials.batched.systems import alloy, slab


@pytest.fixture(scope="module")
def engine() -> BatchedEngine:
    return BatchedEngine(gupta())


def test_is_an_engine_and_says_whose(engine: BatchedEngine) -> None:
    same: Engine = engine
    assert same.identity.name == "GuptaModel"


def test_a_mace_potential_gives_it() -> None:
    engine = random_mace().engine(max_atoms_per_batch=50)
    assert isinstance(engine, BatchedEngine)
    assert engine.identity == random_mace().identity


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda e: e.relax([alloy(0)], fmax=0.0), "fmax: 0.0"),
        (lambda e: e.relax([alloy(0)], max_steps=-1), "max_steps: -1"),
        (lambda e: e.relax([alloy(0)], cell="ful"), "cell: 'ful' is unknown; did you mean full"),
        (lambda e: e.relax([alloy(0)], normal_stress=1.0), "normal_stress: has no effect"),
        (lambda e: e.evaluate([bulk("Li")]), "elements: .*Li"),
        (lambda e: e.evaluate(["Cu"]), "structure: str given"),
        (lambda e: e.neb([Band(alloy(0), alloy(1))]), "band: the end states differ"),
        (lambda e: e.neb([Band(alloy(0, ("Cu",)), alloy(1, ("Cu",)))]), "band: .* cells differ"),
        (lambda e: e.neb([], n_images=0), "n_images: 0"),
        (lambda e: e.neb([], spring_constant=-1.0), "spring_constant: -1"),
        (lambda e: e.md([alloy(0)], "x", steps=-1), "steps: -1"),
        (lambda e: e.md([alloy(0)], "x", steps=1, ensemble="npt"), "ensemble: 'npt' is unknown"),
        (lambda e: e.md([alloy(0)], "x", steps=1, temperature=-3.0), "temperature: -3.0"),
        (lambda e: e.md([alloy(0)], "x", steps=1, seed=[1, 2]), "seed: 2 values for 1 structures"),
        (lambda e: e.md([alloy(0)], "x", steps=1, normal_stress=1.0), "normal_stress: has no eff"),
        (
            lambda e: e.md([slab("Cu")], "x", steps=1, ensemble="normal-stress"),
            "ensemble: .* frozen",
        ),
    ],
)
def test_bad_input_is_one_line_with_field_value_and_mend(
    engine: BatchedEngine, call, said: str, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PotentialError, match=said) as error:
        call(engine)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_batch_limit_must_be_a_whole_number() -> None:
    with pytest.raises(PotentialError, match="max_atoms_per_batch: 0"):
        BatchedEngine(gupta(), max_atoms_per_batch=0)

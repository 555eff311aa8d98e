import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk

from potentials.torch_state import process_kept, same_bits_on, torch_settings_kept
from tests.potentials.networks import random_mace

_SCRIPT = """
import logging, os, torch
from ase.calculators.calculator import Calculator

def state():
    return [torch.get_default_dtype(), torch.get_num_threads(), logging.getLogger().handlers[:],
            Calculator.implemented_properties[:],
            os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")]

before = state()
from ase.build import bulk
from tests.potentials.networks import random_mace
potential = random_mace(("Cu",), heads=("a", "b"), head="b")
for engine in (potential.engine("ase"), potential.engine("batched")):
    result, = engine.evaluate([bulk("Cu")])
    assert result.failure is None, result.failure
assert state() == before, (before, state())
try:
    torch.load("pickle.pt")
except Exception as error:
    assert "weights_only" in str(error), error
else:
    raise AssertionError("torch.load ran a pickle")
"""


class Anything:
    """A class of the user's own, which torch refuses to unpickle by default."""


def test_a_process_that_uses_mace_is_left_as_found(tmp_path: Path) -> None:
    torch.save(Anything(), tmp_path / "pickle.pt")
    root = Path(__file__).parents[2]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TORCH_FORCE")}
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", _SCRIPT],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")


def _fail(threads: int) -> None:
    torch.set_num_threads(threads)
    with torch_settings_kept(torch.float64):
        assert torch.get_default_dtype() == torch.float64
        torch.set_num_threads(threads + 1)
        raise RuntimeError("inside")


def test_settings_come_back_even_after_an_error() -> None:
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    with pytest.raises(RuntimeError, match="inside"):
        _fail(threads)
    assert torch.get_default_dtype() == dtype
    assert torch.get_num_threads() == threads


def test_noise_stays_inside(
    capsys: pytest.CaptureFixture[str], recwarn: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", raising=False)
    handlers = logging.getLogger().handlers[:]
    with process_kept():
        print("notice")
        warnings.warn("beware", UserWarning, stacklevel=1)
        os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
    assert capsys.readouterr() == ("", "")
    assert list(recwarn) == []  # type: ignore[call-overload]
    assert logging.getLogger().handlers == handlers
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" not in os.environ


def test_users_own_choice_of_unsafe_loading_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with process_kept():
        del os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"]
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"


def _order() -> tuple[int, bool, bool]:
    """What decides on a GPU whether the same input gives the same bits."""
    return (
        torch.get_deterministic_debug_mode(),
        torch.utils.deterministic.fill_uninitialized_memory,
        torch._C._get_graph_executor_optimize(),
    )


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_a_gpu_is_made_to_repeat_itself_and_let_go_after_an_error(mode: int) -> None:
    torch.set_deterministic_debug_mode(mode)
    try:
        before = _order()
        inside = []

        def fail() -> None:
            with same_bits_on("cuda:0"):
                inside.append(_order())
                raise RuntimeError("inside")

        with pytest.raises(RuntimeError, match="inside"):
            fail()
        assert inside == [(max(mode, 1), False, False)]
        assert _order() == before
        with same_bits_on("cpu"):
            assert _order() == before
    finally:
        torch.set_deterministic_debug_mode("default")


def test_a_network_runs_without_torchscript_s_optimisations(recwarn: object) -> None:
    """The order of a GPU, here on the CPU: no operation of MACE is refused or warned of."""
    potential = random_mace(("Cu",))
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    (expected,) = potential.engine("ase").evaluate([atoms])
    with same_bits_on("cuda"):
        (found,) = potential.engine("ase").evaluate([atoms])
    assert (found.failure, list(recwarn)) == (None, [])  # type: ignore[call-overload]
    assert found.energy == pytest.approx(expected.energy, abs=1e-9)
    assert np.abs(found.forces - expected.forces).max() < 1e-9


@pytest.mark.parametrize("kind", ["ase", "batched"])
def test_dynamics_repeats_itself_on_a_gpu(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both engines set the order for their potential's device; nothing is computed."""
    seen = []
    where = "molecular_dynamics" if kind == "ase" else "engine"
    monkeypatch.setattr(
        f"potentials.batched.{where}.run_dynamics", lambda *_: seen.append(_order()) or []
    )
    monkeypatch.setattr("potentials.ase_dynamics.CalculatorForces", lambda _: None)
    potential = random_mace(("Cu",))
    engine = potential.engine(kind)  # type: ignore[arg-type]
    engine.md([bulk("Cu")], tmp_path, steps=1)
    monkeypatch.setattr(potential, "device", "cuda")
    engine.md([bulk("Cu")], tmp_path, steps=1)
    assert seen == [(0, True, True), (1, False, False)]
    assert _order() == (0, True, True)

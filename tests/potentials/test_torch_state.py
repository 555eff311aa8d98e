import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from potentials.torch_state import process_kept, torch_settings_kept

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

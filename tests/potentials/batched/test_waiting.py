"""How often the host would wait for a GPU at each step, counted at the calls that wait there."""

from collections import Counter

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from potentials.batched import BatchedEngine
from potentials.batched.batch import GraphBatch
from potentials.protocol import Band
from tests.potentials.batched.networks import gupta
from tests.potentials.batched.systems import alloy, slab

WAITING = {
    *("cpu", "tolist", "item", "__bool__", "__int__", "__float__", "__index__"),
    *("nonzero", "bincount", "masked_select", "unique", "repeat_interleave", "tensor"),
    *("linalg_inv", "linalg_solve", "equal"),
}
"""Functions for which the host waits: they bring a value to it, need one to know the size of their
result, or copy one from it. Other ways to do so are masks as indices."""
FEW, MORE = 3, 8


class Waits(TorchFunctionMode):
    """Counts the calls that wait."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in ("__getitem__", "__setitem__"):
            places = args[1] if isinstance(args[1], tuple) else (args[1],)
            if any(isinstance(each, Tensor) and each.dtype == torch.bool for each in places):
                self.calls["mask"] += 1
        elif name in WAITING:
            self.calls[name] += 1
        return function(*args, **(kwargs or {}))


def calls(task: str, steps: int, folder) -> Counter[str]:
    engine = BatchedEngine(gupta())
    end = slab("Cu", "100", "Cu")
    other = end.copy()
    other.positions[-1, 0] += 1.0
    with Waits() as waits:
        if task == "relax":
            results = engine.relax([alloy(0), slab("Cu"), slab("Ag")], fmax=1e-9, max_steps=steps)
            assert [result.steps for result in results] == [steps] * 3
        elif task == "neb":
            paths = engine.neb([Band(end, other), Band(other, end)], fmax=1e-9, max_steps=steps)
            assert [path.steps for path in paths] == [steps] * 2
        else:
            results = engine.md(
                [alloy(0), alloy(1)], folder, steps=steps, ensemble=task, temperature=50.0
            )
            assert [result.steps for result in results] == [steps] * 2
    return waits.calls


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        # One table of what the lists hold, and one of what the step is judged by.
        ("relax", {"tolist": 2}),
        ("nve", {"tolist": 2}),
        ("nvt", {"tolist": 2}),
        ("normal-stress", {"tolist": 2}),
        # And whether one image without numbers has spoilt the others.
        ("neb", {"tolist": 1, "__bool__": 1, "cpu": 1}),
    ],
)
def test_a_step_waits_for_its_lists_and_its_judgement_only(
    task, expected, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(GraphBatch, "host_waits", True)
    few, more = calls(task, FEW, tmp_path / "few"), calls(task, MORE, tmp_path / "more")
    assert few["tolist"]
    more.subtract(few)
    assert {name: n for name, n in more.items() if n} == {
        name: n * (MORE - FEW) for name, n in expected.items()
    }

"""The batch limit: what fits, what memory teaches it, and what happens when memory runs out."""

import logging

import pytest
import torch

from potentials.batched.memory import BatchLimit

CPU = torch.device("cpu")


def test_as_many_systems_as_fit_but_at_least_one() -> None:
    limit = BatchLimit(CPU, 100)
    assert limit.systems_that_fit([40, 40, 40]) == 2
    assert limit.systems_that_fit([150, 10]) == 1
    assert limit.systems_that_fit([100]) == 1
    assert limit.allows(0, 1000)
    assert limit.allows(60, 40)
    assert not limit.allows(60, 41)


def test_half_after_running_out_of_memory_and_said_so(caplog) -> None:
    limit = BatchLimit(CPU, 100)
    with caplog.at_level(logging.WARNING):
        limit.shrink(90)
    assert limit.atoms == 45
    assert "out of memory at 90 atoms" in caplog.text


@pytest.fixture
def cuda(monkeypatch) -> torch.device:
    """A made-up GPU, on which a pass takes 2000 bytes and 10000 are left."""
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 1000)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 5000)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 3000)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (6000, 20000))
    return torch.device("cuda")


def test_learns_from_the_memory_that_a_pass_took(cuda: torch.device) -> None:
    limit = BatchLimit(cuda)
    limit.watch()
    limit.learn(10)
    # 200 bytes per atom, 6000 free and 4000 in the cache, of which 0.8 may be used
    assert limit.atoms == 40


def test_a_batch_that_is_held_stays_whole_until_memory_runs_out(cuda: torch.device) -> None:
    limit = BatchLimit(cuda)
    with limit.held_at(1500):
        assert limit.systems_that_fit([700, 800]) == 2  # 1000 is what a new process begins with
        limit.watch()
        limit.learn(10)
        assert limit.systems_that_fit([700, 800]) == 2
        limit.shrink(1500)
        assert limit.systems_that_fit([700, 800]) == 1
    other = BatchLimit(cuda)
    with other.held_at(1500):
        other.watch()
    other.learn(10)
    assert other.atoms == 40
    fixed = BatchLimit(cuda, 100)
    with fixed.held_at(1500):
        assert fixed.atoms == 100

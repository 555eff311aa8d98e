"""The batch limit: what fits, what memory teaches it, and what happens when memory runs out."""

import logging

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


def test_learns_from_the_memory_that_a_pass_took(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 1000)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 5000)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 3000)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (6000, 20000))
    limit = BatchLimit(torch.device("cuda"))
    limit.watch()
    limit.learn(10)
    # 200 bytes per atom, 6000 free and 4000 in the cache, of which 0.8 may be used
    assert limit.atoms == 40

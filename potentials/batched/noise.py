"""Random numbers that depend on a system's seed and step only, not on company or restarts."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

BLOCK = 64
"""Steps whose numbers are drawn together, from a seed of their own."""


class Noise:
    """Normal deviates for the atoms and the cells of a batch, step by step."""

    def __init__(self, seeds: Sequence[int], sizes: Sequence[int], device: torch.device) -> None:
        """Prepare to draw.

        Args:
            seeds: of each system.
            sizes: number of atoms of each system.
            device: where the numbers are drawn; they differ between kinds of device.
        """
        self._seeds, self._sizes, self._device = list(seeds), list(sizes), device
        self._block = -1

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Numbers of one step: flat, (n_atoms, 3), and (n_systems,), float64."""
        block, place = divmod(step, BLOCK)
        if block != self._block:
            self._draw(block)
        return self._on_atoms[place], self._on_cells[place]

    def _draw(self, block: int) -> None:
        generator = torch.Generator(self._device)
        on_atoms, on_cells = [], []
        for seed, size in zip(self._seeds, self._sizes, strict=True):
            mixed = np.random.SeedSequence([seed, 1 + block]).generate_state(1, np.uint64)[0]
            generator.manual_seed(int(mixed >> np.uint64(1)))
            drawn = torch.randn(
                (BLOCK, size + 1, 3), generator=generator, dtype=torch.float64, device=self._device
            )
            on_atoms.append(drawn[:, :size])
            on_cells.append(drawn[:, size, 0])
        self._on_atoms = torch.cat(on_atoms, dim=1)
        self._on_cells = torch.stack(on_cells, dim=1)
        self._block = block

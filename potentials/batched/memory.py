"""How many atoms one pass of the network may hold."""

import ctypes
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import torch

logger = logging.getLogger(__name__)

CPU_ATOMS = 800
"""On a CPU more atoms per pass gain nothing: the fixed cost of a pass is spread by then."""
FIRST_GPU_ATOMS = 1000
"""Few enough for any network on any card in use; the limit grows from what this pass took."""
MEMORY_SHARE = 0.8
"""Of the card's memory; the rest is left to fragmentation and to passes denser in edges."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Names of two settings of glibc's allocator (man mallopt)."""


def keep_freed_memory() -> None:
    """Let this process keep up to 1 GiB of what it frees, for the next pass.

    A pass takes and frees arrays of megabytes. glibc gives each back to the system at once, and
    the system clears it page by page when the next pass asks for it again: a third of the time of
    a pass. Other allocators are left as they are.
    """
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 2**25)
        mallopt(_M_TRIM_THRESHOLD, 2**30)


class BatchLimit:
    """Atoms per pass: from memory on a GPU, halved when it runs out; fixed on a CPU.

    Attributes:
        atoms: the present limit.
    """

    def __init__(self, device: torch.device, atoms: int | None = None) -> None:
        """Start with ``atoms``, or with a guess that the first passes correct.

        Args:
            device: where the passes run.
            atoms: a limit that is not raised, only halved when memory runs out.
        """
        self._device = device
        self._learns = atoms is None and device.type == "cuda"
        first_guess = FIRST_GPU_ATOMS if device.type == "cuda" else CPU_ATOMS
        self.atoms = first_guess if atoms is None else atoms
        self._bytes_before = 0
        self._bytes_per_atom = 0.0
        self._held = 0

    def allows(self, atoms: int, more: int) -> bool:
        """Whether a system of ``more`` atoms may join ``atoms``; always where there are none."""
        return atoms == 0 or atoms + more <= self.atoms

    def systems_that_fit(self, sizes: Sequence[int]) -> int:
        """How many of the first of ``sizes`` (atoms) go into one pass: at least one."""
        total = 0
        for i, size in enumerate(sizes):
            total += size
            if total > self.atoms and i > 0:
                return i
        return len(sizes)

    @contextmanager
    def held_at(self, atoms: int) -> Iterator[None]:
        """Allow ``atoms`` inside, whatever the passes teach, unless memory runs out.

        A batch that is split otherwise at another step, or after a restart, gives other bits.
        """
        if self._learns:
            self._held = atoms
            self.atoms = max(self.atoms, atoms)
        try:
            yield
        finally:
            self._held = 0

    def watch(self) -> None:
        """A pass is about to begin."""
        if self._learns:
            self._bytes_before = torch.cuda.memory_allocated(self._device)
            torch.cuda.reset_peak_memory_stats(self._device)

    def learn(self, atoms: int) -> None:
        """A pass over ``atoms`` went well: set the limit from the memory it took."""
        if not self._learns:
            return
        taken = torch.cuda.max_memory_allocated(self._device) - self._bytes_before
        self._bytes_per_atom = max(self._bytes_per_atom, taken / atoms)
        free, _ = torch.cuda.mem_get_info(self._device)
        cached = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(
            self._device
        )
        fitting = int(MEMORY_SHARE * (free + cached) / self._bytes_per_atom)
        self.atoms = max(1, self._held, fitting)

    def shrink(self, atoms: int) -> None:
        """A pass over ``atoms`` ran out of memory: allow half of them from now on."""
        self._learns = False
        self.atoms = max(1, atoms // 2)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        logger.warning("out of memory at %d atoms in one pass; going on with %d", atoms, self.atoms)

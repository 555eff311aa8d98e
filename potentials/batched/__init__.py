"""The batched engine: many systems of different sizes through one MACE network at once."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from potentials.batched.engine import BatchedEngine

__all__ = ["BatchedEngine"]


def __getattr__(name: str) -> object:
    if name == "BatchedEngine":
        from potentials.batched.engine import BatchedEngine

        return BatchedEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

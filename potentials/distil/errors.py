"""The one exception that bad input to the distillation raises."""

from potentials.errors import PotentialError


class DistillationError(PotentialError):
    """A distillation cannot be run as asked; the message says what is wrong and how to mend it."""

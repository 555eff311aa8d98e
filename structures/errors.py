"""The one exception that bad input to a structure builder raises."""


class StructureError(ValueError):
    """A structure cannot be built as asked; the message says what is wrong and how to mend it."""

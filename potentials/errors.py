"""The one exception that bad input to a potential raises."""


class PotentialError(ValueError):
    """A potential cannot be used as asked; the message says what is wrong and how to mend it."""

"""The one exception that bad input to a workflow raises."""


class WorkflowError(ValueError):
    """A workflow cannot be run as asked; the message says what is wrong and how to mend it."""

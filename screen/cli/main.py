"""The program ``lithiophile``: its commands, and how it ends.

Nothing heavy is imported here: each command imports what it needs when it runs.
"""

import os
import sys
from collections.abc import Sequence

import typer

from screen.cli import campaigns, exports, labels, potentials, results, runs, structures, validation

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130

app = typer.Typer(
    name="lithiophile",
    help="Screen the interfaces of lithium-metal batteries with machine-learned potentials.",
    epilog="Start with: lithiophile run",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
campaigns.add_to(app)
runs.add_to(app)
results.add_to(app)
exports.add_to(app)
validation.add_to(app)
labels.add_to(app)
app.add_typer(structures.app, name="structures")
app.add_typer(potentials.app, name="potentials")


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    """Screen the interfaces of lithium-metal batteries with machine-learned potentials."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit: 0 done, 2 bad input, 1 failed.

    Args:
        arguments: without the program's name; None takes those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        app(args=[argument for argument in given if argument != "--debug"])
    except BrokenPipeError:
        # Whoever read the output has enough of it, such as `head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        _end("stopped; what is finished is kept, run it again to go on", INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        if _is_bad_input(error):
            _end(str(error), BAD_INPUT)
        if isinstance(error, OSError):
            _end(str(error), FAILED)
        _end(f"{type(error).__name__}: {error}; --debug shows where", FAILED)


def _is_bad_input(error: Exception) -> bool:
    from potentials.errors import PotentialError
    from results.errors import ResultsError
    from screen.errors import CampaignError
    from structures.errors import StructureError
    from workflows.errors import WorkflowError

    user_errors = CampaignError | StructureError | PotentialError | ResultsError | WorkflowError
    return isinstance(error, user_errors)


def _end(message: str, status: int) -> None:
    print(f"Error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)

"""The command line: one program, thin over the Python surface."""

from screen.cli.main import main

__all__ = ["main"]

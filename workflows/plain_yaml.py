"""YAML files that people write, read with every problem told in one line."""

from itertools import accumulate
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

_MAX_BYTES = 1_000_000
_MAX_DEPTH = 100


class UnreadableYamlError(ValueError):
    """A text is not of use; the message is one line that says where and how to mend it."""


def decoded(content: bytes) -> str:
    """A file's content as text.

    Raises:
        UnreadableYamlError: not UTF-8, or far more than people write.
    """
    if len(content) > _MAX_BYTES:
        raise UnreadableYamlError(f"{len(content)} bytes are more than people write")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnreadableYamlError(f"line {line}: not UTF-8 text; save it as UTF-8") from error


def parsed(text: str) -> Any:
    """What YAML says, as plain types.

    Raises:
        UnreadableYamlError: it is none, or nested too deeply.
    """
    steps = ((char in "[{") - (char in "]}") for char in text)
    # The scanner's time grows with the square of the depth.
    if max(accumulate(steps), default=0) > _MAX_DEPTH:
        raise UnreadableYamlError("is nested too deeply; a few levels are enough")
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        problem = " ".join(str(error.problem or error.context).split())
        raise UnreadableYamlError(f"{line}{problem}; mend the YAML there or just above") from error
    except (YAMLError, ValueError, OverflowError) as error:
        problem = " ".join(str(error).split())[:200]
        raise UnreadableYamlError(f"unreadable YAML: {problem}; mend it") from error
    except RecursionError as error:
        raise UnreadableYamlError("is nested too deeply; a few levels are enough") from error

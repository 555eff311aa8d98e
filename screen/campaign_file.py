"""Reading a campaign file, with every error told in one line: file, field, value and mend."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from reprlib import Repr
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from screen.campaign import Campaign
from screen.errors import CampaignError
from workflows.plain_yaml import UnreadableYamlError, decoded, parsed

_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 80, 80


def quickstart_file() -> Path:
    """The campaign that runs where none is named; it comes with the package."""
    return Path(__file__).with_name("quickstart.yaml")


def read_text(path: str | Path) -> str:
    """The campaign file as text.

    Raises:
        CampaignError: if there is no such file or it is no UTF-8 text of a sane size.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CampaignError(f"{path}: {reason}; name a campaign file") from error
    try:
        return decoded(content)
    except UnreadableYamlError as error:
        raise CampaignError(f"{path}: {error}") from error


def parse_campaign(text: str, source: str) -> Campaign:
    """The campaign in ``text``; ``source`` names it in errors.

    Its fields are checked one by one, but not yet against the crystal library.

    Raises:
        CampaignError: in one line, if it is no YAML or a field is wrong.
    """
    try:
        data = parsed(text)
    except UnreadableYamlError as error:
        raise CampaignError(f"{source}: {error}") from error
    if data is None:
        raise CampaignError(f"{source}: the file is empty; start with 'name:' and 'potential:'")
    if not isinstance(data, Mapping):
        raise CampaignError(f"{source}: holds no 'key: value' lines; start with 'name:'")
    try:
        return Campaign.model_validate(data)
    except ValidationError as error:
        raise CampaignError(one_line(f"{source}: {_explain(error, data)}")) from error
    except RecursionError as error:
        raise CampaignError(f"{source}: is nested too deeply; a campaign has few levels") from error


def without_funnel(text: str, source: str) -> str:
    """The campaign with the thresholds of its coating screen taken out, comments kept.

    Args:
        text: a campaign that can be read.
        source: the file's name, for the message.

    Raises:
        CampaignError: a campaign without a coating screen.
    """
    yaml = YAML()
    data = yaml.load(text)
    if "coatings" not in data["screens"]:
        raise CampaignError(f"{source}: --no-funnel: there is no coating screen; leave it out")
    data["screens"]["coatings"]["funnel"] = None
    written = StringIO()
    yaml.dump(data, written)
    return written.getvalue()


def place(location: tuple[str | int, ...]) -> str:
    """A field's place in the file as people write it: ``screens.collectors.hosts[2]``."""
    written = ""
    for part in location:
        written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
    return written


def one_line(message: str) -> str:
    """``message`` without line breaks and runs of blanks."""
    return " ".join(message.split())


def short(value: Any) -> str:
    """``value`` as shown in an error: on one line, cut where it is long."""
    return _SHORT.repr(value)


def _explain(errors: ValidationError, data: Any) -> str:
    """The first of pydantic's errors in one line: place, value, mend."""
    try:
        error: Any = errors.errors(include_url=False)[0]
    except UnicodeError:
        return "holds half a character (a lone surrogate); write the character itself"
    location, context = _follow(error["loc"], data), error.get("ctx", {})
    kind, message = error["type"], error["msg"]
    if kind == "unknown_key":
        return f"{place((*location, context['key']))}: {message}"
    if kind == "missing":
        name = str(error["loc"][-1])
        where = place((*location, name)) if location[-1:] != (name,) else place(location)
        return f"{where}: missing; add it{_example(name)}"
    message = message.replace("Input should be", "should be").replace("Input should", "should")
    if kind == "too_short":
        message = "is empty; name at least one"
    elif kind == "string_pattern_mismatch":
        message = "use letters, digits, '.', '_' and '-' only"
    elif kind in ("model_type", "dict_type"):
        message = "should be a section of 'key: value' lines"
    elif kind == "literal_error" and isinstance(error["input"], str):
        message = f"should be {context['expected']}"
    named = [part for part in location if isinstance(part, str)]
    return (
        f"{place(location)} = {short(error['input'])}: {message}"
        f"{_example(named[-1]) if named else ''}"
    )


def _follow(location: tuple[Any, ...], data: Any) -> tuple[str | int, ...]:
    """The parts of pydantic's location that stand in the file, its union tags left out."""
    kept: list[str | int] = []
    for part in location:
        if (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        ):
            kept.append(part)
            data = data[part]
    return tuple(kept)


def _example(name: str) -> str:
    """``; for example name: value`` for the fields that have an example."""
    schema = Campaign.model_json_schema()
    for section in (schema, *schema.get("$defs", {}).values()):
        examples = section.get("properties", {}).get(name, {}).get("examples")
        if examples:
            return f"; for example {name}: {examples[0]}"
    return ""

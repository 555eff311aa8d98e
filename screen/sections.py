"""What sections of a campaign file share: strict models of known keys, names of crystals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from results.errors import nearest


class Section(BaseModel):
    """A part of the campaign file: strict types, no unknown keys, never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        """Name the nearest valid key, which pydantic's own message does not."""
        for key in data if isinstance(data, Mapping) else ():
            if key not in cls.model_fields:
                raise PydanticCustomError(
                    "unknown_key",
                    "unknown key; {mend}",
                    {"key": str(key), "mend": nearest(key, cls.model_fields)},
                )
        return data


def refuse_repeats(values: list[Any]) -> list[Any]:
    """``values``, none of which may stand twice.

    Raises:
        PydanticCustomError: one does; pydantic makes it a part of its own error.
    """
    for position, value in enumerate(values):
        if value in values[:position]:
            raise PydanticCustomError(
                "repeated",
                "item {position} repeats {value}; remove it",
                {"position": position, "value": repr(value)},
            )
    return values


def _whole_path(name: str) -> str:
    """The path of a CIF file from the root, because jobs run in other folders than the reader."""
    if name.lower().endswith(".cif") and "://" not in name:
        return str(Path(name).expanduser().absolute())
    return name


CrystalName = Annotated[str, Field(min_length=1), AfterValidator(_whole_path)]
CrystalNames = Annotated[list[CrystalName], Field(min_length=1), AfterValidator(refuse_repeats)]

"""Profiles: what a cluster needs to know to run shards, from ``profiles.yaml``.

::

    gpu:
      scheduler: slurm
      partition: gpu
      account: ab1234
      time: "04:00:00"
      gpus: 1
      cpus: 8
      memory: 32G
      modules: [cuda/12.4]
      preamble: source ~/venv/bin/activate
      stages: {"relax crystals": cpu}
    cpu:
      ...
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from results.errors import nearest
from workflows.errors import WorkflowError
from workflows.plain_yaml import UnreadableYamlError, decoded, parsed

HERE = "here"
"""Among a profile's ``stages``: compute in the driver's own process."""

_TIME = re.compile(r"(?:(\d{1,3})-)?(\d{1,3}):(\d{2}):(\d{2})")
_MEMORY = re.compile(r"[1-9]\d{0,8}[MG]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_Line = Annotated[str, Field(pattern=r"^[^\n\r\x00]+$", max_length=500)]
_Word = Annotated[str, Field(pattern=r"^[^\s\x00]+$", max_length=200)]


class Profile(BaseModel):
    """How the shards of a stage are run by a scheduler."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheduler: Literal["slurm", "pbs", "workstation"] = "slurm"
    partition: _Word | None = Field(default=None, description="Partition or queue.")
    account: _Word | None = Field(default=None, description="Account that is charged.")
    qos: _Word | None = Field(default=None, description="Quality of service (SLURM).")
    time: str = Field(default="04:00:00", description="Wall time, [days-]hours:minutes:seconds.")
    max_time: str | None = Field(
        default=None, description="Wall time up to which a system that needs more is tried again."
    )
    gpus: int = Field(default=0, ge=0, le=64, description="GPUs of one job.")
    cpus: int = Field(default=1, ge=1, le=4096, description="Cores of one job.")
    memory: str | None = Field(default=None, description="Memory of one job, such as 32G.")
    shards_per_job: int = Field(
        default=1, ge=1, le=64, description="Shards that one job runs at once, on its GPUs."
    )
    max_jobs: int = Field(
        default=100, ge=1, le=100_000, description="Jobs running at a time, at most."
    )
    atoms_per_shard: int = Field(default=20_000, ge=1, description="Atoms that one shard gets.")
    modules: tuple[_Line, ...] = Field(default=(), description="Modules to load.")
    environment: dict[str, _Line] = Field(default={}, description="Variables to export.")
    preamble: str = Field(default="", max_length=100_000, description="Shell lines run before.")
    options: tuple[_Line, ...] = Field(
        default=(), description="Further options of sbatch or qsub, such as --constraint=a100."
    )
    python: _Line | None = Field(
        default=None, description="Python on the nodes; by default the one that submits."
    )
    folder: Path | None = Field(
        default=None, description="Where shards live, seen by the nodes; beside the database else."
    )
    stages: dict[str, str] = Field(
        default={}, description="Stage or task to the profile it uses instead; 'here' for none."
    )
    signal_before: float = Field(
        default=120, gt=0, le=3600, description="Warning before the wall time, s."
    )
    heartbeat: float = Field(default=15, gt=0, le=600, description="Between heartbeats, s.")
    heartbeat_timeout: float = Field(
        default=600, gt=0, description="Silence after which a running shard is given up, s."
    )
    poll: float = Field(default=15, gt=0, le=3600, description="Between looks at the queue, s.")

    @field_validator("time", "max_time")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        if value is not None and (not _TIME.fullmatch(value) or not seconds_of(value)):
            raise ValueError('write it as "04:00:00" or "1-12:00:00", in quotes')
        return value

    @field_validator("max_time")
    @classmethod
    def _not_under_time(cls, value: str | None, info: ValidationInfo) -> str | None:
        time = info.data.get("time")
        if value is not None and time is not None and seconds_of(value) < seconds_of(time):
            raise ValueError(f"should not be under time, {time}")
        return value

    @field_validator("partition", "account", "qos", "memory", "options")
    @classmethod
    def _has_a_meaning(cls, value: Any, info: ValidationInfo) -> Any:
        if value and info.data.get("scheduler") == "workstation":
            raise ValueError("is for slurm and pbs; leave it out")
        return value

    @field_validator("memory")
    @classmethod
    def _is_memory(cls, value: str | None) -> str | None:
        if value is not None and not _MEMORY.fullmatch(value):
            raise ValueError("write it as 32G or 4000M")
        return value

    @field_validator("environment", mode="before")
    @classmethod
    def _variables(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        for name in value:
            if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} cannot name a variable")
        return {name: str(one) if _is_number(one) else one for name, one in value.items()}

    @field_validator("folder")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        expanded = Path(os.path.expandvars(value)).expanduser() if "\0" not in str(value) else value
        if not expanded.is_absolute() or "\0" in str(value):
            raise ValueError("give an absolute path, which the nodes can see")
        return expanded

    @property
    def time_s(self) -> int:
        """Wall time, s."""
        return seconds_of(self.time)

    @property
    def max_time_s(self) -> int:
        """Longest wall time that a job may ask for, s."""
        return seconds_of(self.max_time or self.time)

    @property
    def device(self) -> str:
        """Torch device of its shards; a shard sees only its own GPU."""
        return "cuda" if self.gpus else "cpu"


def profiles_file() -> Path:
    """``LITHIOPHILE_PROFILES`` if set, else ``lithiophile/profiles.yaml`` in the user's config."""
    chosen = os.environ.get("LITHIOPHILE_PROFILES")
    if chosen:
        return Path(chosen).expanduser()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return config / "lithiophile" / "profiles.yaml"


def read_profiles(path: str | Path | None = None) -> dict[str, Profile]:
    """The profiles by their names.

    Args:
        path: the file; None takes `profiles_file`.

    Raises:
        WorkflowError: in one line, if the file cannot be read or a field is wrong.
    """
    source = profiles_file() if path is None else Path(path)
    try:
        content = source.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WorkflowError(
            f"profiles: {source}: {reason}; write one as docs/hpc.md shows"
        ) from error
    try:
        data = parsed(decoded(content))
    except UnreadableYamlError as error:
        raise WorkflowError(f"profiles: {source}: {error}") from error
    if not isinstance(data, Mapping) or not data:
        raise WorkflowError(
            f"profiles: {source}: names no profile; start with 'gpu:' as docs/hpc.md shows"
        )
    profiles = {}
    for name, fields in data.items():
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,60}", name):
            raise WorkflowError(
                f"profiles: {source}: {str(name)[:60]!r} cannot name a profile; "
                "use letters, digits, '.', '_' and '-'"
            )
        profiles[name] = _profile(name, fields, str(source))
    for name, profile in profiles.items():
        for stage, other in profile.stages.items():
            if other != HERE and other not in profiles:
                raise WorkflowError(
                    f"profiles: {source}: {name}.stages.{stage} = {other!r}: no such profile; "
                    f"{nearest(other, [*profiles, HERE])}"
                )
    return profiles


def find_profile(name: str | None, profiles: Mapping[str, Profile]) -> str:
    """The name of the profile asked for, or of the only one.

    Raises:
        WorkflowError: no such profile, or none named where there are several.
    """
    if name is None:
        if len(profiles) != 1:
            raise WorkflowError(f"--profile: name one of {', '.join(profiles) or 'none there'}")
        return next(iter(profiles))
    if name not in profiles:
        raise WorkflowError(f"--profile = {name!r}: unknown; {nearest(name, profiles)}")
    return name


def seconds_of(time: str) -> int:
    """Seconds of ``[days-]hours:minutes:seconds``."""
    found = _TIME.fullmatch(time)
    if found is None:
        return 0
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def time_of(seconds: int) -> str:
    """``[days-]hours:minutes:seconds`` of a number of seconds."""
    days, rest = divmod(seconds, 24 * 3600)
    time = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}-{time}" if days else time


def _profile(name: str, fields: Any, source: str) -> Profile:
    if not isinstance(fields, Mapping):
        raise WorkflowError(
            f"profiles: {source}: {name}: should be a section of 'key: value' lines"
        )
    for key in fields:
        if key not in Profile.model_fields:
            raise WorkflowError(
                f"profiles: {source}: {name}.{str(key)[:60]}: unknown; "
                f"{nearest(str(key), Profile.model_fields)}"
            )
    try:
        return Profile.model_validate(dict(fields))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join([name, *(str(part) for part in first["loc"])])
        message = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
        raise WorkflowError(
            f"profiles: {source}: {place} = {repr(first['input'])[:80]}: {message}"
        ) from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

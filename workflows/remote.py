"""Flows on jobflow-remote, for groups that run its MongoDB and its daemon already.

The same Makers' flows; each stage asks for the resources of the profile that it would have on a
cluster of ours (`workflows.profiles`), each building step for those of a second profile. There a
stage is one job: shards, heartbeats and adoption are of `workflows.cluster` only.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.cluster import profile_of
from workflows.errors import WorkflowError
from workflows.profiles import HERE, Profile
from workflows.scheduler import resources_of

if TYPE_CHECKING:
    from jobflow import Flow, Job


def submit_remote(
    flow: "Flow",
    profiles: Mapping[str, Profile],
    profile: str,
    *,
    building: str,
    project: str | None = None,
    worker: str | None = None,
) -> list[str]:
    """Give a flow to jobflow-remote.

    Its jobs open the database of their `StoreSettings` themselves: give a PostgreSQL address that
    the worker can reach, or None and take the output from jobflow's store.

    Args:
        flow: a flow, such as `CollectorScreenMaker.make` gives.
        profiles: all profiles, by name.
        profile: name of the one for stages; its ``stages`` are honoured.
        building: name of the one for the steps in between, which need no GPU.
        project: jobflow-remote's project; None takes its default.
        worker: its worker; None takes the project's first.

    Returns:
        jobflow-remote's numbers of the jobs.

    Raises:
        WorkflowError: jobflow-remote is not installed, or its project or worker cannot be used.
    """
    submit_flow, set_run_config = _jobflow_remote()
    for job, _ in flow.iterflow():
        name = _profile_of(job, profiles, profile, building)
        set_run_config(
            job,
            resources=resources_of(profiles[name]),
            exec_config=_execution(profiles[name]),
        )
    try:
        return list(submit_flow(flow, project=project, worker=worker))
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise WorkflowError(
            f"jobflow-remote: {type(error).__name__}: {reason}; check the project with "
            "`jf project check`"
        ) from error


def _profile_of(job: "Job", profiles: Mapping[str, Profile], profile: str, building: str) -> str:
    """The profile of a stage, which is a Maker's job; that of the building steps for others."""
    name = building if job.maker is None else profile_of(job.name, "", profile, profiles)
    return building if name == HERE else name


def _execution(profile: Profile) -> dict[str, Any]:
    return {
        "modules": list(profile.modules) or None,
        "export": dict(profile.environment) or None,
        "pre_run": profile.preamble.strip() or None,
    }


def _jobflow_remote() -> tuple[Any, Any]:
    try:
        from jobflow_remote import set_run_config, submit_flow
    except ModuleNotFoundError as error:
        raise WorkflowError(
            "jobflow-remote: is not installed; pip install 'lithiophile[remote]'"
        ) from error
    return submit_flow, set_run_config

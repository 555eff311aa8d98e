"""Run a flow on this machine, with progress."""

import warnings
from typing import TYPE_CHECKING, Any

from jobflow import run_locally

from workflows.progress import Listener, listening

if TYPE_CHECKING:
    from jobflow import Flow, JobStore


def run_flow(flow: "Flow", listener: Listener, database: str | None = None) -> Any:
    """Run ``flow`` in this process and give its output.

    Args:
        flow: a flow with an output, such as `CollectorScreenMaker.make` gives.
        listener: called with a `StageEvent` as systems finish.
        database: path or URL of the database that keeps the jobs' documents; None keeps them in
            memory. A JobStore in the user's ``jobflow.yaml`` is taken in its place.

    Raises:
        Exception: what a job raised, at once.
    """
    store = _store(database)
    with listening(listener), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="jobflow")
        run_locally(flow, log=False, store=store, ensure_success=True, raise_immediately=True)
    return flow.output.resolve(store)


def _store(database: str | None) -> "JobStore":
    from jobflow import SETTINGS

    if database is None or "JOB_STORE" in SETTINGS.model_fields_set:
        return SETTINGS.JOB_STORE
    from results.jobflow_store import job_store

    return job_store(database)

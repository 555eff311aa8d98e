"""Run a flow on this machine, with progress."""

import warnings
from typing import TYPE_CHECKING, Any

from jobflow import run_locally

from workflows.progress import Listener, listening

if TYPE_CHECKING:
    from jobflow import Flow, JobStore


def run_flow(flow: "Flow", listener: Listener, store: "JobStore | None" = None) -> Any:
    """Run ``flow`` in this process and give its output.

    Args:
        flow: a flow with an output, such as `CollectorScreenMaker.make` gives.
        listener: called with a `StageEvent` as systems finish.
        store: where jobflow keeps the jobs' documents; None takes the one of the user's
            ``jobflow.yaml``, by default in memory.

    Raises:
        Exception: what a job raised, at once.
    """
    from jobflow import SETTINGS

    store = store or SETTINGS.JOB_STORE
    with listening(listener), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="jobflow")
        run_locally(flow, log=False, store=store, ensure_success=True, raise_immediately=True)
    return flow.output.resolve(store)

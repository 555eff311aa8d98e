"""Where jobflow keeps the documents of the jobs that run on this machine."""

import jobflow
import pytest
from jobflow import Flow, job
from jobflow.settings import JobflowSettings

from results.jobflow_store import job_store
from workflows.local import run_flow


@job
def double(number):
    return 2 * number


@pytest.fixture
def flow():
    first = double(21)
    second = double(first.output)
    return Flow([first, second], output=second.output)


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """Sets what the user's jobflow.yaml says."""

    def write(text):
        file = tmp_path / "jobflow.yaml"
        file.write_text(text)
        monkeypatch.setenv("JOBFLOW_CONFIG_FILE", str(file))
        monkeypatch.setattr(jobflow, "SETTINGS", JobflowSettings())

    return write


def test_in_memory_without_a_database(flow, settings, tmp_path):
    settings("LOG_FORMAT: short\n")
    assert run_flow(flow, print) == 84
    assert {entry.name for entry in tmp_path.iterdir()} == {"jobflow.yaml"}


def test_on_the_results_database(flow, settings, tmp_path):
    settings("LOG_FORMAT: short\n")
    assert run_flow(flow, print, str(tmp_path / "results.db")) == 84
    with job_store(tmp_path / "results.db") as store:
        assert store.get_output(flow.jobs[0].uuid) == 42
        assert store.count() == 2


def test_in_the_store_that_the_user_has_set(flow, settings, tmp_path):
    settings(
        f"""\
JOB_STORE:
  "@module": jobflow.core.store
  "@class": JobStore
  docs_store:
    "@module": results.jobflow_store
    "@class": SQLStore
    database: {tmp_path}/mine.db
    collection_name: jobs
"""
    )
    assert run_flow(flow, print, str(tmp_path / "results.db")) == 84
    assert not (tmp_path / "results.db").exists()
    with job_store(tmp_path / "mine.db") as store:
        assert store.get_output(flow.jobs[1].uuid) == 84

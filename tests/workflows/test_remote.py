"""Flows given to jobflow-remote, as far as that goes without its MongoDB and its daemon.

Its queue is an in-memory store; the file that its runner would copy to the worker is made by its
own function and run by its own program. Not tested: the runner, locks, transfer by SSH.
"""

import json

import pytest
from pymatgen.core import Lattice, Structure

from workflows.errors import WorkflowError
from workflows.profiles import Profile

jobflow_remote = pytest.importorskip("jobflow_remote", reason="jobflow-remote is not installed")
pytest.importorskip("mongomock", reason="the in-memory MongoDB is not installed")

from jobflow import Flow, JobStore  # noqa: E402
from maggma.stores import JSONStore, MemoryStore  # noqa: E402

from workflows.makers import EvaluateMaker, RelaxMaker  # noqa: E402
from workflows.packing import Documents  # noqa: E402
from workflows.remote import submit_remote  # noqa: E402
from workflows.settings import PotentialSettings, StoreSettings  # noqa: E402

PROJECT = """\
name: lithium
workers:
  cluster:
    type: local
    scheduler_type: slurm
    work_dir: {folder}/work
    pre_run: source ~/venv/bin/activate
queue:
  store: {{type: MemoryStore, collection_name: jobs}}
jobstore:
  docs_store: {{type: MemoryStore}}
"""
PROFILES = {
    "gpu": Profile(
        partition="gpu", time="02:00:00", gpus=1, cpus=8, memory="32G", stages={"relax": "large"}
    ),
    "large": Profile(partition="large", gpus=4, modules=("cuda",), environment={"A": "1"}),
    "cpu": Profile(partition="cpu", time="00:20:00"),
}


@pytest.fixture
def controller(tmp_path, monkeypatch):
    """jobflow-remote's own controller of a project file like the one in the documentation."""
    from jobflow_remote import SETTINGS, JobController

    (tmp_path / "lithium.yaml").write_text(PROJECT.format(folder=tmp_path))
    monkeypatch.setattr(SETTINGS, "projects_folder", str(tmp_path))
    monkeypatch.setattr(SETTINGS, "project", "lithium")
    queue = MemoryStore("jobs")
    queue.connect()
    found = JobController.from_project_name("lithium")
    made = JobController(queue, found.jobstore, project=found.project)
    made.auxiliary.insert_one({"next_id": 1})
    monkeypatch.setattr(JobController, "from_project", lambda _project: made)
    return made


def two_stages():
    copper = Structure(Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])
    first = RelaxMaker(name="relax").make([copper], PotentialSettings(), StoreSettings())
    second = EvaluateMaker(name="evaluate").make([copper], PotentialSettings(), StoreSettings())
    return Flow([first, second], output=second.output)


def test_each_stage_asks_for_the_resources_of_its_profile(controller):
    submit_remote(two_stages(), PROFILES, "gpu", building="cpu", project="lithium")
    documents = {one["job"]["name"]: one for one in controller.jobs.find()}
    assert set(documents) == {"relax", "evaluate"}
    assert all(one["worker"] == "cluster" for one in documents.values())
    assert documents["evaluate"]["resources"]["queue_name"] == "gpu"
    assert documents["evaluate"]["resources"]["gpus_per_job"] == 1
    assert documents["evaluate"]["resources"]["scheduler_kwargs"]["mem"] == "32G"
    assert documents["relax"]["resources"]["queue_name"] == "large"
    assert documents["relax"]["exec_config"]["modules"] == ["cuda"]
    assert documents["relax"]["exec_config"]["export"] == {"A": "1"}


def test_a_whole_screen_with_its_building_steps(controller):
    from workflows.collectors import CollectorScreenMaker

    flow = CollectorScreenMaker().make({"Cu": [[1, 1, 1]]})
    submit_remote(flow, PROFILES, "gpu", building="cpu", project="lithium")
    queues = {one["job"]["name"]: one["resources"]["queue_name"] for one in controller.jobs.find()}
    assert queues["relax slabs"] == "gpu"
    assert queues["cut_facets"] == "cpu"


def test_what_the_worker_gets_is_computed_by_its_own_program(controller, tmp_path):
    from jobflow_remote.jobs.run import run_remote_job
    from jobflow_remote.remote.data import get_remote_in_file

    flow = two_stages()
    submit_remote(flow, PROFILES, "gpu", building="cpu", project="lithium")
    (document,) = controller.jobs.find({"job.name": "evaluate"})
    store = JobStore(JSONStore(str(tmp_path / "out.json"), read_only=False))
    (tmp_path / "jfremote_in.json").write_bytes(get_remote_in_file(document["job"], store).read())
    run_remote_job(tmp_path)
    assert json.loads((tmp_path / "jfremote_out.json").read_text())["error"] is None
    (output,) = json.loads((tmp_path / "out.json").read_text())
    (found,) = Documents.from_dict(output["output"]).documents
    assert found.converged
    assert found.energy_ev < 0


def test_a_project_that_is_not_there_is_one_line():
    with pytest.raises(WorkflowError, match=r"jobflow-remote: .*jf project check"):
        submit_remote(two_stages(), PROFILES, "gpu", building="cpu", project="nowhere")

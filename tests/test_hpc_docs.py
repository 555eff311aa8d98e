"""The files that docs/hpc.md shows are read by those they are for."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from workflows.profiles import read_profiles

TEXT = (Path(__file__).parents[1] / "docs" / "hpc.md").read_text(encoding="utf-8")
PROFILES, WORKSTATION, PROJECT = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_profiles_are_read(tmp_path):
    (tmp_path / "profiles.yaml").write_text(PROFILES)
    profiles = read_profiles(tmp_path / "profiles.yaml")
    assert list(profiles) == ["gpu", "cpu"]
    assert profiles["gpu"].shards_per_job == profiles["gpu"].gpus == 4


def test_the_profile_of_a_workstation_is_read(tmp_path):
    (tmp_path / "profiles.yaml").write_text(WORKSTATION)
    profile = read_profiles(tmp_path / "profiles.yaml")["gpus"]
    assert (profile.scheduler, profile.gpus, profile.device) == ("workstation", 1, "cuda")


def test_jobflow_remote_reads_the_project():
    config = pytest.importorskip("jobflow_remote.config.base", reason="no jobflow-remote")
    project = config.Project.model_validate(YAML(typ="safe").load(PROJECT))
    assert project.workers["cluster"].type == "remote"
    assert project.get_queue_store().database == "jfr"
    assert project.get_jobstore().docs_store.collection_name == "outputs"

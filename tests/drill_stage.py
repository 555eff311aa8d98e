"""A driver of one stage of a stub potential: ``DATABASE N (slurm|here)``."""

import sys

from tests.workflows.stub_potential import STUB, StubSettings, systems
from workflows.cluster import Cluster
from workflows.places import ThisProcess, computing_at
from workflows.profiles import read_profiles
from workflows.run_folder import RunFolder, RunRequest
from workflows.settings import StoreSettings
from workflows.stages import run_stage

if __name__ == "__main__":
    database, n_systems, where = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    folder = RunFolder.beside(database, "stub")
    place = ThisProcess()
    if where == "slurm":
        place = Cluster(folder.shards, read_profiles(), "cpu")
    request = RunRequest("stub", "", "", database, where)
    stores = StoreSettings(database=database, spool=str(folder.path))
    with folder.drive(request, lambda _event: None), computing_at(place):
        run_stage("stub", STUB, {}, systems(n_systems), StubSettings(), stores)
        folder.forget()

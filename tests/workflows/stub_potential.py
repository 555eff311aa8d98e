"""A potential that costs nothing and needs no torch, for tests of what runs it.

Energies are an analytic function of the structure, so that any two runs agree to the last digit.
Files named in the environment make it misbehave on a compute node:

- ``STUB_SECONDS``: seconds that each system takes;
- ``STUB_ENDLESS``: number of atoms of the systems that take an hour;
- ``STUB_KILLER``: number of atoms of the systems that kill the process that computes them;
- ``STUB_LOG``: a folder that gets one file per system computed, to count repetitions;
- ``STUB_PIECES``: the folder of `IN_PIECES`, which gets one file per piece, with the process.
"""

import hashlib
import os
import signal
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from monty.json import MSONable
from pymatgen.core import Lattice, Structure

from potentials.identity import PotentialIdentity
from potentials.protocol import Calculation
from workflows.progress import StageEvent, report
from workflows.tasks import Task, _calculation_document


@dataclass(frozen=True)
class StubSettings(MSONable):
    name: str = "stub"
    device: str = "cpu"
    sha256: str = "0" * 64


class StubEngine:
    def evaluate(self, structures, *, on_result):
        for position, structure in enumerate(structures):
            time.sleep(float(os.environ.get("STUB_SECONDS", "0")))
            if len(structure) == int(os.environ.get("STUB_ENDLESS", "-1")):
                time.sleep(3600)
            if len(structure) == int(os.environ.get("STUB_KILLER", "-1")):
                os.kill(os.getpid(), signal.SIGKILL)
            _log(structure)
            on_result(position, _result(structure))


class StubPotential:
    def __init__(self, settings):
        self.identity = PotentialIdentity(
            name=settings.name,
            sha256=os.environ.get("STUB_SHA256", settings.sha256),
            head=None,
            dtype="float64",
            dispersion=None,
            versions={},
        )

    def check_elements(self, symbols):
        assert set(symbols) <= {"Li", "Cu"}


def load(settings):
    return StubPotential(settings), StubEngine()


def compute(engine, systems, _parameters, done):
    engine.evaluate([system[0] for system in systems], on_result=done)


STUB = Task("stub", "tests.workflows.stub_potential:STUB", compute, _calculation_document, load)


def compute_in_pieces(_engine, systems, parameters, done):
    """One piece a second, told when it is on the disk; goes on from those that are there."""
    folder = Path(os.environ["STUB_PIECES"])
    for piece in range(len(list(folder.iterdir())), parameters["pieces"]):
        time.sleep(1)
        (folder / f"{piece:02}-{os.getpid()}").touch()
        report(StageEvent("pieces", piece + 1, parameters["pieces"], 0, 0))
    for position, system in enumerate(systems):
        done(position, _result(system[0]))


IN_PIECES = Task(
    "pieces",
    "tests.workflows.stub_potential:IN_PIECES",
    compute_in_pieces,
    _calculation_document,
    load,
)


def systems(n, n_atoms=1):
    """``n`` different cells of Li, as `run_stage` takes them."""
    lattices = [Lattice.cubic(3.0 + 0.01 * i) for i in range(n)]
    sites = [[0.0, 0.0, i / n_atoms] for i in range(n_atoms)]
    return [[Structure(lattice, ["Li"] * n_atoms, sites)] for lattice in lattices]


def _result(structure):
    edge = structure.lattice.a
    return Calculation(
        structure=structure,
        energy=-1.6 * len(structure) + 0.1 * (edge - 3.4) ** 2,
        forces=np.zeros((len(structure), 3)),
        stress=None,
        converged=True,
        failure=None,
        max_force=0.0,
        steps=0,
        force_evaluations=1,
        wall_time=0.0,
    )


def _log(structure):
    folder = os.environ.get("STUB_LOG")
    if folder:
        name = hashlib.sha256(str(structure.lattice.a).encode()).hexdigest()[:12]
        (Path(folder) / f"{name}-{uuid.uuid4().hex[:8]}").touch()

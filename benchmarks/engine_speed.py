"""Time the batched engine against ASE with MACE's own calculator, and against torch-sim.

    python benchmarks/engine_speed.py [--repeats 5] [--threads 2] [--write docs/benchmarks.md]

On a CPU: 64 slabs of 17 to 68 atoms evaluated and relaxed, 24 bands of 5 images, and the memory of
2,000 slabs in one call, with `mini`. On a GPU: 256 slabs evaluated with random networks of the size
of MACE-MP-0 small, medium and large. Both sides of each pair run in turn in one process; the tables
give medians. torch-sim takes part where it is installed (`pip install torch-sim-atomistic`).
"""

import argparse
import copy
import importlib.metadata
import importlib.util
import multiprocessing
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.build import add_adsorbate, fcc100, fcc111
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.mep import NEB
from ase.optimize import BFGS, LBFGS

from potentials import load_potential
from potentials.batched import BatchedEngine
from potentials.batched.memory import CPU_ATOMS
from potentials.conversion import to_atoms
from potentials.potential import MacePotential
from potentials.protocol import Band, Calculation
from potentials.torch_state import process_kept

with process_kept():
    from mace.calculators import MACECalculator

METALS = ("Cu", "Al", "Ag", "Au", "Ni")
SIZES = ((2, 2, 4), (3, 2, 4), (3, 3, 3), (3, 3, 4), (4, 3, 4), (3, 3, 5), (4, 4, 4))
FMAX = 0.03
TIGHT_FMAX = 0.001
"""At which energies tell whether two relaxations have ended in one minimum."""
BAND_FMAX = 0.05
MD_STEPS, FRAME_INTERVAL = 50, 10


def slab(i: int) -> Atoms:
    """Slab number ``i``: 16 to 64 metal atoms, up to four Li on it, its lowest layer frozen."""
    build = (fcc111, fcc100)[i % 2]
    size = SIZES[i % len(SIZES)]
    atoms = build(METALS[i % len(METALS)], size, vacuum=7.0, periodic=True)
    heights = atoms.positions[:, 2]
    frozen = np.flatnonzero(heights < heights.min() + 0.5)
    for place in ((0, 0), (1, 0), (0, 1), (1, 1))[: 1 + i % 4]:
        add_adsorbate(atoms, "Li", 2.1, "fcc" if build is fcc111 else "hollow", offset=place)
    atoms.set_constraint(FixAtoms(frozen))
    atoms.rattle(0.05, seed=i)
    return atoms


def hop(i: int) -> tuple[Atoms, Atoms]:
    """Hop number ``i``: a Li adatom on two neighbouring sites."""
    metal, (build, sites) = (
        METALS[i % len(METALS)],
        ((fcc111, ("fcc", "hcp")), (fcc100, ("hollow", "hollow")))[i % 2],
    )
    size = ((2, 2, 3), (3, 2, 3), (3, 3, 3))[i % 3]
    ends = []
    for step, site in enumerate(sites):
        atoms = build(metal, size, vacuum=6.0, periodic=True)
        heights = atoms.positions[:, 2]
        frozen = np.flatnonzero(heights < heights.min() + 0.5)
        along = step if build is fcc100 else 0
        add_adsorbate(atoms, "Li", 2.0, site, offset=(along, 0))
        atoms.set_constraint(FixAtoms(frozen))
        ends.append(atoms)
    return ends[0], ends[1]


class OneByOne:
    """ASE with MACECalculator.

    Attributes:
        evaluations: counted since it was last set to 0.
    """

    def __init__(self, potential: MacePotential) -> None:
        self.evaluations = 0
        self._potential = potential
        self.calculator = self._calculator()

    def _calculator(self) -> MACECalculator:
        with process_kept():
            return MACECalculator(
                models=[self._potential.model],
                device=self._potential.device,
                default_dtype=stored_dtype(self._potential),
            )

    def with_calculator(self, atoms: Atoms) -> Atoms:
        """A copy that computes."""
        copy = atoms.copy()
        copy.calc = self.calculator
        return copy

    def evaluate(self, structures: list[Atoms]) -> None:
        """Energy and forces of each."""
        for structure in structures:
            self.with_calculator(structure).get_forces()

    def relax(self, structures: list[Atoms], fmax: float) -> list[Atoms]:
        """Relaxed copies, which know their energies."""
        relaxed = []
        for structure in structures:
            atoms = self.with_calculator(structure)
            optimiser = LBFGS(atoms, logfile=None)
            optimiser.run(fmax=fmax, steps=1000)
            self.evaluations += optimiser.get_number_of_steps() + 1
            atoms.calc = SinglePointCalculator(atoms, energy=atoms.get_potential_energy())
            relaxed.append(atoms)
        return relaxed

    def neb(self, bands: list[Band]) -> list[float]:
        """Barriers, eV."""
        barriers = []
        for band in bands:
            images = [to_atoms(band.initial)]
            images += [images[0].copy() for _ in range(5)] + [to_atoms(band.final)]
            # One calculator each, so that ASE need not compute an image that has not moved again.
            for image in images:
                image.calc = self._calculator()
            path = NEB(images, k=0.1, climb=True, method="improvedtangent")
            path.interpolate("idpp", mic=True)
            optimiser = BFGS(path, logfile=None)
            optimiser.run(fmax=BAND_FMAX, steps=300)
            self.evaluations += 5 * (optimiser.get_number_of_steps() + 1)
            ends = [self.with_calculator(each).get_potential_energy() for each in images]
            barriers.append(max(ends) - ends[0])
        return barriers


def stored_dtype(potential: MacePotential) -> str:
    """Precision of the weights: what ASE and torch-sim compute in."""
    return str(next(potential.model.parameters()).dtype).removeprefix("torch.")


class TorchSim:
    """torch-sim with its own batching, allowed as many atoms per pass as the engine."""

    def __init__(self, potential: MacePotential, atoms_per_pass: int) -> None:
        import torch_sim
        from torch_sim.models.mace import MaceModel

        self._torch_sim = torch_sim
        # A copy, because the wrapper changes the network that it is given.
        self._model = MaceModel(
            copy.deepcopy(potential.model),
            device=torch.device(potential.device),
            dtype=getattr(torch, stored_dtype(potential)),
            compute_stress=False,
        )
        self._limit = {"memory_scales_with": "n_atoms", "max_memory_scaler": atoms_per_pass}

    def evaluate(self, structures: list[Atoms]) -> list[float]:
        """Energies, eV; forces are computed too."""
        done = self._torch_sim.static(
            structures,
            self._model,
            autobatcher=self._torch_sim.BinningAutoBatcher(self._model, **self._limit),
        )
        return [float(one["potential_energy"]) for one in done]

    def relax(self, structures: list[Atoms]) -> list[float]:
        """Relaxed energies, eV."""
        criterion = self._torch_sim.generate_force_convergence_fn(FMAX, include_cell_forces=False)
        state = self._torch_sim.optimize(
            structures,
            self._model,
            optimizer=self._torch_sim.optimizers.fire,
            convergence_fn=criterion,
            autobatcher=self._torch_sim.InFlightAutoBatcher(self._model, **self._limit),
            max_steps=500,
        )
        return state.energy.tolist()

    def md(self, structures: list[Atoms], steps: int, folder: Path) -> None:
        """Langevin dynamics at 300 K, 1 fs a step, every tenth frame to a file in ``folder``."""
        files = [str(folder / f"{i}.h5") for i in range(len(structures))]
        self._torch_sim.integrate(
            structures,
            self._model,
            integrator=self._torch_sim.integrators.nvt_langevin,
            n_steps=steps,
            temperature=300.0,
            timestep=1e-3,
            trajectory_reporter={"filenames": files, "state_frequency": FRAME_INTERVAL},
            autobatcher=self._torch_sim.BinningAutoBatcher(self._model, **self._limit),
        )


def now(device: str) -> float:
    """The time when ``device`` has done what it was given, s."""
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()


def timed(call: Callable[[], object], device: str) -> tuple[float, object]:
    begun = now(device)
    result = call()
    return now(device) - begun, result


def in_turn(
    one: Callable[[], object], other: Callable[[], object], repeats: int, device: str
) -> tuple[list[float], list[float], object, object]:
    """Times of both, run alternately, and their last results."""
    times: tuple[list[float], list[float]] = ([], [])
    results: list[object] = [None, None]
    for repeat in range(repeats):
        for which in (0, 1) if repeat % 2 else (1, 0):
            spent, results[which] = timed((one, other)[which], device)
            times[which].append(spent)
    return (*times, *results)


class ModelClock:
    """Measures the time within the network's own passes, s."""

    def __init__(self, model: torch.nn.Module, device: str) -> None:
        self.spent = 0.0
        self._device = device
        self._begun = 0.0
        model.register_forward_pre_hook(self._begin)
        model.register_forward_hook(self._end)

    def _begin(self, *_: object) -> None:
        self._begun = now(self._device)

    def _end(self, *_: object) -> None:
        self.spent += now(self._device) - self._begun


def torch_sim_rows(potential: MacePotential, slabs: list[Atoms], repeats: int) -> list[str]:
    """Rows of the table beside torch-sim; its release for Python 3.11 freezes no atoms."""
    engine = BatchedEngine(potential)
    other = TorchSim(potential, CPU_ATOMS)
    free = [atoms.copy() for atoms in slabs]
    for atoms in free:
        atoms.set_constraint()
    other.evaluate(free[:8])
    one, two, energies, results = in_turn(
        lambda: other.evaluate(free), lambda: engine.evaluate(free), repeats, "cpu"
    )
    apart = np.abs(np.array(energies) - [result.energy for result in results])
    rows = [row("evaluate", one, two, f"energies within {1e3 * apart.max():.4f} meV")]
    print(rows[-1], flush=True)
    few = free[::4]
    one, two, energies, results = in_turn(
        lambda: other.relax(few), lambda: engine.relax(few, fmax=FMAX), repeats, "cpu"
    )
    apart = np.array([result.energy for result in results]) - np.array(energies)
    remark = (
        f"{len(few)} of them to {FMAX} eV/Å, its FIRE beside our L-BFGS; "
        f"{(np.abs(apart) < 5e-3).sum()} end within 5 meV, {(apart < -5e-3).sum()} of ours lower,"
        f" {(apart > 5e-3).sum()} higher"
    )
    rows.append(row("relax", one, two, remark))
    print(rows[-1], flush=True)

    def engine_md(folder: Path) -> None:
        engine.md(few, folder, steps=MD_STEPS, temperature=300.0, interval=FRAME_INTERVAL)

    one, two, _, _ = in_turn(
        lambda: in_new_folder(lambda folder: other.md(few, MD_STEPS, folder)),
        lambda: in_new_folder(engine_md),
        repeats,
        "cpu",
    )
    remark = f"the same, {MD_STEPS} steps at 300 K, every {FRAME_INTERVAL}th frame to a file"
    rows.append(row("md", one, two, remark))
    print(rows[-1], flush=True)
    return rows


def in_new_folder(call: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        call(Path(folder))


def memory(kind: str) -> float:
    """``VmRSS``, what this process holds, or ``VmHWM``, the most since it was reset, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(kind))


def growth_of_memory(n_slabs: int) -> float:
    """MiB that a warm process takes at most to evaluate ``n_slabs`` in one call."""
    torch.set_num_threads(1)
    engine = BatchedEngine(load_potential("mini", device="cpu", dtype="float64"))
    slabs = [slab(i) for i in range(n_slabs)]
    for _ in range(3):
        engine.evaluate(slabs[:1])
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # Linux: forget the peak
    engine.evaluate(slabs)
    return memory("VmHWM") - before


def memory_line(n_slabs: int) -> str:
    """The memory that a batch takes, and that a long queue takes, each in a process of its own."""
    sizes = np.cumsum([len(slab(i)) for i in range(n_slabs)])
    one_batch = int((sizes <= CPU_ATOMS).sum())
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        batch, queue = pool.map(growth_of_memory, (one_batch, n_slabs), chunksize=1)
    return (
        f"Memory: evaluating {one_batch} slabs, a batch, takes a warm process"
        f" {batch:.0f} MiB; {n_slabs} slabs queued in one call by {queue:.0f} MiB,"
        f" {queue / batch:.2f} times as much."
    )


def row(name: str, ase: list[float], batched: list[float], remark: str) -> str:
    one, other = statistics.median(ase), statistics.median(batched)
    return f"| {name} | {one:.2f} | {other:.2f} | {one / other:.1f} | {remark} |"


def cpu_part(repeats: int, n_slabs: int, n_bands: int, n_queued: int) -> list[str]:
    potential = load_potential("mini", device="cpu", dtype="float64")
    assert isinstance(potential, MacePotential)
    ase, engine = OneByOne(potential), BatchedEngine(potential)
    slabs = [slab(i) for i in range(n_slabs)]
    sizes = [len(atoms) for atoms in slabs]

    first = [timed(lambda: engine.evaluate(slabs[:8]), "cpu")[0] for _ in range(4)]
    other_shapes = [
        timed(lambda i=i: engine.evaluate(slabs[i : i + 8]), "cpu")[0] for i in (1, 3, 5)
    ]
    ase.evaluate(slabs[:3])

    rows = []
    one, other, _, _ = in_turn(
        lambda: ase.evaluate(slabs), lambda: engine.evaluate(slabs), repeats, "cpu"
    )
    remark = f"{n_slabs} slabs of {min(sizes)} to {max(sizes)} atoms, {sum(sizes)} together"
    rows.append(row("evaluate", one, other, remark))
    print(rows[-1], flush=True)

    clock = ModelClock(engine._evaluator.model, "cpu")
    in_passes = []

    def relax_in_a_batch() -> list[Calculation]:
        clock.spent = 0.0
        results = engine.relax(slabs, fmax=FMAX)
        in_passes.append(clock.spent)
        return results

    one, other, relaxed, results = in_turn(
        lambda: ase.relax(slabs, FMAX), relax_in_a_batch, repeats, "cpu"
    )
    overheads = [whole / passes - 1 for whole, passes in zip(other, in_passes, strict=True)]
    spent = sum(result.force_evaluations for result in results)
    each = ase.evaluations // repeats
    goals = [atoms.get_potential_energy() for atoms in ase.relax(relaxed, TIGHT_FMAX)]
    results = engine.relax([result.structure for result in results], fmax=TIGHT_FMAX)
    apart = 1e3 * np.array([result.energy for result in results]) - 1e3 * np.array(goals)
    same = np.abs(apart) < 1
    remark = (
        f"to {FMAX} eV/Å; ASE with LBFGS: {each} evaluations, in the batch {spent}; relaxed on to"
        f" {TIGHT_FMAX} eV/Å, each by its side, {same.sum()} of {n_slabs} end within 1 meV of ASE"
        f" (at most {np.abs(apart[same]).max():.2f}), {(apart <= -1).sum()} lower,"
        f" {(apart >= 1).sum()} higher"
    )
    rows.append(row("relax", one, other, remark))
    print(rows[-1], flush=True)

    pairs = [hop(i) for i in range(n_bands)]
    ends = engine.relax([end for pair in pairs for end in pair], fmax=0.01)
    bands = [Band(ends[2 * i].structure, ends[2 * i + 1].structure) for i in range(n_bands)]
    ase.evaluations = 0
    one, other, barriers, paths = in_turn(
        lambda: ase.neb(bands), lambda: engine.neb(bands, fmax=BAND_FMAX), repeats, "cpu"
    )
    apart = np.abs(np.array([path.barrier for path in paths]) - np.array(barriers))
    converged = sum(path.converged for path in paths)
    spent = sum(path.force_evaluations for path in paths)
    remark = (
        f"{n_bands} bands of 5 images to {BAND_FMAX} eV/Å; ASE with BFGS:"
        f" {ase.evaluations // repeats} evaluations, in the batch {spent}; {converged} converged;"
        f" barriers within {1e3 * apart.max():.1f} meV of ASE's (median"
        f" {1e3 * np.median(apart):.1f})"
    )
    rows.append(row("neb", one, other, remark))
    print(rows[-1], flush=True)

    beside = ["torch-sim takes no part: it is not installed."]
    if importlib.util.find_spec("torch_sim"):
        version = importlib.metadata.version("torch-sim-atomistic")
        beside = [
            f"Beside torch-sim {version}, at most {CPU_ATOMS} atoms per pass for both, no atoms"
            " frozen:",
            "",
            "| | torch-sim, s | batched, s | times faster | |",
            "|---|---|---|---|---|",
            *torch_sim_rows(potential, slabs, repeats),
        ]
    return [
        f"`mini`, float64, {torch.get_num_threads()} threads, {platform.processor() or 'CPU'},"
        f" torch {torch.__version__}, medians of {repeats}:",
        "",
        "| | ASE one by one, s | batched, s | times faster | |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"The engine adds {100 * statistics.median(overheads):.1f} % to the time of the network's"
        f" own passes (median of the {repeats} relaxations, {100 * min(overheads):.1f} to"
        f" {100 * max(overheads):.1f}). The first four passes over 8 slabs took"
        f" {', '.join(f'{1e3 * t:.0f}' for t in first)} ms, three passes over others of other"
        f" sizes {', '.join(f'{1e3 * t:.0f}' for t in other_shapes)} ms: warming up happens once"
        " per process, not once per shape of batch.",
        "",
        memory_line(n_queued),
        "",
        *beside,
    ]


def random_network(channels: int, spherical: int, dtype: str, device: str) -> MacePotential:
    """A random network of the size of MACE-MP-0, whose models have 128 channels.

    Args:
        channels: of each irrep.
        spherical: highest order of the hidden features: small 0, medium 1, large 2.
        dtype: its precision.
        device: where it goes.
    """
    with process_kept(torch.float64):
        from e3nn import o3
        from mace import modules

        torch.manual_seed(0)
        hidden = "+".join(f"{channels}x{i}{'eo'[i % 2]}" for i in range(spherical + 1))
        model = modules.ScaleShiftMACE(
            r_max=6.0,
            num_bessel=10,
            num_polynomial_cutoff=5,
            max_ell=3,
            interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
            interaction_cls_first=modules.interaction_classes[
                "RealAgnosticResidualInteractionBlock"
            ],
            num_interactions=2,
            num_elements=89,
            hidden_irreps=o3.Irreps(hidden),
            MLP_irreps=o3.Irreps("16x0e"),
            atomic_energies=np.zeros(89),
            avg_num_neighbors=60.0,
            atomic_numbers=list(range(1, 90)),
            correlation=3,
            gate=torch.nn.functional.silu,
            atomic_inter_scale=0.8,
            atomic_inter_shift=0.0,
        )
    return MacePotential(model, name="random", sha256="0" * 64, device=device, dtype=dtype)


def gpu_part(repeats: int) -> list[str]:
    device = "cuda"
    slabs = [slab(i) for i in range(256)]
    n_atoms = sum(len(atoms) for atoms in slabs)
    lines = [
        f"{torch.cuda.get_device_name()}, {len(slabs)} slabs, {n_atoms} atoms, medians of"
        f" {repeats}; ASE timed on 32 of them. `tf32` is float32 with the linear layers'"
        " factors rounded to 10 bits; the last columns are the largest change that this makes:",
        "",
        "| network | ASE, s | torch-sim, s | batched, s | times faster than ASE | over bare passes"
        " | µs per atom | energy, meV/atom | force, meV/Å |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, spherical in (("small", 0), ("medium", 1), ("large", 2)):
        exact: list[Calculation] = []
        for dtype in ("float32", "tf32"):
            potential = random_network(128, spherical, dtype, device)
            ase, engine = OneByOne(potential), BatchedEngine(potential)
            engine.evaluate(slabs)
            results = engine.evaluate(slabs)
            exact = exact or results
            ase.evaluate(slabs[:2])
            one, other, _, _ = in_turn(
                lambda ase=ase: ase.evaluate(slabs[:32]),
                lambda engine=engine: engine.evaluate(slabs),
                repeats,
                device,
            )
            one = [spent * n_atoms / sum(len(atoms) for atoms in slabs[:32]) for spent in one]
            median = statistics.median(other)
            # In runs of their own: the clock waits for the GPU, which the engine need not.
            clock = ModelClock(engine._evaluator.model, device)
            for _ in range(repeats):
                engine.evaluate(slabs)
            bare = median / (clock.spent / repeats)
            beside = "not installed"
            if importlib.util.find_spec("torch_sim"):
                simulation = TorchSim(potential, engine._evaluator.limit.atoms)
                simulation.evaluate(slabs)
                two, _, _, _ = in_turn(
                    lambda simulation=simulation: simulation.evaluate(slabs),
                    lambda engine=engine: engine.evaluate(slabs),
                    repeats,
                    device,
                )
                beside = f"{statistics.median(two):.2f}"
            lines.append(
                f"| MACE-MP-0 {name}, {dtype} | {statistics.median(one):.2f} | {beside}"
                f" | {median:.2f} | {statistics.median(one) / median:.1f} | {bare:.2f}"
                f" | {1e6 * median / n_atoms:.2f} | {change_of_energy(results, exact):.3f}"
                f" | {change_of_force(results, exact):.2f} |"
            )
            print(lines[-1], flush=True)
    return lines


def change_of_energy(results: list[Calculation], exact: list[Calculation]) -> float:
    """Largest difference of energies, meV/atom."""
    pairs = zip(results, exact, strict=True)
    return max(1e3 * abs(a.energy - b.energy) / len(b.forces) for a, b in pairs)


def change_of_force(results: list[Calculation], exact: list[Calculation]) -> float:
    """Largest difference of force components, meV/Å."""
    return max(1e3 * np.abs(a.forces - b.forces).max() for a, b in zip(results, exact, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--slabs", type=int, default=64)
    parser.add_argument("--bands", type=int, default=24)
    parser.add_argument("--queued", type=int, default=2000, help="slabs of the memory test")
    parser.add_argument("--write", type=Path, help="write the tables to this Markdown file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    sizes = (options.repeats, options.slabs, options.bands, options.queued)
    text = [
        "# The batched engine beside ASE and torch-sim",
        "",
        f"Made by `python {' '.join(sys.argv)}`.",
        "",
    ]
    text += ["## On a CPU", "", *cpu_part(*sizes), ""]
    text += ["## On a GPU", ""]
    if torch.cuda.is_available():
        text += gpu_part(options.repeats)
    else:
        text.append("No GPU was at hand; the same command measures one where it is run.")
    if options.write:
        options.write.write_text("\n".join(text) + "\n")
    print("\n".join(text))


if __name__ == "__main__":
    main()

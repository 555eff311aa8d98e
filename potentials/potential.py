"""A loaded potential: who it is, what it covers, and the engines and calculators it gives."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, cast

import torch
from ase.calculators.calculator import Calculator
from ase.data import chemical_symbols

from potentials.choices import check_choice
from potentials.errors import PotentialError
from potentials.identity import PotentialIdentity
from potentials.protocol import Engine
from potentials.torch_state import process_kept

DTYPES = {"float64": torch.float64, "float32": torch.float32}
MACE_DTYPES = DTYPES | {"tf32": torch.float32}
"""``"tf32"`` is float32 with the linear layers' products in TensorFloat-32 where the device has it:
factors rounded to 10 bits, sums in float32. Elsewhere it is float32."""
EngineKind = Literal["batched", "ase"]


class Potential(ABC):
    """What gives energies and forces.

    Attributes:
        identity: name, weights' hash, head, dtype, dispersion and versions; every result has it.
        elements: chemical symbols it covers.
        device: where it runs, ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        dtype: ``"float64"``, ``"float32"`` or ``"tf32"``, the precision it really computes in.
    """

    def __init__(
        self, identity: PotentialIdentity, elements: Iterable[str], device: str = "cpu"
    ) -> None:
        self.identity = identity
        self.elements = frozenset(elements)
        self.device = device

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.identity.name!r}, {self.device}, {self.dtype})"

    @property
    def dtype(self) -> str:
        """Precision it computes in."""
        return self.identity.dtype

    @abstractmethod
    def ase_calculator(self) -> Calculator:
        """A new ASE calculator; energies eV, forces eV/Å, stress eV/Å³."""

    def engine(self, kind: EngineKind | None = None, **options: Any) -> Engine:
        """The engine that evaluates, relaxes and finds paths.

        Args:
            kind: ``"batched"`` (MACE without dispersion only), ``"ase"``, or None for the fastest
                that the potential has.
            options: of the batched engine, such as ``max_atoms_per_batch``.

        Raises:
            PotentialError: if the potential has no such engine, or it has no such option.
        """
        from potentials.ase_engine import AseEngine

        if kind is not None:
            check_choice("engine", kind, ("batched", "ase"))
        if kind == "batched":
            raise PotentialError(
                f"engine: {self.identity.name!r} has no batched engine; use engine('ase')"
            )
        if options:
            raise PotentialError(f"{min(options)}: the ASE engine takes no options; leave it out")
        return AseEngine(self)

    def check_elements(self, symbols: Iterable[str]) -> None:
        """Refuse elements that the potential does not cover.

        Raises:
            PotentialError: naming the elements that are missing.
        """
        missing = sorted(set(symbols) - self.elements)
        if missing:
            raise PotentialError(
                f"elements: potential {self.identity.name!r} does not cover {', '.join(missing)};"
                " choose one that does (`lithiophile potentials list`)"
            )


class MacePotential(Potential):
    """A MACE network.

    Attributes:
        model: the network, in evaluation mode, on ``device`` in ``dtype``, no gradients to weights.
        r_max: cutoff radius, Å.
        atomic_numbers: atomic number of each species index (the network's z table).
        head: head in use.
        head_index: its index in the network.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        *,
        name: str,
        sha256: str,
        device: str = "cpu",
        dtype: str = "float64",
        head: str | None = None,
        dispersion: str | None = None,
    ) -> None:
        """Move ``model`` (in place) to ``device`` and ``dtype`` and choose its head.

        Args:
            model: a MACE network.
            name: as in the identity.
            sha256: hash of the weights, as in the identity.
            device: torch device.
            dtype: ``"float64"``, ``"float32"`` or ``"tf32"`` (`MACE_DTYPES`).
            head: head of a multi-head network; None takes the only one, or the one called default.
            dispersion: D3 correction added, as ``"d3-bj-pbe"``.

        Raises:
            PotentialError: for an unknown dtype, device, head or dispersion correction.
        """
        check_choice("dtype", dtype, MACE_DTYPES)
        self.model = model.to(device=checked_device(device), dtype=MACE_DTYPES[dtype]).eval()
        self.model.requires_grad_(False)
        heads = [str(head) for head in getattr(model, "heads", None) or ["Default"]]
        self.head = _chosen_head(heads, head, name)
        self.head_index = heads.index(self.head)
        self.r_max = float(cast(torch.Tensor, model.r_max))
        self.atomic_numbers = tuple(
            int(number) for number in cast(torch.Tensor, model.atomic_numbers)
        )
        identity = PotentialIdentity(
            name=name,
            sha256=sha256,
            head=self.head if len(heads) > 1 else None,
            dtype=dtype,
            dispersion=dispersion,
            versions=versions_of("ase", "mace-torch", "torch"),
        )
        super().__init__(identity, symbols_of(self.atomic_numbers), device)
        if dispersion is not None:
            self._dispersion_calculator()  # an error at once, not at the first evaluation

    def ase_calculator(self) -> Calculator:
        """A new ASE calculator that shares the network; with dispersion added where asked for."""
        from potentials.mace_calculator import MaceCalculator

        calculator = MaceCalculator(
            self.model, device=self.device, dtype=self.dtype, head=self.head
        )
        if self.identity.dispersion is None:
            return calculator
        from ase.calculators.mixing import SumCalculator

        both = SumCalculator([calculator, self._dispersion_calculator()])
        return cast(Calculator, both)

    def engine(self, kind: EngineKind | None = None, **options: Any) -> Engine:
        """As `Potential.engine`; batched unless there is a dispersion correction.

        Raises:
            PotentialError: ``"batched"`` in spite of one, or another kind that there is not.
        """
        if kind == "batched" and self.identity.dispersion is not None:
            raise PotentialError(
                "engine: the batched engine has no dispersion correction; use engine('ase')"
            )
        if kind == "ase" or self.identity.dispersion is not None:
            return super().engine(kind, **options)
        if kind is not None:
            check_choice("engine", kind, ("batched", "ase"))
        with process_kept():
            from potentials.batched.engine import BatchedEngine

            return BatchedEngine(self, **options)

    def _dispersion_calculator(self) -> Calculator:
        from potentials.dispersion import d3_calculator

        assert self.identity.dispersion is not None
        return d3_calculator(self.identity.dispersion, device=self.device, dtype=self.dtype)


class CalculatorPotential(Potential):
    """Any ASE calculator as a potential, one structure at a time: for tests and second opinions."""

    def __init__(
        self,
        make_calculator: Callable[[], Calculator],
        *,
        name: str,
        elements: Iterable[str],
        sha256: str | None = None,
        dtype: str = "float64",
        packages: tuple[str, ...] = ("ase",),
    ) -> None:
        """Take the calculators that ``make_calculator`` makes.

        Args:
            make_calculator: gives a new calculator at each call.
            name: as in the identity.
            elements: chemical symbols the calculator covers.
            sha256: hash of the parameters; None hashes the calculator's class and its parameters.
            dtype: precision the calculator computes in.
            packages: distributions whose versions the identity carries.
        """
        self._make_calculator = make_calculator
        identity = PotentialIdentity(
            name=name,
            sha256=sha256 or _hash_of(make_calculator()),
            head=None,
            dtype=dtype,
            dispersion=None,
            versions=versions_of(*packages),
        )
        super().__init__(identity, elements)

    def ase_calculator(self) -> Calculator:
        """A new calculator."""
        return self._make_calculator()


def checked_device(device: str) -> str:
    """``device`` itself, if torch can compute on it here.

    Raises:
        PotentialError: if it cannot.
    """
    try:
        kind = torch.device(device).type
    except (RuntimeError, TypeError):
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise PotentialError(f"device: {device!r} is unknown; use 'cpu', 'cuda' or 'cuda:N'")
    if kind == "cuda" and (torch.device(device).index or 0) >= torch.cuda.device_count():
        raise PotentialError(f"device: no such GPU for {device!r} on this machine; use 'cpu'")
    return device


def versions_of(*packages: str) -> tuple[tuple[str, str], ...]:
    """(package, installed version) pairs of those ``packages`` that are installed, sorted."""
    found = []
    for package in sorted(packages):
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def symbols_of(numbers: Iterable[int]) -> frozenset[str]:
    """Chemical symbols of atomic numbers."""
    return frozenset(chemical_symbols[number] for number in numbers)


def _chosen_head(heads: list[str], asked: str | None, name: str) -> str:
    if asked is not None:
        check_choice(f"head of {name!r}", asked, heads)
        return asked
    if len(heads) == 1:
        return heads[0]
    defaults = [head for head in heads if head.lower() == "default"]
    if not defaults:
        raise PotentialError(f"head: {name!r} has several; choose one of {', '.join(heads)}")
    return defaults[0]


def _hash_of(calculator: Calculator) -> str:
    kind = type(calculator)
    parameters = json.dumps(dict(calculator.parameters), sort_keys=True, default=repr)
    return hashlib.sha256(
        f"{kind.__module__}.{kind.__qualname__} {parameters}".encode()
    ).hexdigest()

"""From a name, a file or a folder to a potential that computes."""

import hashlib
import io
from pathlib import Path

import torch

from potentials.cache import check_pin
from potentials.checkpoint import check_checkpoint
from potentials.choices import check_choice
from potentials.download import fetched_weights
from potentials.errors import PotentialError
from potentials.potential import MACE_DTYPES, MacePotential, Potential, checked_device
from potentials.registry import RegistryEntry, entry, registry
from potentials.torch_state import process_kept
from potentials.trust import check_trusted

_NETWORK_FILES = ("model.safetensors", "model.json")


def load_potential(
    name_or_path: str | Path,
    *,
    device: str = "cpu",
    dtype: str | None = None,
    head: str | None = None,
    dispersion: str | None = None,
    trust: bool = False,
) -> Potential:
    """Load a potential; published weights are downloaded at their first use.

    Args:
        name_or_path: a registered name (`potentials.registry`), a MACE checkpoint, or a folder with
            ``model.safetensors`` and ``model.json`` (which needs no trust: nothing in it is run).
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"float64"``, ``"float32"`` or, for MACE, ``"tf32"``; None takes the potential's
            default, float64.
        head: head of a multi-head network; None takes the default.
        dispersion: D3 correction to add: ``"d3"`` for the one that fits the potential's functional,
            or ``"d3-bj-<functional>"``; None adds none.
        trust: load the checkpoint though its hash was not trusted before.

    Raises:
        PotentialError: for an unknown name, a missing, untrusted or damaged file, a network that is
            no MACE, or a device, dtype, head or dispersion correction that it does not have.
    """
    check_choice("dtype", dtype or "float64", MACE_DTYPES)
    checked_device(device)
    known = registry().get(str(name_or_path))
    if known is None and not _is_path(name_or_path):
        known = entry(str(name_or_path))  # says which names are near
    if known is not None and head is not None and known.heads:
        check_choice(f"head of {known.name!r}", head, known.heads)
    dtype = dtype or (known.default_dtype if known else "float64")
    correction = _correction(dispersion, known, head)
    if known is not None and known.kind == "chgnet":
        return _chgnet(device, dtype, head, correction)
    if known is not None and known.kind == "gpaw":
        return _gpaw(known.name, device, dtype, head, correction)
    network, sha256 = _network(name_or_path, known, trust)
    return MacePotential(
        network,
        name=known.name if known else Path(name_or_path).name,
        sha256=sha256,
        device=device,
        dtype=dtype,
        head=head or (known.default_head if known else None),
        dispersion=correction,
    )


def _network(
    name_or_path: str | Path, known: RegistryEntry | None, trust: bool
) -> tuple[torch.nn.Module, str]:
    """The network and the SHA-256 of what it was made from."""
    if known is not None and known.kind == "network":
        return _from_folder(Path(__file__).parent / known.name)
    path = Path(name_or_path).expanduser() if known is None else fetched_weights(known)
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise PotentialError(f"potential: there is no file {path}; give an existing file or a name")
    check_checkpoint(path)
    content = path.read_bytes()  # what is hashed is what is loaded
    sha256 = hashlib.sha256(content).hexdigest()
    if known is not None:
        check_pin(known.name, sha256, path)
    elif not trust:
        check_trusted(path, sha256)
    return _unpickled(content, path), sha256


def _unpickled(content: bytes, path: Path) -> torch.nn.Module:
    """The network in a checkpoint; runs what code the checkpoint holds."""
    with process_kept():
        import mace.modules  # noqa: F401  (its classes are named in the pickle)

        try:
            network = torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            raise PotentialError(
                f"potential: {path} cannot be loaded ({said});"
                " give a .model file written by a compatible mace"
            ) from error
    if not isinstance(network, torch.nn.Module) or not all(
        hasattr(network, needed) for needed in ("r_max", "atomic_numbers", "interactions")
    ):
        raise PotentialError(
            f"potential: {path} holds a {type(network).__name__}, not a MACE network;"
            " give the .model file that mace writes at the end of a training"
        )
    return network


def _from_folder(folder: Path) -> tuple[torch.nn.Module, str]:
    """The network in a folder of tensors and JSON, and the SHA-256 of both files together."""
    digest = hashlib.sha256()
    for name in _NETWORK_FILES:
        path = folder / name
        if not path.is_file():
            raise PotentialError(f"potential: {path} is missing; install or convert it again")
        digest.update(path.read_bytes())
    with process_kept():
        from potentials.tensors import load_network

        return load_network(folder / "model"), digest.hexdigest()


def _chgnet(device: str, dtype: str, head: str | None, correction: str | None) -> Potential:
    from potentials.chgnet_potential import ChgnetPotential

    for field, asked in (("head", head), ("dispersion", correction)):
        if asked is not None:
            raise PotentialError(f"{field}: 'chgnet' has none; leave it out")
    return ChgnetPotential(device=device, dtype=dtype)


def _gpaw(
    name: str, device: str, dtype: str, head: str | None, correction: str | None
) -> Potential:
    from potentials.dft.gpaw_potential import GpawPotential

    for field, asked, only in (
        ("device", device, "cpu"),
        ("dtype", dtype, "float64"),
        ("head", head, None),
        ("dispersion", correction, None),
    ):
        if asked != only:
            raise PotentialError(f"{field}: {name!r} has no {asked!r}; leave it out")
    return GpawPotential(name)


def _correction(asked: str | None, known: RegistryEntry | None, head: str | None) -> str | None:
    """The full name of a dispersion correction."""
    if asked != "d3":
        return asked
    if known is None:
        raise PotentialError(
            "dispersion: 'd3' needs the functional of a local file; use 'd3-bj-pbe' or its like"
        )
    if head not in (None, known.default_head):
        raise PotentialError(
            f"dispersion: 'd3' is the default head's, and {head!r} has a functional of its own;"
            " use 'd3-bj-r2scan' or its like, or none where dispersion is in it"
        )
    return known.dispersion or "d3"


def _is_path(name_or_path: str | Path) -> bool:
    """Whether a file or folder is meant, rather than a name."""
    if isinstance(name_or_path, Path) or Path(name_or_path).exists():
        return True
    return "/" in name_or_path or Path(name_or_path).suffix in (".model", ".pt", ".pth")

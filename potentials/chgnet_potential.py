"""CHGNet 0.3.0 (Deng et al., Nat. Mach. Intell. 5, 1031 (2023)) as a potential."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from ase.calculators.calculator import Calculator

from potentials.cache import sha256_of
from potentials.choices import check_choice
from potentials.errors import PotentialError
from potentials.identity import PotentialIdentity
from potentials.potential import DTYPES, Potential, checked_device, versions_of
from potentials.registry import entry
from potentials.torch_state import process_kept

_WEIGHTS = "pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar"


class ChgnetPotential(Potential):
    """CHGNet from the weights in its own package, in single or double precision.

    CHGNet is written for float32. In float64 its weights are converted and its graphs built in
    double precision; energies agree with float32 to its rounding.
    """

    def __init__(self, *, device: str = "cpu", dtype: str = "float64") -> None:
        """Load the network.

        Raises:
            PotentialError: if chgnet is not installed, or for an unknown dtype or device.
        """
        check_choice("dtype", dtype, DTYPES)
        checked_device(device)
        weights = weights_file()
        with process_kept():
            from chgnet.model.model import CHGNet

            network = CHGNet.load(model_name="0.3.0", use_device=device, verbose=False)
        network.to(dtype=DTYPES[dtype]).eval()
        network.requires_grad_(False)
        # the composition is cast to float32 on its way into this layer
        cast(Any, network.composition_model).fc.register_forward_pre_hook(
            lambda layer, given: (given[0].to(layer.weight.dtype),)
        )
        network.graph_converter.set_isolated_atom_response("ignore")
        self.model = network
        identity = PotentialIdentity(
            name="chgnet",
            sha256=sha256_of(weights),
            head=None,
            dtype=dtype,
            dispersion=None,
            versions=versions_of("ase", "chgnet", "torch"),
        )
        super().__init__(identity, entry("chgnet").elements, device)

    def ase_calculator(self) -> Calculator:
        """A new ASE calculator that shares the network."""
        from potentials.chgnet_calculator import ChgnetCalculator

        return ChgnetCalculator(self.model, device=self.device, dtype=self.dtype)


def weights_file() -> Path:
    """The weights inside the installed package.

    Raises:
        PotentialError: chgnet is not installed.
    """
    spec = find_spec("chgnet")
    if spec is None or spec.origin is None:
        raise PotentialError(
            "potential: 'chgnet' is not installed; `pip install 'lithiophile[chgnet]'`"
        )
    return Path(spec.origin).parent / _WEIGHTS

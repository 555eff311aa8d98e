"""The batched engine in the place of a potential, with a physical network that costs nothing."""

import time
from dataclasses import replace

from potentials.batched import BatchedEngine
from potentials.potential import Potential
from tests.potentials.batched.networks import GUPTA, gupta


class SlowGupta(Potential):
    """Two cells of four atoms to a batch; may be made slow to be killed in the middle."""

    seconds = 0.0

    def __init__(self):
        super().__init__(replace(gupta().identity, name="gupta"), GUPTA)

    def ase_calculator(self):
        raise NotImplementedError

    def engine(self, _kind=None, **_options):
        network = gupta()
        network.model.register_forward_pre_hook(lambda *_: time.sleep(SlowGupta.seconds))
        return BatchedEngine(network, max_atoms_per_batch=8)


def load_gupta(_name, **_settings):
    """Stands where `load_potential` stands."""
    return SlowGupta()

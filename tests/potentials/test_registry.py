from urllib.parse import urlsplit

import pytest
from ase.data import chemical_symbols

from potentials.errors import PotentialError
from potentials.registry import entry, registry

PUBLISHED = (
    "mace-mp-0-small",
    "mace-mp-0-medium",
    "mace-mp-0-large",
    "mace-mp-0b3-medium",
    "mace-mpa-0-medium",
    "mace-omat-0-small",
    "mace-omat-0-medium",
    "mace-matpes-pbe-omat",
    "mace-matpes-r2scan-omat",
    "mace-mh-1",
)


def test_published_models_and_our_own_are_there() -> None:
    ours = ["mini", "mini-pbe", "chgnet"]
    assert list(registry()) == [*ours, *PUBLISHED, "gpaw-pbe-quick", "gpaw-pbe-tight"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_addresses_are_those_of_mace_itself(name: str) -> None:
    from potentials.torch_state import process_kept

    with process_kept():
        from mace.calculators.foundations_models import mace_mp_urls
    assert entry(name).url in mace_mp_urls.values()


@pytest.mark.parametrize("known", registry().values(), ids=registry())
def test_entries_are_whole(known: object) -> None:
    from potentials.registry import RegistryEntry

    assert isinstance(known, RegistryEntry)
    assert set(known.elements) <= set(chemical_symbols[1:])
    assert len(set(known.elements)) == len(known.elements)
    assert known.kind in ("mace", "chgnet", "network", "gpaw")
    assert known.mp_corrections in ("apply", "included", "incompatible")
    assert known.default_dtype in ("float64", "float32")
    assert (known.url is not None) == (known.kind == "mace")
    assert known.default_head is None or known.default_head in known.heads
    assert known.academic_only == (known.licence == "ASL")
    if known.url:
        assert urlsplit(known.url).scheme == "https"
        assert known.filename == f"{known.name}.model"


def test_elements_of_the_big_models() -> None:
    elements = entry("mace-mpa-0-medium").elements
    assert len(elements) == 89
    assert not {"Po", "At", "Rn", "Fr", "Ra"} & set(elements)
    assert {"Li", "Cu", "Au", "La", "Zr"} <= set(elements)


def test_unknown_name_gets_its_neighbours() -> None:
    with pytest.raises(PotentialError, match="'MACE-MPA-0' is unknown; did you mean mace-mpa-0"):
        entry("MACE-MPA-0")
    with pytest.raises(PotentialError, match=r"use mini, mini-pbe, .* or gpaw-pbe-tight"):
        entry("zzz")

"""Crystals from CIF files, the Materials Project and OPTIMADE servers, with the real clients."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from structures.conversion import as_structure, host_name
from structures.crystal_library import crystal, crystal_fact
from structures.errors import StructureError
from structures.outside import is_outside, outside_crystal, structure_sha256
from structures.slabs import facets
from tests.services.optimade import optimade_server


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test with a cache of its own, and without anybody's key."""
    from structures import outside

    outside._kept.cache_clear()
    monkeypatch.setenv("LITHIOPHILE_CACHE", str(tmp_path / "cache"))
    for name in ("MP_API_KEY", "MP_API_ENDPOINT", "PMG_MAPI_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "crystals"


@pytest.fixture
def cif(tmp_path: Path) -> str:
    path = tmp_path / "lif.cif"
    crystal("LiF").to(filename=str(path))
    return str(path)


def message(name: str) -> str:
    with pytest.raises(StructureError) as error:
        crystal(name)
    assert "\n" not in str(error.value)
    assert name in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("Cu", False),
        ("mp-149", True),
        ("mvc-12", True),
        ("mp", False),
        ("cells/Cu.cif", True),
        ("https://optimade.org/v1/structures/x/y.cif", True),
        ("https://optimade.org/v1/references/1", False),
    ],
)
def test_form_of_the_name_tells_what_it_is(name: str, outside: bool) -> None:
    assert is_outside(name) is outside


def test_cif_file_stands_for_its_crystal(cif: str) -> None:
    library, read = crystal_fact("LiF"), crystal_fact(cif)
    assert (read.formula, read.space_group_number) == ("LiF", 225)
    assert read.cell == pytest.approx(library.cell)
    found = sorted((site.element, site.wyckoff) for site in read.sites)
    assert found == sorted((site.element, site.wyckoff) for site in library.sites)
    assert (read.name, read.tier, host_name(cif)) == (cif, 3, cif)
    assert as_structure(cif).matches(crystal("LiF"))
    (facet,) = facets(cif, miller_indices=[(1, 0, 0)])
    (same,) = facets("LiF", miller_indices=[(1, 0, 0)])
    assert facet.host == cif
    assert facet.area == pytest.approx(same.area)


def test_primitive_cell_becomes_the_conventional_one(tmp_path: Path) -> None:
    path = tmp_path / "primitive.cif"
    crystal("Cu").get_primitive_structure().to(filename=str(path))
    assert len(crystal(str(path))) == 4


def test_identity_is_of_the_crystal_not_of_the_file(cif: str, tmp_path: Path) -> None:
    first = outside_crystal(cif)
    assert crystal(cif).properties["sha256"] == first.sha256
    assert first.sha256 in crystal_fact(cif).note
    again = tmp_path / "again.cif"
    again.write_text("# another text\n" + Path(cif).read_text())
    assert outside_crystal(str(again)).sha256 == first.sha256
    CifWriter(crystal("LiCl")).write_file(cif)
    assert outside_crystal(cif).sha256 != first.sha256


def test_identity_outlives_the_way_to_a_calculation(cif: str) -> None:
    """A structure keeps source and hash through copies and through JSON, as results store it."""
    kept = Structure.from_dict(json.loads(json.dumps(crystal(cif).copy().as_dict())))
    assert kept.properties["sha256"] == outside_crystal(cif).sha256
    assert kept.properties["source"].endswith(cif)


def test_hash_knows_order_and_lattice_translations_not() -> None:
    structure = crystal("LiF")
    moved = Structure(
        structure.lattice, structure.species[::-1], np.add(structure.frac_coords[::-1], [1, -1, 0])
    )
    assert structure_sha256(moved) == structure_sha256(structure)
    moved.translate_sites([0], [0.001, 0, 0])
    assert structure_sha256(moved) != structure_sha256(structure)


def test_no_such_file(tmp_path: Path) -> None:
    assert "cannot be read" in message(str(tmp_path / "none.cif"))


def test_file_that_is_no_cif(tmp_path: Path) -> None:
    path = tmp_path / "text.cif"
    path.write_text("data_\nloop_\n_atom_site_label\nnonsense here\n")
    assert "is no CIF file" in message(str(path))


def test_file_with_two_crystals(cif: str) -> None:
    both = Path(cif).read_text() + Path(cif).read_text().replace("data_LiF", "data_two")
    Path(cif).write_text(both)
    assert "holds 2 crystals" in message(cif)


def test_partly_occupied_sites(tmp_path: Path) -> None:
    path = tmp_path / "alloy.cif"
    Structure(Lattice.cubic(3.2), [{"Li": 0.5, "Mg": 0.5}], [[0, 0, 0]]).to(filename=str(path))
    assert "partly occupied" in message(str(path))


# --- OPTIMADE ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def optimade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("optimade.client")
    partly = Structure(Lattice.cubic(3.2), ["Li"], [[0, 0, 0]])
    held = {"group/LiF": crystal("LiF").get_primitive_structure(), "Li-sc": partly}
    with optimade_server(held, tmp_path_factory.mktemp("optimade")) as url:
        yield url


def test_optimade_address_stands_for_its_crystal(
    optimade: str, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"{optimade}/v1/structures/group/LiF"
    found = crystal(address)
    assert found.matches(crystal("LiF"))
    assert len(found) == 8
    assert "modified 2026-01-02" in crystal_fact(address).source
    assert capfd.readouterr() == ("", "")
    (kept,) = cache.iterdir()
    assert json.loads(kept.read_text())["sha256"] == found.properties["sha256"]


def test_what_was_fetched_needs_no_network_any_more(
    optimade: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from structures import optimade_address, outside

    address = f"{optimade}/v1/structures/Li-sc"
    first = outside_crystal(address)
    outside._kept.cache_clear()
    monkeypatch.setattr(optimade_address, "fetch", None)
    assert outside_crystal(address).sha256 == first.sha256
    assert outside_crystal(address).source == first.source

    outside._kept.cache_clear()
    (kept,) = cache.iterdir()
    kept.write_text(kept.read_text().replace("3.2", "3.3"))
    with pytest.raises(StructureError, match="delete that file"):
        outside_crystal(address)


def test_optimade_server_has_no_such_structure(optimade: str) -> None:
    assert "has no structure 'none'" in message(f"{optimade}/v1/structures/none")


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_no_optimade_server_answers(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optimade.client")
    address = f"http://127.0.0.1:{closed_port()}/v1/structures/x"
    assert "check network and address" in message(address)
    assert capfd.readouterr() == ("", "")


# --- Materials Project ------------------------------------------------------------------------


class MaterialsProject(BaseHTTPRequestHandler):
    """What mp-api asks of the Materials Project's server when it looks a structure up."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("x-api-key")))
        if self.path.startswith("/heartbeat"):
            body = {"db_version": "2025.09.25", "version": "99", "access_controlled_batch_ids": []}
        else:
            data = [{"material_id": "mp-1138", "structure": crystal("LiF").as_dict()}]
            data = data if "mp-1138" in self.path else []
            body = {"data": data, "meta": {"total_doc": len(data)}}
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def materials_project(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pytest.importorskip("mp_api.client")
    with ThreadingHTTPServer(("127.0.0.1", 0), MaterialsProject) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MP_API_KEY", "k" * 32)
        monkeypatch.setenv("MP_API_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
        yield
        server.shutdown()


@pytest.mark.usefixtures("materials_project")
def test_materials_project_id_stands_for_its_crystal(capfd: pytest.CaptureFixture[str]) -> None:
    assert crystal("mp-1138").matches(crystal("LiF"))
    assert "mp-1138, database 2025.09.25, fetched 20" in crystal_fact("mp-1138").source
    assert capfd.readouterr() == ("", "")
    assert ("k" * 32) in {key for path, key in MaterialsProject.asked if "mp-1138" in path}


@pytest.mark.usefixtures("materials_project")
def test_materials_project_has_no_such_id() -> None:
    assert "no id of the Materials Project" in message("mp-99")


def test_no_key() -> None:
    assert "MP_API_KEY" in message("mp-1138")


def test_no_materials_project_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mp_api.client")
    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    monkeypatch.setenv("MP_API_ENDPOINT", f"http://127.0.0.1:{closed_port()}/")
    assert "check network and MP_API_KEY" in message("mp-1138")


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [
        ("mp-1138", "mp_api.client", "lithiophile[materials-project]"),
        ("https://somewhere.org/v1/structures/1", "optimade.client", "lithiophile[optimade]"),
    ],
)
def test_extra_that_is_not_installed(
    name: str, missing: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    monkeypatch.setitem(sys.modules, missing, None)
    assert extra in message(name)


CELL = """\
data_Li
_cell_length_a {a}
_cell_length_b 3.5
_cell_length_c 3.5
_cell_angle_alpha 90
_cell_angle_beta {beta}
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Li1 Li {x} 0.5 0.5
Li2 Li 0 0 0
"""


@pytest.mark.parametrize(
    ("a", "beta", "x"),
    [("3.5", "90", "nan"), ("3.5", "90", "inf"), ("1e300", "90", "0.5"), ("3.5", "0.1", "0.5")],
)
def test_a_cell_that_no_crystal_has_is_refused(tmp_path: Path, a: str, beta: str, x: str) -> None:
    path = tmp_path / "odd.cif"
    path.write_text(CELL.format(a=a, beta=beta, x=x))
    assert "mend" in message(str(path))


def test_a_structure_without_places_is_refused() -> None:
    nowhere = Structure(Lattice.cubic(3.5), ["Li"], [[np.nan, 0, 0]])
    with pytest.raises(StructureError, match="no numbers"):
        facets(nowhere, max_index=1)

"""The bad input drill: whatever a user gives, one line comes back, soon, and nothing is written.

Campaign files, queries and profiles have drills of their own beside their readers; here they are
held to the whole program, with structures and potential files.
"""

import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

import potentials
from potentials.errors import PotentialError
from potentials.loading import load_potential
from results.database import open_database
from results.errors import ResultsError
from screen.cli import main
from workflows.settings import PotentialSettings, StoreSettings
from workflows.stages import evaluate_stage, relax_stage

MINI = PotentialSettings()
MINI_FOLDER = Path(potentials.__file__).parent / "mini"
_PATIENCE_S = 300
"""A hang, even on a machine that is busy with other things."""
drill = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def at_most(seconds):
    """Fail what hangs."""

    def hangs(*_):
        raise AssertionError(f"no answer in {seconds} s")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answer(capsys, *arguments):
    """Exit status and what was printed to stderr, which is one line where it failed."""
    with at_most(_PATIENCE_S), pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    status, said = caught.value.code or 0, capsys.readouterr().err
    if status:
        assert status in (1, 2)
        assert "Traceback" not in said
        assert "--debug shows where" not in said  # an error that nobody foresaw
        assert said.startswith("Error: ") or "Usage: " in said
    return status, said


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


numbers = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from(
    [0.0, 1e-9, 1e9, float("nan")]
)


@st.composite
def structures(draw):
    """Cells without volume, atoms on top of each other, numbers that are none, any element."""
    lengths = [draw(st.sampled_from([1e-3, 0.5, 3.0, 4.0, 30.0])) for _ in range(3)]
    shear = draw(st.sampled_from([0.0, 0.5, 1.0, 1e3]))
    matrix = np.diag(lengths)
    matrix[1, 0] = shear * lengths[0]
    if draw(st.booleans()):
        matrix[2] = matrix[draw(st.sampled_from([0, 2]))]
    n = draw(st.integers(1, 4))
    kinds = draw(
        st.lists(st.sampled_from(["Li", "Cu", "O", "Og", "Pu", "H"]), min_size=n, max_size=n)
    )
    sites = draw(
        st.lists(
            st.tuples(*[st.sampled_from([0.0, 0.5, 1e-12, 1e6]) | numbers] * 3),
            min_size=n,
            max_size=n,
        )
    )
    return Structure(Lattice(matrix), kinds, sites)


def overlapping():
    return Structure(Lattice.cubic(3.5), ["Li", "Li"], [[0, 0, 0], [0, 0, 0]])


@drill
@given(structures())
@example(overlapping())
@example(Structure(Lattice(np.zeros((3, 3))), ["Li"], [[0, 0, 0]]))
@example(Structure(Lattice.cubic(3.5), ["Li"], [[float("nan")] * 3]))
@example(Structure(Lattice.cubic(3.5), ["Og"], [[0, 0, 0]]))
def test_any_structure_gives_numbers_or_a_reason(tmp_path, structure):
    """Refused in one line with nothing written, or recorded with its failure beside a sound one."""
    sound = Structure(Lattice.cubic(3.5), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    folder = tmp_path / "stores"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    stores = StoreSettings(spool=str(folder / "spool"))
    parameters = {"fmax": 0.05, "max_steps": 3, "cell": "fixed"}
    with at_most(_PATIENCE_S):
        try:
            found = relax_stage("relax", [sound, structure], parameters, MINI, stores)
        except (PotentialError, ResultsError) as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
            assert files(folder) == {}
            return
    assert found[0].energy_ev is not None
    assert found[1].converged or found[1].failure


@pytest.mark.slow
def test_a_cell_of_ten_thousand_atoms_is_computed():
    cell = Structure.from_spacegroup("Im-3m", Lattice.cubic(3.43), ["Li"], [[0, 0, 0]])
    cell.make_supercell((18, 18, 16))
    assert len(cell) > 10_000
    with at_most(600):
        (found,) = evaluate_stage("evaluate", [cell], MINI, StoreSettings())
    assert found.converged


CIF = """\
data_Li
_cell_length_a {a}
_cell_length_b 3.5
_cell_length_c 3.5
_cell_angle_alpha 90
_cell_angle_beta {angle}
_cell_angle_gamma 90
_symmetry_space_group_name_H-M '{group}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Li1 {element} {x} 0 0 {occupancy}
Li2 Li 0 0 0 1
"""
values = st.sampled_from(["0", "-1", "nan", "inf", "1e300", "", "?", "Li", "3.5", "90", "180"])


@drill
@given(
    st.binary(max_size=300)
    | st.builds(
        lambda **fields: CIF.format(**fields).encode(),
        a=values,
        angle=values,
        group=st.sampled_from(["P 1", "F m -3 m", "Q 7", ""]),
        element=st.sampled_from(["Li", "Og", "Xx", "", "D"]),
        x=values,
        occupancy=values,
    )
)
def test_any_structure_file_is_a_crystal_or_one_line(tmp_path, capsys, content):
    source, target = tmp_path / "in.cif", tmp_path / "out.cif"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    status, _ = answer(capsys, "structures", "facet", source, "100", "--output", target)
    assert target.exists() == (status == 0)


@drill
@given(st.binary(max_size=200) | st.just((MINI_FOLDER / "model.safetensors").read_bytes()[:5000]))
@example(b"")
@example(b"PK\x03\x04" + bytes(50))
@example(b"\x80\x04\x95")
def test_any_potential_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "some.model"
    path.write_bytes(content)
    for trust in (False, True) if not content.startswith(b"c") else (False,):
        with at_most(_PATIENCE_S), pytest.raises(PotentialError) as caught:
            load_potential(path, trust=trust)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", ["header", "tensors", "end", "description"])
def test_weights_that_were_damaged_never_pass_for_the_sound_ones(tmp_path, place):
    folder = tmp_path / "mini"
    shutil.copytree(MINI_FOLDER, folder)
    weights, description = folder / "model.safetensors", folder / "model.json"
    sound = load_potential(folder).identity.sha256
    content = bytearray(weights.read_bytes())
    if place == "header":
        content[20] ^= 255
    elif place == "tensors":
        content[-100] ^= 255
    elif place == "end":
        content = content[: len(content) // 2]
    else:
        description.write_text(description.read_text()[:-20])
    weights.write_bytes(content)
    try:
        damaged = load_potential(folder).identity.sha256
    except PotentialError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert damaged != sound  # another potential: no result of the one is taken for the other


texts = st.text(max_size=30) | st.sampled_from(
    ["host=", "(((", "host=Cu and", "work_of_adhesion>nan", "id=1;drop table candidates", "'"]
)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("database") / "r.db"
    open_database(path).close()
    return path


@drill
@given(texts)
def test_any_query_is_answered_or_refused(capsys, database, text):
    before = files(database.parent)
    answer(capsys, "query", "--db", database, "--", text)
    assert files(database.parent) == before


@drill
@given(st.text(max_size=60))
def test_any_campaign_and_profile_writes_nothing_before_it_is_sound(
    tmp_path, capsys, monkeypatch, text
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LITHIOPHILE_PROFILES", str(tmp_path / "profiles.yaml"))
    for name in ("campaign.yaml", "profiles.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8", errors="replace")
    before = files(tmp_path)
    status, _ = answer(capsys, "run", "campaign.yaml", "--on", "slurm")
    assert status == 2
    assert files(tmp_path) == before

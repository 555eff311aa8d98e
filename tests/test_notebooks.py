"""The notebooks in examples/ run from top to bottom and show what they say."""

import base64
import io
import os
from pathlib import Path

import pytest
from PIL import Image

nbclient = pytest.importorskip("nbclient", reason="needs nbclient, of the extra dev")
pytest.importorskip("chemiscope", reason="needs chemiscope, of the extra notebooks")
nbformat = pytest.importorskip("nbformat")

EXAMPLES = Path(__file__).parents[1] / "examples"
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all of them run, so that the last finds the database of the one before."""
    return tmp_path_factory.mktemp("notebooks")


def outputs_of(name, folder, monkeypatch):
    """Every output of a notebook that has run."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(EXAMPLES.parent)]))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def shown(outputs, kind):
    return [output["data"][kind] for output in outputs if kind in output.get("data", {})]


def check_pictures(outputs, number):
    """As many pictures as there should be, none of them blank."""
    pictures = shown(outputs, "image/png")
    assert len(pictures) == number
    for picture in pictures:
        low, high = Image.open(io.BytesIO(base64.b64decode(picture))).convert("L").getextrema()
        assert high - low > 100


def test_facets_and_interfaces_are_explored(folder, monkeypatch):
    outputs = outputs_of("1-facets-and-interfaces.ipynb", folder, monkeypatch)
    assert len(shown(outputs, WIDGET)) == 4
    check_pictures(outputs, 2)
    tables = "".join(shown(outputs, "text/html"))
    for told in ("termination", "registry", "gap (Å)", "strain of the film"):
        assert told in tables


def test_a_campaign_is_run_and_its_results_are_asked_for(folder, monkeypatch):
    outputs = outputs_of("2-campaign-to-ranking.ipynb", folder, monkeypatch)
    assert len(shown(outputs, WIDGET)) == 1
    check_pictures(outputs, 1)
    assert "Cu" in "".join(shown(outputs, "text/html"))
    assert "collectors" in (folder / "two-collectors.html").read_text(encoding="utf-8")

    outputs = outputs_of("3-ask-the-database.ipynb", folder, monkeypatch)
    assert len(shown(outputs, WIDGET)) == 1
    check_pictures(outputs, 2)
    assert "work_of_adhesion" in "".join(shown(outputs, "text/html"))


def test_lithium_moves(folder, monkeypatch):
    outputs = outputs_of("4-lithium-in-motion.ipynb", folder, monkeypatch)
    check_pictures(outputs, 3)
    (film,) = shown(outputs, "image/gif")
    assert Image.open(io.BytesIO(base64.b64decode(film))).n_frames > 10
    told = "".join(shown(outputs, "text/plain")) + "".join(
        output["text"] for output in outputs if output["output_type"] == "stream"
    )
    assert "run longer" in told
    assert "put in: 0.150" in told


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_they_are_stored_without_outputs(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None

"""A run from the campaign file to the database, its computing replaced by made-up documents."""

import io

import pytest
from rich.console import Console

import screen.run
from results.database import open_database
from screen.campaign_file import parse_campaign
from screen.cli import main
from screen.cli.progress import showing_progress
from screen.collectors import hosts, maker
from screen.run import potential_settings, run_campaign, store_settings
from screen.stored import load_campaign
from tests.screen.conftest import CAMPAIGN
from tests.screen.synthetic import collector, collectors
from workflows.driver_lock import lives_here, read_lock
from workflows.progress import StageEvent
from workflows.run_folder import RunFolder

DETAILED = (
    CAMPAIGN
    + """\
limits: {max_interface_atoms: 90, max_strain: 0.02}
slab: {thickness: 7.5, vacuum: 12.0}
relaxation: {fmax: 0.02, max_steps: 77}
neb: {images: 3, fmax: 0.06, max_steps: 55}
"""
)


@pytest.fixture
def computed(monkeypatch):
    """What the flow will give; tests may replace the documents, and see the flows that ran."""
    state = {"documents": collectors(), "flows": []}

    def run_flow(flow, listener, database):
        del database
        state["flows"].append(flow)
        listener(StageEvent("relax slabs", 5, 5, 2, 1))
        return state["documents"]

    monkeypatch.setattr(screen.run, "run_flow", run_flow)
    return state


def test_every_setting_of_the_file_reaches_the_maker():
    campaign = parse_campaign(
        DETAILED.replace("mini", "{name: mini, dtype: float32, dispersion: d3}"), "x.yaml"
    )
    made = maker(
        campaign, potential_settings(campaign)[0], store_settings(campaign, "here/results.db")
    )
    assert made.name == "synthetic"
    assert (made.potential.name, made.potential.dtype) == ("mini", "float32")
    assert made.potential.dispersion == "d3"
    assert made.stores.database == "here/results.db"
    assert (made.slab_size.thickness, made.slab_size.vacuum) == (7.5, 12.0)
    assert made.interface_limits.max_atoms == 90
    assert made.interface_limits.max_strain == 0.02
    for stage in (made.slab_maker, made.adatom_maker, made.interface_maker):
        assert (stage.fmax, stage.max_steps) == (0.02, 77)
    assert (made.path_maker.n_images, made.path_maker.fmax) == (3, 0.06)
    assert made.path_maker.max_steps == 55


def test_facets_reach_the_maker_as_the_file_names_them():
    text = CAMPAIGN.replace("facets: {", "facets: {Zn: {max_index: 1}, Ni: [[0, 1, 2]], ")
    assert hosts(parse_campaign(text, "x.yaml")) == {
        "Cu": [[1, 1, 1], [1, 0, 0]],
        "Au": "close_packed",
        "Ni": [[0, 1, 2]],
        "Zn": {"max_index": 1},
    }


def test_keeps_the_file_and_what_was_found(computed, tmp_path):
    campaign = parse_campaign(CAMPAIGN, "x.yaml")
    path = tmp_path / "results.db"
    with open_database(path) as database:
        run_campaign(campaign, CAMPAIGN, database, str(path), [].append)
        stored = load_campaign(database)
    assert stored.campaign == campaign
    assert stored.text == CAMPAIGN
    assert list(stored.documents) == computed["documents"]
    assert stored.criteria("collectors") == campaign.ranking.criteria("collectors")


@pytest.fixture
def shortened(computed, tmp_path):
    """A campaign that ran twice, the second time without a host; its database, and how it runs."""
    campaign = parse_campaign(CAMPAIGN, "x.yaml")
    path = tmp_path / "results.db"
    with open_database(path) as database:

        def run():
            run_campaign(campaign, CAMPAIGN, database, str(path), [].append)

        run()
        computed["documents"] = [collector("Au"), collector("Ni")]
        run()
        yield database, run


def test_a_campaign_that_lost_a_host_ranks_only_what_it_still_has(shortened):
    database, _ = shortened
    assert [d.host for d in load_campaign(database).documents] == ["Au", "Ni"]


def test_a_run_that_breaks_leaves_the_candidates_of_the_one_before(computed, shortened):
    database, run = shortened
    computed["documents"] = None
    with pytest.raises(TypeError):
        run()
    assert [d.host for d in load_campaign(database).documents] == ["Au", "Ni"]


@pytest.mark.usefixtures("computed")
def test_a_finished_run_takes_its_folder_away_while_it_is_its_driver(tmp_path, monkeypatch):
    """After that it might be the next driver's."""
    campaign = parse_campaign(CAMPAIGN, "x.yaml")
    path = tmp_path / "results.db"
    folder = RunFolder.beside(str(path), campaign.name)
    forget, drivers = RunFolder.forget, []

    def watched(self):
        drivers.append(read_lock(self.path))
        forget(self)

    monkeypatch.setattr(RunFolder, "forget", watched)
    with open_database(path) as database:
        run_campaign(campaign, CAMPAIGN, database, str(path), [].append)
    assert [lives_here(lock) for lock in drivers] == [True]
    assert not folder.path.parent.exists()


def run_program(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("screen.run.check_campaign", lambda *_: None)
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)
    with pytest.raises(SystemExit) as caught:
        main(["run", "campaign.yaml"])
    return caught.value.code, capsys.readouterr()


@pytest.mark.usefixtures("computed")
def test_a_run_ends_in_ranking_and_report(tmp_path, monkeypatch, capsys):
    status, printed = run_program(tmp_path, monkeypatch, capsys)
    assert status == 0
    assert "NEB diverged after 12 steps" in printed.out
    assert "relax slabs: 5/5, 4 converged, 1 failed, 2 known before" in printed.err
    assert (tmp_path / "synthetic-report.html").is_file()
    assert (tmp_path / "lithiophile.db").is_file()


def test_a_run_without_any_ranked_candidate_has_failed(computed, tmp_path, monkeypatch, capsys):
    failed = {"adatom_barrier_ev": "diverged"}
    computed["documents"] = [collector("Cu", barrier=None, failures=failed)]
    status, printed = run_program(tmp_path, monkeypatch, capsys)
    assert status == 1
    assert "Adatom barrier: diverged" in printed.out


def test_a_run_that_breaks_is_one_line(tmp_path, monkeypatch, capsys):
    def break_off(*_):
        raise RuntimeError("out of\nmemory")

    monkeypatch.setattr(screen.run, "run_flow", break_off)
    status, printed = run_program(tmp_path, monkeypatch, capsys)
    assert status == 1
    assert printed.err == "Error: RuntimeError: out of memory; --debug shows where\n"


def test_jobs_of_one_stage_add_up_on_a_terminal():
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with showing_progress(console) as listener:
        for event in (
            StageEvent("relax adatoms", 0, 3, 0, 0),
            StageEvent("relax adatoms", 3, 3, 0, 1),
            StageEvent("relax adatoms", 1, 2, 1, 0),
        ):
            listener(event)
    assert "4/5, 3 converged, 1 failed, 1 known before" in console.file.getvalue()

"""A database with a made-up campaign, as several tests want it."""

import pytest

from results.database import open_database
from screen.campaign_file import parse_campaign
from screen.stored import store_campaign
from tests.screen.synthetic import collectors

CAMPAIGN = """\
name: synthetic
potential: mini
screens: {collectors: {hosts: [Cu, Au, Ni, Zn], facets: {Cu: [[1, 1, 1], [1, 0, 0]]}}}
ranking:
  collectors:
    work_of_adhesion: max
    li_binding: {direction: min, at_most: 0.1}
    adatom_barrier: min
"""


def fill(path, text=CAMPAIGN, others=()):
    """Make a database that holds the campaign ``synthetic`` as a finished run leaves it.

    Args:
        path: of the database.
        text: of the campaign.
        others: documents besides those of the collectors.
    """
    documents = [*collectors(), *others]
    with open_database(path) as database:
        campaign = parse_campaign(text, "synthetic.yaml")
        store_campaign(database, campaign, text)
        database.add_candidates("synthetic", documents)
        store_campaign(database, campaign, text, documents)
    return path


@pytest.fixture
def filled(tmp_path):
    return fill(tmp_path / "results.db")

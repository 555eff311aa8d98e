"""Travel across periodic graphs: by hand, against networkx, and on real facets."""

import networkx
import numpy as np
import pytest

from structures.hops import adatom_hops
from structures.in_plane import in_plane_vectors
from structures.percolation import Link, easiest_travel
from structures.slabs import facet
from tests.structures.test_hops import relaxed

SQUARE = np.eye(2) * 4.0


def test_a_trough_is_easy_along_and_hard_across() -> None:
    links = [Link(0, 0, (1, 0), 0.1, 0), Link(0, 0, (0, 1), 0.5, 1)]
    along, everywhere = easiest_travel(links, {0: 0.0}, SQUARE)
    assert along is not None
    assert everywhere is not None
    assert (along.barrier, along.hop, along.angle) == (0.1, 0, 0.0)
    assert (everywhere.barrier, everywhere.hop, everywhere.angle) == (0.5, 1, None)


def test_a_hop_to_and_fro_leads_nowhere() -> None:
    """The lowest hop joins two hollows; travel needs the second, higher one."""
    links = [Link(0, 1, (0, 0), 0.01, 0), Link(1, 0, (1, 0), 0.3, 1)]
    along, everywhere = easiest_travel(links, {0: 0.0, 1: 0.0}, SQUARE)
    assert along is not None
    assert along.barrier == 0.3
    assert everywhere is None
    assert easiest_travel(links[:1], {0: 0.0, 1: 0.0}, SQUARE) == (None, None)


def test_the_barrier_counts_from_the_most_stable_place_on_the_way() -> None:
    links = [Link(0, 1, (0, 0), 0.2, 0), Link(1, 0, (1, 0), 0.25, 1)]
    along, _ = easiest_travel(links, {0: -0.1, 1: 0.15, 2: -9.0}, SQUARE)
    assert along is not None
    assert along.barrier == pytest.approx(0.35)


def test_equal_hops_open_the_plane_at_once() -> None:
    links = [Link(0, 0, shift, 0.2, 0) for shift in ((1, 0), (0, 1), (1, 1))]
    along, everywhere = easiest_travel(links, {0: 0.0}, SQUARE)
    assert along == everywhere
    assert along is not None
    assert along.angle is None


def test_two_loops_in_one_direction_are_one_direction() -> None:
    links = [Link(0, 0, (1, 1), 0.1, 0), Link(0, 0, (-2, -2), 0.2, 1), Link(0, 0, (1, 0), 0.3, 2)]
    along, everywhere = easiest_travel(links, {0: 0.0}, SQUARE)
    assert along is not None
    assert everywhere is not None
    assert along.angle == pytest.approx(45.0)
    assert everywhere.barrier == 0.3


def reachable_rank(links: list[Link], height: float, n_places: int) -> int:
    """Directions open up to ``height``: by walking 9 x 9 cells laid out as a plain graph."""
    size = 9
    graph = networkx.Graph()
    for link in links:
        if link.saddle <= height:
            for a in range(size):
                for b in range(size):
                    c, d = a + link.shift[0], b + link.shift[1]
                    if 0 <= c < size and 0 <= d < size:
                        graph.add_edge((link.start, a, b), (link.end, c, d))
    middle = size // 2
    best = 0
    for place in range(n_places):
        if (place, middle, middle) not in graph:
            continue
        reached = networkx.node_connected_component(graph, (place, middle, middle))
        copies = np.array([(a - middle, b - middle) for p, a, b in reached if p == place])
        best = max(best, int(np.linalg.matrix_rank(copies)))
    return best


@pytest.mark.parametrize("seed", range(25))
def test_thresholds_are_those_of_the_graph_laid_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_places = int(rng.integers(1, 4))
    links = [
        Link(
            int(rng.integers(n_places)),
            int(rng.integers(n_places)),
            (int(rng.integers(-1, 2)), int(rng.integers(-1, 2))),
            float(rng.integers(1, 8)) / 10,
            number,
        )
        for number in range(5)
    ]
    found = easiest_travel(links, dict.fromkeys(range(n_places), 0.0), SQUARE)
    heights = sorted({link.saddle for link in links})
    for rank, travel in enumerate(found, start=1):
        open_at = [h for h in heights if reachable_rank(links, h, n_places) >= rank]
        assert (travel.barrier if travel else None) == (open_at[0] if open_at else None)


@pytest.mark.parametrize("index", [(1, 1, 1), (1, 0, 0), (1, 1, 0)])
def test_every_facet_s_hops_lead_across_it(index: tuple[int, int, int]) -> None:
    """Each place is reached by as many images as its symmetry asks, and they span the plane."""
    sites, energies = relaxed(index)
    hops = adatom_hops(sites, energies)
    links = [
        Link(first, last, (a, b), 0.1 + hop.distance, number)
        for number, hop in enumerate(hops)
        for first, last, a, b in hop.images
    ]
    places = {place for link in links for place in (link.start, link.end)}
    cells = len(sites[0].slab) // len(facet("Cu", index, min_thickness=6.0).structure)
    degree = {(1, 1, 1): 3, (1, 0, 0): 4, (1, 1, 0): 4}[index]
    per_cell = {(1, 1, 1): 2, (1, 0, 0): 1, (1, 1, 0): 1}[index]
    assert len(places) == per_cell * cells
    assert 2 * len(links) == degree * len(places)
    vectors = in_plane_vectors(sites[0].slab)
    along, everywhere = easiest_travel(links, dict.fromkeys(places, 0.0), vectors)
    assert along is not None
    assert everywhere is not None
    assert (along.angle is None) == (index != (1, 1, 0))
    assert everywhere.barrier == pytest.approx(0.1 + hops[-1].distance)

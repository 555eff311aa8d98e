import math
import operator
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.database import open_database
from results.errors import ResultsError
from results.query import Condition, miller_text, parse, parse_miller_index
from tests.results.samples import collector, sound_evidence

OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
KEYS = st.text(string.ascii_letters + "_", min_size=1)
TEXTS = st.text(
    st.characters(exclude_characters='"\0', exclude_categories=("Cs",)), min_size=1, max_size=20
)
INDICES = st.tuples(*[st.integers(-12, 12)] * 3).filter(any)


def quoted(condition):
    values = "|".join(f'"{value}"' for value in condition.values)
    return condition.key + (condition.operator or "") + values


CONDITIONS = st.builds(
    Condition, KEYS, OPERATORS, st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
) | st.builds(Condition, KEYS, st.none(), st.just(()))


def refusal_of(call):
    """The message of the refusal; empty where there was none."""
    try:
        call()
    except ResultsError as refusal:
        return str(refusal)
    return ""


@given(st.lists(CONDITIONS, max_size=5), st.sampled_from([" ", "  ", "\n", "\t "]))
def test_what_is_written_is_read(conditions, space):
    text = space.join(quoted(condition) for condition in conditions)
    assert parse(f"{space}{text}{space}") == conditions


@given(st.text())
def test_any_text_is_read_or_refused_on_one_line(text):
    assert "\n" not in refusal_of(lambda: parse(text))


@given(INDICES)
def test_a_facet_is_read_as_it_is_stored(indices):
    assert parse_miller_index(miller_text(indices)) == indices
    assert parse_miller_index(" ".join(map(str, indices))) == indices


@given(st.tuples(*[st.integers(-9, 9)] * 3).filter(any))
def test_a_facet_of_single_digits_needs_no_commas(indices):
    assert parse_miller_index("".join(map(str, indices))) == indices


@pytest.mark.parametrize(
    ("text", "expected"), [("0001", (0, 0, 1)), ("(10-10)", (1, 0, 0)), ("1,1,-2,3", (1, 1, 3))]
)
def test_four_indices_become_three(text, expected):
    assert parse_miller_index(text) == expected


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """Candidates with known numbers, and the database that holds them."""
    values = {f"M{position}": position / 10 - 1 for position in range(21)}
    with open_database(tmp_path_factory.mktemp("query") / "results.db") as database:
        database.add_campaign("test", {})
        database.add_candidates(
            "test",
            [
                collector(host, **sound_evidence(li_binding_ev=value))
                for host, value in values.items()
            ],
        )
        yield database, values


@settings(deadline=None)
@given(
    name=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    threshold=st.sampled_from([position / 10 - 1 for position in range(21)]) | st.floats(-2, 2),
)
def test_comparisons_agree_with_python(numbers, name, threshold):
    database, values = numbers
    compare = {
        "=": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }[name]
    found = database.query(f"li_binding{name}{threshold!r}")
    expected = [host for host, value in values.items() if compare(value, threshold)]
    assert [row["host"] for row in found.rows] == expected
    assert all(math.isfinite(row["li_binding"]) for row in found.rows)


@settings(max_examples=40)
@given(text=st.text(max_size=30))
def test_no_text_harms_the_database(numbers, text):
    """As a query, as a value, as a key to sort by, and as SQL."""
    database, values = numbers
    for attempt in (
        lambda: database.query(text),
        lambda: database.query(f'host="{text}" termination!="{text}"'),
        lambda: database.query(sort=text),
        lambda: database.sql("SELECT 1 " + text),
    ):
        assert "\n" not in refusal_of(attempt)
    assert len(database.query()) == len(values)

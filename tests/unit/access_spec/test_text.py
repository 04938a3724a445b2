"""Bytes that are not a spec: always a problem with a code, never an exception."""

import json
import re
from functools import partial

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.access_spec import Invalid, Valid, cross_checks, load_spec, parse
from ecr_warden.access_spec.nodes import ListNode, MapNode, Node, Scalar
from ecr_warden.access_spec.parse import MAX_DEPTH, parse_text, tree_of
from ecr_warden.access_spec.problems import Place, ProblemReport
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from tests import examples, tables
from tests.counting import counted
from tests.unit.access_spec.cases import NOW, problem_cases
from tests.unit.access_spec.test_problems import places, problems

LINEAR = 2.5
"""How much more work twice the text may take; quadratic work takes four times as much."""

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("nothing", b"", ("E004", 1, 1)),
        ("a byte order mark alone", b"\xef\xbb\xbf", ("E004", 1, 1)),
        ("UTF-16", "version: 1".encode("utf-16"), ("E002", 1, 1)),
        ("Latin-1", b"version: 1\n# caf\xe9", ("E002", 2, 6)),
        ("a control character", b"version: 1\nteams: \x07", ("E012", 2, 8)),
        ("an invisible line end", "version: 1 # \u2028\n".encode(), ("E012", 1, 14)),
        ("half of a surrogate pair", b'version: 1\naccounts: {}\nteams: {"\\ud83d": [a]}', ("E012", 3, 9)),
        ("an escape outside Unicode", b'"\\Uffffffff": 1', ("E003", 1, 4)),
        ("an unknown escape", b'version: "\\q"', ("E003", 1, 12)),
        ("a version directive of 5000 digits", b"%YAML 1." + b"1" * 5000 + b"\n--- 1", ("E003", 1, 9)),
        ("a list nested too deeply", b"[" * (MAX_DEPTH + 1), ("E007", 1, MAX_DEPTH + 1)),
    ],
)
def test_odd_text_is_a_problem_with_a_code(name: str, data: bytes, expected: tuple[str, int, int]) -> None:
    assert expected in places(data)


def test_a_spec_over_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = problems(b"# 1\n" * (MAX_SPEC_BYTES // 4) + b"# on\n")
    assert str(found) == (
        f"E001 {MAX_SPEC_BYTES // 4 + 1}:1 the spec goes on after {MAX_SPEC_BYTES} bytes, which is the limit; use "
        "teams, patterns and lists of names; the spec is a single file"
    )
    monkeypatch.setattr(parse, "MAX_SPEC_BYTES", 1000)
    assert places(b" " * 1000) == [("E004", 1, 1)]


def _entries(*names: str) -> bytes:
    accounts = 'version: 1\naccounts: {r: {id: "222222222222", regions: [eu-central-1]}}\nrepositories:\n'
    return (accounts + "".join(f'- {{name: "{name}", account: r}}\n' for name in names)).encode()


def test_patterns_and_names_that_begin_otherwise_are_not_compared() -> None:
    def work(number: int) -> int:
        names = (*(f"p{number}-{at:04}/*" for at in range(number)), *(f"q{number}-{at:04}/x" for at in range(number)))
        found, done = counted(lambda: places(_entries(*names)))
        assert found == []
        return done

    assert work(400) < LINEAR * work(200)


def test_the_number_of_patterns_that_are_compared_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_checks, "_MOST_COMPARED", 100)
    few, many = ([f"*-{at}" for at in range(number)] for number in (10, 11))
    assert [places(_entries(*some)) for some in (few, many)] == [[], [("E222", 13, 4)]]
    assert places(_entries("a*", *(f"b-{at}" for at in range(200)))) == []
    once = load_spec(_entries(*many), now=NOW, accepted=True)
    assert isinstance(once, Valid), "no rule puts the accepted version out of force"


def test_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "MAX_NODES", 1000)
    assert [code for code, _, _ in places(b"[" + b"0," * 1000 + b"0]")] == ["E008"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "data",
    [
        b"[" * MIB,
        b"{a: " * (MIB // 4),
        b"&a [" + b"*a," * 150_000 + b"]",
        b"- " * (MIB // 2),
        b"a" * MIB,
        b"'" * MIB,
        b"a: b\n" * 60_000,
        b"version: 1\naccounts: {}\n" + b"".join(b"accountz%d: 1\n" % n for n in range(40_000)),
        b"version: 1\naccounts: {}\nrepositories:\n" + b"- {name: a/b, account: registri, pull: [x1]}\n" * 20_000,
        b"? " * (MIB // 2),
        b"!" * MIB,
        b"\n" * MIB,
        b"# " * (MIB // 2),
        b"1" * 100_000 + b": 1",
        b"%" * MIB,
    ],
    ids=lambda data: repr(data[:12]),
)
def test_hostile_text_is_refused_by_work_that_grows_with_its_size(data: bytes) -> None:
    assert isinstance(load_spec(data, now=NOW), Invalid)
    once, twice = (counted(partial(load_spec, data[: len(data) // part], now=NOW))[1] for part in (64, 32))
    assert 0 < twice <= LINEAR * once


def test_json_indented_with_tabs_is_read_with_correct_places() -> None:
    text = '{\n\t"version": 1,\n\t"accounts": {},\n\t"repos": []\n}'
    assert places(text) == [("E021", 4, 2)]


def test_json_with_escaped_characters_outside_the_basic_plane_is_read() -> None:
    assert places('{"version": 1, "accounts": {}, "\\ud83d\\ude80": 1}') == [("E021", 1, 32)]


@pytest.mark.parametrize("case", problem_cases(), ids=lambda case: case.name)
def test_json_form_of_a_spec_means_the_same(case: object) -> None:
    text = getattr(case, "text", "")
    loaded = load_spec(text.encode(), now=NOW)
    if not isinstance(loaded, Valid):
        return
    as_json = json.dumps(tables.load_texts(text)).replace('"version": "1"', '"version": 1')
    for seconds in ("3600", "43200"):
        as_json = as_json.replace(f'"max_session_duration": "{seconds}"', f'"max_session_duration": {seconds}')
    as_json = re.sub(r'"(owner_id|repository_id)": "([0-9]+)"', r'"\1": \2', as_json)
    again = load_spec(as_json.encode(), now=NOW)
    assert isinstance(again, Valid)
    assert again.spec == loaded.spec


@given(st.binary(max_size=300))
@examples.of(150)
def test_no_input_bytes_raise(data: bytes) -> None:
    assert isinstance(load_spec(data, now=NOW), Valid | Invalid)


@given(st.text(alphabet="{}[]:,-?!&*#|>'\"%@` \n\tab01~<=\\ux", max_size=60))
@examples.of(500)
def test_no_text_of_yaml_marks_raises(text: str) -> None:
    assert isinstance(load_spec(text.encode(), now=NOW), Invalid)


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["*", "ci", "ci:user/anna", "deployers", "shop/checkout", "111111111111", "registry", "observe"]),
    st.sampled_from(["repository-policy", "trust-policy", "identity-policy", "2099-01-01T00:00:00Z", "eu-central-1"]),
    st.text(max_size=8),
)
_WORDS = """
version accounts teams repositories documents settings mode id regions name account pull push role user by until
max_session_duration kind document ci repository registry deployers
Version Statement Effect Action Principal AWS Resource Condition
"""
_NAMES = st.sampled_from(_WORDS.split())
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES | st.text(max_size=4), inner, max_size=6),
    max_leaves=25,
)


@given(
    st.fixed_dictionaries(
        {"version": st.just(1), "accounts": _VALUES},
        optional={
            name: _VALUES | st.lists(_VALUES, max_size=3) for name in ("teams", "repositories", "documents", "settings")
        },
    )
)
@examples.of(250)
def test_no_tree_of_values_raises_and_every_place_is_in_the_text(tree: dict[str, object]) -> None:
    text = yaml.safe_dump(tree)
    lines = text.split("\n")
    for _, line, column in places(text):
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


JSON_VALUES = ('"text"', '""', '"1"', "true", "null", "7", "[]", '["a", [2]]', "{}", '{"a": {"b": [null, false]}}')


@pytest.mark.parametrize("text", JSON_VALUES)
def test_the_tree_of_a_value_is_that_of_its_text(text: str) -> None:
    def bare(node: Node | None) -> object:
        match node:
            case Scalar():
                return node.text, node.tag
            case ListNode():
                return [bare(one) for one in node.items]
            case MapNode():
                return [(key.text, bare(value)) for key, value in node.entries]
            case None:
                raise AssertionError(text)

    report = ProblemReport()
    parsed = parse_text(f"a: {text}".encode(), report)
    assert bare(tree_of({"a": json.loads(text)}, Place(1, 1), report)) == bare(parsed)
    assert report.found == []

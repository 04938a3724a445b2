"""The fast reader of specs says what PyYAML says, or nothing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.access_spec.nodes import Node
from ecr_warden.access_spec.parse import _composer, _Stop
from ecr_warden.access_spec.problems import ProblemReport
from ecr_warden.access_spec.usual_yaml import read_usual

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "examples").rglob("access.yaml"))
_WORDS = (
    *("a", "ci:user/x", "true", "1", "0x1F", "1e3", "2026-11-27", "null", "~", ".5", "http://x", "a#b", "x-*", "no"),
    *(
        "two words",
        "a - b",
        "a  b",
        "don't",
        'a "b"',
        "a,b",
        "a?",
        "a]",
        "-x",
        "@x",
        "*x",
        "&x",
        "!x",
        "|",
        "<<",
        "...",
    ),
)
_QUOTED = ('"a: b"', '"#"', '""', "''", "'it''s'", '"\\n"', "'a'", '"a" b')
_FLOW = (
    "[]",
    "{}",
    "[a, b]",
    "[a,b]",
    "[ a , 'b' ]",
    "{a: b}",
    "{a: [b, {c: d}], e: 1}",
    "[a: b]",
    "{a}",
    "[a, ]",
    "[a",
)
_VALUES = st.sampled_from((*_WORDS, *_QUOTED, *_FLOW, "", "# c", "a # c", "[a] # c", "[a]# c", "'a'#c", "a:", "a: b"))
_KEYS = st.sampled_from(("a", "b", "c c", "aws:SourceIp", '"q"', "'r'", "true", "1", "a#", "", "[x]", "x" * 1020))
_LINES = st.one_of(
    st.builds(
        "{}{}{}:{}{}".format,
        st.sampled_from(("", "  ", "    ")),
        st.sampled_from(("", "- ", "-  ", "- - ")),
        _KEYS,
        st.sampled_from((" ", "  ", "")),
        _VALUES,
    ),
    st.builds("{}- {}".format, st.sampled_from(("", "  ", "    ")), _VALUES),
    st.sampled_from(("", "# c", "---", "...", "  words", "-", "\t", "a:\tb", "é: é", "? a")),
)


def composed(text: str) -> tuple[Node | None, ProblemReport]:
    report = ProblemReport()
    try:
        return _composer(text, report).compose(), report
    except _Stop:
        return None, report


@given(st.lists(_LINES, max_size=6).map("\n".join))
def test_it_reads_as_pyyaml_does(text: str) -> None:
    found = read_usual(text)
    if found is not None:
        expected, report = composed(text)
        assert found == expected
        assert not report.found


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.parent.name)
def test_it_reads_what_people_write(path: Path) -> None:
    assert read_usual(path.read_text()) == composed(path.read_text())[0]

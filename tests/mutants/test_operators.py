"""Which bugs are planted into a function or a constant, and which places are left alone."""

import ast

import pytest

from tests.mutants.operators import bugs, names_at_import

PLANTED = {
    "a comparison is turned": ("a < b", {"comparison turned: a <= b"}),
    "membership is turned": ("a in b", {"comparison turned: a not in b"}),
    "and becomes or, and each side is dropped": (
        "a and b",
        {"and, or: a or b", "operand dropped: a", "operand dropped: b"},
    ),
    "a not is dropped": ("not a", {"not dropped: a"}),
    "any becomes all": ("any(a)", {"other call: all(a)"}),
    "the latest becomes the earliest": ("max(a)", {"other call: min(a)"}),
    "a union becomes an intersection": (
        "a | b",
        {"union, intersection: a & b", "operand dropped: a", "operand dropped: b"},
    ),
    "what is taken away stays": ("a - b", {"operand dropped: a"}),
    "a flag is turned": ("a(b=True)", {"flag turned: False"}),
    "a number is one more or less": ("a(2)", {"number changed: 3", "number changed: 1"}),
    "no number below nothing": ("a(0)", {"number changed: 1"}),
    "an element of a set is dropped": ("{a, b}", {"element dropped: {b}", "element dropped: {a}"}),
    "an element of a choice is dropped": (
        "x(y in (a, b))",
        {"comparison turned: y not in (a, b)", "element dropped: (b,)", "element dropped: (a,)"},
    ),
    "a filter is dropped, or lets nothing through": (
        "[a for a in b if c]",
        {"filter forced: True", "filter forced: False"},
    ),
    "a condition always or never holds": ("a if b else c", {"condition forced: True", "condition forced: False"}),
    "one thing for its opposite": ("x(a.gained, a.lost)", {"opposite: a.lost", "opposite: a.gained"}),
    "no opposite that the module does not know": ("a.gained", set()),
    "a record keeps all its parts": ("x((a, b))", set()),
    "texts stay": ("f'{a and b}'", set()),
    "types that are asked for stay": ("isinstance(a, b | c)", set()),
}


@pytest.mark.parametrize("name", PLANTED)
def test_an_expression_has_these_bugs(name: str) -> None:
    text, expected = PLANTED[name]
    assert {f"{bug.operator}: {bug.after}" for bug in bugs(f"def f():\n    x = {text}\n", "a.py")} == expected


STATEMENTS = {
    "an answer is turned": ("return True", {"answer turned: False"}),
    "nothing is returned": ("return sorted(a)", {"nothing returned: list()"}),
    "an error is not raised": ("raise A(1 if b else 2)", {"statement dropped: pass"}),
    "a call is not made": ("a()", {"statement dropped: pass"}),
    "what a call costs is left alone": ("a.spend(b)", set()),
    "what checks itself is left alone": ("assert a < b", set()),
    "an alternative is dropped": (
        "match a:\n        case B() | C(): pass",
        {"pattern dropped: C()", "pattern dropped: B()"},
    ),
    "a guard is dropped": ("match a:\n        case b if c: pass", {"guard dropped: True"}),
    "an error is not handled": ("try: x = a\n    except B: x = c", {"error not handled: except B: raise"}),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_has_these_bugs(name: str) -> None:
    text, expected = STATEMENTS[name]
    assert {f"{bug.operator}: {bug.after}" for bug in bugs(f"def f():\n    {text}\n", "a.py")} == expected


def test_each_bug_is_a_module_that_compiles_and_is_another_one() -> None:
    source = "A = {1, 2}\nclass B:\n    def f(self, a, b):\n        return a and b\n"
    planted = []
    for index in range(len(bugs(source, "a.py"))):
        bug = bugs(source, "a.py")[index]
        tree = bug.plant()
        compile(tree, "a.py", "exec")
        planted.append((bug.where, ast.unparse(tree).splitlines()[0 if bug.is_constant else -1].strip()))
    assert sorted(planted) == [
        ("A", "A = {0, 2}"),
        ("A", "A = {1, 1}"),
        ("A", "A = {1, 3}"),
        ("A", "A = {1}"),
        ("A", "A = {2, 2}"),
        ("A", "A = {2}"),
        ("B.f", "return a"),
        ("B.f", "return a or b"),
        ("B.f", "return b"),
    ]


def test_a_name_stays_when_lines_move_and_tells_two_places_apart() -> None:
    source = "def f(a, b):\n    return a < b or b < a or a < b\n"
    names = [bug.name for bug in bugs(source, "a.py")]
    assert len(set(names)) == len(names)
    assert names == [bug.name for bug in bugs('"""A module."""\n\n' + source, "elsewhere/b.py")]


def test_a_constant_that_is_read_at_import_is_left_alone() -> None:
    source = "A = {1, 2}\nB = {3, 4}\nC = len(A)\ndef f(a=B): return B\ndef g(): return D\nD = {5, 6}\n"
    assert {bug.where for bug in bugs(source, "a.py", names_at_import(source))} == {"D"}

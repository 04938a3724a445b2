"""Documents made to be hard are answered with bounded work at every place that reads other people's documents."""

from typing import Any

import pytest

from tests.counting import counted
from tests.fuzz.hostile import ENTRIES, MOST, drawn, planted


def _on(pattern: str, **more: Any) -> dict[str, Any]:
    resource = f"arn:aws:ecr:*:*:repository/{pattern}"
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": resource, **more}],
    }


def _tied(count: int) -> dict[str, Any]:
    """A condition whose every value asks for every key."""
    keys = [f"aws:PrincipalTag/k{number}" for number in range(count)]
    values = ["".join(f"${{{key}}}*" for key in keys[number:]) + str(number) for number in range(count)]
    return {"Condition": {"StringLike": dict.fromkeys(keys, values)}}


PLANTED = {
    "five variables between wildcards, in 195 bytes": _on("${aws:SourceIp}*" * 5 + "x"),
    "a hundred variables between wildcards": _on("${aws:SourceIp}*" * 100 + "x"),
    "variables that nothing keeps apart": _on("${aws:SourceIp}${aws:UserAgent}" * 50),
    "wildcards alone": _on("*?" * 400 + "x"),
    "open braces": _on("${" * 900),
    "twelve keys, each tied to all": _on("*", **_tied(12)),
    "thirty conditions on one key": _on(
        "*",
        Condition={
            f"{quantifier}{operator}{end}": {"aws:SourceVpce": [f"{operator}*{number}" for number in range(8)]}
            for quantifier in ("", "ForAnyValue:", "ForAllValues:")
            for operator in ("StringLike", "StringNotLike", "StringEquals", "StringNotEquals", "ArnLike")
            for end in ("", "IfExists")
        },
    ),
    "forty keys": _on("*", Condition={"StringLike": {f"aws:RequestTag/k{one}": "a*b*" for one in range(40)}}),
}


# They ask what the others ask, of two versions or once for each cell.
_MANY_TIMES = ("diff", "judge", "report", "import")


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize(
    "entry", [pytest.param(one, marks=[pytest.mark.thorough] if one in _MANY_TIMES else []) for one in ENTRIES]
)
def test_a_planted_policy_is_answered_with_bounded_work(name: str, entry: str) -> None:
    hard = planted(PLANTED[name])
    counted(lambda: ENTRIES[entry](hard), 20_000_000)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [3])
@pytest.mark.parametrize("entry", ENTRIES)
def test_documents_of_full_size_are_answered_with_bounded_work(seed: int, entry: str) -> None:
    hard = drawn(seed)
    counted(lambda: ENTRIES[entry](hard), MOST)

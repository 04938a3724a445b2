"""Whom a policy lets in is whom trying every action in every context lets in: outsiders of a repository without a spec.

The oracle knows no engine: it matches actions by their text, and tries each value of the one variable that conditions
are on.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.audit.finding import Certainty, FindingKind
from ecr_warden.audit.findings import find
from iam_access import catalogue
from local.testing.printed import complete
from local.testing.seed import compiled
from tests import examples
from tests.snapshots import estate_from_text

type Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOME = "222222222222"
SPEC = {"version": 1, "accounts": {"registry": {"id": HOME, "regions": ["eu-central-1"]}}, "repositories": []}
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_UPLOADS = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload")
_NOT_ADMINISTERING = (*_UPLOADS, "ecr:PutImage", "ecr:BatchImportUpstreamImage")
ADMINISTERING = tuple(
    one.name
    for one in catalogue.actions("ecr").values()
    if one.level not in ("Read", "List") and one.arns and one.name not in _NOT_ADMINISTERING
)
PRINCIPALS = {"account": {"AWS": "999999999999"}, "service": {"Service": "lambda.amazonaws.com"}}
_NAMES = {"anybody in account 999999999999": "account", "the AWS service lambda.amazonaws.com": "service"}
_PATTERNS = ("ecr:*", "*", "ecr:Batch*", "ecr:Get*", "ecr:Put*", "ecr:*Policy", "ecr:Describe*", *PULL, "ecr:PutImage")
_VALUES = ("a", "b", None)
"""Of aws:SourceVpce: None is a request without it."""
_CONDITIONS: tuple[Json, ...] = (
    {},
    {"StringEquals": {"aws:SourceVpce": "a"}},
    {"StringNotEquals": {"aws:SourceVpce": "a"}},
    {"Null": {"aws:SourceVpce": "true"}},
)


@st.composite
def statements(draw: st.DrawFn) -> Json:
    made: Json = {
        "Effect": draw(st.sampled_from(("Allow", "Allow", "Deny"))),
        "Principal": draw(st.sampled_from([*PRINCIPALS.values()])),
        draw(st.sampled_from(("Action", "Action", "NotAction"))): draw(
            st.lists(st.sampled_from(_PATTERNS), min_size=1, max_size=3, unique=True)
        ),
    }
    condition = draw(st.sampled_from(_CONDITIONS))
    return made | {"Condition": condition} if condition else made


def _is_about(statement: Json, action: str) -> bool:
    named = any(fnmatchcase(action, pattern) for pattern in statement.get("Action") or statement["NotAction"])
    return named is ("Action" in statement)


def _holds(condition: Json, value: str | None) -> bool:
    match condition:
        case {"StringEquals": _}:
            return value == "a"
        case {"StringNotEquals": _}:
            return value != "a"
        case {"Null": _}:
            return value is None
        case _:
            return True


def _allowed(policy: Sequence[Json], who: str, action: str, value: str | None) -> bool:
    effects = {
        one["Effect"]
        for one in policy
        if one["Principal"] == PRINCIPALS[who] and _is_about(one, action) and _holds(one.get("Condition", {}), value)
    }
    return effects == {"Allow"}


_WAYS: dict[str, list[tuple[str, ...]]] = {
    "pull": [PULL],
    "push": [("ecr:PutImage",)],
    "admin": [(one,) for one in ADMINISTERING],
}
"""What is enough for each access, any of it."""


def _expected(policy: Sequence[Json]) -> Iterator[tuple[str, str, Certainty]]:
    for who in PRINCIPALS:
        for access, ways in _WAYS.items():
            each = [[all(_allowed(policy, who, one, value) for one in way) for value in _VALUES] for way in ways]
            if any(map(all, each)):
                yield who, access, Certainty.YES
            elif any(map(any, each)):
                yield who, access, Certainty.CONDITIONAL


@examples.of(60, 600)
@given(st.lists(statements(), min_size=1, max_size=4))
def test_findings_of_a_repository_without_a_spec_are_the_oracles(policy: list[Json]) -> None:
    document = {"Version": "2012-10-17", "Statement": policy}
    ecr = {"eu-central-1": {"repositories": [{"repositoryName": "other", "policy": document}]}}
    given = complete({"schema": 1, "accounts": {HOME: {"iam": {}, "ecr": ecr}}})
    estate = estate_from_text(json.dumps(given), at=NOW)
    spec = compiled(json.dumps(SPEC), now=NOW)
    found = {
        (_NAMES[one.principal], "admin" if ":" in one.access else one.access, one.certainty)
        for one in find(estate, spec, None, None).findings
        if one.kind is FindingKind.EXTRA
    }
    assert found == {*_expected(policy)}

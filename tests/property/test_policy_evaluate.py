"""The evaluator agrees with an oracle that shares no code with it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_access.document.document import Document, parse_document
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.statement_match import Decision
from tests import examples
from tests.property import iam_oracle, iam_requests, policy_oracle, wider
from tests.unit.iam_access.evaluations import requested


def _one(raw: dict[str, Any] | None) -> Document | None:
    return parse_document(raw) if raw else None


def _levels(raw: list[list[dict[str, Any]]]) -> tuple[tuple[Document, ...], ...]:
    return tuple(tuple(map(parse_document, level)) for level in raw)


def _verdict(request: dict[str, Any], policies: dict[str, Any]) -> Decision:
    made = requested(request["principal"], request["action"], request["resource"], request["context"])
    return evaluate(
        made,
        Policies(
            identity=tuple(map(parse_document, policies.get("identity", []))),
            resource=_one(policies.get("resource")),
            trust=_one(policies.get("trust")),
            boundary=_one(policies.get("boundary")),
            session=_one(policies.get("session")),
            service_control=_levels(policies.get("scp", [])),
            resource_control=_levels(policies.get("rcp", [])),
        ),
    )


def _name(verdict: Decision) -> str:
    return type(verdict).__name__


@examples.of(120, 300)
@given(iam_requests.requests(), iam_requests.policies())
def test_the_verdict_equals_the_oracles(request: dict[str, Any], policies: dict[str, Any]) -> None:
    asked = dict(policies)
    if request["action"].startswith("sts") and "trust" not in policies:
        asked.pop("resource", None)
    assert _name(_verdict(request, asked)) == iam_oracle.verdict(request, asked)


@pytest.mark.thorough
def test_the_oracle_is_asked_for_all_verdicts() -> None:
    asked = iam_requests.requests(), iam_requests.policies()
    seen = examples.seen(300, *asked, by=lambda *ask: [iam_oracle.verdict(*ask)])
    assert all(seen[name] >= 15 for name in ("Allowed", "ImplicitlyDenied", "ExplicitlyDenied")), seen


@examples.of(60, 150)
@given(iam_requests.contexts(), wider.widened_policies())
def test_a_further_principal_action_resource_or_allow_never_denies(
    context: dict[str, Any], pair: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    for request in iam_requests.all_requests(context):
        before, after = (_name(_verdict(request, policies)) for policies in pair)
        assert before == after or (before, after) == ("ImplicitlyDenied", "Allowed"), request


@pytest.mark.thorough
def test_extra_access_is_drawn_where_it_is_distinguishable() -> None:
    def verdicts(context: dict[str, Any], pair: tuple[dict[str, Any], dict[str, Any]]) -> Iterator[str]:
        for request in iam_requests.all_requests(context) if pair[0] != pair[1] else ():
            before, after = (iam_oracle.verdict(request, policies) for policies in pair)
            yield from (before, *examples.true(newly_allowed=before != after))

    seen = examples.seen(100, iam_requests.contexts(), wider.widened_policies(), by=verdicts)
    assert seen["Allowed"] >= 100 and seen["newly_allowed"] >= 5, seen


@examples.of(40, 100)
@given(iam_requests.requests(), iam_requests.policies(), iam_requests.documents(principals=False))
def test_another_identity_policy_that_only_allows_removes_no_access(
    request: dict[str, Any], policies: dict[str, Any], more: dict[str, Any]
) -> None:
    for statement in more["Statement"]:
        statement["Effect"] = "Allow"
    wider = policies | {"identity": [*policies.get("identity", []), more]}
    before, after = _name(_verdict(request, policies)), _name(_verdict(request, wider))
    assert before == after or (before, after) == ("ImplicitlyDenied", "Allowed")


@examples.of(40, 100)
@given(iam_requests.requests(), iam_requests.policies(), iam_requests.documents(principals=False))
def test_another_limit_gives_nothing(request: dict[str, Any], policies: dict[str, Any], more: dict[str, Any]) -> None:
    before = _name(_verdict(request, policies))
    for name, narrower in (("boundary", more), ("session", more), ("scp", [*policies.get("scp", []), [more]])):
        if name == "scp" or name not in policies:
            after = _name(_verdict(request, policies | {name: narrower}))
            assert after == before or after != "Allowed"


@examples.of(60, 150)
@given(st.text("ab*?", max_size=7), st.text("ab*", max_size=9))
def test_a_pattern_matches_what_the_oracle_says(pattern: str, text: str) -> None:
    request = {"principal": iam_requests.PRINCIPALS[0], "action": "ecr:PutImage", "resource": iam_requests.REPOSITORY}
    condition = {"StringLike": {"k": pattern}}
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    verdict = _verdict(request | {"context": {"k": text}}, {"identity": [{"Statement": allow}]})
    assert _name(verdict) == ("Allowed" if policy_oracle.like(pattern, text) else "ImplicitlyDenied")

"""What a spec only observes silences nothing about whoever is not ours by the last version that a person accepted."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.audit.finding import Finding
from ecr_warden.audit.findings import SuccessiveAudits
from ecr_warden.audit.repaired import none_repaired
from ecr_warden.core.ours import ours_of
from iam_access.who_can.ours import Ours, Owner
from local.testing.printed import complete
from local.testing.seed import compiled
from tests.snapshots import estate_from_text

type Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CI, REGISTRY, PARTNER, REGION = "111111111111", "222222222222", "999999999999", "eu-central-1"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
GITHUB = "token.actions.githubusercontent.com"
BASELINE = Ours(frozenset({CI, REGISTRY}), frozenset({"o-a1b2c3d4e5"}), frozenset({Owner(GITHUB, "repo:acme", "1")}))
PARTNERS = f"arn:aws:iam::{PARTNER}:user/eve"
OPEN = {"Effect": "Allow", "Principal": {"AWS": PARTNERS}, "Action": PULL}


def of_organization(name: str) -> Json:
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": PULL,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": name}},
    }


def entry(**more: Any) -> Json:
    return {"repositories": [{"name": "shop/x", "account": "registry", **more}]}


LITERAL = {
    "kind": "repository-policy",
    "account": "registry",
    "repository": "shop/x",
    "document": {"Version": "2012-10-17", "Statement": [OPEN]},
}
SPECS: dict[str, tuple[Json, Json, int]] = {
    "a grant to an account that the baseline does not have": (entry(pull=["partner:user/eve"]), OPEN, 1),
    "the same, enforced": (entry(pull=["partner:user/eve"], mode="enforce"), OPEN, 0),
    "a grant to one of ours": (
        entry(pull=["ci:user/ann"]), OPEN | {"Principal": {"AWS": f"arn:aws:iam::{CI}:user/ann"}}, 0
    ),
    "a grant to our organization": (entry(pull=[{"organization": "acme"}]), of_organization("o-a1b2c3d4e5"), 0),
    "a grant to an organization that the baseline does not have": (
        entry(pull=[{"organization": "other"}]), of_organization("o-zzzzzzzzzz"), 1
    ),
    "a statement beside grants": (entry(pull=["ci:user/ann"], beside={"Statement": [OPEN]}), OPEN, 1),
    "the same, enforced beside grants": (
        entry(pull=["ci:user/ann"], beside={"Statement": [OPEN]}, mode="enforce"), OPEN, 0
    ),
    "a literal document": ({"repositories": [], "documents": [LITERAL]}, OPEN, 1),
    "a pattern that fits": (entry(name="shop/*", pull=["partner:user/eve"]), OPEN, 1),
    "a pattern that fits, enforced": (entry(name="shop/*", pull=["partner:user/eve"], mode="enforce"), OPEN, 0),
    "also allowed, which is judged": (
        entry() | {"also_allowed": [{"principals": [PARTNERS], "access": ["pull"], "reason": "a contract"}]}, OPEN, 0
    ),
}  # fmt: skip


def spec_of(more: Json) -> Json:
    accounts = {"ci": {"id": CI}, "registry": {"id": REGISTRY, "regions": [REGION]}, "partner": {"id": PARTNER}}
    organizations = {"acme": {"id": "o-a1b2c3d4e5"}, "other": {"id": "o-zzzzzzzzzz"}}
    return {"version": 1, "accounts": accounts, "organizations": organizations, **more}


def foreign(spec: Json, *statements: Json, ours: Ours | None = BASELINE) -> list[Finding]:
    """What is found of outsiders in the one repository, as it is."""
    policy = {"Version": "2012-10-17", "Statement": [*statements]}
    ecr = {REGION: {"repositories": [{"repositoryName": "shop/x", "policy": policy}]}}
    accounts = {CI: {"iam": {"UserDetailList": [{"Arn": f"arn:aws:iam::{CI}:user/ann", "UserId": "AIDAANN"}]}}}
    snapshot = complete({"schema": 1, "accounts": accounts | {REGISTRY: {"iam": {}, "ecr": ecr}}})
    given = compiled(json.dumps(spec), now=NOW)
    audits = SuccessiveAudits(ours_by=ours_of if ours is None else lambda _: ours)
    estate = estate_from_text(json.dumps(snapshot), at=NOW)
    return [one for one in audits.find(estate, given, None, None, live=none_repaired).findings if one.foreign]


@pytest.mark.parametrize("case", SPECS)
def test_only_what_is_enforced_or_judged_silences_a_finding_about_outsiders(case: str) -> None:
    more, statement, expected = SPECS[case]
    found = foreign(spec_of(more), statement)
    assert len(found) == expected
    assert all("mode: observe of shop/x in the spec gives it" in " ".join(one.because) for one in found)


@pytest.mark.parametrize("case", SPECS)
def test_what_is_found_is_what_is_found_without_the_observed_grants(case: str) -> None:
    """The plain oracle: of a spec that names the repository and observes nothing; of ours nothing else is said."""
    more, statement, _ = SPECS[case]
    bare = entry(mode="enforce") | {"also_allowed": more.get("also_allowed", [])}
    is_given = "enforce" in case or "ours" in case or "our " in case
    expected = [] if is_given else [one.key for one in foreign(spec_of(bare), statement)]
    assert [one.key for one in foreign(spec_of(more), statement)] == expected


def test_before_the_first_baseline_the_version_says_who_is_ours() -> None:
    observed = spec_of(entry(pull=["partner:user/eve"]))
    assert foreign(observed, OPEN, ours=None) == []
    outsider = OPEN | {"Principal": {"AWS": "arn:aws:iam::888888888888:root"}}
    literal = {"repositories": [], "documents": [{**LITERAL, "document": {"Statement": [outsider]}}]}
    assert len(foreign(spec_of(literal), outsider, ours=None)) == 1

"""A grant with an end or with networks gives access until then and from there alone, by the evaluator."""

from datetime import UTC, datetime

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.address import Address, identity_policy, repository_policy, trust_policy
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from iam_access.document.document import Document
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.statement_match import Allowed
from tests.unit.iam_access.evaluations import requested

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BOB = UserTarget("111111111111", "bob")
ROLE = RoleTarget("222222222222", "pusher")
CHECKOUT = RepositoryTarget("222222222222", "eu-central-1", "shop/checkout")
BOB_ARN = "arn:aws:iam::111111111111:user/bob"
ROLE_ARN = "arn:aws:iam::222222222222:role/ecr-warden/pusher"
SESSION = "arn:aws:sts::222222222222:assumed-role/pusher/s"
REPOSITORY = "arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout"
IN_TIME, TOO_LATE = "2027-03-31T17:59:59Z", "2027-03-31T18:00:00Z"
OFFICE, OFFICE_6, ELSEWHERE = "203.0.113.9", "2001:db8::1", "198.51.100.9"
UNTIL = "until: 2027-03-31T20:00:00+02:00"
NETWORKS = "source_ip: [203.0.113.0/24, '2001:db8::/32']"


def documents(limits: str, other: str = "") -> dict[Address, Document]:
    spec = load_spec(
        f"""
version: 1
accounts: {{ci: {{id: "111111111111"}}, registry: {{id: "222222222222", regions: [eu-central-1]}}}}
repositories:
  - name: shop/checkout
    account: registry
    pull: [{{by: [ci:user/bob], {limits}}}]
    push: [{{role: pusher, by: [ci:user/bob], {limits}}}{other}]
""".encode(),
        now=NOW,
    )
    assert isinstance(spec, Valid), spec
    values = [item for entry in spec.compiled.targets.values() for item in entry.documents.items()]
    return {address: value for address, value in values if isinstance(value, Document)}


def allowed(found: dict[Address, Document], what: str, context: dict[str, str]) -> bool:
    """Whether bob may pull or assume the role, or the role's session push, with the documents alone."""
    match what:
        case "pull":
            request = requested(BOB_ARN, "ecr:BatchGetImage", REPOSITORY, context)
            own = found[identity_policy(BOB, "ecr-warden-pull")]
            policies = Policies(identity=(own,), resource=found[repository_policy(CHECKOUT)])
        case "assume":
            request = requested(BOB_ARN, "sts:AssumeRole", ROLE_ARN, context)
            own = found[identity_policy(BOB, "ecr-warden-assume")]
            policies = Policies(identity=(own,), trust=found[trust_policy(ROLE)])
        case _:
            request = requested(SESSION, "ecr:PutImage", REPOSITORY, context)
            policies = Policies(identity=(found[identity_policy(ROLE, "ecr-warden-push")],))
    return isinstance(evaluate(request, policies), Allowed)


# Limits, the context of a request, whether it is allowed.
CASES: dict[str, tuple[str, dict[str, str], bool]] = {
    "before the end": (UNTIL, {"aws:CurrentTime": IN_TIME}, True),
    "at the end": (UNTIL, {"aws:CurrentTime": TOO_LATE}, False),
    "from the network": (NETWORKS, {"aws:SourceIp": OFFICE}, True),
    "from the IPv6 network": (NETWORKS, {"aws:SourceIp": OFFICE_6}, True),
    "from elsewhere": (NETWORKS, {"aws:SourceIp": ELSEWHERE}, False),
    "through a VPC endpoint, where the address is absent": (NETWORKS, {"aws:VpcSourceIp": OFFICE}, False),
    "both hold": (f"{UNTIL}, {NETWORKS}", {"aws:CurrentTime": IN_TIME, "aws:SourceIp": OFFICE}, True),
    "only the network holds": (f"{UNTIL}, {NETWORKS}", {"aws:CurrentTime": TOO_LATE, "aws:SourceIp": OFFICE}, False),
    "only the time holds": (f"{UNTIL}, {NETWORKS}", {"aws:CurrentTime": IN_TIME, "aws:SourceIp": ELSEWHERE}, False),
}


@pytest.mark.parametrize("what", ["pull", "assume", "push"])
@pytest.mark.parametrize("name", CASES)
def test_access_ends_and_is_only_from_the_networks(name: str, what: str) -> None:
    limits, context, expected = CASES[name]
    assert allowed(documents(limits), what, context) is expected


@pytest.mark.parametrize("what", ["pull", "assume", "push"])
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case[2]])
def test_each_side_alone_refuses_what_the_grant_does_not_give(name: str, what: str) -> None:
    limits, context, _ = CASES[name]
    limited, free = documents(limits), documents("until: 2099-01-01T00:00Z")
    sides = {"pull": ("ecr-warden-pull", "repository-policy"), "assume": ("ecr-warden-assume", "trust-policy")}
    for side in sides.get(what, ()):
        mixed = {at: limited[at] if side in (at.name, at.kind) else free[at] for at in free}
        assert not allowed(mixed, what, context), side


def test_a_session_lives_on_if_another_grant_of_its_role_goes_on() -> None:
    other = ", {role: pusher, by: [ci:user/carl]}"
    late = {"aws:CurrentTime": TOO_LATE}
    assert allowed(documents(UNTIL, other), "push", late)
    assert not allowed(documents(UNTIL, other), "assume", late)

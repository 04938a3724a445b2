"""What an audit counts as unread is exactly what was made unread and could open something, by plain evaluation."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.finding import UnreadCause, UnreadDocument
from ecr_warden.audit.findings import find
from ecr_warden.audit.repaired import none_repaired
from ecr_warden.audit.unread import readable
from ecr_warden.core.failures import PermissionMissing, Throttled
from ecr_warden_cli.asking.access import question, who_can
from local.testing.printed import complete
from tests import examples
from tests.property import estates
from tests.property.estates import AWAY, HOME
from tests.property.test_findings import Json, _compiled, _estate

REGION = "eu-central-1"
PART = f"{HOME}/{REGION}"
SPEC = {
    "version": 1,
    "accounts": {"ci": {"id": AWAY}, "registry": {"id": HOME, "regions": [REGION]}},
    "repositories": [{"name": "shop/app", "account": "registry", "pull": ["ci:user/ann"]}],
}
CODES = {UnreadCause.REFUSED: PermissionMissing.code, UnreadCause.PASSING: Throttled.code}
# One that trusts nobody, and may do nothing or everything.
ROLES = {"none": "s3:*", "all": "ecr:*", "admin": "iam:*", "puller": "ecr:BatchGetImage"}
causes = st.sampled_from([*CODES, UnreadCause.UNPARSABLE])
BROKEN = '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}'
CALLS = {
    "registry policy": "ecr:GetRegistryPolicy",
    "replication rules": "ecr:DescribeRegistry",
    "creation templates": "ecr:DescribeRepositoryCreationTemplates",
    "pull-through cache rules": "ecr:DescribePullThroughCacheRules",
}


def _role(name: str, trust: object) -> Json:
    own = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ROLES[name], "Resource": "*"}}
    return {
        "Arn": f"arn:aws:iam::{HOME}:role/{name}-role",
        "RoleName": f"{name}-role",
        "RoleId": f"AROA{name.upper()}",
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": own}],
        "AttachedManagedPolicies": [],
    }


def _made(drawn: Json, repositories: list[Any], lists: dict[str, UnreadCause], template: bool, roles: set[str]) -> Json:
    """The snapshot with these parts unread, in plain JSON."""
    made = complete(copy.deepcopy(drawn))
    account = made["accounts"][HOME]
    registry, notes = account["ecr"][REGION], account.setdefault("unread", [])
    registry["repositories"] += [
        {"repositoryName": f"extra/{number}"} | ({"policy": BROKEN} if cause not in CODES else {"unread": CODES[cause]})
        for number, cause in enumerate(repositories)
    ]
    for what, cause in lists.items():
        if cause in CODES:
            notes.append({"what": CALLS[what], "region": REGION, "code": CODES[cause]})
            registry.pop("registryPolicy" if what == "registry policy" else "", None)
        elif what == "registry policy":
            registry["registryPolicy"] = BROKEN
    if template:
        registry["creationTemplates"] = [{"prefix": "cache", "repositoryPolicy": BROKEN}]
    nobody = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}]}
    account["iam"]["RoleDetailList"] += [_role(name, BROKEN if name in roles else nobody) for name in ROLES]
    return made


def _touching(graph: RepositoryGraph) -> set[str]:
    """The roles that can do something there, or can change what they may, asked one by one as a command does."""
    asked = (who_can(graph, question(graph, access, "shop/app")) for access in ("pull", "push", "admin"))
    able = {path.subject.arn for found in asked for path in found.identities}
    return {"admin", *(name for name in ROLES if f"arn:aws:iam::{HOME}:role/{name}-role" in able)}


def _counted(found: tuple[UnreadDocument, ...]) -> list[tuple[str, str]]:
    return sorted((one.what, one.cause.value) for one in found)


@settings(examples.of(4, 40))
@given(
    estates.estates(),
    st.lists(causes, max_size=3),
    st.dictionaries(st.sampled_from([*CALLS]), causes, max_size=3),
    st.booleans(),
    st.sets(st.sampled_from([*ROLES])),
)
def test_exactly_what_was_made_unread_and_could_open_something_is_counted(
    drawn: Json, repositories: list[UnreadCause], lists: dict[str, UnreadCause], template: bool, roles: set[str]
) -> None:
    estate = _estate(_made(drawn, repositories, lists, template and "creation templates" not in lists, roles))
    before = find(_estate(_made(drawn, [], {}, False, set())), _compiled(SPEC), None, None, live=none_repaired)
    audit = find(estate, _compiled(SPEC), None, None, live=none_repaired)
    broken = UnreadCause.UNPARSABLE
    expected = [(f"repository policy of extra/{number}", one) for number, one in enumerate(repositories)]
    expected += [(what, one) for what, one in lists.items() if one in CODES or what == "registry policy"]
    expected += [("policy of the creation template cache", broken)] * (template and "creation templates" not in lists)
    expected += [
        (f"trust policy of {name}-role", broken) for name in roles & _touching(RepositoryGraph(readable(estate)))
    ]
    found = [one for one in _counted(audit.unread) if one not in _counted(before.unread)]
    assert found == sorted((what, one.value) for what, one in expected)
    opened = {name for one in audit.unread for name in one.opens if one.kind == "repository policy"}
    assert opened == {f"repository/{PART}/extra/{number}" for number in range(len(repositories))}

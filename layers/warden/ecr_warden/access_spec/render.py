"""The documents of a grant, in an order that does not depend on the spec's."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ecr_warden.access_spec.spec import (
    POD_TAGS,
    ByCondition,
    Federated,
    Limits,
    PermissionSet,
    Pods,
    PullGrant,
    Pusher,
    SpecOrganization,
    SpecPrincipal,
    SpecService,
    WholeAccount,
)
from ecr_warden.core.actions import FOR_DOCKER, IMPORT, REQUIRED, TOKEN, Access
from iam_access.arn import iam_arn
from iam_access.document.document import Document, document_of, raw_statements
from iam_access.gather import gather
from iam_access.text.printable import show_time

PULL_ACTIONS = REQUIRED[Access.PULL]
PUSH_ACTIONS = tuple(sorted({*REQUIRED[Access.PUSH], *FOR_DOCKER[Access.PUSH]} - {TOKEN}))
# Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html
IMPORT_ACTIONS = (IMPORT,)
# What else a repository's policy may let its pullers do. The patterns are those by which people name such actions: AWS
# begins no name of an action that changes something so.
# Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
READ_ACTIONS = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGet*",
    "ecr:BatchGetRepositoryScanningConfiguration",
    "ecr:Describe*",
    "ecr:DescribeImageReplicationStatus",
    "ecr:DescribeImageScanFindings",
    "ecr:DescribeImageSigningStatus",
    "ecr:DescribeImages",
    "ecr:DescribeReplicationBackfillResults",
    "ecr:DescribeRepositories",
    "ecr:Get*",
    "ecr:GetImageCopyStatus",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:GetRepositoryPolicy",
    "ecr:List*",
    "ecr:ListImageReferrers",
    "ecr:ListImages",
    "ecr:ListReplicationBackfills",
    "ecr:ListTagsForResource",
)

# AWS refuses a session with tags or a source identity unless both sides also allow these.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
_TAGGING = ("sts:SetSourceIdentity", "sts:TagSession")
_ASSUME = ("sts:AssumeRole", *_TAGGING)
_ASSUME_BY_TOKEN = ("sts:AssumeRoleWithWebIdentity", *_TAGGING)

LAMBDA = "lambda.amazonaws.com"

type Condition = dict[str, dict[str, Any]]
type Limited[T] = Mapping[Limits, Iterable[T]]
"""Values by the limits under which they are given."""


def repository_pull(grants: Iterable[PullGrant], *, region: str, beside: Document | None = None) -> Document:
    """The policy of a repository in a region: who may pull, read and also import, and the statements beside that.

    At least one of both is there. What grants say has no Resource, and does not name who pushes.
    """
    every = tuple(grants)
    importing = tuple(grant for grant in every if grant.importing)
    by_reads = gather((grant.reads, grant) for grant in every)
    pulls = (
        # Several statements with reads would have one Sid, and what is beside may have any.
        _statements(by_reads[reads], "" if reads or beside else "AllowPull", (*PULL_ACTIONS, *reads), region)
        for reads in sorted(by_reads)
    )
    return _document(
        *(statement for several in pulls for statement in several),
        *_statements(importing, "" if beside else "AllowImport", IMPORT_ACTIONS, region),
        *(raw_statements(beside) if beside else ()),
    )


def _statements(
    grants: Iterable[PullGrant], sid: str, actions: tuple[str, ...], region: str
) -> Iterator[dict[str, object]]:
    by_limits = gather((grant.limits, grant) for grant in grants)
    for limits in sorted(by_limits, key=lambda limits: limits.order):
        yield from _limited_statements(by_limits[limits], limits, sid, actions, region)


def _limited_statements(
    grants: Iterable[PullGrant], limits: Limits, sid: str, actions: tuple[str, ...], region: str
) -> Iterator[dict[str, object]]:
    pullers = [grant.puller for grant in grants]
    arns = [one.arn for one in pullers if isinstance(one, SpecPrincipal)]
    arns += [iam_arn(one.id, "root") for one in pullers if isinstance(one, WholeAccount)]
    organizations = [one.id for one in pullers if isinstance(one, SpecOrganization)]

    def statement(kind: str, principal: object, condition: Condition) -> dict[str, object]:
        return _allow(sid and f"{sid}{kind}", limits, principal, actions, condition)

    if arns:
        yield statement("", {"AWS": _few(arns)}, {})
    for service in sorted((one for one in pullers if isinstance(one, SpecService)), key=str):
        yield statement("ByService", {"Service": service.name}, _acting_for(service, region))
    if organizations:
        yield statement("ByOrganization", "*", {"StringEquals": {"aws:PrincipalOrgID": _few(organizations)}})
    for sid_end, account, condition in _conditions(one for one in pullers if isinstance(one, ByCondition)):
        yield statement(sid_end, {"AWS": iam_arn(account, "root")}, condition)


def _conditions(unnamed: Iterable[ByCondition]) -> Iterator[tuple[str, str, Condition]]:
    """What a Sid may end with, an account, and the condition that only permission sets or pods there meet.

    A role of Identity Center cannot be named as a principal: its suffix and so its ARN change when it is recreated.
    Several workloads may share a role, and only the tags of its sessions tell them apart.
    """
    every = tuple(unnamed)
    patterns = gather((one.account, arn) for one in every if isinstance(one, PermissionSet) for arn in one.arns)
    workloads = gather(((one.cluster, one.namespace), one) for one in every if isinstance(one, Pods))
    for account in sorted(patterns):
        yield "ByPermissionSet", account, {"ArnLike": {"aws:PrincipalArn": _few(patterns[account])}}
    for (cluster, namespace), pods in sorted(workloads.items()):
        values = (cluster, namespace, _few(pod.service_account for pod in pods))
        tags = {f"aws:PrincipalTag/{tag}": value for tag, value in zip(POD_TAGS, values, strict=True)}
        yield "ByPods", pods[0].account, {"StringEquals": tags}


def _allow(
    sid: str, limits: Limits, principal: object, actions: tuple[str, ...], condition: Condition
) -> dict[str, object]:
    """An Allow statement of a resource's policy; without a Sid where it would not be unique, as IAM demands."""
    statement = {**_sid(sid, limits), "Effect": "Allow", "Principal": principal, "Action": _one_or_all(actions)}
    whole = condition | _condition_of(limits)
    return statement | {"Condition": whole} if whole else statement


def _sid(base: str, limits: Limits) -> dict[str, object]:
    """IAM demands unique Sids of letters and digits, which the networks of two statements would not give."""
    if not base or limits.source_ip:
        return {}
    moment = f"Until{show_time(limits.until)}" if limits.until else ""
    return {"Sid": base + moment.translate({ord("-"): None, ord(":"): None})}


def _condition_of(limits: Limits) -> Condition:
    ends: Condition = {"DateLessThan": {"aws:CurrentTime": show_time(limits.until)}} if limits.until else {}
    return ends | ({"IpAddress": {"aws:SourceIp": _few(limits.source_ip)}} if limits.source_ip else {})


def _acting_for(service: SpecService, region: str) -> Condition:
    """The condition against a confused deputy.

    Lambda's is the one in AWS's own statements, because AWS does not document that Lambda sends aws:SourceAccount.
    It pulls only for functions in the repository's region.
    Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html and
    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-permissions
    """
    if service.name == LAMBDA:
        functions = service.arn or f"arn:aws:lambda:{region}:{service.account}:function:*"
        return {"StringLike": {"aws:SourceArn": functions}}
    condition: Condition = {"StringEquals": {"aws:SourceAccount": service.account}}
    return condition if service.arn is None else condition | {"ArnLike": {"aws:SourceArn": service.arn}}


def push_trust(pushers: Limited[Pusher], *, account: str, by_owner: bool = False) -> Document:
    """The trust policy of a push role in an account: for each limits, who may assume it.

    `by_owner`: of GitHub repositories with IDs, those of one owner for the same branches, tags and environments share a
    statement, which lets in jobs with the ID of one and the name of another.
    """
    return _document(
        *(
            statement
            for limits in sorted(pushers, key=lambda limits: limits.order)
            for statement in _trust_statements(tuple(pushers[limits]), limits, account, by_owner=by_owner)
        )
    )


def _trust_statements(
    pushers: tuple[Pusher, ...], limits: Limits, account: str, *, by_owner: bool
) -> Iterator[dict[str, object]]:
    arns = [pusher.arn for pusher in pushers if isinstance(pusher, SpecPrincipal)]
    if arns:
        yield _allow("AllowAssume", limits, {"AWS": _few(arns)}, _ASSUME, {})
    for _, home, condition in _conditions(pusher for pusher in pushers if isinstance(pusher, ByCondition)):
        yield _allow("", limits, {"AWS": iam_arn(home, "root")}, _ASSUME, condition)
    jobs = (pusher for pusher in pushers if isinstance(pusher, Federated))
    for issuer, condition in _having_tokens(jobs, by_owner=by_owner):
        provider = iam_arn(account, f"oidc-provider/{issuer}")
        yield _allow("", limits, {"Federated": provider}, _ASSUME_BY_TOKEN, condition)


def _having_tokens(jobs: Iterable[Federated], *, by_owner: bool) -> Iterator[tuple[str, Condition]]:
    """Issuers, and what the claims of a token must be."""
    subjects = gather(
        ((job.issuer, job.audience, job.repository_id), subject) for job in sorted(jobs) for subject in job.subjects
    )
    groups: defaultdict[tuple[str, ...], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for (issuer, audience, repository), some in subjects.items():
        by_id = {one for one in some if by_owner and repository and f"@{repository}:" in one}
        # Beside a condition on the IDs of repositories, the ID of their owner is enough.
        patterns = sorted({one.replace(f"@{repository}:", "@*:") for one in by_id})
        repositories, names = groups[issuer, audience, "" if patterns else repository, *patterns]
        repositories += [repository] if repository else []
        names += [one for one in some if one not in by_id]
    for (issuer, audience, _, *patterns), (repositories, names) in groups.items():
        yield issuer, _having_token(issuer, audience, tuple(repositories), (*names, *patterns))


def _having_token(issuer: str, audience: str, repositories: tuple[str, ...], subjects: tuple[str, ...]) -> Condition:
    """The claims of the token.

    The order is kept: AWS checks only the first subject for being too wide, and an import reads the n-th name as the
    name of the n-th repository.
    """
    named: dict[str, Any] = {f"{issuer}:repository_id": _one_or_all(repositories)} if repositories else {}
    exact, subject = {f"{issuer}:aud": audience} | named, {f"{issuer}:sub": _one_or_all(subjects)}
    if any("*" in one for one in subjects):
        return {"StringEquals": exact, "StringLike": subject}
    return {"StringEquals": exact | subject}


def push_permissions(
    repositories: Iterable[str],
    denied: Iterable[str],
    pulled: Iterable[str],
    limits: Limits,
) -> Document:
    """The push role's only inline policy.

    `denied`: what the patterns among the repositories exclude; `pulled`: what the role may also pull from; `limits`:
    those of every session of the role.
    """
    statements = [_token_statement(), _on("AllowPush", limits, PUSH_ACTIONS, repositories)]
    actions: tuple[str, ...] = PUSH_ACTIONS
    if also := sorted(set(pulled)):
        statements.append(_on("AllowPull", limits, PULL_ACTIONS, also))
        actions = tuple(sorted({*PUSH_ACTIONS, *PULL_ACTIONS}))
    if excluded := sorted(set(denied)):
        statements.append(
            {"Sid": "DenyPush", "Effect": "Deny", "Action": _one_or_all(actions), "Resource": _few(excluded)}
        )
    return _document(*statements)


def assume_permissions(roles: Limited[str]) -> Document:
    """The inline policy of an identity that pushes."""
    return permissions(None, {}, roles)


def pull_permissions(repositories: Limited[str], importing: Limited[str] | None = None) -> Document:
    """The inline policy of an identity that pulls: across accounts the repository policy alone is not enough.

    Without `repositories` it only allows the login; `importing`: the repositories that it may also import into.
    """
    return permissions(repositories, importing or {}, {})


def permissions(repositories: Limited[str] | None, importing: Limited[str], roles: Limited[str]) -> Document:
    """The policy of an identity that pulls, pushes or both; `repositories`: None if it does not pull."""
    return _document(
        *([_token_statement()] if repositories is not None else []),
        *_each("AllowPull", PULL_ACTIONS, repositories or {}),
        *_each("AllowImport", IMPORT_ACTIONS, importing),
        *_each("AllowAssume", _ASSUME, roles),
    )


def _each(sid: str, actions: tuple[str, ...], resources: Limited[str]) -> Iterator[dict[str, object]]:
    return (
        _on(sid, limits, actions, named)
        for limits in sorted(resources, key=lambda limits: limits.order)
        if (named := sorted(set(resources[limits])))
    )


def _on(sid: str, limits: Limits, actions: tuple[str, ...], resources: Iterable[str]) -> dict[str, object]:
    statement = {
        **_sid(sid, limits),
        "Effect": "Allow",
        "Action": _one_or_all(actions),
        "Resource": _few(resources),
    }
    condition = _condition_of(limits)
    return statement | {"Condition": condition} if condition else statement


def _token_statement() -> dict[str, object]:
    return {"Sid": "AllowLogin", "Effect": "Allow", "Action": TOKEN, "Resource": "*"}


def _one_or_all(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _few(values: Iterable[str]) -> str | list[str]:
    ordered = sorted(set(values))
    return ordered[0] if len(ordered) == 1 else ordered


def _document(*statements: Mapping[str, object]) -> Document:
    return document_of({"Version": "2012-10-17", "Statement": list(statements)})

"""What a CloudTrail record says about who or what a call changed."""

from collections.abc import Iterator, Mapping

from ecr_warden.arn import Arn, ArnError, parse_arn
from ecr_warden.triggers.fields import account_id, mapping, name
from ecr_warden.triggers.trigger import Parameters

_RESOURCES_READ = 16

type _Json = Mapping[str, object]


def parameters_of(record: _Json) -> Parameters:
    """The names that a call was made with; those left out (records over 100 KB, calls that make up a name) are taken
    from AWS's answer, and at last from the ARNs under `resources`.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    sent, answered = mapping(record, "requestParameters"), mapping(record, "responseElements")
    arns = tuple(_arns(record.get("resources")))
    repository, registry = name(sent, "repositoryName"), account_id(sent, "registryId") or name(sent, "registryId")
    if not repository:
        made = mapping(answered, "repository") or answered
        arn = _first(arns, "ecr", "repository/")
        repository = name(made, "repositoryName") or (arn.resource.partition("/")[2] if arn else "")
        registry = registry or account_id(made, "registryId") or (arn.account if arn else "")
    return Parameters(
        repository=repository,
        registry=registry,
        role=_owner(sent, answered, arns, "role"),
        user=_owner(sent, answered, arns, "user"),
        new_user=name(sent, "newUserName"),
        policy=name(sent, "policyArn", 2048),
    )


def _owner(sent: _Json, answered: _Json, arns: tuple[Arn, ...], kind: str) -> str:
    given = name(sent, f"{kind}Name") or name(mapping(answered, kind), f"{kind}Name")
    if given:
        return given
    arn = _first(arns, "iam", f"{kind}/")
    return arn.name if arn else ""


def _first(arns: tuple[Arn, ...], service: str, kind: str) -> Arn | None:
    return next((arn for arn in arns if arn.service == service and arn.resource.startswith(kind)), None)


def _arns(resources: object) -> Iterator[Arn]:
    for item in resources[:_RESOURCES_READ] if isinstance(resources, list) else ():
        if isinstance(item, dict):
            try:
                # `arn` in records that other tools have passed on.
                yield parse_arn(name(item, "ARN", 2048) or name(item, "arn", 2048))
            except ArnError:
                continue

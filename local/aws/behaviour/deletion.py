"""A deleted user or role: documents that named it show its unique ID, and they do not name a recreated one."""

from collections.abc import Mapping

from local.aws.behaviour.documents import Json, NotAPolicy, compact, parse, statements
from local.aws.behaviour.ecr_policy import spelled


def forget_in_trust_policy(text: str, arn: str, unique_id: str) -> str:
    """The trust policy once the principal is deleted: its ARN is AIDA..

    or AROA.. (aws-facts 2.1, [iamdoc] Principal).
    """
    document = _forgotten(text, arn, unique_id)
    return text if document is None else compact(document)


def forget_in_repository_policy(text: str, arn: str, unique_id: str) -> str:
    """The repository policy, treated as a trust policy: AWS's general statement on both is applied (aws-facts 1.6)."""
    document = _forgotten(text, arn, unique_id)
    return text if document is None else spelled(document, statements(document))


def unsettled_trust_policy(text: str, fresh: Mapping[str, str]) -> str:
    """The trust policy as it may be read while principals in it (IDs by ARN) are new (aws-facts 2.1, Terraform)."""
    for arn, unique_id in fresh.items():
        text = forget_in_trust_policy(text, arn, unique_id)
    return text


def _forgotten(text: str, arn: str, unique_id: str) -> dict[str, Json] | None:
    """The document with the ARN replaced in every Principal; None if no Principal has it."""
    if arn not in text:
        return None
    try:
        document = parse(text)
        found = statements(document)
    except NotAPolicy:
        return None
    changed = False
    for statement in found:
        for element in ("Principal", "NotPrincipal"):
            value = statement.get(element)
            if isinstance(value, dict) and "AWS" in value:
                replaced = _replaced(value["AWS"], arn, unique_id)
                changed = changed or replaced != value["AWS"]
                value["AWS"] = replaced
    return document if changed else None


def _replaced(value: Json, arn: str, unique_id: str) -> Json:
    if isinstance(value, list):
        return [_replaced(one, arn, unique_id) for one in value]
    return unique_id if value == arn else value

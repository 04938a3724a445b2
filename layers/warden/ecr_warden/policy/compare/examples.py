"""Names for an example: what the search makes up is right and says nothing to people.

Each is tried on both documents like any other request before it is told.
"""

from collections.abc import Iterable, Iterator, Mapping

from ecr_warden.policy.action import spelled
from ecr_warden.policy.ascii_case import ascii_lower
from ecr_warden.policy.document import Document
from ecr_warden.policy.request import ANY_RESOURCE

_ACCOUNT = "111111111111"
_ACTIONS = ("iam:CreateUser", "s3:GetObject", "ec2:RunInstances", "ecr:DescribeRepositories")
_RESOURCES = {
    "ecr": "arn:aws:ecr:eu-central-1:OWNER:repository/any",
    "iam": "arn:aws:iam::OWNER:user/any",
    "s3": "arn:aws:s3:::any/any",
    "sts": "arn:aws:iam::OWNER:role/any",
}


def spellings(documents: Iterable[Document]) -> Mapping[str, str]:
    """Actions that documents name, in lower case, each to how it is written there."""
    return {
        ascii_lower(value): value
        for document in documents
        for statement in document.statements
        for value in statement.actions.values
        if "*" not in value and "?" not in value
    }


def likely(action: str, resource: str, *, written: Mapping[str, str], account: str | None) -> Iterator[tuple[str, str]]:
    """Actions and resources to try in the place of those found, which come last."""
    named = spelled(action)
    if named == action:
        named = written.get(action, action)
    made_up = named == action and action not in written and action.split(":", maxsplit=1)[0] != "ecr"
    for one in (*_ACTIONS, named) if made_up else (named,):
        if resource != ANY_RESOURCE and not resource.startswith("arn:aws"):
            service = one.partition(":")[0].lower()
            owner = account or _ACCOUNT
            other = f"arn:aws:{service}:eu-central-1:{owner}:any/any"
            known = _RESOURCES.get(service)
            for likely_one in (known.replace("OWNER", owner) if known else other, ANY_RESOURCE):
                yield one, likely_one
        yield one, resource

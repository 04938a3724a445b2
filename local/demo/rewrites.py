"""The table of rewrites that allow the same, each next to a sibling that differs by one action.

Most are equivalent; the last ones are interchangeable.
"""

from collections.abc import Callable
from dataclasses import dataclass

from local.demo import edits
from local.demo.edits import Document, as_list
from local.demo.people import Somebody
from local.demo.places import (
    CI,
    LEGACY,
    LEGACY_TARGET,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    REPOSITORY,
    REPOSITORY_TARGET,
    ROLE_TARGET,
    user_target,
)
from local.demo.tampers import ASSUME, PULL, PUSH, Side, Tamper

# The spec's second version adds it: a document with an account ID, which ECR rewrites to the root's ARN.
LEGACY_DOCUMENT = f"""
documents:
  - kind: repository-policy
    account: registry
    repository: {LEGACY}
    document:
      Version: "2012-10-17"
      Statement: {{Effect: Allow, Principal: {{AWS: "{CI}"}}, Action: "ecr:BatchGetImage"}}
"""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A rewrite, and the same with one action more."""

    equal: Tamper
    sibling: Tamper


type _Write = Callable[[Somebody, edits.Edit], None]


@dataclass(frozen=True, slots=True)
class _Document:
    """A document, whose administrator writes it, and by which call."""

    side: Side
    name: str
    target: str
    action: str
    write: _Write

    def rewritten(self, how: str, edit: edits.Edit) -> Rewrite:
        """The rewrite that an edit makes, and its sibling."""
        return Rewrite(
            self._tamper(f"rewrites {self.name}: {how}", edit),
            self._tamper(f"adds one action to {self.name}", _one_more),
        )

    def _tamper(self, what: str, edit: edits.Edit) -> Tamper:
        return Tamper(self.side, what, self.name, self.target, (self.action,), lambda who: self.write(who, edit))


def _one_more(document: Document) -> None:
    """Add an action to the first statement."""
    statement = document["Statement"][0]
    actions = as_list(statement["Action"])
    statement["Action"] = [*actions, "sts:SetContext" if actions[0].startswith("sts:") else "ecr:DescribeImages"]


def _reorder(document: Document) -> None:
    document["Statement"].reverse()
    for statement in document["Statement"]:
        if isinstance(statement["Action"], list):
            statement["Action"].reverse()


def _lists(document: Document) -> None:
    for statement in document["Statement"]:
        for element in ("Action", "Resource"):
            statement[element] = as_list(statement[element])


def _root(document: Document) -> None:
    statement = as_list(document["Statement"])[0]
    document["Statement"] = [{**statement, "Principal": {"AWS": f"arn:aws:iam::{CI}:root"}, "Sid": "Legacy"}]


def _case(document: Document) -> None:
    for statement in document["Statement"]:
        statement["Action"] = [action.upper().replace("STS:", "sts:") for action in as_list(statement["Action"])]


def _a_statement_each(document: Document) -> None:
    """Split every statement into one for each principal, the first of them with an action twice."""
    document["Statement"] = [
        {**statement, "Sid": f"Part{number}", "Principal": {"AWS": one}, "Action": as_list(statement["Action"])}
        for statement in as_list(document["Statement"])
        for number, one in enumerate(as_list(statement["Principal"]["AWS"]))
    ]
    document["Statement"].append({**document["Statement"][0], "Sid": "Again", "Action": "ecr:BatchGetImage"})


def _networks(document: Document) -> None:
    """Add the same permission again for each half of the address space."""
    statement = as_list(document["Statement"])[0]
    document["Statement"] = [
        statement,
        {**statement, "Sid": "Halves", "Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}},
    ]


_CHECKOUT = _Document(
    Side.REGISTRY,
    f"the policy of {REPOSITORY}",
    REPOSITORY_TARGET,
    "ecr:SetRepositoryPolicy",
    lambda who, edit: edits.edit_repository(who, REPOSITORY, edit),
)
_PUSH = _Document(
    Side.REGISTRY,
    f"inline policy {PUSH} of {PUSHER}",
    ROLE_TARGET,
    "iam:PutRolePolicy",
    lambda who, edit: edits.edit_role_policy(who, PUSH, edit),
)
_PULL = _Document(
    Side.CI,
    f"inline policy {PULL} of {PULL_USER}",
    user_target(PULL_USER),
    "iam:PutUserPolicy",
    lambda who, edit: edits.edit_user_policy(who, PULL_USER, PULL, edit),
)
_ASSUME = _Document(
    Side.CI,
    f"inline policy {ASSUME} of {PUSH_USER}",
    user_target(PUSH_USER),
    "iam:PutUserPolicy",
    lambda who, edit: edits.edit_user_policy(who, PUSH_USER, ASSUME, edit),
)
_LEGACY = _Document(
    Side.REGISTRY,
    f"the policy of {LEGACY}",
    LEGACY_TARGET,
    "ecr:SetRepositoryPolicy",
    lambda who, edit: edits.edit_repository(who, LEGACY, edit),
)

REWRITES = (
    _PUSH.rewritten("statements and actions reordered", _reorder),
    _PULL.rewritten("single values as lists", _lists),
    _LEGACY.rewritten(f"the root's ARN for account ID {CI}", _root),
    _ASSUME.rewritten("sts:ASSUMEROLE for sts:AssumeRole", _case),
    _CHECKOUT.rewritten("one statement per user, one action twice", _a_statement_each),
    _ASSUME.rewritten("a second statement, for networks that the first one covers", _networks),
)

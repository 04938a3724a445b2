"""Which calls have power over identities, and does a policy by itself make its holder an administrator of the account?

It does if it allows everything, or allows the holder to change the policies or passwords of arbitrary identities or of
itself. Conditions and Denies are ignored: an administrator by day, or without S3, still is one. The right to assume
every role does not count: the trust policies of the roles decide. Of policies in an inventory, who administers is
decided with all that applies (`changes_of`), by the same calls.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
"""

from collections.abc import Iterator

from iam_access.document.document import Document, Effect, Patterns, Statement
from iam_access.document.pattern import pattern_covers, patterns_meet
from iam_access.document.variables import Variable, completed_arn, replace_variables
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.inventory import Account
from iam_access.who_can.powers import CREDENTIALS, POWERS
from iam_access.who_can.subject import Subject

# With these on itself a user or role becomes an administrator.
_ON_ITSELF = frozenset({*POWERS["user"], *POWERS["role"]} - {*CREDENTIALS})


def changes_of(target: Subject, account: Account) -> Iterator[tuple[str, str]]:
    """The calls that change what an identity may do or who may act as it, each with its resource."""
    identity = target.identity
    assert identity is not None
    policies = identity.managed if identity.boundary is None else (*identity.managed, identity.boundary.place.arn)
    on = [(identity.kind, identity.arn), *(("policy", arn) for arn in policies)]
    on += [] if target.is_role else [("group", arn) for arn in account.groups]
    for kind, arn in on:
        for action in POWERS[kind]:
            is_vain = (
                (action.endswith("PermissionsBoundary") and identity.boundary is None)
                or (action == "iam:SetDefaultPolicyVersion" and not account.versions.get(arn))
                or (kind == "group" and action != "iam:AddUserToGroup" and arn not in identity.groups)
            )
            if not is_vain:
                yield action, arn


def administering(document: Document, account: str, holder: str) -> Iterator[int]:
    """The indexes of the Allow statements that make the identity with the ARN `holder` an administrator."""
    for index, statement in enumerate(document.statements):
        if statement.effect is Effect.ALLOW and _administers(statement, account, holder):
            yield index


def _administers(statement: Statement, account: str, holder: str) -> bool:
    for kind, actions in POWERS.items():
        matched = [action for action in actions if action_matches(statement.actions, action)]
        if matched and _reaches(statement.resources, f"arn:aws:iam::{account}:{kind}/*"):
            return True
        if not _ON_ITSELF.isdisjoint(matched) and _reaches(_as_read_for(statement.resources, holder), holder):
            return True
    return False


def _reaches(element: Patterns | None, resource: str) -> bool:
    """Does the element cover the resource pattern? A NotResource does unless it excludes some of it."""
    if element is None:
        return True
    values = map(completed_arn, element.values)
    if element.negated:
        return not any(patterns_meet(value, resource) for value in values)
    return any(pattern_covers(value, resource) for value in values)


def _as_read_for(element: Patterns | None, holder: str) -> Patterns | None:
    """The element with the variable for the name of the caller replaced."""
    if element is None:
        return None

    def named(variable: Variable) -> str:
        return holder.rpartition("/")[2] if variable.key == "aws:username" else variable.text

    return Patterns(element.negated, tuple(replace_variables(value, named) for value in element.values))

"""Could somebody assume a role in an account of which nobody read the users and roles?

Who trusts whom there is unknown, so one such role may lead to any other: it is asked of the subject's own side alone.
"""

from collections.abc import Iterator
from copy import replace

from iam_access.arn import iam_arn
from iam_access.document.document import Document, Effect, Patterns, Statement
from iam_access.document.pattern import pattern_covers, patterns_meet
from iam_access.document.steps import Allowance
from iam_access.document.variables import completed_arn
from iam_access.inventory.inventory import Inventory, Policy, Unread
from iam_access.who_can.candidates import resources_allowed
from iam_access.who_can.decide import AccessDecision, Answer, Permission, Resource, decide
from iam_access.who_can.subject import Subject

_TRUST = Policy("the trust policy of a role that was not read", Unread("trust policy", "not read"))
_EVERY = Patterns(negated=False, values=("*",))


class Elsewhere(Resource, frozen=True):
    """Stands for any role of accounts that were not read; ANY_ACCOUNT for one that is not in the inventory."""

    accounts: tuple[str, ...] = ()


def is_read(account: str | None, inventory: Inventory) -> bool:
    """Were all users and roles of an account read?"""
    known = inventory.accounts.get(account or "")
    return known is not None and known.is_listed


def unread_account(account: str, inventory: Inventory) -> Policy:
    """An account that was not read, as what could change an answer."""
    known = inventory.accounts.get(account)
    why = (unread.why for unread in (known.unread if known else ()) if not unread.region)
    return Policy(f"account {account}", Unread(f"account {account}", next(why, "not in the snapshot")))


def entering(
    subject: Subject, action: str, elsewhere: Elsewhere, inventory: Inventory, allowance: Allowance
) -> AccessDecision:
    """Unknown if the subject's own side could let it assume a role of an account that was not read, else no."""
    access_decision = AccessDecision(Answer.NO)
    for account, roles in dict.fromkeys(_roles(subject, action, elsewhere.accounts, inventory)):
        resource = Resource(roles, account, (_TRUST,), trust=True)
        access_decision = decide(_about(subject, roles), (Permission(action, resource),), allowance)
        if access_decision.answer is not Answer.NO:
            break
    return access_decision


def _roles(subject: Subject, action: str, accounts: tuple[str, ...], inventory: Inventory) -> Iterator[tuple[str, str]]:
    """The roles that its policies could name there, as patterns, each with the account.

    In its own account a trust policy may let it in that does all by itself.
    """
    own, partition = subject.principal.account, subject.principal.partition
    for account in accounts if own is None else {own} & {*accounts}:
        yield account, iam_arn(account, "role/*", partition)
    for policy in subject.policies:
        if not isinstance(policy.document, Document):
            yield from ((account, iam_arn(account, "role/*", partition)) for account in accounts)
            continue
        for text in resources_allowed(policy.document, action):
            named = _account_named(text)
            # One of these roles may lead to another: so may one of any account of which nothing is known.
            also = (named,) if named and not is_read(named, inventory) else ()
            for account in (*accounts, *also):
                yield from ((account, roles) for roles in _within(text, account, partition))


def _account_named(text: str) -> str:
    """The account that a pattern of ARNs is confined to; empty if it is to none."""
    parts = text.split(":", 5)
    return parts[4] if len(parts) > 5 and not {*"*?"} & {*parts[4]} else ""


def _within(text: str, account: str, partition: str) -> Iterator[str]:
    """The pattern confined to the roles of an account, if any could match it."""
    every = iam_arn(account, "role/*", partition)
    if not patterns_meet(text, every):
        return
    parts = text.split(":", 5)
    confined = every if len(parts) < 6 else ":".join((*parts[:4], account, parts[5]))
    yield every if pattern_covers(confined, every) else confined


def _about(subject: Subject, roles: str) -> Subject:
    """The subject as if an Allow on some of the roles were on all of them, and a Deny only on some were none."""

    def one(policy: Policy) -> Policy:
        document = policy.document
        if not isinstance(document, Document):
            return policy
        kept = (replace(each, resources=_EVERY) for each in document.statements if _is_about(each, roles))
        return replace(policy, document=replace(document, statements=tuple(kept)))

    return replace(
        subject,
        policies=tuple(map(one, subject.policies)),
        boundary=subject.boundary and one(subject.boundary),
        service_control=tuple(tuple(map(one, level)) for level in subject.service_control),
    )


def _is_about(statement: Statement, roles: str) -> bool:
    """Is an Allow on some of the roles, a Deny on all of them?"""
    element = statement.resources
    if element is None:
        return True
    values = tuple(map(completed_arn, element.values))
    is_about = patterns_meet if (statement.effect is Effect.ALLOW) is not element.negated else pattern_covers
    return any(is_about(value, roles) for value in values) is not element.negated

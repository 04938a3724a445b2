"""Answers in words: the statements that allow access, what is missing, and whom a class stands for."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from ecr_warden.access.missing import Edit, Side, located
from ecr_warden.audit.finding import ANYONE
from ecr_warden.core.actions import Access
from ecr_warden.core.estate import Estate
from iam_access.arn import parse_arn
from iam_access.document.principal import IDENTITY_CENTER_NAME, ROLES_ANYWHERE
from iam_access.evaluate.request_principal import CallerKind, is_identity_center_role
from iam_access.evaluate.statement_match import Reason
from iam_access.inventory.inventory import Policy, Untried
from iam_access.text.printable import printable
from iam_access.who_can.federating import OPENING
from iam_access.who_can.graph import AccessPath, Step
from iam_access.who_can.subject import ANY_ACCOUNT, ANY_SERVICE, Subject

_OF_AWS = ":iam::aws:policy/"
_VERBS = {
    Access.PULL: "pull",
    Access.PUSH: "push",
    Access.DELETE: "delete images of",
    Access.ADMIN: "administer",
}


def verb_of(what: str) -> str:
    """`push`, or `call ecr:PutImage on`."""
    return _VERBS[Access(what)] if what in list(Access) else f"call {printable(what)} on"


class AllowingStatement(Struct, frozen=True):
    """A statement that allows one step: `statement` counts from 1, None where no statement is needed."""

    policy: str
    statement: int | None
    sid: str | None
    allows: str

    def __str__(self) -> str:
        where = self.policy if self.statement is None else f"statement {self.statement} of {self.policy}"
        named = f' ("{printable(self.sid, 60)}")' if self.sid else ""
        return f"{where}{named} allows {self.allows}"


def because_of(path: AccessPath) -> tuple[AllowingStatement, ...]:
    """The statements that allow a path, step by step, each once."""
    return tuple(dict.fromkeys(statement for step in path.steps for statement in _of_step(step)))


def _of_step(step: Step) -> Iterator[AllowingStatement]:
    resource = step.permissions[0].resource
    # What is done to a repository is said once, of all accesses that the same statements allow.
    action = step.permissions[0].action
    actions = action if resource.trust or action == OPENING else "it"
    for reason, place in reasons_of(step):
        if place is None or place.index is None:
            yield AllowingStatement(printable(reason.text, 200), None, None, actions)
            continue
        yield AllowingStatement(_policy_name(place, step.subject), place.index + 1, reason.sid, actions)


def reasons_of(step: Step) -> Iterator[tuple[Reason, Edit | None]]:
    """What allows a step, and where that stands; not what is only presumed: of unread policies, and of a session's."""
    unread = {policy.name for policy in step.decision.unread}
    for reason in step.decision.because:
        if reason.policy == "sessionPolicy":
            continue
        place = located(step.subject, step.permissions[0].resource, reason)
        is_presumed = place is not None and (
            place.policy in unread or (step.subject.presumed_allowed and place.side is Side.IDENTITY)
        )
        if not is_presumed:
            yield reason, place


def _policy_name(edit: Edit, subject: Subject) -> str:
    name = printable(edit.policy, 200)
    if edit.side is Side.IDENTITY and (subject.identity is not None or subject.principal.issuer):
        return f"{name} of {printable(subject.principal.issuer or subject.arn, 200)}"
    return name


def named(subject: Subject) -> str:
    """A user or role by its ARN, a class in words."""
    principal = subject.principal
    match principal.kind:
        case CallerKind.SERVICE if principal.text == ANY_SERVICE:
            return "any AWS service"
        case CallerKind.SERVICE if principal.text == ROLES_ANYWHERE:
            return "whoever has a certificate that IAM Roles Anywhere trusts"
        case CallerKind.SERVICE:
            return f"the AWS service {printable(principal.text)}"
        case CallerKind.FEDERATED:
            return f"whoever has a token of {printable(principal.text, 200)}"
        case CallerKind.ROOT:
            return f"the root user of account {principal.account}"
        case _ if principal.account == ANY_ACCOUNT and subject.is_class:
            return ANYONE
        case _ if subject.is_class:
            return f"anybody in account {principal.account}"
        case _:
            return printable(principal.text, 200)


def class_of(subject: Subject, action: str, estate: Estate) -> str:
    """Whom a principal outside the estate stands for, and what its own account still has to allow: the first call."""
    account = subject.principal.account
    unread = ", which was not read" if subject.is_class and account in estate.accounts else ""
    if not subject.presumed_allowed or account == ANY_ACCOUNT:
        return named(subject) + unread
    if subject.is_class:
        return f"{named(subject)}{unread} that the account itself allows {action}"
    return f"{named(subject)}, if account {account} allows it {action}"


def edit_text(edit: Edit) -> tuple[str, str]:
    """(`missing` or `denied`, which policy and action): the line above the change itself."""
    holder = printable(edit.holder, 200)
    if edit.index is not None:
        return "denied", f"statement {edit.index + 1} of {printable(edit.policy, 200)} denies it"
    actions = ", ".join(edit.actions)
    match edit.side:
        case Side.IDENTITY:
            return "missing", f"no identity policy of {holder} allows {actions}"
        case Side.BOUNDARY:
            return "missing", f"the permissions boundary of {holder} does not allow {actions}"
        case Side.SERVICE_CONTROL | Side.RESOURCE_CONTROL:
            level = f"level {edit.level + 1} of the {edit.side.value.replace('policy', 'policies')}"
            return "missing", f"{level} of account {edit.holder} does not allow {actions}"
        case Side.TRUST:
            return "missing", f"the trust policy of {holder} does not let {printable(edit.principal, 200)} assume it"
        case Side.REPOSITORY:
            return "missing", f"the repository policy does not allow {printable(edit.principal, 200)} {actions}"


def edit_to_json(edit: Edit) -> dict[str, Any]:
    """`{"side", "holder", "level", "text", "add", "remove"}`; null where it does not apply."""
    is_control = edit.side in (Side.SERVICE_CONTROL, Side.RESOURCE_CONTROL)
    return {
        "side": edit.side.value,
        "holder": edit.holder,
        "level": edit.level + 1 if is_control else None,
        "text": edit_text(edit)[1],
        "add": edit.statement if edit.index is None else None,
        "remove": None if edit.index is None else {"policy": edit.policy, "statement": edit.index + 1},
    }


def change_text(edit: Edit) -> str:
    """What to add or to remove, and where."""
    return addition_text(edit) if edit.index is None else removal_text(edit)


def removal_text(edit: Edit) -> str:
    """`remove statement 1 of trust policy of shadow in account 222222222222`."""
    arn, holder = parse_arn(edit.holder), printable(edit.holder, 200)
    account = arn.account if arn else edit.holder
    place, where = edit.place, f"account {account}"
    if place.group:
        holder = f"group {place.group.rpartition('/')[2]}"
    if is_identity_center_role(edit.holder):
        # Only AWS writes the policies of the role itself.
        holder = f"permission set {holder.partition(IDENTITY_CENTER_NAME)[2].rpartition('_')[0]}"
        where = "IAM Identity Center"
    from_holder = holder if account in holder else f"{holder} in {where}"
    detach = f"detach policy {printable(place.arn, 200)} from {from_holder}"
    if _OF_AWS in place.arn:
        return detach
    of_identity = f" of {holder}" if edit.side is Side.IDENTITY and not place.group else ""
    name = f"{printable(edit.policy, 200)}{of_identity}"
    region = f", {arn.region}" if arn and arn.region else ""
    there = "" if account in name else f" in {where}{region}"
    text = f"remove statement {(edit.index or 0) + 1} of {name}{there}"
    return f"{text}, or {detach}" if edit.side is Side.IDENTITY and place.arn else text


def addition_text(edit: Edit) -> str:
    """What to add, and to which policy."""
    return f"add {json.dumps(edit.statement)} to the {edit.side} of {printable(edit.holder, 200)}"


def unmet_text(edit: Edit, conditions: str) -> str:
    """Says that a statement would allow its part under conditions that do not hold."""
    holder = f" of {printable(edit.holder, 200)}" if edit.side is Side.IDENTITY else ""
    return f"statement {(edit.index or 0) + 1} of {printable(edit.policy, 200)}{holder} allows it only if {conditions}"


def unread_text(policy: Policy) -> str:
    """`policy X was not read: not in the snapshot`, or `the policies: too many comparisons to decide it`."""
    why, was = getattr(policy.document, "why", ""), "" if isinstance(policy.document, Untried) else " was not read"
    return f"{printable(policy.name, 200)}{was}: {printable(why, 200)}"

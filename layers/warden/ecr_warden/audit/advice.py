"""What to do for somebody who lacks access: the same for a question, a denial and a finding.

Nobody who is not ours is advised in, and nothing is written that lets in more than whoever asked.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from ecr_warden.access.missing import Edit, Side
from ecr_warden.audit.answer_texts import change_text, removal_text
from iam_access.arn import parse_arn
from iam_access.evaluate.request_principal import CallerKind
from iam_access.text.nearest import did_you_mean, nearest
from iam_access.text.printable import printable
from iam_access.who_can.ours import Ours
from iam_access.who_can.standing import standing_for
from iam_access.who_can.subject import Subject

_CONTROL = (Side.SERVICE_CONTROL, Side.RESOURCE_CONTROL)


class Advice(Struct, frozen=True):
    """What to do, in words, then the commands that do it."""

    text: str = ""
    commands: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    """Of what is missing, what may be written as it is."""
    in_spec: bool = False
    """It is a change of the spec."""

    @property
    def in_full(self) -> str:
        """The same in one sentence, with the statements to write."""
        return " and ".join(map(change_text, self.edits)) if self.edits else self.text


def advise(
    who: Subject,
    does: str,
    where: str,
    why: Sequence[Edit],
    *,
    ours: Ours | None,
    in_spec: Callable[[], Advice | None] = lambda: None,
) -> Advice:
    """What to do for somebody who lacks these edits.

    `does`: such as `push shop/checkout`; `where`: the repository or role as people name it. `ours`: who is ours, None
    where the spec gives the access. `in_spec`: how the spec gives it, where it can.
    """
    name = printable(who.arn, 200)
    if who.principal.kind is CallerKind.ROOT:
        return Advice("sign in as a user or role: a policy that names the root user lets in its whole account")
    if who.principal.kind is CallerKind.FEDERATED_USER and all(edit.side is not Side.REPOSITORY for edit in why):
        return Advice("use the user's own credentials: a session of sts:GetFederationToken cannot assume roles")
    if who.principal.kind is CallerKind.SERVICE:
        lines = f"{{service: {name}, source: ALIAS}} under pull: of {where}"
        return Advice(f"say for which account it acts: write {lines}, with the alias of that account", in_spec=True)
    if ours is not None and (no := not_for(who, does, where, ours) or _nobodys(why, ours)):
        return no
    if any(edit.side in _CONTROL for edit in why):
        return Advice(f"ask the organization's administrators to {Advice(edits=tuple(why)).in_full}")
    return in_spec() or Advice(_places(why), edits=tuple(why))


def not_for(who: Subject, does: str, where: str, ours: Ours) -> Advice | None:
    """What to do for somebody who is not ours: neither to let them in nor to take away what keeps them out."""
    arn = who.arn if who.identity is None else who.identity.arn
    if not standing_for(arn, ours):
        return None
    decides = f"whoever owns {where} decides whether {printable(who.arn, 200)} may {does}"
    return Advice(f"{decides}: it is in no account that is ours")


def _nobodys(why: Sequence[Edit], ours: Ours) -> Advice | None:
    """What to do where it takes a right over an account that nobody named, such as one with a mistyped digit."""
    for account in (arn.account for edit in why if (arn := parse_arn(edit.resource)) is not None and arn.account):
        if account not in ours.accounts:
            hint = did_you_mean("".join(nearest(account, ours.accounts)))
            return Advice(f"correct account {account}, which is none of ours{hint}, or ask whoever owns it")
    return None


def _places(why: Sequence[Edit]) -> str:
    holders = {edit: printable(edit.holder.partition(":repository/")[2] or edit.holder, 200) for edit in why}
    added = dict.fromkeys(
        f"let the {edit.side} of {holder} allow {', '.join(edit.actions)}"
        for edit, holder in holders.items()
        if edit.index is None
    )
    return " and ".join((*added, *(removal_text(edit) for edit in why if edit.index is not None)))

"""What `remove` takes away and in which order, and what stays."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ecr_warden.core.address import DOCUMENT_KINDS, AddressKind
from ecr_warden.core.desired import CompiledSpec, MustNotExist
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.core.value import Value
from ecr_warden.hub.reply import HistoryReply
from ecr_warden.repair.cutoff import LONGEST_SESSION
from ecr_warden_cli.deployment.ports import Kind, Thing
from ecr_warden_cli.deployment.stacks import EVENTS, HUB, MEMBER, NAMES, ORGANIZATION
from ecr_warden_cli.deployment.wanted import CHANNEL_NAMES, Deployment
from iam_access.text.printable import show_time

_STACKS = [NAMES[one] for one in (HUB, ORGANIZATION, EVENTS, MEMBER)]


def turn_of(thing: Thing) -> tuple[int, int]:
    """When it goes: the hub before what it works through, and that before the role it needs."""
    return list(Kind).index(thing.kind), _STACKS.index(thing.name) if thing.name in _STACKS else 0


class Stays(Value, frozen=True):
    """What is left as it is, why, and the command that takes it away; without one where AWS does so itself."""

    what: str
    why: str
    command: str = ""


_AGAIN, _ROLE = "ecr-warden remove", "it gives access; its own policies have to go first"


def besides(goes: Sequence[Thing], deployment: Deployment) -> list[Stays]:
    """What stays beside what has a name of ours in an account that is entered."""
    kinds, units = {thing.kind for thing in goes}, deployment.organization is not None and deployment.organization.units
    found = (
        (Kind.WRITES in kinds, Stays("the key of the hub's topics", "KMS deletes it after 7 days")),
        (Kind.TABLE in kinds, Stays("a backup of the table", "DynamoDB deletes it after 35 days")),
        *(
            (place, Stays(place, f"it was stored for {CHANNEL_NAMES[channel]}, and not by ecr-warden"))
            for channel, place in deployment.secrets.items()
        ),
        (
            units,
            Stays("access in the organization's units", "their accounts are not entered; the stacks there go with its"),
        ),
    )
    return [stays for is_so, stays in found if is_so]


def split(things: Iterable[Thing], *, keep_data: bool, now: datetime) -> tuple[list[Thing], list[Stays]]:
    """What goes, in order, and what stays; `keep_data`: also the spec's versions, the state and the journal."""
    goes, stays, ordered = list[Thing](), list[Stays](), sorted(things, key=turn_of)
    hub_stands = any(thing.kind is Kind.STACK and thing.name == NAMES[HUB] for thing in ordered)
    for thing in ordered:
        match thing.kind:
            case Kind.LOGS if hub_stands:
                pass  # its stack deletes them
            case Kind.CUTOFF if (kept := _kept(thing, now)) is not None:
                stays.append(kept)
            case Kind.ROLE:
                stays.append(Stays(str(thing), _ROLE, f"aws iam delete-role --role-name {thing.name}"))
            case Kind.BOUNDARY if thing.holders:
                stays.append(
                    Stays(str(thing), "it limits what these can do, and IAM deletes no boundary that is in use", _AGAIN)
                )
            case Kind.BUCKET | Kind.TABLE if keep_data:
                stays.append(Stays(str(thing), "--keep-data", _AGAIN))
            case _:
                goes.append(thing)
    return goes, stays


def _kept(cutoff: Thing, now: datetime) -> Stays | None:
    """A cut-off that is not ours alone, or without which sessions that it denies could go on; None for any other."""
    if cutoff.denied_before is None:
        role = cutoff.holders[0].removeprefix("role/")
        return Stays(
            str(cutoff),
            "somebody changed it, so that it is not as ecr-warden writes it",
            f"aws iam delete-role-policy --role-name {role} --policy-name {cutoff.name}",
        )
    ends = cutoff.denied_before + LONGEST_SESSION
    why = f"what it denies may last until {show_time(ends)}; run this again then"
    return Stays(str(cutoff), why, _AGAIN) if ends >= now else None


def access_that_stays(accepted: CompiledSpec, history: HistoryReply) -> Iterator[Stays]:
    """The documents of the accepted spec, with the commands that delete them and whether they were there before."""
    written = {entry.target for entry in history.entries if entry.written}
    for pattern in accepted.patterns:
        yield Stays(f"repository policies of {pattern.target}", "access stays as it is")
    for target in accepted.targets.values():
        name = target.target.name
        if str(target.target) in written:
            why = f"access stays as it is; ecr-warden wrote it: see history '{target.target}' for what was there before"
        elif history.omitted:
            why = "access stays as it is; whether it was there before ecr-warden is unknown: its history is too long"
        else:
            why = "access stays as it is, and is not of ecr-warden's making as far as its history goes: a year"
        for address, value in target.documents.items():
            if isinstance(value, MustNotExist) or address.kind not in DOCUMENT_KINDS:
                continue
            if isinstance(target.target, RepositoryTarget):
                command = f"aws ecr delete-repository-policy --region {target.target.region} --repository-name {name}"
            elif address.kind is AddressKind.TRUST_POLICY:
                command = ""  # it goes with its role
            else:
                kind = target.target.identity_kind
                command = f"aws iam delete-{kind}-policy --{kind}-name {name} --policy-name {address.name}"
            yield Stays(str(address), why, command)

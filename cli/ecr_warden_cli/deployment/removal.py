"""What `remove` takes away and in which order, and what stays."""

from collections.abc import Iterable, Iterator, Sequence

from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import CompiledSpec, MustNotExist
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.core.value import Value
from ecr_warden_cli.deployment.ports import Kind, Thing
from ecr_warden_cli.deployment.stacks import EVENTS, HUB, MEMBER, NAMES, ORGANIZATION
from ecr_warden_cli.deployment.wanted import Deployment

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
_DELETED = (AddressKind.REPOSITORY_POLICY, AddressKind.IDENTITY_POLICY)
"""What gives access beside the trust policies, which go with their roles."""


def besides(goes: Sequence[Thing], deployment: Deployment) -> list[Stays]:
    """What stays beside what has a name of ours in an account that is entered."""
    kinds, units = {thing.kind for thing in goes}, deployment.organization is not None and deployment.organization.units
    found = (
        (Kind.WRITES in kinds, Stays("the key of the hub's topics", "KMS deletes it after 7 days")),
        (Kind.TABLE in kinds, Stays("a backup of the table", "DynamoDB deletes it after 35 days")),
        (deployment.webhook, Stays(deployment.webhook, "it was stored for the webhook, and not by ecr-warden")),
        (
            units,
            Stays("access in the organization's units", "their accounts are not entered; the stacks there go with its"),
        ),
    )
    return [stays for is_so, stays in found if is_so]


def split(things: Iterable[Thing], *, keep_data: bool) -> tuple[list[Thing], list[Stays]]:
    """What goes, in order, and what stays; `keep_data`: also the spec's versions, the state and the journal."""
    goes, stays, ordered = list[Thing](), list[Stays](), sorted(things, key=turn_of)
    hub_stands = any(thing.kind is Kind.STACK and thing.name == NAMES[HUB] for thing in ordered)
    for thing in ordered:
        match thing.kind:
            case Kind.LOGS if hub_stands:
                pass  # its stack deletes them
            case Kind.ROLE:
                stays.append(Stays(str(thing), _ROLE, f"aws iam delete-role --role-name {thing.name}"))
            case Kind.BOUNDARY if thing.holders:
                why = "it limits what these can do, and IAM deletes no boundary that is in use"
                stays.append(Stays(str(thing), why, _AGAIN))
            case Kind.BUCKET | Kind.TABLE if keep_data:
                stays.append(Stays(str(thing), "--keep-data", _AGAIN))
            case _:
                goes.append(thing)
    return goes, stays


def access_that_stays(accepted: CompiledSpec) -> Iterator[Stays]:
    """The documents of the accepted spec, with the commands that delete them."""
    for target in accepted.targets.values():
        for address, value in target.documents.items():
            if isinstance(target.target, RepositoryTarget):
                region, name = target.target.region, target.target.name
                command = f"aws ecr delete-repository-policy --region {region} --repository-name {name}"
            else:
                kind, name = target.target.identity_kind, target.target.name
                command = f"aws iam delete-{kind}-policy --{kind}-name {name} --policy-name {address.name}"
            if address.kind in _DELETED and not isinstance(value, MustNotExist):
                yield Stays(str(address), "access stays as it is", command)

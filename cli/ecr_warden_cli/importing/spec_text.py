"""A spec as the YAML that people go on with, with what looks wrong in comments."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct

from ecr_warden.access_spec import Loaded, Place, load_tree
from ecr_warden.access_spec.nodes import ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.access_spec.parse import tree_of
from ecr_warden.access_spec.problems import ProblemReport
from ecr_warden.access_spec.spec import (
    FORMAT_VERSION,
    ByCondition,
    Federated,
    Limits,
    Literal,
    PermissionSet,
    Pods,
    PullGrant,
    PullScope,
    PushGrant,
    Spec,
    SpecOrganization,
    SpecPrincipal,
    SpecRepository,
    SpecService,
    WholeAccount,
)
from ecr_warden.core.address import Address, AddressKind
from ecr_warden.core.target import RepositoryTarget, RoleTarget
from ecr_warden_cli.importing.federation import federated_value
from ecr_warden_cli.importing.notes import Note
from ecr_warden_cli.importing.tidy import grouped
from ecr_warden_cli.terminal.yaml_values import Value, block, comment, item
from iam_access.gather import gather
from iam_access.inventory.inventory import Unread
from iam_access.text.printable import count, first, show_time

_UNREAD_SHOWN = 20
_ONE_A_LINE = ("accounts", "organizations", "teams")
# Without its first `# ` it is part of the entry above.
_EXCLUSIVE = "    # exclusive: true  # at each document of it: its other policies go; ecr-warden plan lists them"

type Alias = Callable[[str], str]
type Names = Callable[[Sequence[SpecPrincipal]], Sequence[Value]]
type Entry = SpecRepository | Literal


class SpecValue(Struct, frozen=True):
    """What the spec's text says: `head`, its fields but the lists, and in `lists` each entry with the value it is."""

    head: Mapping[str, Value]
    lists: Mapping[str, Sequence[tuple[Entry, Value]]]
    waiting: Mapping[str, Sequence[Value]]
    """By the key of a target, the values that stand in a comment."""

    @property
    def entries(self) -> list[Entry]:
        """The entries of all lists, in the order of the text."""
        return [entry for several in self.lists.values() for entry, _ in several]


def spec_value(spec: Spec, waiting: Mapping[str, Sequence[Entry]] = MappingProxyType({})) -> SpecValue:
    """The value that the spec's text stands for; `waiting`: the entries that stand in comments."""
    values = _Values(spec)
    named = {"accounts": values.accounts(), "organizations": values.organizations(), "teams": values.teams()}
    head = {name: entries for name, entries in named.items() if entries}
    return SpecValue(
        {"version": FORMAT_VERSION, **head, "settings": {"mode": str(spec.mode)}},
        {
            "repositories": [(entry, values.entry(entry)) for entry in spec.repositories],
            "documents": [(entry, values.entry(entry)) for entry in spec.literals],
        },
        {key: [*map(values.entry, entries)] for key, entries in waiting.items()},
    )


def load_value(value: SpecValue, now: datetime) -> Loaded:
    """As load_spec of its text; the line of a problem is the position of its entry, from 1, and 0 beside entries."""
    report = ProblemReport()
    return load_tree(_tree_of(value, report), report, now=now)


def _tree_of(value: SpecValue, report: ProblemReport) -> MapNode:
    beside, position = Place(0, 1), 1
    trees: dict[str, Node] = {name: tree_of(one, beside, report) for name, one in value.head.items()}
    for name, several in value.lists.items():
        items = (tree_of(one, Place(at, 1), report) for at, (_, one) in enumerate(several, position))
        trees[name] = ListNode(beside, tuple(items))
        position += len(several)
    filled = {name: tree for name, tree in trees.items() if not isinstance(tree, ListNode) or tree.items}
    return MapNode(beside, tuple((Scalar(beside, name, Tag.TEXT, plain=True), tree) for name, tree in filled.items()))


def spec_text(
    value: SpecValue,
    notes: Mapping[str, Sequence[Note]],
    *,
    head: Sequence[str] = (),
    left_out: Sequence[str] = (),
    unread: Sequence[Unread] = (),
) -> str:
    """The spec as YAML. `notes` by the key of a target; `left_out`: keys of targets that only their notes show."""
    lines: list[str] = [line for text in head for line in comment(text)]
    shown = first((f"{one.what}: {one.why}" for one in unread), _UNREAD_SHOWN, "part")
    lines += [line for text in shown for line in comment(f"not read: {text}")]
    for name, one in value.head.items():
        lines += [f"{name}:", *block(one, 2)] if name in _ONE_A_LINE else block({name: one})
    above = dict(notes)
    for name, several in value.lists.items():
        lines += [f"{name}:"] if several else []
        for entry, one in several:
            lines += _notes_of(entry, above, value)
            lines += item(one, 2)
            lines += [_EXCLUSIVE] if isinstance(entry, Literal) else []
    if left_out:
        lines += comment(f"Left out: {count(len(left_out), 'target')}, which this spec says nothing of.")
    for key in left_out:
        lines += comment(f"- {key}")
        lines += [line for note in notes.get(key, ()) for line in comment(f"  {note}")]
        lines += _waiting(value, key)
    return "\n".join(lines) + "\n"


def _waiting(value: SpecValue, key: str) -> Iterator[str]:
    """What waits of a target, as lines that are part of the spec without their `# `."""
    yield from (f"  # {line[2:]}" for one in value.waiting.get(key, ()) for line in item(one, 2))


def _notes_of(entry: Entry, notes: dict[str, Sequence[Note]], value: SpecValue) -> Iterator[str]:
    """The comments above the first entry of a target, with the region that they are about, where it has several."""
    targets = entry.targets if isinstance(entry, SpecRepository) else [address.target for address in entry.addresses]
    seen = gather(
        (note, target.region if isinstance(target, RepositoryTarget) else "")
        for target in dict.fromkeys(targets)
        for note in notes.pop(target.key, ())
    )
    for note, regions in seen.items():
        where = f"in {', '.join(dict.fromkeys(regions))}: " if len(targets) > len(regions) else ""
        yield from comment(f"{where}{note}", 2)
    yield from _waiting(value, targets[0].key)


class _Values:
    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._aliases = spec.aliases
        self._regions = {account.id: account.regions for account in spec.accounts}
        self._teams = {frozenset(members): name for name, members in spec.teams.items()}

    def accounts(self) -> dict[str, Value]:
        return {account.alias: _said(id=account.id, regions=account.regions) for account in self._spec.accounts}

    def organizations(self) -> dict[str, Value]:
        """Each organization under its ID as its alias: an ID is a name."""
        pullers = [grant.puller for entry in self._spec.repositories for grant in entry.pull]
        every = {puller.id for puller in pullers if isinstance(puller, SpecOrganization)}
        return {identifier: {"id": identifier} for identifier in sorted(every)}

    def teams(self) -> dict[str, Value]:
        return {name: [*map(self.principal, members)] for name, members in self._spec.teams.items()}

    def principal(self, principal: SpecPrincipal) -> str:
        return principal_text(principal.arn, self._alias)

    def _alias(self, account: str) -> str:
        return self._aliases[account]

    def entry(self, entry: Entry) -> Value:
        return self.repository(entry) if isinstance(entry, SpecRepository) else self.literal(entry)

    def repository(self, entry: SpecRepository) -> Value:
        target = entry.targets[0]
        names = list(dict.fromkeys(one.name for one in entry.targets))
        return _said(
            name=names if len(names) > 1 else target.name,
            account=self._aliases[target.account],
            regions=self._narrowed(target.account, (one.region for one in entry.targets)),
            mode=entry.mode and str(entry.mode),
            pull=pull_value(entry.pull, self._alias, self._names),
            push=[*map(self._push, entry.push)],
            pull_scope="" if entry.pull_scope is PullScope.REPOSITORY else str(entry.pull_scope),
            foreign_statements=[*map(str, entry.foreign)],
            beside=None if entry.beside is None else json.loads(entry.beside.text),
        )

    def _narrowed(self, account: str, regions: Iterable[str]) -> Sequence[str]:
        """These regions, unless they are all of the account."""
        named = list(dict.fromkeys(regions))
        return [] if tuple(named) == self._regions[account] else named

    def _names(self, principals: Sequence[SpecPrincipal]) -> Sequence[Value]:
        team = self._teams.get(frozenset(principals))
        return [team] if team is not None else [*map(self.principal, principals)]

    def _push(self, grant: PushGrant) -> Value:
        named = self._names([one for one in grant.by if isinstance(one, SpecPrincipal)])
        others = [
            federated_value(one) if isinstance(one, Federated) else _by_condition(one, self._alias)
            for one in grant.by
            if not isinstance(one, SpecPrincipal)
        ]
        return _said(
            role=grant.role.name,
            by=[*named, *others],
            pull=grant.pull,
            **_also(grant.limits),
            max_session_duration=grant.max_session_duration,
        )

    def literal(self, entry: Literal) -> Value:
        address = entry.addresses[0]
        return _said(
            kind=str(address.kind),
            account=self._aliases[address.target.account],
            **self._place(address, entry.addresses),
            document=json.loads(entry.document.text),
        )

    def _place(self, address: Address, addresses: Iterable[Address]) -> dict[str, Value]:
        match address.kind, address.target:
            case AddressKind.REPOSITORY_POLICY, RepositoryTarget(account, _, name):
                regions = (one.target.region for one in addresses if isinstance(one.target, RepositoryTarget))
                return {"repository": name, "regions": self._narrowed(account, regions)}
            case AddressKind.TRUST_POLICY, target:
                return {"role": target.name}
            case _, target:
                return {"role" if isinstance(target, RoleTarget) else "user": target.name, "name": address.name}


def principal_text(arn: str, alias: Alias) -> str:
    """A user or role as the spec names it."""
    parts = arn.split(":", 5)
    return f"{alias(parts[4])}:{parts[5]}"


def pull_value(pull: Sequence[PullGrant], alias: Alias, names: Names | None = None) -> Sequence[Value]:
    """The list under `pull:`."""

    def named(principals: Sequence[SpecPrincipal]) -> Sequence[Value]:
        return names(principals) if names else [principal_text(principal.arn, alias) for principal in principals]

    found: list[Value] = []
    for (limits, imports, reads), members in grouped(pull).items():
        also = _also(limits, imports, reads)
        shown = named(sorted(members, key=lambda member: member.arn))
        found += [{"by": shown, **also}] if also else shown
    # Of these, accounts alone stand together.
    others = gather(
        ((one.limits, one.importing, one.reads, isinstance(one.puller, WholeAccount) or one.puller), one.puller)
        for one in pull
        if not isinstance(one.puller, SpecPrincipal)
    )
    for (limits, imports, reads, _), some in others.items():
        also, several = _also(limits, imports, reads), [_wide(puller, alias) for puller in some]
        found += [{"by": several, **also}] if also and len(several) > 1 else [one | also for one in several]
    return found


def _also(limits: Limits, imports: bool = False, reads: Sequence[str] = ()) -> dict[str, Value]:
    """What an entry says beside who and what: its limits, and what a pull grant allows beside pulling."""
    until = None if limits.until is None else show_time(limits.until)
    return _said(until=until, source_ip=list(limits.source_ip), upstream=imports, reads=list(reads))


def _said(**fields: Value) -> dict[str, Value]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value}


def _wide(puller: WholeAccount | SpecService | SpecOrganization | ByCondition, alias: Alias) -> dict[str, Value]:
    match puller:
        case WholeAccount(account):
            return {"account": alias(account)}
        case SpecService(name, account, arn):
            return {"service": name, "source": arn or alias(account)}
        case SpecOrganization(identifier):
            return {"organization": identifier}
        case PermissionSet() | Pods():
            return _by_condition(puller, alias)


def _by_condition(condition: ByCondition, alias: Alias) -> dict[str, Value]:
    match condition:
        case PermissionSet(name, account):
            return {"sso": {"permission_set": name, "account": alias(account)}}
        case Pods(cluster, namespace, service_account):
            return {"pods": {"cluster": cluster, "namespace": namespace, "serviceAccount": service_account}}

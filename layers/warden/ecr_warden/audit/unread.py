"""What was not read and could open a repository: every document is counted here, and nowhere else; pure.

A document is read, absent or unread. What is said of an unread one, how grave that is, what counts as audited and what
is news follow from its value.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from copy import replace
from datetime import datetime, timedelta
from itertools import chain

from ecr_warden.audit.finding import HIDING, WHOLE, AuditRecord, UnreadCause, UnreadDocument
from ecr_warden.core.codec.accounts import LIST_CALL, REPLICATION_CALL, TEMPLATES_CALL, UPSTREAMS_CALL
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import EcrAccount, Estate, Registry
from ecr_warden.core.failures import AccountUnreachable, OutOfTime, RegionDisabled, Throttled, Unanswered
from ecr_warden.state.sweeps import parts_of
from iam_access.document.document import Document
from iam_access.gather import gather
from iam_access.inventory.accounts import ABSENT, UNKNOWN_FIELD
from iam_access.inventory.inventory import Identity, Policy, Unread
from iam_access.text.printable import count, listed, printable

MAX_OPENED, _MAX_NAMED = 20, 3
_IDENTITIES, _REGISTRY, _LIST = "users and roles", "the registry", "list of repositories"
_TRUST, _OWN, _BOUNDARY = "trust policy", "identity policy", "permissions boundary"
PROVIDER, ACCESS = "identity provider", "access"
_CALLS = {
    _LIST: LIST_CALL,
    "replication rules": REPLICATION_CALL,
    "creation templates": TEMPLATES_CALL,
    "pull-through cache rules": UPSTREAMS_CALL,
}
_NOT_SURVEYED, OTHER_VERSION = "not read", "another version wrote it"
_PASSING = (Throttled.code, Unanswered.code, OutOfTime.code, ABSENT, UNKNOWN_FIELD, _NOT_SURVEYED, OTHER_VERSION)
_GRAVEST_FIRST = (*HIDING, UnreadCause.LASTING, UnreadCause.PASSING)

type Reach = Callable[[str], Collection[str] | None]
"""The repositories that a user or role may touch, by its ARN, () for any; None if it may touch none."""


def readable(estate: Estate) -> Estate:
    """The estate without the policies of registries and repositories that were not read: these lead to no finding."""
    accounts = {
        name: replace(one, registries={region: _readable(registry) for region, registry in one.registries.items()})
        for name, one in estate.accounts.items()
    }
    return replace(estate, accounts=accounts)


def _readable(registry: Registry) -> Registry:
    repositories = {
        name: replace(one, policy=None) if why_unread(one.policy) else one
        for name, one in registry.repositories.items()
    }
    return replace(registry, repositories=repositories, policy=None if why_unread(registry.policy) else registry.policy)


def why_unread(policy: Policy | None) -> Unread | None:
    """Why a policy was not read; None for one that was, or that does not exist."""
    return None if policy is None or isinstance(policy.document, Document) else policy.document


def unread(place: str, kind: str, what: str, why: Unread, opens: Collection[str] = ()) -> UnreadDocument:
    """A document that was not read; a code that nobody knows is a refusal."""
    # Without a provider nobody gets in.
    is_off = kind == PROVIDER or (kind == WHOLE and why.why == RegionDisabled.code)
    lasts = UnreadCause.LASTING if is_off else UnreadCause.UNPARSABLE if why.text else UnreadCause.REFUSED
    cause = UnreadCause.PASSING if why.why.endswith(_PASSING) else lasts
    opened = tuple(sorted(opens)) if len(opens) <= MAX_OPENED else ()
    return UnreadDocument(place, kind, printable(what, 200), cause, printable(why.why, 160), opened)


def not_surveyed(compiled: CompiledSpec, estate: Estate) -> Iterator[UnreadDocument]:
    """The accounts and registries of a spec, the latter as ACCOUNT/REGION, that are not in the estate."""
    accounts = estate.accounts
    read = {*accounts, *(f"{name}/{region}" for name, account in accounts.items() for region in account.registries)}
    for part in sorted(parts_of(compiled) - read):
        yield unread(part, WHOLE, _REGISTRY if "/" in part else _IDENTITIES, Unread("", _NOT_SURVEYED))


def unread_of(account: EcrAccount, repaired: EcrAccount, reach: Reach = lambda _: None) -> Iterator[UnreadDocument]:
    """What of an account and its registries was not read; without `reach` but for the policies of users and roles.

    `repaired`: with the documents that count as repaired, and without those of `readable`.
    """
    for one in account.unread:
        # What a call leaves unread is counted by itself.
        if not one.region and not one.what.startswith("iam:"):
            is_whole = one.what.startswith(_IDENTITIES)
            yield unread(account.id, WHOLE if is_whole else "part", _IDENTITIES if is_whole else one.what, one)
    yield from chain.from_iterable(
        _of_registry(account, registry, repaired.registries[region]) for region, registry in account.registries.items()
    )
    documents = {
        what: unread(account.id, kind, what, why, opens if kind == _TRUST else ())
        for identity in repaired.identities.values()
        for kind, what, policy in _policies_of(identity)
        # A boundary only takes away: one that is not there yet opens nothing.
        if (why := why_unread(policy)) and not (kind == _BOUNDARY and why.why == ABSENT)
        if (opens := reach(identity.arn)) is not None
    }
    yield from documents.values()


def _of_registry(account: EcrAccount, registry: Registry, repaired: Registry) -> Iterator[UnreadDocument]:
    part, scope = f"{account.id}/{registry.region}", registry.scope if registry.policy is not None else None
    calls = {one.what.partition(" ")[0]: one for one in account.unread if one.region == registry.region}
    over_all = {what: calls[call] for what, call in _CALLS.items() if call in calls}
    if not registry.is_listed:
        over_all.setdefault(_LIST, Unread("", ABSENT))
    policy = {
        "registry policy": why_unread(registry.policy),
        "scope of the registry policy": scope if isinstance(scope, Unread) else None,
    }
    over_all |= {what: why for what, why in policy.items() if why is not None}
    repositories = registry.repositories.values()
    if len(over_all) == len(_CALLS) + len(policy) and all(why_unread(one.policy) for one in repositories):
        yield unread(part, WHOLE, _REGISTRY, over_all[_LIST])
        return
    yield from (unread(part, what, what, why) for what, why in over_all.items())
    for template in registry.templates or ():
        if template.policy is not None and (why := why_unread(template.policy)):
            yield unread(part, "creation template", template.policy.name, why)
    for one in repositories:
        # One that cannot be parsed is replaced by whatever repairs it; one that cannot be read is not.
        name, why = one.target.name, why_unread(one.policy)
        if why is not None and not (why.text and repaired.repositories[name].policy):
            yield unread(part, "repository policy", f"repository policy of {name}", why, (str(one.target),))


def _policies_of(identity: Identity) -> Iterator[tuple[str, str, Policy | None]]:
    yield _TRUST, f"{_TRUST} of {identity.name}", identity.trust
    for one in identity.policies:
        yield _OWN, one.name if one.place.shared else f"{one.name} of {identity.kind} {identity.name}", one
    yield _BOUNDARY, identity.boundary.name if identity.boundary else "", identity.boundary


def lines(found: Iterable[UnreadDocument]) -> tuple[str, ...]:
    """What people read, the gravest first: `PLACE: what: why`, of many alike their number and some names.

    An account that could not be entered is one line, for all its parts.
    """
    gravest_first = sorted(found, key=lambda one: (_GRAVEST_FIRST.index(one.cause), one.place))
    alike = gather(((one.place, one.kind, one.cause), one) for one in gravest_first)
    return tuple(dict.fromkeys(_line(*each) for each in alike.values()))


def _line(one: UnreadDocument, *more: UnreadDocument) -> str:
    if one.kind == WHOLE and one.why == AccountUnreachable.code:
        return f"account {one.place.partition('/')[0]}, which could not be entered"
    names = [each.what.removeprefix(f"{one.kind} of ") for each in (one, *more)]
    what = f"{count(len(names), one.kind)} ({listed(names, _MAX_NAMED)})" if more else one.what
    return f"{one.place}: {what}: {listed([*dict.fromkeys(each.why for each in (one, *more))], _MAX_NAMED)}"


def seen(
    last: AuditRecord | None, found: Iterable[UnreadDocument], now: datetime, patience: timedelta
) -> tuple[UnreadDocument, ...]:
    """What is kept of what an audit could not read, the gravest first.

    What may pass by itself and has not for `patience` lasts. So does what was never read as a whole; what was before
    and is refused now, somebody refuses.
    """
    before = {} if last is None else {one.identity: one for one in last.unread}
    lasting = {one.place for one in before.values() if one.kind == WHOLE and one.cause is UnreadCause.LASTING}
    was_read = set() if last is None else last.pieces.keys() - lasting

    def kept(one: UnreadDocument) -> UnreadDocument:
        known = before.get(one.identity, one)
        since = known.since if known.since is not None and known.cause in (one.cause, UnreadCause.LASTING) else now
        lasts = one.cause is UnreadCause.PASSING and now - since >= patience
        lasts |= one.cause is UnreadCause.REFUSED and one.kind == WHOLE and one.place not in was_read
        return replace(one, since=since, cause=UnreadCause.LASTING if lasts else one.cause)

    return tuple(sorted(map(kept, found), key=lambda one: _GRAVEST_FIRST.index(one.cause)))


def news_of_unread(last: AuditRecord | None, record: AuditRecord) -> tuple[list[UnreadDocument], list[UnreadDocument]]:
    """What people hear of: what is newly unread, and what is read again, is gone or could open nothing any more.

    What is undecided, because an account's policies take too much work, is news again each day.
    """
    now, old, then = (record.unread, (), record.at) if last is None else (record.unread, last.unread, last.at)
    before = [one for one in old if one.cause is not UnreadCause.PASSING and one.since is not None]
    known = {
        (one.identity, one.cause) for one in before if one.kind != ACCESS or _days(one, then) == _days(one, record.at)
    }
    left, shut = {one.identity for one in now}, {one.place for one in now if one.kind == WHOLE}
    new = [one for one in now if one.cause is not UnreadCause.PASSING and (one.identity, one.cause) not in known]
    return new, [one for one in before if one.identity not in left and one.place not in shut]


def _days(one: UnreadDocument, at: datetime) -> int:
    """How many it has been so then."""
    return (at - (one.since or at)).days

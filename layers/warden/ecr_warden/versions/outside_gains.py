"""Who outside gains by a version: by its documents, and through roles that outsiders may take.

By structure, so too many may be named, never too few: whoever gains by one document gains, whatever he loses or has by
another. An outsider who may take a role, himself or as another one, gains what the role gains.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from ecr_warden.core.address import Address, repository_policy
from ecr_warden.core.estate import EcrAccount
from ecr_warden.versions.enforced import EnforcedChange, longer_sessions
from ecr_warden.versions.outside_assumers import OutsideAssumers, by_vouching
from ecr_warden.versions.takeover import covers
from iam_access.delta.delta import PermissionDelta, access_change
from iam_access.document.document import Document, Effect
from iam_access.equivalent.canonical import CanonicalStatement, canonical_together
from iam_access.gather import gather
from iam_access.text.printable import count, listed
from iam_access.who_can.ours import Ours, outsiders

_NAMED, _WHO_NAMED = 3, 20


class OutsideGains(Struct, frozen=True):
    """Why outsiders gain, in words that go on from `the version waits because`."""

    reasons: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    """Whom live roles trust that were not read, although it matters, in words."""


def outside_gains(change: EnforcedChange, ours: Ours, account: Callable[[str], EcrAccount] | None) -> OutsideGains:
    """Who outside gains by a version.

    `account`: an account by its ID, as it was read; raises a NamedError for one that was not. None: nothing was read.
    Then nothing is `unseen` only of a version that gives nothing to live roles.
    """
    assumers = OutsideAssumers(change, ours, account)
    places: list[tuple[str, str]] = []
    for address, permission, who in _gains(change, ours):
        reasons = [f"it lets in {one}" for one in who]
        reasons += [f"it gives more to {role}, which {one} may take" for role, one in assumers.of(address, permission)]
        places += [(reason, str(address)) for reason in reasons]
    for role in longer_sessions(change):
        places += [(f"it lets sessions of {one} last longer", str(role)) for one in assumers.assumers(role)]
    found = [
        f"{reason}: {listed([*dict.fromkeys(where)], _NAMED, separator='; ')}"
        for reason, where in gather(places).items()
    ]
    more = len(found) - _WHO_NAMED
    left_out = [f"it lets in {count(more, 'more outsider')}"] if more > 0 else []
    return OutsideGains((*found[:_WHO_NAMED], *left_out), tuple(assumers.unread))


def _gains(change: EnforcedChange, ours: Ours) -> Iterator[tuple[Address, PermissionDelta, tuple[str, ...]]]:
    """Each permission that a document newly gives, and the outsiders whom it names; a Deny is one that went."""
    for address, old, new in _documents(change):
        was, now = canonical_together(old, new, kind=address.document_kind)
        denies = frozenset(statement for statement in now if statement.effect is Effect.DENY)
        parts = by_vouching(now, change.after.literal_statements(address), ours)
        for some, mine in parts:
            for permission in access_change(frozenset(was), some | denies).gained:
                who = outsiders(permission, mine, home=address.target.account)
                if who and permission.effect is Effect.DENY:
                    is_open = any(_lets_in(part, vouched, address) for part, vouched in parts)
                    who = ("outsiders whom a Deny kept out",) if is_open else ()
                yield address, permission, who


def _documents(change: EnforcedChange) -> Iterator[tuple[Address, Document | None, Document | None]]:
    """Each address with its documents before and after; before, none of a pattern that newly fits repositories."""
    wider = {
        repository_policy(pattern.target)
        for pattern in change.after.patterns
        if not any(covers(repository_pattern, pattern) for repository_pattern in change.before.patterns)
    }
    for address, old, new in change.documents():
        was = old if isinstance(old, Document) and address not in wider else None
        now = new if isinstance(new, Document) else None
        if was != now:
            yield address, was, now


def _lets_in(statements: frozenset[CanonicalStatement], ours: Ours, address: Address) -> bool:
    """Whether statements let in outsiders."""
    given = access_change(frozenset(), statements).gained
    return any(outsiders(delta, ours, home=address.target.account) for delta in given)

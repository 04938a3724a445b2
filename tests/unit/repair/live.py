"""Reads what the rows of tables say of live documents of the seed's targets."""

from collections.abc import Mapping
from copy import replace
from datetime import timedelta
from typing import Any

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, Address, attached_policy, identity_policy
from ecr_warden.core.observed import Absent, LiveValue, Observed, TargetMissing
from ecr_warden.core.sessions import Sessions, denial_of
from local.testing.seed import (
    ADMIN,
    CUTOFF,
    D1,
    D2,
    D3,
    D4,
    EVERYTHING,
    MORE_TRUST,
    NOW,
    OPEN_TRUST,
    PUSH_USER,
    PUSHER,
    ROLE,
    SETTINGS,
    desired,
    document,
    unparseable,
    unreadable,
)

PLACES: Mapping[str, Address] = {
    "repository": D1,
    "trust": D2,
    "push": D3,
    "assume": D4,
    "settings": ROLE,
    "cut-off": CUTOFF,
    "revoked": identity_policy(PUSHER, AWS_REVOKE_OLDER_SESSIONS),
    "extra": identity_policy(PUSHER, "extra"),
    "listing": identity_policy(PUSHER, "*"),
    "work": identity_policy(PUSH_USER, "work"),
    "of ours": identity_policy(PUSH_USER, "ecr-warden-x"),
    "attached": attached_policy(PUSHER, ADMIN),
}
_NAMED: Mapping[str, Observed | LiveValue] = {
    "absent": Absent(),
    "owner missing": TargetMissing(),
    "unreadable": unreadable(),
    "unparseable": unparseable(),
    "everything": EVERYTHING,
    "more trust": MORE_TRUST,
    "open trust": OPEN_TRUST,
    "attached": None,
    "as desired": SETTINGS,
}


def live_of(row: Mapping[str, Any]) -> dict[Address, Observed | LiveValue]:
    """What is live, by address: a name, statements, settings of the role, or the ends of a cut-off, in seconds."""
    return {PLACES[place]: _value(PLACES[place], given) for place, given in row.items()}


def _value(address: Address, given: Any) -> Observed | LiveValue:
    match given:
        case "desired":
            return desired(address)
        case str():
            return _NAMED[given]
        case {"before": before}:
            since = NOW + timedelta(seconds=given["since"]) if "since" in given else None
            return denial_of(Sessions(NOW + timedelta(seconds=before), since))
        case dict():
            return replace(SETTINGS, **given)
        case _:
            return document(*given)

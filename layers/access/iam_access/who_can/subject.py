"""Who makes requests: a user or role in the inventory, or a principal outside it (only its account or ARN is known)."""

from collections.abc import Collection, Iterator, Mapping
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

from iam_access.document.condition import CLOCKS, CanonicalClause
from iam_access.document.document import Document, Effect, parse_document
from iam_access.document.principal import ANYONE, ROLES_ANYWHERE, Principal
from iam_access.evaluate.request_principal import CallerKind, RequestPrincipal, parse_request_principal
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Account, Identity, Inventory, Levels, Policy, Unread
from iam_access.text.ascii_case import ascii_lower

type Keys = Mapping[str, tuple[str, ...]]
"""Condition keys (in lower case) whose values are certain; an empty tuple: the key is certainly absent."""

TAG = "aws:principaltag/"
"""What the keys of the tags of whoever asks begin with."""
_IDENTIFYING = frozenset({"aws:principalarn", "aws:username", "aws:userid", "aws:principaltype"})
ANY_ACCOUNT = "*"
"""Stands for every account that no policy names."""
ANY_SERVICE = "any-service.amazonaws.com"
"""Stands for every AWS service that no policy names."""
ALLOW_EVERYTHING: Document = parse_document(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
    }
)

_CLAIMS_KEPT = ("amr", "app_id", "aud", "id", "sub", "user_id")
_ATTRIBUTES_KEPT = ("saml:namequalifier", "saml:sub", "identitystore:")
"""What a session keeps of the token or assertion that began it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html (cross-service keys)
"""
_OF_ACCOUNTS = ("aws:principalorg", TAG)
"""What the keys begin with that only principals of an account have, not services and whoever brings a token.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
A certificate's fields are tags: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
"""
_OF_NO_ACCOUNT = (
    CanonicalClause("StringNotLike", "aws:principalaccount", frozenset({"?" * 12})),
    CanonicalClause("BoolIfExists", "aws:principalisawsservice", frozenset({"false"})),
)
_OF_INSTANCES = "aws:ec2instancesource"
_ANYTHING = ("",)
_CALLED_VIA = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
THROUGH_SERVICES = frozenset({"aws:viaawsservice", *_CALLED_VIA})
"""What tells a call that a service makes with the caller's own rights from one that the caller makes.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
"""
SERVICE_KEYS = (
    *("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"),
    *_CALLED_VIA,
    *("aws:principalservicename", "aws:principalservicenameslist"),
)
"""Only calls that AWS services make on somebody's behalf have these.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""


class Subject(Struct, frozen=True):
    """A principal that makes requests, with its own policies (those that are not the resource's)."""

    principal: RequestPrincipal
    policies: tuple[Policy, ...]
    boundary: Policy | None
    service_control: Levels
    keys: Keys
    identity: Identity | None = None
    """The identity in the inventory, None for a principal outside it."""
    lacks: tuple[str, ...] = ()
    """What keys begin with that are certainly absent where `keys` does not have them, such as tags."""
    brings: tuple[str, ...] = ()
    """What keys of other services begin with that its requests may have, by what began its session."""
    presumed_allowed: bool = False
    """Its own policies cannot be read and are presumed to allow everything."""
    is_class: bool = False
    """It stands for all principals like it; `open_keys` are condition keys that differ between them, or tags that could
    be set, and `always` says what their values have in common."""
    open_keys: frozenset[str] = frozenset()
    always: tuple[CanonicalClause, ...] = ()

    @property
    def arn(self) -> str:
        """Its ARN, or the name of the service or provider, or `*`."""
        return self.principal.text

    @property
    def written(self) -> str:
        """As a policy writes it: `*` for anybody, a class of an account as its root user, all others by their ARN."""
        if self.is_class and self.principal.kind is CallerKind.USER:
            return "*" if self.principal.account == ANY_ACCOUNT else self.principal.root
        return "*" if self.arn == ANY_SERVICE else self.arn

    def value_of(self, key: str) -> tuple[str, ...] | None:
        """The values of a condition key (in lower case), `()` if it is certainly absent, None if neither is certain."""
        return None if key in self.open_keys else self.keys.get(key, () if key.startswith(self.lacks) else None)

    @property
    def has_all_time(self) -> bool:
        """Is it in no inventory, and asked about at any time from now on?"""
        return self.identity is None and self.open_keys >= CLOCKS

    @property
    def is_role(self) -> bool:
        """Is it a role in the inventory?"""
        return self.identity is not None and self.identity.kind is IdentityKind.ROLE


def subject_of(identity: Identity, inventory: Inventory) -> Subject:
    """The subject for an identity in the inventory; a role stands for any of its sessions."""
    account = inventory.accounts[identity.account]
    principal = parse_request_principal(identity.arn)
    begun_by = _beginning(identity.trust)
    return Subject(
        principal,
        identity.policies,
        identity.boundary,
        in_force(account.service_control, account),
        _own_keys(identity, inventory.taken_at)
        | organization_keys(account, "principal")
        | _request_keys(inventory.taken_at),
        identity,
        tuple(_lacking(identity.trust, begun_by)),
        _ANYTHING if begun_by is None else tuple(text for one in begun_by for text in _kept(one)),
        always=_always(identity, inventory.taken_at),
    )


def as_session(role: Subject, session: RequestPrincipal) -> Subject:
    """One named session of a role."""
    keys = {**role.keys, "aws:principalarn": (role.arn,)}
    if role.identity is not None and role.identity.unique_id:
        keys["aws:userid"] = (f"{role.identity.unique_id}:{session.text.rpartition('/')[2]}",)
    return replace(role, principal=session, keys=keys)


def root_of(principal: RequestPrincipal, inventory: Inventory) -> Subject:
    """The root user of an account, which has no policies and may do whatever its account may."""
    found = inventory.accounts.get(str(principal.account))
    keys = _request_keys(inventory.taken_at) | (organization_keys(found, "principal") if found else {})
    levels = in_force(found.service_control, found) if found else ()
    return Subject(principal, (Policy("the root user", ALLOW_EVERYTHING),), None, levels, keys)


def unread_subject(principal: RequestPrincipal, inventory: Inventory) -> Subject:
    """A principal in an account whose users and roles were not read."""
    own = f"identity policies of {principal.text}"
    missing = Policy(own, Unread(own, f"account {principal.account} was not read"))
    return replace(outside_subject(principal, inventory, is_class=False), policies=(missing,), presumed_allowed=False)


def outside_subject(principal: RequestPrincipal, inventory: Inventory, *, is_class: bool) -> Subject:
    """A principal that is not in the inventory, presumed to have every permission that its own account could give it.

    `is_class`: it stands for anybody in that account, or in any.
    """
    keys = dict(_request_keys(inventory.taken_at))
    if principal.kind is CallerKind.SERVICE:
        for key in SERVICE_KEYS:
            keys.pop(key, None)
    presumed = Policy("the presumed identity policy", ALLOW_EVERYTHING)
    has_policies = principal.kind not in (CallerKind.SERVICE, CallerKind.FEDERATED)
    open_keys = _IDENTIFYING if is_class and has_policies else frozenset()
    always: tuple[CanonicalClause, ...] = () if has_policies else _OF_NO_ACCOUNT
    if open_keys and principal.account == ANY_ACCOUNT:
        open_keys |= {"aws:principalaccount"}
    elif open_keys:
        always = (CanonicalClause("StringLike", "aws:principalarn", frozenset({f"arn:*:*::{principal.account}:*"})),)
    elif principal.text == ANY_SERVICE:
        open_keys = frozenset({"aws:principalservicename"})
    account = inventory.accounts.get(principal.account or "")
    subject = Subject(
        principal,
        (presumed,) if has_policies else (),
        None,
        in_force(account.service_control, account) if account else (),
        keys,
        lacks=() if has_policies or principal.text == ROLES_ANYWHERE else _OF_ACCOUNTS,
        # A token has the keys of its own issuer alone; whoever else is outside may have a session of any kind.
        brings=(f"{_issuer(principal.text)}:",) if principal.kind is CallerKind.FEDERATED else _ANYTHING,
        presumed_allowed=has_policies,
        is_class=is_class,
        open_keys=open_keys,
        always=always,
    )
    is_ours = account is not None and principal.kind is not CallerKind.FEDERATED
    return subject if is_ours else from_now_on(subject, inventory.taken_at)


def in_a_session(subject: Subject, now: datetime, role: Identity) -> Subject:
    """The subject at any time from the oldest session of a role that may still last: who took it then has it now."""
    if not subject.open_keys >= CLOCKS:
        return subject
    start = _since("aws:currenttime", now - _longest_session(role))
    return replace(subject, always=(*(one for one in subject.always if one.key not in CLOCKS), start))


def from_now_on(subject: Subject, now: datetime) -> Subject:
    """The subject at any time from now on: whoever is not ours may wait for the moment at which a policy lets them in.

    In any request, also one that a service makes for them. Of a role it may be any session that lasts until then.
    """
    later = [_since("aws:currenttime", now)]
    if subject.is_role and subject.identity is not None:
        later.append(_since("aws:tokenissuetime", now - _longest_session(subject.identity)))
    keys = CLOCKS | THROUGH_SERVICES | {one.key for one in later}
    return replace(subject, open_keys=subject.open_keys | keys, always=(*subject.always, *later))


def _since(key: str, start: datetime) -> CanonicalClause:
    return CanonicalClause("DateGreaterThanEquals", key, frozenset({_iso(start)}))


def _longest_session(role: Identity) -> timedelta:
    """Of a role; if it was not read, of any role.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html
    """
    return timedelta(hours=12) if role.session_duration is None else timedelta(seconds=role.session_duration)


def for_none(accounts: Collection[str]) -> tuple[CanonicalClause, ...]:
    """What always holds of a service's calls for whoever is in none of these accounts."""
    return (
        CanonicalClause("StringNotEquals", "aws:sourceaccount", frozenset(accounts)),
        CanonicalClause("ArnNotLike", "aws:sourcearn", frozenset(f"arn:*:*:*:{account}:*" for account in accounts)),
    )


def of_none(accounts: Collection[str]) -> tuple[CanonicalClause, ...]:
    """What always holds of whoever is in none of these accounts."""
    arns = frozenset(f"arn:*:*::{account}:*" for account in accounts)
    return (
        CanonicalClause("StringNotEquals", "aws:principalaccount", frozenset(accounts)),
        CanonicalClause("ArnNotLike", "aws:principalarn", arns),
    )


def _own_keys(identity: Identity, now: datetime) -> dict[str, tuple[str, ...]]:
    keys: dict[str, tuple[str, ...]] = {f"{TAG}{key.lower()}": (value,) for key, value in identity.tags.items()}
    if identity.kind is IdentityKind.ROLE:
        # A session that starts now: whoever can assume the role can start one.
        keys["aws:tokenissuetime"] = (_iso(now),)
        keys["aws:username"] = ()
        if takes(identity.trust, "sts:TagSession"):
            return {key: value for key, value in keys.items() if not key.startswith(TAG)}
        return keys
    if identity.unique_id:
        keys["aws:userid"] = (identity.unique_id,)
    return keys


def _always(identity: Identity, now: datetime) -> tuple[CanonicalClause, ...]:
    """A role session's aws:userid is the role's unique ID and the session's name.

    A user may take credentials of GetSessionToken, which needs no permission, as of now.
    """
    if identity.kind is IdentityKind.USER:
        return (CanonicalClause("DateGreaterThanEqualsIfExists", "aws:tokenissuetime", frozenset({_iso(now)})),)
    if not identity.unique_id:
        return ()
    return (CanonicalClause("StringLike", "aws:userid", frozenset({f"{identity.unique_id}:*"})),)


def takes(trust: Policy | None, action: str) -> bool:
    """May whoever assumes the role do this with the session: sts:TagSession or sts:SetSourceIdentity?"""
    if trust is None:
        return False
    if not isinstance(trust.document, Document):
        return True
    return any(
        statement.effect is Effect.ALLOW and action_matches(statement.actions, action)
        for statement in trust.document.statements
    )


def _beginning(trust: Policy | None) -> tuple[Principal, ...] | None:
    """Who may begin sessions, as a trust policy names them; None if it may be anybody."""
    named: list[Principal] = []
    for statement in trust.statements if trust is not None else ():
        if statement.effect is Effect.ALLOW and statement.principals is not None:
            named += [ANYONE] if statement.principals.negated else statement.principals.values
    is_read = trust is None or isinstance(trust.document, Document)
    return tuple(named) if is_read and not any(one.value == ANYONE.value for one in named) else None


def _kept(principal: Principal) -> Iterator[str]:
    """What keys begin with that a session has by who began it: of a service its own, some of a token."""
    if principal.kind == "Service":
        # Of credentials.iot.amazonaws.com they begin with credentials-iot.
        name = principal.value.partition(".amazonaws.com")[0]
        yield from (f"{part}:" for part in (*name.split("."), name.replace(".", "-")))
    elif ":saml-provider/" in principal.value:
        yield from _ATTRIBUTES_KEPT
    elif principal.kind == "Federated":
        yield from (f"{_issuer(principal.value)}:{claim}" for claim in _CLAIMS_KEPT)


def _lacking(trust: Policy | None, begun_by: tuple[Principal, ...] | None) -> Iterator[str]:
    """What keys begin with that no session of a role, or no user if there is no trust policy, has by itself."""
    if not takes(trust, "sts:TagSession"):
        yield TAG
    if not takes(trust, "sts:SetSourceIdentity"):
        yield "aws:sourceidentity"
    kinds = {one.kind for one in begun_by} if begun_by is not None else {"Service", "Federated"}
    if "Service" not in kinds:
        yield _OF_INSTANCES
    if "Federated" not in kinds:
        yield "aws:federatedprovider"


def _issuer(provider: str) -> str:
    """Whose keys its tokens have: `saml`, or the issuer of an OpenID Connect provider."""
    return "saml" if ":saml-provider/" in provider else ascii_lower(provider.rpartition(":oidc-provider/")[2])


def organization_keys(account: Account, whose: Literal["principal", "resource"]) -> dict[str, tuple[str, ...]]:
    """The condition keys of the organization of whoever asks, or of the resource."""
    organization = account.organization
    if organization is None:
        return {}
    keys: dict[str, tuple[str, ...]] = {f"aws:{whose}orgid": (organization.id,) if organization.id else ()}
    if organization.path or not organization.id:
        keys[f"aws:{whose}orgpaths"] = (organization.path,) if organization.path else ()
    return keys


def _request_keys(now: datetime) -> dict[str, tuple[str, ...]]:
    """The condition keys of every request that people and programs make directly, as AWS's SDKs do."""
    return {
        "aws:currenttime": (_iso(now),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:securetransport": ("true",),
        "aws:viaawsservice": ("false",),
        **dict.fromkeys(SERVICE_KEYS, ()),
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_force(control: Levels | None, account: Account) -> Levels:
    """The control policies that restrict an account, of those given: none where it is the management account.

    Sources: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html and
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    is_exempt = account.organization is not None and account.organization.management
    return () if control is None or is_exempt else control

"""One account, from what AWS prints of its IAM.

Parts that cannot be used become Unread, with their names; only what is no account at all is refused.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import replace
from enum import StrEnum
from urllib.parse import unquote

from msgspec import Struct, field

from iam_access.arn import ACCOUNT_ID
from iam_access.document.document import Document, parse_document
from iam_access.errors import site_of
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import (
    NO_ORGANIZATION,
    Account,
    Group,
    Identity,
    Levels,
    Organization,
    Policy,
    PolicyPlace,
    Providers,
    Unread,
)
from iam_access.inventory.printed import (
    ALWAYS,
    DETAILS,
    GROUP,
    MANAGED,
    TRUST,
    Json,
    SnapshotError,
    as_list,
    as_object,
    attached_to,
    boundary_of,
    entries_of,
    is_default,
    is_of_aws,
    lacking,
    text_of,
    text_of_document,
)
from iam_access.text.strict_json import DocumentError

IAM_CALL = "iam:GetAccountAuthorizationDetails"
ROLES_CALL = "iam:ListRoles"
OF_AWS_CALL, TEXT_CALL = "iam:ListPolicies", "iam:GetPolicyVersion"
PROVIDERS_CALL = "iam:ListOpenIDConnectProviders"
AUDIENCES_CALL = "iam:GetOpenIDConnectProvider"
SAML_CALL = "iam:ListSAMLProviders"
ORGANIZATION_CALL = "organizations:DescribeOrganization"
ABSENT, UNKNOWN_FIELD = "not in the snapshot", "unknown field"
ACCOUNT_KEYS = frozenset(
    {
        *("iam", "organization", "oidcProviders", "samlProviders"),
        *("serviceControlPolicies", "resourceControlPolicies", "unread"),
    }
)
IDENTITY_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):(user|role|group)/(?:.*/)?([\w+=,.@-]{1,128})", re.ASCII)
IDENTITY_LISTS = ("UserDetailList", "RoleDetailList")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_PROVIDER_CALLS = (PROVIDERS_CALL, AUDIENCES_CALL)
# What they leave unknown is said where a role trusts a provider or a policy asks for the organization; how long
# sessions last opens no access.
_SAID_ELSEWHERE = (*_PROVIDER_CALLS, SAML_CALL, ROLES_CALL, ORGANIZATION_CALL)


class ControlKind(StrEnum):
    """The two kinds of control policies, as people call them."""

    SERVICE = "service control policy"
    RESOURCE = "resource control policy"


class Parsed(Struct, frozen=True):
    """The documents of some accounts by their texts, which many accounts share, and which let somebody set versions."""

    documents: dict[str, Document | Unread] = field(default_factory=dict)
    setting: dict[str, bool] = field(default_factory=dict)

    def needs_versions(self, account: Account) -> bool:
        """Whether some statement treats setting a policy's version otherwise than writing a new one.

        Where none does, whoever may set a version may as well write whatever they like, so no other version is needed.
        """
        return any(
            isinstance(policy.document, Unread) or self._sets_alone(policy.document) for policy in account.policies()
        )

    def _sets_alone(self, document: Document) -> bool:
        if document.text not in self.setting:
            both = ("iam:SetDefaultPolicyVersion", "iam:CreatePolicyVersion")
            verdicts = (
                {action_matches(statement.actions, action) for action in both} for statement in document.statements
            )
            self.setting[document.text] = any(len(verdict) > 1 for verdict in verdicts)
        return self.setting[document.text]


def account_of(
    reader: "AccountReader",
    known: frozenset[str] = ACCOUNT_KEYS,
    needs_versions: Callable[[Account], bool] = lambda _: True,
) -> Account:
    """The account that a reader reads; `known`: the keys that its entry may have. Raises SnapshotError."""
    account, entry, place = reader.account, reader.entry, reader.place
    reader.note_unknown(entry, known, f"account {account}")
    iam = entry.get("iam")
    details = as_object(iam or {}, f"{place}.iam")
    is_cut = details.get("IsTruncated") is True
    lists = () if iam is None else lacking(details, ALWAYS[DETAILS])
    is_listed = iam is not None and not is_cut and not lists and (IAM_CALL, "") not in reader.denied
    if not is_listed:
        why = "only the first pages are in the snapshot" if is_cut else " ".join((*lists[:1], ABSENT))
        reader.unread.append(Unread(f"users and roles of account {account}", reader.denied.get((IAM_CALL, ""), why)))
    identities, groups, managed = reader.iam(details)
    for (call, region), code in reader.denied.items():
        if call in _SAID_ELSEWHERE:
            continue
        reader.unread.append(Unread(f"{call} in account {account}" + (f", {region}" if region else ""), code, region))
    made = Account(
        account,
        identities,
        groups,
        _organization(entry, place),
        reader.control("serviceControlPolicies", ControlKind.SERVICE),
        reader.control("resourceControlPolicies", ControlKind.RESOURCE),
        _providers(entry.get("oidcProviders"), place, reader.denied),
        saml=_saml(entry.get("samlProviders"), place),
        managed=managed,
        unread=tuple(reader.unread),
        is_listed=is_listed and len(identities) == sum(len(entries_of(details, key)) for key in IDENTITY_LISTS),
    )
    return replace(made, versions=reader.versions(entries_of(details, "Policies"))) if needs_versions(made) else made


def _providers(raw: object, place: str, denied: Mapping[tuple[str, str], str]) -> Providers | Unread:
    """A list of ARNs, or of Arn with the ClientIDList of GetOpenIDConnectProvider."""
    if raw is None:
        why = next((denied[call, ""] for call in _PROVIDER_CALLS if (call, "") in denied), ABSENT)
        return Unread("identity providers", why)
    found: dict[str, tuple[str, ...] | None] = {}
    for one in as_list(raw, f"{place}.oidcProviders"):
        match one:
            case str(arn):
                found[arn] = None
            case {"Arn": str(arn), "ClientIDList": list(audiences)}:
                found[arn] = tuple(text for text in audiences if isinstance(text, str))
            case _:
                raise SnapshotError(f"{place}.oidcProviders: not a list of ARNs, or of Arn and ClientIDList")
    return found


def _saml(raw: object, place: str) -> frozenset[str] | None:
    """A list of ARNs."""
    if raw is None:
        return None
    arns = as_list(raw, f"{place}.samlProviders")
    if not all(isinstance(arn, str) for arn in arns):
        raise SnapshotError(f"{place}.samlProviders: not a list of ARNs")
    return frozenset(arns)


def _unread_calls(entry: Json, place: str) -> dict[tuple[str, str], str]:
    """The calls that failed when the snapshot was taken: by call and region (empty for IAM), with the error's code."""
    found: dict[tuple[str, str], str] = {}
    for part in as_list(entry.get("unread") or [], f"{place}.unread"):
        one = as_object(part, f"{place}.unread")
        call = text_of(one, "what") or "something"
        region = "" if call.startswith("iam:") else text_of(one, "region")
        found[call[:160], region[:40]] = (text_of(one, "code") or "unread")[:160]
    return found


class AccountReader:
    """Reads the parts of one account's entry and collects those that could not be used.

    `denied`: the calls that failed, by call and region (empty for IAM), each with the error's code. Raises
    SnapshotError for what is no account at all.
    """

    def __init__(self, account: str, entry: object, parsed: Parsed) -> None:
        self.account = account
        self.place = f"accounts.{account[:40]}"
        if not ACCOUNT_ID.fullmatch(account):
            raise SnapshotError(f"{self.place}: not an account ID", remedy="write twelve digits")
        self.entry = as_object(entry, self.place)
        self.denied = _unread_calls(self.entry, self.place)
        self.unread: list[Unread] = []
        # Documents repeat: a managed policy in each identity that has it, the same role policy in a hundred accounts.
        self._parsed = parsed.documents

    def note_unknown(self, entry: Json, known: frozenset[str], where: str) -> None:
        """Report fields that this version does not know: they are not taken into account."""
        self.unread += (Unread(f"{key[:40]!r} of {where}", UNKNOWN_FIELD) for key in entry if key not in known)

    def iam(self, raw: Json) -> tuple[dict[str, Identity], dict[str, Group], dict[str, Policy]]:
        """The users and roles, groups and managed policies of a GetAccountAuthorizationDetails answer, by ARN."""
        managed = dict(self._managed(entries_of(raw, "Policies")))
        groups = {
            group.name: group for entry in entries_of(raw, "GroupDetailList") for group in self._group(entry, managed)
        }
        identities: dict[str, Identity] = {}
        for key, kind in (("UserDetailList", IdentityKind.USER), ("RoleDetailList", IdentityKind.ROLE)):
            for entry in entries_of(raw, key):
                identity = self._identity(entry, kind, managed, groups)
                if identity is not None:
                    identities[identity.arn] = identity
        return identities, {group.arn: group for group in groups.values()}, managed

    def control(self, key: str, kind: ControlKind) -> Levels | None:
        """Control policies; unread if a call for them failed, None if they were not asked for."""
        calls = (call for call in self.denied if call[0].startswith("organizations:") and call[0] != ORGANIZATION_CALL)
        why = next((self.denied[call] for call in calls), None)
        if self.entry.get(key) is None and why is not None:
            name = f"{kind.value.replace('policy', 'policies')} of account {self.account}"
            return ((Policy(name, Unread(name, why)),),)
        return self.levels(self.entry.get(key), kind.value)

    def levels(self, raw: object, what: str) -> Levels | None:
        """Control policies, level by level."""
        if raw is None:
            return None
        return tuple(
            tuple(
                Policy(name, self._document(name, document))
                for index, document in enumerate(as_list(level, f"{self.place}: {what}"))
                for name in (f"{what} {above + 1}.{index + 1} of account {self.account}",)
            )
            for above, level in enumerate(as_list(raw, f"{self.place}: {what}"))
        )

    def _managed(self, entries: Iterable[Json]) -> Iterator[tuple[str, Policy]]:
        """The managed policies by ARN, each in the version that is in effect."""
        for entry in entries:
            arn = text_of(entry, "Arn")
            place = PolicyPlace(arn=arn)
            versions = [one for one in entries_of(entry, "PolicyVersionList") if is_default(one, entry)]
            default = next(
                (version for version in versions if version.get("IsDefaultVersion") is True), next(iter(versions), None)
            )
            if default is None:
                why = self.denied.get((TEXT_CALL, ""), "its default version is not in the snapshot")
                yield arn, Policy.at(place, Unread(place.name, why))
            else:
                yield arn, Policy.at(place, self._document(place.name, default.get("Document")))

    def versions(self, entries: Iterable[Json]) -> dict[str, tuple[Policy, ...]]:
        """The versions of managed policies that are not in effect but could be set."""
        return {
            text_of(entry, "Arn"): (
                *(
                    Policy(name, self._document(name, one.get("Document")))
                    for one in entries_of(entry, "PolicyVersionList")
                    if not is_default(one, entry)
                    for name in (f"version {text_of(one, 'VersionId')} of {text_of(entry, 'Arn')}",)
                ),
                *self._absent(entry, MANAGED),
            )
            for entry in entries
        }

    def _group(self, entry: Json, managed: Mapping[str, Policy]) -> Iterator[Group]:
        found = IDENTITY_ARN.fullmatch(text_of(entry, "Arn"))
        if found is None or found[2] != "group":
            self.unread.append(Unread(f"a group of account {self.account}", "it has no usable ARN"))
            return
        name = found[3]
        own = (
            *self._inline(entry, "GroupPolicyList", text_of(entry, "Arn")),
            *self._attached(entry, managed, text_of(entry, "Arn")),
            *self._absent(entry, GROUP, text_of(entry, "Arn")),
        )
        yield Group(text_of(entry, "Arn"), name, own, tuple(attached_to(entry)))

    def _identity(
        self, entry: Json, kind: IdentityKind, managed: Mapping[str, Policy], groups: Mapping[str, Group]
    ) -> Identity | None:
        arn = text_of(entry, "Arn")
        found = IDENTITY_ARN.fullmatch(arn)
        if found is None or found[1] != self.account or found[2] != kind:
            self.unread.append(Unread(f"a {kind} of account {self.account}", f"not its ARN: {arn[:120]!r}"))
            return None
        name = found[3]
        is_user = kind is IdentityKind.USER
        policies = [
            *self._inline(entry, "UserPolicyList" if is_user else "RolePolicyList"),
            *self._attached(entry, managed),
            *self._absent(entry, kind),
        ]
        attached = list(attached_to(entry))
        member_of = [str(group) for group in as_list(entry.get("GroupList") or [], "GroupList")]
        for group in member_of:
            if group in groups:
                policies += groups[group].policies
                attached += groups[group].managed
            else:
                unread = Unread(f"policies of group {group}", ABSENT)
                policies.append(Policy(f"group {group}", unread, PolicyPlace(group=group)))
        trust = None if is_user else self.given(f"trust policy of {name}", entry, TRUST)
        return Identity(
            arn,
            self.account,
            kind,
            name,
            text_of(entry, "UserId" if is_user else "RoleId"),
            tuple(policies),
            self._boundary(entry, managed),
            trust,
            tags_of(entry, "Tags"),
            tuple(dict.fromkeys(one for one in attached if f"::{self.account}:" in one)),
            tuple(groups[group].arn for group in member_of if group in groups),
            duration if isinstance(duration := entry.get("MaxSessionDuration"), int) else None,
        )

    def _boundary(self, entry: Json, managed: Mapping[str, Policy]) -> Policy | None:
        if entry.get("PermissionsBoundary") is None:
            return None
        arn = text_of(boundary_of(entry), "PermissionsBoundaryArn")
        name = f"permissions boundary {arn}"
        return Policy(name, self._document_of(arn, managed, name), PolicyPlace(arn=arn))

    def _inline(self, entry: Json, key: str, group: str = "") -> Iterator[Policy]:
        for one in entries_of(entry, key):
            place = PolicyPlace(inline=text_of(one, "PolicyName"), group=group)
            yield Policy.at(place, self._document(place.name, one.get("PolicyDocument")))

    def _absent(self, entry: Json, kind: str, group: str = "") -> Iterator[Policy]:
        """What AWS always prints and the entry lacks, each as a policy that was not read; a trust policy is apart."""
        for key in lacking(entry, ALWAYS[kind]):
            if key == TRUST:
                continue
            name = f"{key} of {text_of(entry, 'Arn')}"
            yield Policy(name, Unread(name, ABSENT), PolicyPlace(group=group))

    def _attached(self, entry: Json, managed: Mapping[str, Policy], group: str = "") -> Iterator[Policy]:
        for arn in attached_to(entry):
            place = PolicyPlace(arn=arn, group=group)
            yield Policy.at(place, self._document_of(arn, managed, place.name))

    def _document_of(self, arn: str, managed: Mapping[str, Policy], name: str) -> Document | Unread:
        if arn in managed:
            return managed[arn].document
        return Unread(name, self.denied.get((OF_AWS_CALL, ""), ABSENT) if is_of_aws(arn) else ABSENT)

    def given(self, name: str, entry: Json, key: str, why: str = ABSENT) -> Policy:
        """A policy document that is always there; `why` it was not read, if the entry lacks it."""
        return self.policy(name, entry.get(key)) or Policy(name, Unread(name, why))

    def policy(self, name: str, raw: object) -> Policy | None:
        """A policy document under its name; None if there is none."""
        return None if raw is None else Policy(name, self._document(name, raw))

    def _document(self, name: str, raw: object) -> Document | Unread:
        """The document, given as an object or as URL-encoded or plain JSON text."""
        text = text_of_document(raw)
        text = text if text.lstrip().startswith("{") else unquote(text)
        found = self._parsed.get(text)
        if found is None:
            try:
                found = parse_document(text)
            except DocumentError as error:
                found = Unread(name, f"not a policy document: {error.message}", text=text)
            except Exception as error:  # whoever wrote it must not keep the account from being read
                found = Unread(name, f"it could not be interpreted ({site_of(error)})", text=text)
            self._parsed[text] = found
        return replace(found, what=name) if isinstance(found, Unread) else found


def _organization(account: Json, place: str) -> Organization | None:
    if "organization" not in account:
        return None
    if account["organization"] is None:
        return NO_ORGANIZATION
    entry = as_object(account["organization"], f"{place}.organization")
    name = text_of(entry, "id")
    if not _ORGANIZATION.fullmatch(name):
        raise SnapshotError(f"{place}.organization.id: not an organization's ID", remedy="write o-...")
    return Organization(name, text_of(entry, "path"), entry.get("management") is True)


def tags_of(raw: Json, key: str) -> dict[str, str]:
    """A list of Key and Value, as AWS prints tags."""
    return {text_of(tag, "Key"): text_of(tag, "Value") for tag in entries_of(raw, key)}

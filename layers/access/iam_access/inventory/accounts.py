"""One account of an estate, from what AWS prints of its IAM and of its registries.

Parts that cannot be used become Unread, with their names; only what is no account at all is refused.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import replace
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from msgspec import Struct, field

from ecr_warden.core.estate import (
    Account,
    CreationTemplate,
    Registry,
    RegistryScope,
    ReplicationRule,
    Repository,
    UpstreamRule,
)
from ecr_warden.core.target import REGION, RepositoryTarget, is_repository_name
from iam_access.arn import ACCOUNT_ID
from iam_access.document.document import Document, parse_document
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Group, Identity, Levels, Organization, Policy, Providers, Unread
from iam_access.inventory.printed import (
    Json,
    SnapshotError,
    as_list,
    as_object,
    attached_to,
    boundary_of,
    entries_of,
    is_default,
    is_of_aws,
    text_of,
    text_of_document,
)
from iam_access.text.strict_json import DocumentError

IAM_CALL = "iam:GetAccountAuthorizationDetails"
OF_AWS_CALL, TEXT_CALL = "iam:ListPolicies", "iam:GetPolicyVersion"
REGISTRY_CALL = "ecr:GetRegistryPolicy"
POLICY_CALL = "ecr:GetRepositoryPolicy"
LIST_CALL = "ecr:DescribeRepositories"
SCOPE_CALL = "ecr:GetAccountSetting"
PROVIDERS_CALL = "iam:ListOpenIDConnectProviders"
AUDIENCES_CALL = "iam:GetOpenIDConnectProvider"
_ABSENT = "not in the snapshot"
_ACCOUNT_KEYS = frozenset(
    {
        *("iam", "ecr", "organization", "oidcProviders"),
        *("serviceControlPolicies", "resourceControlPolicies", "unread"),
    }
)
_REPLICATION, _TEMPLATES, _UPSTREAMS = "replicationConfiguration", "creationTemplates", "pullThroughCacheRules"
_REGISTRY_KEYS = frozenset(
    {"repositories", "registryPolicy", "accountSettings", _REPLICATION, _TEMPLATES, _UPSTREAMS},
)
_ALL_OTHERS = "ROOT"
"""The prefix of the creation template for repositories that no other template names."""
IAM_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):(user|role|group)/(?:.*/)?([\w+=,.@-]{1,128})", re.ASCII)
IDENTITY_LISTS = ("UserDetailList", "RoleDetailList")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_PROVIDER_CALLS = (PROVIDERS_CALL, AUDIENCES_CALL)


class ControlKind(StrEnum):
    """The two kinds of control policies, as people call them."""

    SERVICE = "service control policy"
    RESOURCE = "resource control policy"


class Parsed(Struct, frozen=True):
    """The documents of an estate by their texts, which many accounts share, and which let somebody set versions."""

    documents: dict[str, Document | Unread] = field(default_factory=dict)
    setting: dict[str, bool] = field(default_factory=dict)

    def needs_versions(self, account: Account) -> bool:
        """Whether some statement treats setting a policy's version otherwise than writing a new one.

        Where none does, whoever may set a version may as well write whatever they like, so no other version is needed.
        """
        return any(isinstance(one.document, Unread) or self._sets_alone(one.document) for one in account.policies())

    def _sets_alone(self, document: Document) -> bool:
        if document.text not in self.setting:
            both = ("iam:SetDefaultPolicyVersion", "iam:CreatePolicyVersion")
            verdicts = ({action_matches(one.actions, action) for action in both} for one in document.statements)
            self.setting[document.text] = any(len(one) > 1 for one in verdicts)
        return self.setting[document.text]


def account_from_pieces(account: str, pieces: Mapping[str, Json], parsed: Parsed) -> Account:
    """The account of the entries of its kept pieces, by part; raises SnapshotError.

    `parsed`: the documents of the accounts before it. Versions of policies that nobody needs are left out.
    """
    return account_of(account, joined(pieces)[account], parsed, parsed.needs_versions)


def joined(pieces: Mapping[str, Json]) -> dict[str, dict[str, Any]]:
    """The `accounts` of a snapshot, from the entries of its pieces by part (ports.estate.Piece)."""
    accounts: dict[str, dict[str, Any]] = {}
    for part in sorted(pieces):
        account, _, region = part.partition("/")
        entry = accounts.setdefault(account, {})
        piece = dict(pieces[part])
        if unread := piece.pop("unread", ()):
            entry["unread"] = [*entry.get("unread", ()), *unread]
        if region:
            entry.setdefault("ecr", {})[region] = piece
        else:
            entry |= piece
    return accounts


def account_of(
    account: str, raw: object, parsed: Parsed, needs_versions: Callable[[Account], bool] = lambda _: True
) -> Account:
    place = f"accounts.{account[:40]}"
    if not ACCOUNT_ID.fullmatch(account):
        raise SnapshotError(f"{place}: not an account ID", remedy="write twelve digits")
    entry = as_object(raw, place)
    denied = _unread_calls(entry, place)
    reader = AccountReader(account, place, denied, parsed)
    reader.note_unknown(entry, _ACCOUNT_KEYS, f"account {account}")
    iam = entry.get("iam")
    details = as_object(iam or {}, f"{place}.iam")
    is_cut = details.get("IsTruncated") is True
    is_listed = iam is not None and not is_cut and (IAM_CALL, "") not in denied
    if not is_listed:
        why = "only the first pages are in the snapshot" if is_cut else _ABSENT
        reader.unread.append(Unread(f"users and roles of account {account}", denied.get((IAM_CALL, ""), why)))
    identities, groups, managed = reader.iam(details)
    registries = {
        region: reader.registry(region, part)
        for region, part in as_object(entry.get("ecr") or {}, f"{place}.ecr").items()
    }
    for (call, region), code in denied.items():
        if call in _PROVIDER_CALLS:
            continue  # what it leaves unknown is said where a role trusts a provider
        reader.unread.append(Unread(f"{call} in account {account}" + (f", {region}" if region else ""), code, region))
    made = Account(
        account,
        identities,
        groups,
        registries,
        _organization(entry.get("organization"), place),
        reader.control(entry, "serviceControlPolicies", ControlKind.SERVICE),
        reader.control(entry, "resourceControlPolicies", ControlKind.RESOURCE),
        _providers(entry.get("oidcProviders"), place, denied),
        managed=managed,
        unread=tuple(reader.unread),
        is_listed=is_listed and len(identities) == sum(len(entries_of(details, key)) for key in IDENTITY_LISTS),
    )
    return replace(made, versions=reader.versions(entries_of(details, "Policies"))) if needs_versions(made) else made


def _providers(raw: object, place: str, denied: Mapping[tuple[str, str], str]) -> Providers | Unread:
    """A list of ARNs, or of Arn with the ClientIDList of GetOpenIDConnectProvider."""
    if raw is None:
        why = next((denied[call, ""] for call in _PROVIDER_CALLS if (call, "") in denied), _ABSENT)
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
    """Reads the parts of one account and collects those that could not be used."""

    def __init__(self, account: str, place: str, denied: Mapping[tuple[str, str], str], parsed: Parsed) -> None:
        self.account = account
        self.place = place
        self._denied = denied
        self.unread: list[Unread] = []
        # Documents repeat: a managed policy in each identity that has it, the same role policy in a hundred accounts.
        self._parsed = parsed.documents

    def note_unknown(self, entry: Json, known: frozenset[str], where: str) -> None:
        """Report fields that this version does not know: they are not taken into account."""
        self.unread += (Unread(f"{key[:40]!r} of {where}", "unknown field") for key in entry if key not in known)

    def iam(self, raw: Json) -> tuple[dict[str, Identity], dict[str, Group], dict[str, Policy]]:
        """The users and roles, groups and managed policies of a GetAccountAuthorizationDetails answer, by ARN."""
        managed = dict(self._managed(entries_of(raw, "Policies")))
        groups = {
            group.name: group for entry in entries_of(raw, "GroupDetailList") for group in self._group(entry, managed)
        }
        identities: dict[str, Identity] = {}
        for key, kind in (("UserDetailList", IdentityKind.USER), ("RoleDetailList", IdentityKind.ROLE)):
            for entry in entries_of(raw, key):
                found = self._identity(entry, kind, managed, groups)
                if found is not None:
                    identities[found.arn] = found
        return identities, {group.arn: group for group in groups.values()}, managed

    def registry(self, region: str, raw: object) -> Registry:
        """The ECR part of one region."""
        place = f"{self.place}.ecr.{region[:40]}"
        if not REGION.fullmatch(region):
            raise SnapshotError(f"{place}: not a region")
        entry = as_object(raw, place)
        self.note_unknown(entry, _REGISTRY_KEYS, f"{region} in account {self.account}")
        repositories: dict[str, Repository] = {}
        for one in entries_of(entry, "repositories", place):
            name = text_of(one, "repositoryName")
            if not is_repository_name(name):
                self.unread.append(Unread(f"a repository of {self.account} in {region}", f"not a name: {name[:80]!r}"))
                continue
            target = RepositoryTarget(self.account, region, name)
            policy = self._read(f"repository policy of {name}", one, "policy", POLICY_CALL, region)
            repositories[name] = Repository(target, policy, _tags(one, "tags") if "tags" in one else None)
        over_all = f"registry policy of {self.account} in {region}"
        return Registry(
            region,
            repositories,
            self._read(over_all, entry, "registryPolicy", REGISTRY_CALL, region),
            self._scope(as_object(entry.get("accountSettings") or {}, f"{place}.accountSettings"), region),
            is_listed=(LIST_CALL, region) not in self._denied,
            replication=_replication(entry, place),
            templates=self._templates(entry, place),
            upstreams=_upstreams(entry, place),
        )

    def _scope(self, settings: Json, region: str) -> RegistryScope | Unread:
        """What the registry policy governs; where nobody asked, it is as in new registries."""
        given = settings.get("REGISTRY_POLICY_SCOPE")
        denied = self._denied.get((SCOPE_CALL, region))
        if given is None and denied is None:
            return RegistryScope.EVERY_ACTION
        if given in list(RegistryScope):
            return RegistryScope(given)
        name = f"scope of the registry policy of {self.account} in {region}"
        return Unread(name, denied if given is None and denied is not None else f"unknown value {given!r:.40}")

    def _templates(self, entry: Json, place: str) -> tuple[CreationTemplate, ...] | None:
        """The creationTemplates of a DescribeRepositoryCreationTemplates answer."""
        if entry.get(_TEMPLATES) is None:
            return None
        found = []
        for one in entries_of(entry, _TEMPLATES, place):
            prefix = text_of(one, "prefix")
            policy = self._policy(f"policy of the creation template {prefix}", one.get("repositoryPolicy"))
            found.append(CreationTemplate("" if prefix == _ALL_OTHERS else prefix, policy))
        return tuple(found)

    def _read(self, name: str, entry: Json, key: str, call: str, region: str) -> Policy | None:
        """A policy, None if there is none, or an unread one if the call for it failed."""
        why = self._denied.get((call, region))
        if key not in entry and why is not None:
            return Policy(name, Unread(name, why))
        return self._policy(name, entry.get(key))

    def control(self, entry: Json, key: str, kind: ControlKind) -> Levels | None:
        """Control policies; unread if a call of AWS Organizations failed, None if they were not asked for."""
        why = next((why for (call, _), why in self._denied.items() if call.startswith("organizations:")), None)
        if entry.get(key) is None and why is not None:
            name = f"{kind.value.replace('policy', 'policies')} of account {self.account}"
            return ((Policy(name, Unread(name, why)),),)
        return self.levels(entry.get(key), kind.value)

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
            name = f"policy {arn}"
            versions = [one for one in entries_of(entry, "PolicyVersionList") if is_default(one, entry)]
            default = next((one for one in versions if one.get("IsDefaultVersion") is True), next(iter(versions), None))
            if default is None:
                why = self._denied.get((TEXT_CALL, ""), "its default version is not in the snapshot")
                yield arn, Policy(name, Unread(name, why), arn)
            else:
                yield arn, Policy(name, self._document(name, default.get("Document")), arn)

    def versions(self, entries: Iterable[Json]) -> dict[str, tuple[Policy, ...]]:
        """The versions of managed policies that are not in effect but could be set."""
        return {
            text_of(entry, "Arn"): tuple(
                Policy(name, self._document(name, one.get("Document")))
                for one in entries_of(entry, "PolicyVersionList")
                if not is_default(one, entry)
                for name in (f"version {text_of(one, 'VersionId')} of {text_of(entry, 'Arn')}",)
            )
            for entry in entries
        }

    def _group(self, entry: Json, managed: Mapping[str, Policy]) -> Iterator[Group]:
        found = IAM_ARN.fullmatch(text_of(entry, "Arn"))
        if found is None or found[2] != "group":
            self.unread.append(Unread(f"a group of account {self.account}", "it has no usable ARN"))
            return
        name = found[3]
        own = (
            *self._inline(entry, "GroupPolicyList", f"group {name}"),
            *self._attached(entry, managed, f"group {name}"),
        )
        yield Group(text_of(entry, "Arn"), name, own, tuple(attached_to(entry)))

    def _identity(
        self, entry: Json, kind: IdentityKind, managed: Mapping[str, Policy], groups: Mapping[str, Group]
    ) -> Identity | None:
        arn = text_of(entry, "Arn")
        found = IAM_ARN.fullmatch(arn)
        if found is None or found[1] != self.account or found[2] != kind:
            self.unread.append(Unread(f"a {kind} of account {self.account}", f"not its ARN: {arn[:120]!r}"))
            return None
        name = found[3]
        is_user = kind is IdentityKind.USER
        policies = [
            *self._inline(entry, "UserPolicyList" if is_user else "RolePolicyList", ""),
            *self._attached(entry, managed, ""),
        ]
        attached = list(attached_to(entry))
        member_of = [text for text in as_list(entry.get("GroupList", []), "GroupList") if isinstance(text, str)]
        for group in member_of:
            if group in groups:
                policies += groups[group].policies
                attached += groups[group].managed
            else:
                policies.append(Policy(f"group {group}", Unread(f"policies of group {group}", _ABSENT)))
        trust = None if is_user else self._policy(f"trust policy of {name}", entry.get("AssumeRolePolicyDocument"))
        return Identity(
            arn,
            self.account,
            kind,
            name,
            text_of(entry, "UserId" if is_user else "RoleId"),
            tuple(policies),
            self._boundary(entry, managed),
            trust,
            _tags(entry, "Tags"),
            tuple(dict.fromkeys(one for one in attached if f"::{self.account}:" in one)),
            tuple(groups[group].arn for group in member_of if group in groups),
        )

    def _boundary(self, entry: Json, managed: Mapping[str, Policy]) -> Policy | None:
        if not isinstance(entry.get("PermissionsBoundary"), dict):
            return None
        arn = text_of(boundary_of(entry), "PermissionsBoundaryArn")
        name = f"permissions boundary {arn}"
        return Policy(name, self._document_of(arn, managed, name), arn)

    def _inline(self, entry: Json, key: str, holder: str) -> Iterator[Policy]:
        for one in entries_of(entry, key):
            name = text_of(one, "PolicyName")
            named = f"identity policy {name}" + (f" of {holder}" if holder else "")
            yield Policy(named, self._document(named, one.get("PolicyDocument")), named if holder else "")

    def _attached(self, entry: Json, managed: Mapping[str, Policy], holder: str) -> Iterator[Policy]:
        for arn in attached_to(entry):
            name = f"policy {arn}" + (f" of {holder}" if holder else "")
            yield Policy(name, self._document_of(arn, managed, name), arn)

    def _document_of(self, arn: str, managed: Mapping[str, Policy], name: str) -> Document | Unread:
        if arn in managed:
            return managed[arn].document
        return Unread(name, self._denied.get((OF_AWS_CALL, ""), _ABSENT) if is_of_aws(arn) else _ABSENT)

    def _policy(self, name: str, raw: object) -> Policy | None:
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
            self._parsed[text] = found
        return replace(found, what=name) if isinstance(found, Unread) else found


def _replication(entry: Json, place: str) -> tuple[ReplicationRule, ...] | None:
    """The replicationConfiguration of a DescribeRegistry answer."""
    if entry.get(_REPLICATION) is None:
        return None
    found = []
    for rule in entries_of(as_object(entry[_REPLICATION], f"{place}.{_REPLICATION}"), "rules", place):
        destinations = entries_of(rule, "destinations", place)
        prefixes = tuple(text_of(one, "filter") for one in entries_of(rule, "repositoryFilters", place))
        to = tuple((text_of(one, "registryId"), text_of(one, "region")) for one in destinations)
        found.append(ReplicationRule(to, prefixes))
    return tuple(found)


def _upstreams(entry: Json, place: str) -> tuple[UpstreamRule, ...] | None:
    """The pullThroughCacheRules of a DescribePullThroughCacheRules answer."""
    if entry.get(_UPSTREAMS) is None:
        return None
    found = []
    for one in entries_of(entry, _UPSTREAMS, place):
        path = text_of(one, "upstreamRepositoryPrefix")
        within = f"/{path}" if path not in ("", _ALL_OTHERS) else ""
        found.append(UpstreamRule(text_of(one, "ecrRepositoryPrefix"), text_of(one, "upstreamRegistryUrl") + within))
    return tuple(found)


def _organization(raw: object, place: str) -> Organization | None:
    if raw is None:
        return None
    entry = as_object(raw, f"{place}.organization")
    name = text_of(entry, "id")
    if not _ORGANIZATION.fullmatch(name):
        raise SnapshotError(f"{place}.organization.id: not an organization's ID", remedy="write o-...")
    return Organization(name, text_of(entry, "path"), entry.get("management") is True)


def _tags(raw: Json, key: str) -> dict[str, str]:
    """A list of Key and Value, as IAM and ECR print tags."""
    return {text_of(tag, "Key"): text_of(tag, "Value") for tag in entries_of(raw, key)}

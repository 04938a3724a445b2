"""Reading whole accounts: AWS's own answers, joined (core.codec.snapshot reads them).

A call that is denied or not answered is noted with its error, and stops nothing else. An account takes a call per
thousand users, groups, roles and own policies, another one per thousand roles, two for the policies of AWS's that it
uses and one for the text of each that is not known yet, one for its OIDC providers and one for each of these, one for
its SAML providers and one for its organization. A registry takes a call for each of OVER_ALL, one per thousand
repositories and one per policy.

Without a filter GetAccountAuthorizationDetails carries every version of every attached policy of AWS's, some 20 to 50
MB an account (aws-facts 11). Sources: the API references of the calls named here.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from ecr_warden.aws.accounts import CALLS_AT_ONCE, AccountClients, Accounts
from ecr_warden.aws.deadline import InvocationDeadline, Patience
from ecr_warden.aws.errors import COMMON, Translation, translated, unless
from ecr_warden.aws.member_errors import ECR, IAM
from ecr_warden.collect.estate import KnownOfAws, Needed, Reading
from ecr_warden.core.codec.accounts import (
    LIST_CALL,
    POLICY_CALL,
    REGISTRY_CALL,
    REPLICATION_CALL,
    SCOPE_CALL,
    TEMPLATES_CALL,
    UNREAD,
    UPSTREAMS_CALL,
)
from ecr_warden.core.desired import RepositoryPattern
from ecr_warden.core.failures import OutOfTime, PortError, TargetNotFound, Throttled, Unanswered, found_or_why
from ecr_warden.core.target import RepositoryTarget, Target, target_arn
from ecr_warden.repair.aws_reading import PAGE, list_names
from iam_access.arn import IAM_REGION
from iam_access.gather import gather
from iam_access.inventory.accounts import (
    AUDIENCES_CALL,
    IAM_CALL,
    OF_AWS_CALL,
    ORGANIZATION_CALL,
    PROVIDERS_CALL,
    ROLES_CALL,
    SAML_CALL,
    TEXT_CALL,
)
from iam_access.inventory.inventory import PolicyOfAws
from iam_access.inventory.printed import DOCUMENTS, policies_of_aws_in, policy_of_aws, slim, text_of_document

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

_SCOPE, _DURATION = "REGISTRY_POLICY_SCOPE", "MaxSessionDuration"
_LISTS = {"UserDetailList": "Arn", "GroupDetailList": "Arn", "RoleDetailList": "Arn", "Policies": "Arn"}
_OWN = ("User", "Role", "Group", "LocalManagedPolicy")
_USES = ("PermissionsPolicy", "PermissionsBoundary")
# The first changes with each use of a role, the second repeats its trust policy; neither says anything about access.
_LEFT_OUT = ("RoleLastUsed", "InstanceProfileList")
_EVERYTHING = Needed()
BULK_PAGES = (PAGE, 250, 60)
"""How many users, groups, roles and policies are asked for at once: of fewer, if AWS does not answer in time."""
_NO_POLICY = ("RepositoryPolicyNotFoundException", "RegistryPolicyNotFoundException")


class AwsEstateReader(Struct, frozen=True):
    """The EstateReader port, for the hub and for a laptop."""

    accounts: Accounts
    deadline: InvocationDeadline = field(default_factory=InvocationDeadline)
    sleep: Callable[[float], None] = time.sleep

    def identities(self, account: str, known: KnownOfAws) -> Reading:
        reading = self._reading(account, self._enter(account))
        iam = reading.users_and_roles()
        if iam is not None and (used := policies_of_aws_in(iam)):
            of_aws = reading.attempt(OF_AWS_CALL, "", reading.of_aws) or {}
            iam["Policies"] += [reading.policy_of_aws(arn, of_aws[arn], known) for arn in sorted(used & of_aws.keys())]
        providers = reading.oidc_providers()
        saml = reading.attempt(SAML_CALL, "", reading.saml)
        organization = reading.attempt(ORGANIZATION_CALL, "", reading.organization) or {}
        return reading.result(_read({"iam": iam, "oidcProviders": providers, "samlProviders": saml}) | organization)

    def registry(self, account: str, region: str, known: Mapping[str, object], named: Collection[str] = ()) -> Reading:
        reading = self._reading(account, self._enter(account))
        names = reading.attempt(LIST_CALL, region, partial(reading.names, region))
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="policies") as pool:
            repositories = reading.repositories(region, sorted({*(names or ()), *named}), known, pool)
        found: dict[str, Any] = {"repositories": repositories}
        for call, read in OVER_ALL.items():
            found |= reading.attempt(call, region, partial(reading.over_all, region, read)) or {}
        return reading.result(found)

    def some(self, asked: Needed) -> Iterator[tuple[str, Reading]]:
        of_accounts = gather((part.partition("/")[0], (part, needed)) for part, needed in asked.by_part().items())
        by_account = {account: dict(parts) for account, parts in of_accounts.items()}
        # Reads of policies wait for no pool, and those of accounts only for reads of policies: no deadlock.
        accounts, policies = (ThreadPoolExecutor(CALLS_AT_ONCE, name) for name in ("accounts", "policies"))
        try:
            for found in accounts.map(partial(self._some_of, policies), by_account, by_account.values()):
                yield from found.items()
        finally:
            # A caller that stops early does not wait for thousands of reads.
            policies.shutdown(cancel_futures=True)
            accounts.shutdown(cancel_futures=True)

    def _some_of(self, pool: ThreadPoolExecutor, account: str, by_part: Mapping[str, Needed]) -> dict[str, Reading]:
        """What is asked for of one account, by part."""
        entered, found = self._enter(account), dict[str, Reading]()
        for part, asked in by_part.items():
            reading, region = self._reading(account, entered), part.partition("/")[2]
            if region:
                names = {one.name for one in asked.repositories} | reading.fitting(region, asked.patterns)
                found[part] = reading.result({"repositories": reading.repositories(region, sorted(names), {}, pool)})
            else:
                iam = reading.users_and_roles(asked) if asked.accounts else None
                providers = reading.oidc_providers() if asked.providers else None
                found[part] = reading.result(_read({"iam": iam, "oidcProviders": providers}))
        return found

    def tags(self, targets: Collection[RepositoryTarget]) -> Mapping[Target, Mapping[str, str] | PortError]:
        with ThreadPoolExecutor(CALLS_AT_ONCE, "tags") as pool:
            return dict(zip(targets, pool.map(self._tags, targets), strict=True))

    def _tags(self, target: RepositoryTarget) -> Mapping[str, str] | PortError:
        entered = self._enter(target.account)
        if isinstance(entered, PortError):
            return entered
        read = partial(self._patience, lambda: _read_tags(entered.ecr(target.region), target))
        return found_or_why(f"reading the tags of {target}", lambda: {tag["Key"]: tag["Value"] for tag in read()})

    @property
    def _patience(self) -> Patience:
        return Patience(self.deadline, self.sleep)

    def _enter(self, account: str) -> AccountClients | PortError:
        """Into an account, or why it cannot be entered: tried once, whatever is read of it."""
        return found_or_why(f"entering {account}", lambda: self._patience(lambda: self.accounts.reader(account)))

    def _reading(self, account: str, entered: AccountClients | PortError) -> "_Account":
        return _Account(account, entered, self._patience)


def _listed(paginator: Any, name: str, key: str) -> list[Any]:
    """All that a call lists under a name, sorted by a key."""
    pages = paginator.paginate(PaginationConfig={"PageSize": PAGE})
    return _sorted([entry for page in pages for entry in page[name]], key)


OVER_ALL: Mapping[str, Callable[["ECRClient"], dict[str, Any]]] = {
    REGISTRY_CALL: lambda ecr: {"registryPolicy": _policy(ecr.get_registry_policy)},
    SCOPE_CALL: lambda ecr: {"accountSettings": {_SCOPE: ecr.get_account_setting(name=_SCOPE)["value"]}},
    REPLICATION_CALL: lambda ecr: {"replicationConfiguration": ecr.describe_registry()["replicationConfiguration"]},
    TEMPLATES_CALL: lambda ecr: {
        "creationTemplates": _listed(
            ecr.get_paginator("describe_repository_creation_templates"), "repositoryCreationTemplates", "prefix"
        )
    },
    UPSTREAMS_CALL: lambda ecr: {
        "pullThroughCacheRules": _listed(
            ecr.get_paginator("describe_pull_through_cache_rules"), "pullThroughCacheRules", "ecrRepositoryPrefix"
        )
    },
}
"""What holds for all repositories of a registry: the call, and how its answer is written in a snapshot."""


class _Account:
    """One reading of one part of an account."""

    def __init__(self, account: str, entered: AccountClients | PortError, patience: Patience) -> None:
        self._account = account
        self._entered = entered
        self._patience = patience
        self._unread: list[dict[str, str]] = []
        self._texts: dict[PolicyOfAws, str] = {}
        # A region that does not answer is not asked again.
        self._silent: dict[str, Unanswered] = {}
        self._failed: dict[str, PortError] = {}

    @property
    def _clients(self) -> AccountClients:
        if isinstance(self._entered, PortError):
            raise self._entered
        return self._entered

    def attempt[T](self, call: str, region: str, read: Callable[[], T], *, name: str = "") -> T | None:
        """What was read; None, with a note, for what was not. `name`: of the repository that it is of."""
        silent = self._silent.get(region)
        found = found_or_why(f"{call} in {self._account}", read) if silent is None else silent
        if isinstance(found, PortError):
            self._note(call, region, found, name)
            return None
        return found

    def _note(self, call: str, region: str, error: PortError, name: str) -> None:
        note = {"what": call, **({"region": region} if region else {}), "code": _code(error)}
        if note not in self._unread:
            self._unread.append(note)
        self._failed[name or call] = error
        if region and isinstance(error, Unanswered):
            self._silent[region] = error

    def result(self, entry: dict[str, Any]) -> Reading:
        """What was read, in JSON's types, with what was not."""
        unread = {"unread": self._unread} if self._unread else {}
        return Reading({**entry, **unread}, self._failed, self._texts)

    def users_and_roles(self, asked: Needed = _EVERYTHING) -> dict[str, Any] | None:
        """GetAccountAuthorizationDetails as far as it is asked for, with the longest sessions of the roles."""
        iam = self.attempt(IAM_CALL, "", partial(self.iam, asked))
        durations = None if iam is None else self.attempt(ROLES_CALL, "", self.durations)
        if iam is not None and durations is not None:
            iam["RoleDetailList"] = [
                entry | {_DURATION: durations[entry["RoleName"]]} if entry.get("RoleName") in durations else entry
                for entry in iam["RoleDetailList"]
            ]
        return iam

    def oidc_providers(self) -> list[dict[str, Any]] | None:
        """The OIDC providers with their client IDs."""
        arns = self.attempt(PROVIDERS_CALL, "", self.providers)
        return None if arns is None else self.attempt(AUDIENCES_CALL, "", lambda: self.audiences(arns))

    def iam(self, asked: Needed) -> dict[str, Any]:
        """All pages of GetAccountAuthorizationDetails as one answer, without AWS's own policies.

        What is not asked for is dropped page by page: some of many accounts has to fit into a small function.
        """
        joined: dict[str, list[Any]] = {name: [] for name in _LISTS}
        details = self._clients.bulk_iam.get_account_authorization_details
        doing = "reading the users, groups, roles and policies"
        for page in self._pages(doing, details, BULK_PAGES, Filter=_OWN):
            for name, found in joined.items():
                found += [
                    _plain(slim(entry) if name == "Policies" else entry)
                    for entry in page.get(name, ())
                    if asked.wants(self._account, entry)
                ]
        return {name: _sorted(found, _LISTS[name]) for name, found in joined.items()}

    def durations(self) -> dict[str, int]:
        """The longest sessions of the roles by name, in seconds, which only ListRoles has of all of them."""
        pages = self._pages("listing the roles", self._clients.iam.list_roles)
        return {role["RoleName"]: role[_DURATION] for page in pages for role in page["Roles"] if _DURATION in role}

    def of_aws(self) -> dict[str, str]:
        """AWS's policies that somebody has, or is bounded by: the version in effect of each, by ARN."""
        listed = partial(self._clients.iam.list_policies, Scope="AWS", OnlyAttached=True)
        return {
            policy["Arn"]: policy["DefaultVersionId"]
            for usage in _USES
            for page in self._pages("listing the policies of AWS", listed, PolicyUsageFilter=usage)
            for policy in page["Policies"]
        }

    def policy_of_aws(self, arn: str, version: str, known: KnownOfAws) -> Mapping[str, Any]:
        """Its entry; the text is read if it is not known, and without one in the entry if it cannot be read."""
        if (arn, version) in known:
            return policy_of_aws(PolicyOfAws(arn, version, known[arn, version]))
        text = self.attempt(TEXT_CALL, "", partial(self._text, arn, version))
        if text is None:
            return {"Arn": arn, "DefaultVersionId": version}
        policy = PolicyOfAws.of(arn, version, text)
        self._texts[policy] = text
        return policy_of_aws(policy)

    def _text(self, arn: str, version: str) -> str:
        get = partial(self._clients.iam.get_policy_version, PolicyArn=arn, VersionId=version)
        found = self._answer(IAM, f"reading {arn} in {self._account}", get)
        return text_of_document(found["PolicyVersion"]["Document"])

    def _answer[T](self, table: Mapping[str, Translation], doing: str, call: Callable[[], T]) -> T:
        """What a call answers, once AWS has time for it; raises PortError. `doing`: for people."""
        return self._patience(translated(table, doing)(call))

    def _pages(
        self, doing: str, call: Callable[..., Any], sizes: Sequence[int] = (PAGE,), **more: object
    ) -> Iterator[Any]:
        """The pages of a list of IAM's; one that is not answered is asked for again by the next of the sizes."""

        size, *smaller = sizes
        start: dict[str, str] = {}
        while True:
            try:
                found = self._answer(IAM, f"{doing} of {self._account}", partial(call, MaxItems=size, **more, **start))
            except Unanswered:
                if not smaller:
                    raise
                size, *smaller = smaller
                continue
            yield found
            if not found.get("IsTruncated"):
                return
            start = {"Marker": found["Marker"]}

    def providers(self) -> list[str]:
        """The ARNs of the OIDC providers, sorted; they come in one answer."""
        doing = f"listing the identity providers of {self._account}"
        found = self._answer(IAM, doing, self._clients.iam.list_open_id_connect_providers)
        return sorted(one["Arn"] for one in found["OpenIDConnectProviderList"])

    def saml(self) -> list[str]:
        """The ARNs of the SAML providers, sorted; they come in one answer."""
        doing = f"listing the SAML providers of {self._account}"
        found = self._answer(IAM, doing, self._clients.iam.list_saml_providers)
        return sorted(one["Arn"] for one in found["SAMLProviderList"])

    def organization(self) -> dict[str, Any]:
        """The organization that the account is in, None if it is in none; its units only the organization's own see."""
        client = self._clients.of("organizations", IAM_REGION)
        describe = partial(unless, ("AWSOrganizationsNotInUseException",), client.describe_organization)
        answer: Any = self._answer(COMMON, f"reading the organization of {self._account}", describe)
        if answer is None:
            return {"organization": None}
        found = answer["Organization"]
        return {"organization": {"id": found["Id"], "management": found["MasterAccountId"] == self._account}}

    def audiences(self, arns: Iterable[str]) -> list[dict[str, Any]]:
        """Each provider that still exists with its client IDs: all of them, or none is known."""

        def read(arn: str) -> Any:
            get = partial(self._clients.iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
            return self._answer(IAM, f"reading the identity provider {arn}", partial(unless, ("NoSuchEntity",), get))

        found = ((arn, read(arn)) for arn in arns)
        return [{"Arn": arn, "ClientIDList": sorted(one["ClientIDList"])} for arn, one in found if one is not None]

    def names(self, region: str) -> list[str]:
        """The registry's repositories."""
        ecr = self._clients.ecr(region)
        return self._patience(lambda: list(list_names(ecr, self._account, region)))

    def fitting(self, region: str, patterns: Collection[RepositoryPattern]) -> set[str]:
        """The registry's repositories that fit a pattern; without patterns nothing is listed."""
        names = self.attempt(LIST_CALL, region, partial(self.names, region)) if patterns else None
        existing = (RepositoryTarget(self._account, region, name) for name in names or ())
        return {target.name for target in existing if any(pattern.covers(target) for pattern in patterns)}

    def over_all(self, region: str, read: "Callable[[ECRClient], dict[str, Any]]") -> Any:
        """One of OVER_ALL."""
        doing = f"reading the registry of {self._account} in {region}"
        return _plain(self._answer(ECR, doing, partial(read, self._clients.ecr(region))))

    def repositories(
        self, region: str, names: Iterable[str], known: Mapping[str, object], pool: ThreadPoolExecutor
    ) -> list[dict[str, Any]]:
        """The entry of each repository that still exists; what is `known` is not read."""

        def entry(name: str) -> dict[str, Any] | None:
            if name in known:
                return {"repositoryName": name, "policy": known[name]}
            return self._repository(region, name)

        return [found for found in pool.map(entry, names) if found is not None]

    def _repository(self, region: str, name: str) -> dict[str, Any] | None:
        """With its policy, without one that could not be read; None for a repository that does not exist."""

        def read() -> dict[str, Any] | None:
            get = partial(
                self._clients.ecr(region).get_repository_policy, registryId=self._account, repositoryName=name
            )
            doing = f"reading the policy of {name} in {region} of {self._account}"
            try:
                return {"policy": self._answer(ECR, doing, partial(_policy, get))}
            except TargetNotFound:
                return None

        found = self.attempt(POLICY_CALL, region, lambda: (read(),), name=name)
        policy = {UNREAD: _code(self._failed[name])} if found is None else found[0]
        return None if policy is None else {"repositoryName": name, **policy}


def _read_tags(ecr: "ECRClient", target: RepositoryTarget) -> list[Any]:
    with translated(ECR, f"reading the tags of {target}"):
        return list(ecr.list_tags_for_resource(resourceArn=target_arn(target))["tags"])


def _code(error: PortError) -> str:
    """Under which it is noted: what may be over within a minute is never taken for a refusal."""
    is_known = not error.retryable or isinstance(error, Unanswered | OutOfTime)
    return error.code if is_known else Throttled.code


def _policy(get: Callable[[], Mapping[str, Any]]) -> str | None:
    """The text of a policy, None where there is none."""
    answer = unless(_NO_POLICY, get)
    return None if answer is None else str(answer["policyText"])


def _read(parts: dict[str, Any]) -> dict[str, Any]:
    """The parts of an account without those that could not be read."""
    return {name: part for name, part in parts.items() if part is not None}


def _sorted(entries: list[Any], key: str) -> list[Any]:
    return sorted(entries, key=lambda entry: str(entry.get(key)))


def _plain(value: Any) -> Any:
    """The answer in JSON's types: times and policy documents as text."""
    match value:
        case datetime():
            return value.isoformat()
        case dict():
            return {
                key: text_of_document(entry) if key in DOCUMENTS else _plain(entry)
                for key, entry in value.items()
                if key not in _LEFT_OUT
            }
        case list():
            return [_plain(entry) for entry in value]
        case _:
            return value

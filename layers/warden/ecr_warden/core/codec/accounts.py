"""One account with its registries, from what AWS prints of them.

Parts that cannot be used become Unread, with their names; only what is no account at all is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import asdict

from ecr_warden.core.estate import (
    ROOT,
    CreationTemplate,
    EcrAccount,
    Registry,
    RegistryScope,
    ReplicationRule,
    Repository,
    UpstreamRule,
)
from ecr_warden.core.target import REGION, RepositoryTarget, is_repository_name
from iam_access.inventory.accounts import ABSENT, ACCOUNT_KEYS, AccountReader, Parsed, account_of, tags_of
from iam_access.inventory.inventory import Account, Policy, Unread
from iam_access.inventory.printed import Json, SnapshotError, as_object, entries_of, lacking, text_of

REGISTRY_CALL = "ecr:GetRegistryPolicy"
POLICY_CALL = "ecr:GetRepositoryPolicy"
UNREAD = "unread"
"""Of a repository without its policy: why that was not read, an error's code."""
LIST_CALL = "ecr:DescribeRepositories"
SCOPE_CALL = "ecr:GetAccountSetting"
REPLICATION_CALL, TEMPLATES_CALL = "ecr:DescribeRegistry", "ecr:DescribeRepositoryCreationTemplates"
UPSTREAMS_CALL = "ecr:DescribePullThroughCacheRules"
_REPLICATION, _TEMPLATES, _UPSTREAMS = "replicationConfiguration", "creationTemplates", "pullThroughCacheRules"
_REGISTRY_KEYS = frozenset(
    {"repositories", "registryPolicy", "accountSettings", _REPLICATION, _TEMPLATES, _UPSTREAMS},
)
_CALLS = {_REPLICATION: REPLICATION_CALL, _TEMPLATES: TEMPLATES_CALL, _UPSTREAMS: UPSTREAMS_CALL}
_RULES = "rules"
_ALWAYS: Mapping[str, tuple[str, ...]] = {
    _RULES: ("destinations",),
    "destinations": ("region", "registryId"),
    _TEMPLATES: ("prefix",),
    _UPSTREAMS: ("ecrRepositoryPrefix", "upstreamRegistryUrl"),
}
"""What ECR prints of each entry: a list in which one lacks it was not read. The rest of a registry `_Reader` judges."""


def account_from_pieces(account: str, pieces: Mapping[str, Json], parsed: Parsed) -> EcrAccount:
    """The account of the entries of its kept pieces, by part; raises SnapshotError.

    `parsed`: the documents of the accounts before it. Versions of policies that nobody needs are left out.
    """
    return ecr_account_of(account, joined(pieces)[account], parsed, parsed.needs_versions)


def joined(pieces: Mapping[str, Json]) -> dict[str, dict[str, Any]]:
    """The `accounts` of a snapshot, from the entries of its pieces by part (`collect.estate.Piece`)."""
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


def ecr_account_of(
    account: str, entry: object, parsed: Parsed, needs_versions: Callable[[Account], bool] = lambda _: True
) -> EcrAccount:
    """An account's entry of a snapshot; raises SnapshotError."""
    reader = _Reader(account, entry, parsed)
    registries = {
        region: reader.registry(region, part)
        for region, part in as_object(reader.entry.get("ecr") or {}, f"{reader.place}.ecr").items()
    }
    return EcrAccount(**asdict(account_of(reader, ACCOUNT_KEYS | {"ecr"}, needs_versions)), registries=registries)


class _Reader(AccountReader):
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
            repositories[name] = Repository(target, policy, tags_of(one, "tags") if "tags" in one else None)
        over_all = f"registry policy of {self.account} in {region}"
        made = Registry(
            region,
            repositories,
            self._read(over_all, entry, "registryPolicy", REGISTRY_CALL, region),
            self._scope(as_object(entry.get("accountSettings") or {}, f"{place}.accountSettings"), region),
            is_listed=entry.get("repositories") is not None and (LIST_CALL, region) not in self.denied,
            replication=_replication(entry, place),
            templates=self._templates(entry, place),
            upstreams=_upstreams(entry, place),
        )
        lists = zip((made.replication, made.templates, made.upstreams), _CALLS.items(), strict=True)
        broken = ((call, region) for found, (key, call) in lists if found is None and entry.get(key) is not None)
        self.denied |= dict.fromkeys(broken, "an entry lacks what ECR always prints")
        return made

    def _scope(self, settings: Json, region: str) -> RegistryScope | Unread:
        """What the registry policy governs."""
        given = settings.get("REGISTRY_POLICY_SCOPE")
        if given in list(RegistryScope):
            return RegistryScope(given)
        name, denied = f"scope of the registry policy of {self.account} in {region}", (SCOPE_CALL, region)
        return Unread(name, self.denied.get(denied, ABSENT) if given is None else f"unknown value {given!r:.40}")

    def _templates(self, entry: Json, place: str) -> tuple[CreationTemplate, ...] | None:
        """The creationTemplates of a DescribeRepositoryCreationTemplates answer."""
        templates = _whole(entry, _TEMPLATES, place)
        return None if templates is None else tuple(map(self._template, templates))

    def _template(self, one: Json) -> CreationTemplate:
        name = f"policy of the creation template {text_of(one, 'prefix')}"
        return CreationTemplate(_prefix(one, "prefix"), self.policy(name, one.get("repositoryPolicy")))

    def _read(self, name: str, entry: Json, key: str, call: str, region: str) -> Policy | None:
        """A policy, None if there is none, or an unread one if the entry lacks it."""
        if key not in entry:
            return Policy(name, Unread(name, text_of(entry, UNREAD) or self.denied.get((call, region), ABSENT)))
        return self.policy(name, entry[key])


def _whole(entry: Json, key: str, place: str) -> list[Json] | None:
    """A list of which every entry has what ECR always prints; None for one that was not read."""
    found = entries_of(entry, key, place)
    return None if entry.get(key) is None or any(lacking(one, _ALWAYS[key]) for one in found) else found


def _replication(entry: Json, place: str) -> tuple[ReplicationRule, ...] | None:
    """The replicationConfiguration of a DescribeRegistry answer."""
    rules = _whole(as_object(entry.get(_REPLICATION) or {}, f"{place}.{_REPLICATION}"), _RULES, place)
    found = []
    for rule in rules or ():
        destinations = _whole(rule, "destinations", place)
        if destinations is None:
            return None
        prefixes = tuple(text_of(one, "filter") for one in entries_of(rule, "repositoryFilters", place))
        to = tuple((text_of(destination, "registryId"), text_of(destination, "region")) for destination in destinations)
        found.append(ReplicationRule(to, prefixes, rule.get("deleteReplication") == {"enabled": True}))
    return None if rules is None else tuple(found)


def _upstreams(entry: Json, place: str) -> tuple[UpstreamRule, ...] | None:
    """The pullThroughCacheRules of a DescribePullThroughCacheRules answer."""
    rules = _whole(entry, _UPSTREAMS, place)
    return None if rules is None else tuple(map(_upstream, rules))


def _upstream(one: Json) -> UpstreamRule:
    path = _prefix(one, "upstreamRepositoryPrefix")
    url = text_of(one, "upstreamRegistryUrl") + (f"/{path}" if path else "")
    return UpstreamRule(_prefix(one, "ecrRepositoryPrefix"), url)


def _prefix(one: Json, key: str) -> str:
    prefix = text_of(one, key)
    return "" if prefix == ROOT else prefix

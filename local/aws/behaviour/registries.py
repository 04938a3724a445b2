"""What an ECR registry holds beside its repositories; neither moto nor ministack has all of it.

Sources: the ECR API references of these operations.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.aws.behaviour.outcome import Refused

type Json = dict[str, Any]

SCOPE = "REGISTRY_POLICY_SCOPE"
_SETTINGS = {SCOPE: ("V2", "V1"), "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR")}
_IMMUTABLE = frozenset({"prefix", "ecrRepositoryPrefix", "upstreamRegistryUrl", "upstreamRegistry"})


@dataclass(slots=True)
class Registry:
    """One region's of one account. `settings`: those that are not at their default."""

    account: str
    policy: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    replication: Json = field(default_factory=lambda: {"rules": []})
    templates: dict[str, Json] = field(default_factory=dict)
    upstreams: dict[str, Json] = field(default_factory=dict)

    def put_policy(self, given: Json) -> Json | Refused:
        """PutRegistryPolicy."""
        try:
            json.loads(given["policyText"])
        except ValueError:
            return Refused("InvalidParameterException", "Invalid parameter at 'PolicyText': not JSON")
        self.policy = given["policyText"]
        return self.get_policy(given)

    def get_policy(self, _: Json) -> Json | Refused:
        """GetRegistryPolicy."""
        if self.policy is None:
            message = f"Registry policy does not exist in the registry with id '{self.account}'"
            return Refused("RegistryPolicyNotFoundException", message)
        return {"registryId": self.account, "policyText": self.policy}

    def delete_policy(self, given: Json) -> Json | Refused:
        """DeleteRegistryPolicy."""
        answer = self.get_policy(given)
        self.policy = None
        return answer

    def get_setting(self, given: Json) -> Json | Refused:
        """GetAccountSetting."""
        name = given["name"]
        if name not in _SETTINGS:
            return Refused("ValidationException", f"{name} is not a setting")
        return {"name": name, "value": self.settings.get(name, _SETTINGS[name][0])}

    def put_setting(self, given: Json) -> Json | Refused:
        """PutAccountSetting."""
        name, value = given["name"], given["value"]
        if value not in _SETTINGS.get(name, ()):
            return Refused("InvalidParameterException", f"{value} is no value of {name}")
        self.settings[name] = value
        return self.get_setting(given)

    def describe(self, _: Json) -> Json:
        """DescribeRegistry."""
        return {"registryId": self.account, "replicationConfiguration": self.replication}

    def replicate(self, given: Json) -> Json:
        """PutReplicationConfiguration."""
        self.replication = given["replicationConfiguration"]
        return {"replicationConfiguration": self.replication}

    def template(self, change: str, given: Json) -> Json | Refused:
        """A call on a repository creation template."""
        found = _changed(self.templates, given["prefix"], change, given, "Template")
        if isinstance(found, Refused):
            return found
        return {"registryId": self.account, "repositoryCreationTemplate": found}

    def upstream(self, change: str, given: Json) -> Json | Refused:
        """A call on a pull-through cache rule."""
        found = _changed(self.upstreams, given["ecrRepositoryPrefix"], change, given, "PullThroughCacheRule")
        return found if isinstance(found, Refused) else {"registryId": self.account, **found}

    def list_templates(self, given: Json) -> Json:
        """DescribeRepositoryCreationTemplates."""
        return {"registryId": self.account, "repositoryCreationTemplates": _listed(self.templates, given, "prefixes")}

    def list_upstreams(self, given: Json) -> Json:
        """DescribePullThroughCacheRules."""
        found = _listed(self.upstreams, given, "ecrRepositoryPrefixes")
        return {"pullThroughCacheRules": [{"registryId": self.account, **one} for one in found]}


def _changed(kept: dict[str, Json], prefix: str, change: str, given: Json, noun: str) -> Json | Refused:
    if (prefix in kept) is (change == "Create"):
        why = "AlreadyExists" if change == "Create" else "NotFound"
        return Refused(f"{noun}{why}Exception", f"{noun} with prefix '{prefix}': {why}")
    match change:
        case "Delete":
            return kept.pop(prefix)
        case "Create":
            kept[prefix] = given
        case _:
            kept[prefix] = kept[prefix] | {key: value for key, value in given.items() if key not in _IMMUTABLE}
    return kept[prefix]


def _listed(kept: Mapping[str, Json], given: Json, names: str) -> list[Json]:
    return [one for prefix, one in sorted(kept.items()) if prefix in given.get(names, kept)]


type _Call = Callable[[Registry, Json], Json | Refused]


def _on_template(change: str) -> _Call:
    return lambda registry, given: registry.template(change, given)


def _on_upstream(change: str) -> _Call:
    return lambda registry, given: registry.upstream(change, given)


_CHANGES = ("Create", "Update", "Delete")
_CALLS: Mapping[str, _Call] = {
    "PutRegistryPolicy": Registry.put_policy,
    "GetRegistryPolicy": Registry.get_policy,
    "DeleteRegistryPolicy": Registry.delete_policy,
    "GetAccountSetting": Registry.get_setting,
    "PutAccountSetting": Registry.put_setting,
    "DescribeRegistry": Registry.describe,
    "PutReplicationConfiguration": Registry.replicate,
    "DescribeRepositoryCreationTemplates": Registry.list_templates,
    "DescribePullThroughCacheRules": Registry.list_upstreams,
    **{f"{change}RepositoryCreationTemplate": _on_template(change) for change in _CHANGES},
    **{f"{change}PullThroughCacheRule": _on_upstream(change) for change in _CHANGES},
}


@dataclass(slots=True)
class Registries:
    """The registries of all accounts, each made when it is first asked for."""

    _kept: dict[tuple[str, str], Registry] = field(default_factory=dict)

    def of(self, account: str, region: str) -> Registry:
        """The registry of an account in a region."""
        return self._kept.setdefault((account, region), Registry(account))

    def answer(self, account: str, region: str, action: str, given: Mapping[str, Any]) -> Json | Refused | None:
        """The answer to a call; None for calls that are not on the registry itself."""
        call = _CALLS.get(action)
        return None if call is None else call(self.of(account, region), dict(given))

"""What an ECR registry holds beside its repositories: put, read back, changed, deleted; apart by account and region."""

from typing import Any

import pytest

from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.registries import SCOPE, Registries

HOME, REGION = "222222222222", "eu-central-1"


def answer(registries: Registries, action: str, region: str = REGION, **given: Any) -> Any:
    return registries.answer(HOME, region, action, given)


RULES: dict[str, Any] = {"rules": [{"destinations": [{"region": "us-east-1", "registryId": "999999999999"}]}]}
KINDS: dict[str, tuple[str, str, dict[str, Any], str, str]] = {
    # the noun of the calls: prefix's name, the list call, what is created, the list's name, what an update changes
    "RepositoryCreationTemplate": (
        "prefix",
        "DescribeRepositoryCreationTemplates",
        {"appliedFor": ["REPLICATION"]},
        "repositoryCreationTemplates",
        "repositoryPolicy",
    ),
    "PullThroughCacheRule": (
        "ecrRepositoryPrefix",
        "DescribePullThroughCacheRules",
        {"upstreamRegistryUrl": "registry-1.docker.io"},
        "pullThroughCacheRules",
        "credentialArn",
    ),
}


def test_other_calls_are_not_its_own() -> None:
    assert answer(Registries(), "SetRepositoryPolicy", repositoryName="app") is None


def test_a_registry_policy_is_kept_until_it_is_deleted() -> None:
    registries = Registries()
    absent = answer(registries, "GetRegistryPolicy")
    assert isinstance(absent, Refused)
    assert absent.code == "RegistryPolicyNotFoundException"
    put = answer(registries, "PutRegistryPolicy", policyText="{}")
    assert put == {"registryId": HOME, "policyText": "{}"} == answer(registries, "GetRegistryPolicy")
    assert isinstance(answer(registries, "GetRegistryPolicy", "us-east-1"), Refused)
    assert answer(registries, "DeleteRegistryPolicy") == put
    assert isinstance(answer(registries, "DeleteRegistryPolicy"), Refused)
    assert isinstance(answer(registries, "PutRegistryPolicy", policyText="{"), Refused)


def test_a_setting_has_its_default_until_it_is_set() -> None:
    registries = Registries()
    assert answer(registries, "GetAccountSetting", name=SCOPE) == {"name": SCOPE, "value": "V2"}
    assert answer(registries, "PutAccountSetting", name=SCOPE, value="V1")["value"] == "V1"
    assert answer(registries, "GetAccountSetting", name=SCOPE)["value"] == "V1"
    assert isinstance(answer(registries, "PutAccountSetting", name=SCOPE, value="V3"), Refused)
    assert isinstance(answer(registries, "GetAccountSetting", name="X"), Refused)


def test_replication_is_replaced_as_a_whole() -> None:
    registries = Registries()
    assert answer(registries, "DescribeRegistry")["replicationConfiguration"] == {"rules": []}
    answer(registries, "PutReplicationConfiguration", replicationConfiguration=RULES)
    assert answer(registries, "DescribeRegistry") == {"registryId": HOME, "replicationConfiguration": RULES}


@pytest.mark.parametrize("noun", KINDS)
def test_templates_and_rules_are_kept_by_their_prefix(noun: str) -> None:
    registries, (key, describe, made, name, changed) = Registries(), KINDS[noun]
    answer(registries, f"Create{noun}", **{key: "hub", **made})
    again = answer(registries, f"Create{noun}", **{key: "hub", **made})
    assert isinstance(again, Refused)
    assert again.code.endswith("AlreadyExistsException")
    answer(registries, f"Update{noun}", **{key: "hub", changed: "x"})
    [found] = answer(registries, describe)[name]
    assert (found[key], found[changed], *made) == ("hub", "x", *made.keys())
    answer(registries, f"Delete{noun}", **{key: "hub"})
    assert answer(registries, describe)[name] == []
    for change in ("Update", "Delete"):
        gone = answer(registries, f"{change}{noun}", **{key: "hub"})
        assert isinstance(gone, Refused)
        assert gone.code.endswith("NotFoundException")

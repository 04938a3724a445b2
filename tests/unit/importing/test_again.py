"""A spec that is enforced and imported again is the same spec."""

import json
import re
from typing import Any

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.address import AddressKind
from ecr_warden_cli.importing.effects import ImportEffect
from tests.unit.importing.imports import EVERYBODY, NOW, Json, enforced, imported

_HEAD = """\
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1, us-east-1]}
organizations: {acme: {id: o-a1b2c3d4e5}}
"""
SPECS = {
    "pulls and pushes": """\
repositories:
  - name: shop/app
    account: registry
    pull: [ci:user/bot, ci:role/k8s/node]
    push: [{role: shop-app-pusher, by: [ci:user/builder]}]
  - {name: shop/web, account: registry}
""",
    "wide pullers": """\
repositories:
  - name: shop/app
    account: registry
    regions: [us-east-1]
    pull:
      - {account: ci, upstream: true}
      - {service: codebuild.amazonaws.com, source: ci}
      - {service: lambda.amazonaws.com, source: "arn:aws:lambda:us-east-1:111111111111:function:a*"}
      - {organization: acme}
      - {by: [ci:user/bot], upstream: true}
""",
    "one role for two repositories, which pulls from both": """\
teams: {builders: [ci:user/builder, ci:user/bot]}
repositories:
  - {name: shop/app, account: registry, push: [{role: shop, by: [builders], pull: true}]}
  - {name: shop/web, account: registry, push: [shop]}
""",
    "pushes that end": """\
repositories:
  - name: shop/app
    account: registry
    push:
      - {role: shop, by: [ci:user/builder], until: "2027-03-31T18:00:00Z"}
      - {role: shop, by: [ci:user/bot]}
""",
    "permission sets": """\
repositories:
  - name: shop/app
    account: registry
    pull:
      - {sso: {permission_set: Developer, account: ci}}
      - {sso: {permission_set: Reader, account: registry}, upstream: true}
    push: [{role: shop, by: [ci:user/builder, {sso: {permission_set: Developer, account: ci}}]}]
""",
    "jobs of GitHub, by name and by ID": """\
repositories:
  - name: shop/app
    account: registry
    push:
      - role: shop
        by:
          - {github: acme/shop, owner_id: 12, repository_id: 345, branch: "release/*"}
          - {github: acme/other, environment: production}
          - {github: acme/other, tag: v1}
          - ci:user/builder
""",
    "jobs of more GitHub repositories than statements of their own have room for": """\
repositories:
  - name: shop/app
    account: registry
    push:
      - role: shop
        by:
          - {github: acme/a, owner_id: 12, repository_id: 900, branch: main}
          - {github: acme/a-b, owner_id: 12, repository_id: 34, branch: main}
          - {github: acme/b, owner_id: 12, repository_id: 7, branch: main}
          - {github: beta/b, owner_id: 13, repository_id: 8, branch: main}
          - {github: acme/e, branch: main}
          - ci:user/builder
""",
    "jobs of more GitHub repositories than have room, each for a tag and an environment": """\
repositories:
  - name: shop/app
    account: registry
    push:
      - role: shop
        by:
          - {github: acme/c, owner_id: 12, repository_id: 60, environment: production}
          - {github: acme/c, owner_id: 12, repository_id: 60, tag: "v*"}
          - {github: acme/d, owner_id: 12, repository_id: 50, environment: production}
          - {github: acme/d, owner_id: 12, repository_id: 50, tag: "v*"}
          - {github: acme/d-e, owner_id: 12, repository_id: 51, environment: production}
          - {github: acme/d-e, owner_id: 12, repository_id: 51, tag: "v*"}
          - {github: acme/f, owner_id: 12, repository_id: 52, environment: production}
""",
    "limits": """\
repositories:
  - name: shop/app
    account: registry
    pull:
      - {by: [ci:user/bot], until: "2027-03-31T18:00:00Z"}
      - {by: [ci:role/k8s/node], source_ip: ["203.0.113.0/24"], upstream: true}
      - {account: ci, source_ip: ["203.0.113.0/24"], until: "2027-03-31T18:00:00Z"}
      - {sso: {permission_set: Developer, account: ci}, until: "2027-03-31T18:00:00Z"}
    push: [{role: shop, by: [ci:user/builder], source_ip: ["203.0.113.0/24"], until: "2027-03-31T18:00:00Z"}]
""",
    "reads beside pulls": """\
repositories:
  - name: shop/app
    account: registry
    pull:
      - {by: [ci:user/bot], reads: [ecr:DescribeImages, ecr:ListImages]}
      - {by: [ci:role/k8s/node], reads: ["ecr:Describe*"], upstream: true}
      - {account: ci, source_ip: ["203.0.113.0/24"], reads: [ecr:BatchCheckLayerAvailability]}
      - {service: codebuild.amazonaws.com, source: ci, reads: [ecr:BatchCheckLayerAvailability]}
""",
    "statements beside grants": """\
repositories:
  - name: shop/app
    account: registry
    pull: [ci:user/bot, {account: ci, reads: [ecr:DescribeImages]}]
    foreign_statements: [lambda-image-retrieval]
    beside:
      Version: "2012-10-17"
      Statement:
        - {Effect: Allow, Principal: {AWS: "arn:aws:iam::111111111111:root"}, Action: "ecr:PutImage"}
        - Sid: team
          Effect: Deny
          Principal: "*"
          Action: "ecr:*"
          Condition: {StringNotEquals: {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}}
""",
    "an entry for each region": """\
repositories:
  - name: shop/app
    account: registry
    regions: [eu-central-1]
    pull: [ci:user/bot]
    push: [{role: shop, by: [ci:user/builder]}]
  - name: shop/app
    account: registry
    regions: [us-east-1]
    push: [shop]
  - {name: shop/web, account: registry, regions: [eu-central-1], push: [{role: web, by: [ci:user/builder]}]}
  - {name: shop/web, account: registry, regions: [us-east-1], pull: [ci:user/bot]}
""",
    "jobs of another issuer": """\
repositories:
  - name: shop/app
    account: registry
    push:
      - role: shop
        by: [{oidc: gitlab.com, audience: ecr, subject: "project_path:acme/shop:ref_type:branch:ref:*"}]
""",
    "one scope for the whole account, within it too": """\
repositories:
  - {name: shop/app, account: registry, pull: [ci:user/bot, registry:role/node], pull_scope: account}
  - {name: shop/web, account: registry, pull: [ci:user/bot], pull_scope: account}
""",
}


def _snapshot() -> Json:
    people = {"111111111111": ("user/bot", "user/builder", "role/k8s/node"), "222222222222": ("role/node",)}
    accounts: Json = {account: {"iam": {}} for account in people}
    for account, resources in people.items():
        for kind in ("User", "Role"):
            entries = [
                {"Arn": f"arn:aws:iam::{account}:{one}", f"{kind}Id": ""}
                for one in resources
                if one.startswith(kind.lower())
            ]
            accounts[account]["iam"][f"{kind}DetailList"] = entries
    accounts["222222222222"]["ecr"] = {
        region: {"repositories": [{"repositoryName": name, "policy": None} for name in ("shop/app", "shop/web")]}
        for region in ("eu-central-1", "us-east-1")
    }
    return {"schema": 1, "accounts": accounts}


def _pushers(loaded: Valid) -> set[Any]:
    """Who pushes where, and under which limits; an ID and a name of GitHub's are a pair."""
    return {
        (target, push.role, push.limits, pusher)
        for repository in loaded.spec.repositories
        for target in repository.targets
        for push in repository.push
        for pusher in push.by
    }


def _documents(loaded: Valid) -> dict[str, Any]:
    return {key: (spec.documents, spec.extent) for key, spec in loaded.compiled.targets.items()}


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_that_is_in_force_is_imported_as_it_is(name: str) -> None:
    loaded = load_spec((_HEAD + SPECS[name]).encode(), now=NOW)
    assert isinstance(loaded, Valid)
    again = imported(enforced(_snapshot(), loaded.compiled), ours=EVERYBODY)
    assert {one.effect for one in again.outcomes} == {ImportEffect.EQUAL}
    assert _documents(again.loaded).items() >= _documents(loaded).items()
    assert _pushers(again.loaded) == _pushers(loaded)
    beyond = _documents(again.loaded).keys() - _documents(loaded).keys()
    assert all(key.startswith("repository/") for key in beyond)
    assert not again.left_out


@pytest.mark.parametrize("name", [name for name in SPECS if "GitHub" in name])
def test_what_an_earlier_release_wrote_without_the_name_of_an_owner_is_imported_with_it(name: str) -> None:
    loaded = load_spec((_HEAD + SPECS[name]).encode(), now=NOW)
    assert isinstance(loaded, Valid)
    text = json.dumps(enforced(_snapshot(), loaded.compiled))
    earlier = re.sub("repo:(acme@12|beta@13)/", lambda found: f"repo:*@{found[1][5:]}/", text)
    assert earlier != text
    again = imported(json.loads(earlier), ours=EVERYBODY)
    # It says of the trust policy that it gives less.
    changed = [(one.address.kind, one.gained) for one in again.outcomes if one.effect is not ImportEffect.EQUAL]
    assert changed == [(AddressKind.TRUST_POLICY, ())]
    assert _pushers(again.loaded) == _pushers(loaded)
    assert not again.left_out


def test_a_policy_that_does_not_say_which_repository_has_which_id_has_a_comment() -> None:
    doubtful = "doubtful: the trust policy of shop does not say which"
    for name, spec in SPECS.items():
        loaded = load_spec((_HEAD + spec).encode(), now=NOW)
        assert isinstance(loaded, Valid)
        assert (doubtful in imported(enforced(_snapshot(), loaded.compiled), ours=EVERYBODY).text) is ("room" in name)

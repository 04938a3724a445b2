"""`ecr-warden render`."""

import json

import pytest

from ecr_warden.core.address import Address
from ecr_warden.core.codec.values import read, value_from_json
from local.testing.seed import ACCEPTED, SPEC_FILE
from tests.cli.command import Command, Ran
from tests.template.cfn import ROOT

NOBODY_PULLS = b"""\
version: 1
accounts: {registry: {id: "222222222222", regions: [eu-central-1]}}
repositories: [{name: shop/checkout, account: registry}]
"""


def headings(ran: Ran) -> list[str]:
    return [line.removeprefix("# ") for line in ran.out.splitlines() if line.startswith("# ")]


def test_each_address_has_a_heading_and_its_document(command: Command) -> None:
    ran = command("render", str(SPEC_FILE))
    assert ran.code == 0
    addresses = [str(address) for spec in ACCEPTED.targets.values() for address in spec.documents]
    assert [heading for heading in headings(ran) if heading in addresses] == addresses
    trust = ran.out.split("# trust-policy role/222222222222/ecr-pusher\n")[1].split("\n\n")[0]
    assert json.loads(trust)["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111111111111:user/push-user"}


def test_exclusiveness_and_waiting_policies_are_noted(command: Command) -> None:
    said = headings(command("render", str(SPEC_FILE)))
    assert "role/222222222222/ecr-pusher: no other inline or attached policy" in said
    assert "user/111111111111/push-user: no other inline policy named ecr-warden-*" in said
    assert "written once registry:role/ecr-pusher is as the spec says" in said


def test_a_repository_without_pullers_must_have_no_policy(command: Command) -> None:
    ran = command("render", "-", stdin=NOBODY_PULLS)
    assert ran.out == "# repository-policy repository/222222222222/eu-central-1/shop/checkout\nmust not exist\n\n"


def test_only_selects_the_addresses_that_contain_a_text_ignoring_case(command: Command) -> None:
    ran = command("render", str(SPEC_FILE), "--only", "PULL-user-2")
    assert headings(ran) == [
        "identity-policy user/111111111111/pull-user-2 ecr-warden-pull",
        "user/111111111111/pull-user-2: no other inline policy named ecr-warden-*",
    ]


NOWHERE = {
    "a misspelt user": (
        "pull-usr-1",
        "did you mean pull-user-1 or pull-user-2 or push-user? leave --only out to see all 7",
    ),
    "a misspelt kind": ("trustpolicy", "did you mean trust-policy or "),
    "nothing similar": ("xyz", "; leave --only out to see all 7"),
    "an escape sequence": ("\x1b[31m", 'contains "\\x1b[31m"; leave --only out'),
}


@pytest.mark.parametrize("case", NOWHERE)
def test_only_with_an_unknown_text_is_an_error_with_suggestions(command: Command, case: str) -> None:
    text, words = NOWHERE[case]
    ran = command("render", str(SPEC_FILE), "--only", text)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err
    as_json = command("render", str(SPEC_FILE), "--only", text, "--json")
    assert (as_json.code, as_json.json["error"]["code"]) == (1, "no-such-address")


def test_json_has_the_codecs_form(command: Command) -> None:
    answer = command("render", str(SPEC_FILE), "--json").json
    shown = {read(entry["address"], Address): value_from_json(entry["value"]) for entry in answer["documents"]}
    assert shown == {address: value for spec in ACCEPTED.targets.values() for address, value in spec.documents.items()}
    assert (answer["schema"], answer["mode"], answer["specVersion"][:7]) == (1, "enforce", "sha256:")


def test_a_spec_without_documents_renders_as_nothing(command: Command) -> None:
    spec = b'version: 1\naccounts: {ci: {id: "111111111111"}}\nrepositories: []\n'
    assert command("validate", "-", stdin=spec).code == 0
    assert (command("render", "-", stdin=spec).code, command("render", "-", "--only", "x", stdin=spec).code) == (0, 1)


def test_only_applies_to_json(command: Command) -> None:
    (entry,) = command("render", str(SPEC_FILE), "--json", "--only", "trust-policy").json["documents"]
    assert entry["address"] == {"kind": "trust-policy", "target": "role/222222222222/ecr-pusher"}


PATTERN = b"""\
version: 1
accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}
repositories: [{name: shop/*, except: [shop/secret], account: registry, pull: [ci:user/anna]}]
"""
SHOP = "repository/222222222222/eu-central-1/shop/*"


def test_a_pattern_renders_as_the_policy_of_each_matching_repository(command: Command) -> None:
    ran = command("render", "-", stdin=PATTERN)
    assert headings(ran)[:2] == [
        f"repository-policy {SHOP}",
        "for every repository that matches except shop/secret, now or later",
    ]
    assert '"AWS": "arn:aws:iam::111111111111:user/anna"' in ran.out.split("\n\n")[0]
    [entry] = command("render", "-", "--json", stdin=PATTERN).json["patterns"]
    assert (entry["pattern"], entry["except"], list(entry["value"])) == (SHOP, ["shop/secret"], ["document"])
    assert command("render", "-", "--json", "--only", "anna", stdin=PATTERN).json["patterns"] == []
    only = command("render", "-", "--json", "--only", "SHOP/", stdin=PATTERN).json
    assert (len(only["patterns"]), only["documents"]) == (1, [])


def test_literal_documents_render_too(command: Command) -> None:
    ran = command("render", str(ROOT / "examples" / "seed" / "literal.yaml"))
    assert ran.code == 0
    assert "trust-policy role/222222222222/ecr-pusher" in headings(ran)
    of_ours = "no other inline policy named ecr-warden-*"
    assert [line for line in ran.out.splitlines() if "no other" in line] == [
        f"# role/222222222222/ecr-pusher: {of_ours}",
        f"# user/111111111111/push-user: {of_ours}",
    ]


FEDERATED = b"""\
version: 1
accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}
repositories:
  - name: shop/checkout
    account: registry
    pull: [{sso: {permission_set: Developer, account: ci}}]
    push: [{role: pusher, by: [{github: acme/shop, owner_id: 1, repository_id: 2, branch: main}]}]
"""
PROVIDER = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"


def test_what_only_others_can_provide_is_shown_and_marked(command: Command) -> None:
    said = headings(command("render", "-", stdin=FEDERATED))
    at = said.index("inline policy of the permission set Developer in 111111111111")
    assert said[at + 1] == "not written by ecr-warden: add it to the permission set or the pods' role"
    assert said[-1] == f"needed, and not created by ecr-warden: {PROVIDER}"
    assert headings(command("render", "-", "--only", "permission set", stdin=FEDERATED)) == said[at : at + 2]


def test_what_only_others_can_provide_is_in_the_json(command: Command) -> None:
    answer = json.loads(command("render", "-", "--json", stdin=FEDERATED).out)
    assert answer["identityProviders"] == [PROVIDER]
    [by_hand] = answer["byHand"]
    assert by_hand["policy"] == "inline policy of the permission set Developer in 111111111111"
    statements = by_hand["value"]["document"]["Statement"]
    assert [statement["Sid"] for statement in statements] == ["AllowLogin", "AllowPull"]


def test_what_is_only_observed_is_marked(command: Command) -> None:
    said = command("render", str(ROOT / "examples" / "rollout" / "access.yaml")).out
    checkout, basket = (said.split(f"shop/{name}\n")[1].split("\n")[0] for name in ("checkout", "basket"))
    assert checkout == "{"
    assert basket == "# mode: observe: reported, never written"
    both = said.split("# with the grants in mode observe, which are reported and never written:\n")
    assert ("shop/basket" in both[0].split("ecr-warden-pull\n")[1], "shop/basket" in both[1]) == (False, True)

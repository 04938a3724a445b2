"""examples/: they are valid, and the literal form is the text that the project started from."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.address import Address, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.desired import Mode
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from iam_access.document.document import Document
from tests.unit.access_spec.cases import CASES, NOW

EXAMPLES = Path(__file__).parents[3] / "examples"
CHECKOUT = RepositoryTarget("222222222222", "eu-central-1", "shop/checkout")
PUSHER = RoleTarget("222222222222", "ecr-pusher")
PUSH_USER = UserTarget("111111111111", "push-user")

# The text puts the users into accountb-id, but they are in account A.
PLACEHOLDERS = {
    "accountb-id": "111111111111",
    "AccountA-ID": "111111111111",
    "AccountB-ID": "222222222222",
    "Username": "push-user",
    "RoleName": "ecr-pusher",
}


def example(name: str) -> Valid:
    loaded = load_spec((EXAMPLES / name).read_bytes(), now=NOW)
    assert isinstance(loaded, Valid), loaded
    return loaded


def seed_documents() -> list[object]:
    text = (CASES / "seed.txt").read_text(encoding="utf-8")
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    # JSON has no comments, and the text has one.
    return [json.loads(re.sub(r" # or the specific ARN.*", "", block)) for block in blocks]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.name)
def test_example_is_valid(path: Path) -> None:
    example(str(path.relative_to(EXAMPLES)))


def test_literal_form_is_exactly_the_four_documents_of_the_text() -> None:
    addresses = (
        repository_policy(CHECKOUT),
        trust_policy(PUSHER),
        identity_policy(PUSHER, "push"),
        identity_policy(PUSH_USER, "assume-pusher"),
    )
    documents: dict[Address, object] = {}
    for entry in example("seed/literal.yaml").compiled.targets.values():
        for address, value in entry.documents.items():
            assert isinstance(value, Document)
            documents[address] = json.loads(value.text)
    assert documents == dict(zip(addresses, seed_documents(), strict=True))


def test_literal_form_warns_about_the_login_that_a_repository_policy_cannot_give() -> None:
    warnings = example("seed/literal.yaml").warnings
    line = (EXAMPLES / "seed/literal.yaml").read_text(encoding="utf-8").split("\n")[warnings[0].line - 1]
    assert [warning.code for warning in warnings] == ["W501"]
    assert line.strip().startswith("- ecr:GetAuthorizationToken")


def test_grants_form_makes_five_kinds_of_documents_without_a_warning() -> None:
    assert example("seed/access.yaml").warnings == ()
    spec = example("seed/access.yaml").compiled
    assert spec.mode is Mode.ENFORCE
    assert {address for entry in spec.targets.values() for address in entry.documents} == {
        repository_policy(CHECKOUT),
        role(PUSHER),
        trust_policy(PUSHER),
        identity_policy(PUSHER, "ecr-warden-push"),
        identity_policy(PUSH_USER, "ecr-warden-assume"),
        identity_policy(UserTarget("111111111111", "pull-user-1"), "ecr-warden-pull"),
        identity_policy(UserTarget("111111111111", "pull-user-2"), "ecr-warden-pull"),
    }


@pytest.mark.parametrize("day", ["2099-03-31", '"2099-03-31"'])
def test_an_end_that_is_a_day_is_through_its_end(day: str) -> None:
    text = (
        'version: 1\naccounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}\n'
        f"repositories: [{{name: shop, account: registry, pull: [{{by: [ci:user/anna], until: {day}}}]}}]\n"
    )
    loaded = load_spec(text.encode(), now=datetime(2099, 3, 31, 23, 59, tzinfo=UTC))
    assert isinstance(loaded, Valid), loaded
    assert [(end.until, *loaded.warnings) for end in loaded.compiled.ends] == [(datetime(2099, 4, 1, tzinfo=UTC),)]

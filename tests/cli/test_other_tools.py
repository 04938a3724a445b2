"""The tools that tags name, and what `plan` says of documents that ecr-warden would write over theirs."""

from itertools import takewhile

import pytest

from ecr_warden.core.address import Address, AddressKind, identity_policy, repository_policy, trust_policy
from ecr_warden.core.failures import PermissionMissing
from ecr_warden.notify.writers import Tool
from ecr_warden_cli.other_tools import Mark, claim_on, mark_of
from local.testing.seed import (
    CHECKOUT,
    CI,
    D5,
    PULL_USERS,
    PUSH_USER,
    PUSHER,
    SPEC_FILE,
    repository_document,
    trust_document,
)
from tests.cli.command import Command
from tests.contracts.worlds import MemoryWorld, make_in_sync

STACK = "aws:cloudformation:stack-name"
NAMED: dict[str, tuple[dict[str, str], Tool, str]] = {
    "a stack": ({STACK: "shop", "team": "shop"}, Tool.CLOUDFORMATION, f"{STACK}=shop"),
    "a stack, whatever else is said": ({STACK: "shop", "ManagedBy": "Terraform"}, Tool.CLOUDFORMATION, f"{STACK}=shop"),
    "an ACK controller": (
        {"services.k8s.aws/controller-version": "ecr-1.0.18", "services.k8s.aws/namespace": "shop"},
        Tool.ACK,
        "services.k8s.aws/controller-version=ecr-1.0.18",
    ),
    "an ACK controller whose version was left out": (
        {"services.k8s.aws/namespace": "shop"},
        Tool.ACK,
        "services.k8s.aws/namespace=shop",
    ),
    "ACK as a capability of EKS": (
        {"eks:kubernetes-api-group": "ecr.services.k8s.aws"},
        Tool.ACK,
        "eks:kubernetes-api-group=ecr.services.k8s.aws",
    ),
    "ManagedBy": ({"ManagedBy": "Terraform"}, Tool.TERRAFORM, "ManagedBy=Terraform"),
    "managed-by": ({"managed-by": "terraform-cloud"}, Tool.TERRAFORM, "managed-by=terraform-cloud"),
    "a prefix": ({"acme:managed_by": "OpenTofu 1.9"}, Tool.TERRAFORM, "acme:managed_by=OpenTofu 1.9"),
    "Kubernetes' own": (
        {"app.kubernetes.io/managed-by": "Pulumi"},
        Tool.PULUMI,
        "app.kubernetes.io/managed-by=Pulumi",
    ),
    "the CDK by convention": ({"CreatedBy": "AWS CDK"}, Tool.CDK, "CreatedBy=AWS CDK"),
    "the tool as the key": ({"Terraform": "true"}, Tool.TERRAFORM, "Terraform=true"),
    "the tool as a prefix": ({"pulumi:project": "registry"}, Tool.PULUMI, "pulumi:project=registry"),
    "two, the first by key": ({"managed-by": "pulumi", "iac": "terraform"}, Tool.TERRAFORM, "iac=terraform"),
    "control characters": (
        {"ManagedBy": "terraform \x1b[2J\u202e\n" + "x" * 5000},
        Tool.TERRAFORM,
        "ManagedBy=terraform \\x1b[2J\\u202e\\n",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_tag_names_a_tool(name: str) -> None:
    tags, tool, shown = NAMED[name]
    mark = mark_of(tags)
    assert mark is not None
    assert mark.tool is tool
    assert mark.tag.startswith(shown)
    assert len(mark.tag) < 200
    assert mark.tag.isprintable()


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"team": "terraform", "Name": "cdk"},
        {"ManagedBy": "platform-team", "owner": "pulumi"},
        {"ManagedBy": "terraformers anonymous"},
        {"Terraform": "false", "pulumi": "no", "opentofu": ""},
        {"terraform-exempt": "true"},
        {"eks:kubernetes-api-group": "apps"},
        {"aws:cloudformation:logical-id": "Repository"},
        {"ecr-warden": "managed", "ManagedBy": "Terraform"},
        {"ecr-warden": "managed", STACK: "ecr-warden-member"},
    ],
    ids=str,
)
def test_other_tags_and_those_of_our_own_roles_name_none(tags: dict[str, str]) -> None:
    assert mark_of(tags) is None


@pytest.mark.parametrize("tool", [Tool.TERRAFORM, Tool.PULUMI, Tool.CLOUDFORMATION, Tool.CDK, Tool.ACK])
@pytest.mark.parametrize(
    "address",
    [
        repository_policy(CHECKOUT),
        trust_policy(PUSHER),
        Address(AddressKind.ROLE, PUSHER),
        identity_policy(PUSHER, "x"),
        identity_policy(PUSH_USER, "x"),
    ],
    ids=lambda address: f"{address.kind} of {address.target}",
)
def test_of_every_document_it_says_what_happens_and_what_to_change(tool: Tool, address: Address) -> None:
    happens, *remedies = claim_on(address, Mark(tool, "k=v")).says
    assert "version" in happens
    assert remedies
    assert all(len(line) < 200 for line in (happens, *remedies))


# What `plan` says


def of_tools(out: str) -> list[str]:
    """The lines on other tools: after the targets, before the write scope and the totals."""
    lines = out.splitlines()
    start = next((number for number, line in enumerate(lines) if "may undo this" in line), None)
    after = [] if start is None else lines[start:-1]
    return [*takewhile(lambda line: not line.startswith("account "), after)]


def test_a_policy_that_would_be_replaced_where_a_stack_made_the_repository(
    world: MemoryWorld, command: Command
) -> None:
    make_in_sync(world)
    world.tag(CHECKOUT, STACK, "shop")
    assert "CloudFormation" not in command("plan", str(SPEC_FILE)).out
    world.put(repository_policy(CHECKOUT), repository_document("mallory"))
    ran = command("plan", str(SPEC_FILE))
    assert of_tools(ran.out) == [
        f"CloudFormation may undo this, by the tags ({STACK}=shop): repository policy of {CHECKOUT}",
        "  its version comes back when an update of the stack changes it or drift is reverted, if there is one",
        "  In CloudFormation: remove RepositoryPolicyText from the AWS::ECR::Repository.",
        "  else there is nothing to do (docs/beside-other-tools.md#what-tags-say)",
    ]
    assert (ran.code, ran.err) == (2, "")
    answer = command("plan", str(SPEC_FILE), "--json").json
    assert [(one["tool"], one["tag"], one["address"]["kind"]) for one in answer["otherTools"]] == [
        ("CloudFormation", f"{STACK}=shop", "repository-policy")
    ]


def test_a_first_policy_is_undone_by_no_stack_and_a_first_inline_policy_by_the_others(
    world: MemoryWorld, command: Command
) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    world.remove(D5)
    for target in (CHECKOUT, PULL_USERS[0]):
        world.tag(target, STACK, "shop")
    assert of_tools(command("plan", str(SPEC_FILE)).out) == []
    for tool, what in (("Terraform", "the next apply"), ("Pulumi", "the next update"), ("ACK", "the controller")):
        world.documents.others_tags = {target: {"managed-by": tool} for target in (CHECKOUT, PULL_USERS[0])}
        lines = of_tools(command("plan", str(SPEC_FILE)).out)
        assert lines[0].endswith(f"(managed-by={tool}): inline policy ecr-warden-pull of {PULL_USERS[0]}"), tool
        assert lines[1].startswith(f"  {what} deletes it, if all inline policies"), tool
        assert lines[2].startswith("  In "), tool


def test_the_documents_of_one_tool_are_named_together_and_counted(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    for user in PULL_USERS:
        world.remove(identity_policy(user, D5.name))
        world.tag(user, "Terraform", "true")
    lines = of_tools(command("plan", str(SPEC_FILE)).out)
    assert [line for line in lines if "may undo" in line] == [
        "Terraform may undo this, by the tags (Terraform=true): "
        + ", ".join(f"inline policy ecr-warden-pull of {user}" for user in PULL_USERS)
    ]


def test_our_own_push_role_is_ours_whatever_its_tags_say(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.tag(PUSHER, "ManagedBy", "Terraform")
    world.put(trust_policy(PUSHER), trust_document("mallory"))
    assert of_tools(command("plan", str(SPEC_FILE)).out) == []


def test_tags_that_cannot_be_read_are_unknown_and_fail_nothing(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.put(repository_policy(CHECKOUT), repository_document("mallory"))
    world.documents.tags_denied = PermissionMissing("AWS denied ecr:ListTagsForResource", remedy="allow it")
    ran = command("plan", str(SPEC_FILE))
    assert (ran.code, ran.err) == (2, "")
    assert (
        "whether another tool writes 1 target too is unknown: the tags were not read (permission-missing)\n"
        "  it takes ecr:ListTagsForResource\n"
    ) in ran.out
    assert command("plan", str(SPEC_FILE), "--json").json["tagsUnread"] == {str(CHECKOUT): "permission-missing"}


def test_a_role_that_does_not_exist_yet_is_not_asked_for_its_tags(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.remove_owner(PUSHER)
    ran = command("plan", str(SPEC_FILE))
    assert "create role" in ran.out
    assert "another tool" not in ran.out


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        (("snapshot", "--spec", str(SPEC_FILE)), True),
        (("import", "--profile", "ci=a", "--region", "eu-central-1"), True),
        (("who-can", "push", "shop/checkout", "--spec", str(SPEC_FILE)), False),
        (("plan", "--short", str(SPEC_FILE)), False),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_tags_are_read_only_for_those_who_use_them(
    world: MemoryWorld, command: Command, argv: tuple[str, ...], wanted: bool
) -> None:
    make_in_sync(world)
    command.entries, command.accounts = {CI: {"iam": {}}}, {"a": (CI, "eu-central-1")}
    command.all_tags = not wanted
    command(*argv)
    assert command.all_tags is wanted

"""`ecr-warden plan`, on the memory adapter."""

import json
from collections.abc import Callable
from copy import replace
from typing import Any

import pytest

from ecr_warden.core.address import attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.observed import Unparseable
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.hub.plan import plan_spec
from ecr_warden.repair.scope_gap import ScopeGap
from ecr_warden_cli.hub.plan_text import write_scope_lines
from local.testing.memory.estate import LiveEstateReader
from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CI,
    HOME,
    PULL_USERS,
    PUSHER,
    SETTINGS,
    SPEC_FILE,
    identity_document,
    trust_document,
)
from tests.cli.command import HERE, Command, as_people
from tests.contracts.worlds import MemoryWorld, make_in_sync, make_targets
from tests.plans import plan_from_json

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
MALLORY = "arn:aws:iam::111111111111:user/mallory"
USERS = [f"arn:aws:iam::111111111111:user/{name}" for name in ("pull-user-1", "pull-user-2", "push-user")]


@pytest.fixture
def command(command: Command) -> Command:
    """The command over the world as it is."""
    return replace(command, entries=None)


def test_nothing_to_do_is_one_line_and_exits_0(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    ran = command("plan", str(SPEC_FILE), *HERE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "5 targets: 5 ok, 0 differ, 0 unreadable; 0 to write, 0 held\n"


def test_drift_is_shown_with_its_effect_on_access_and_the_writes_in_order(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.put(trust_policy(PUSHER), trust_document("mallory"))
    world.attach(attached_policy(PUSHER, ADMIN))
    ran = command("plan", str(SPEC_FILE), *HERE)
    assert ran.code == 2
    assert ran.out.splitlines() == [
        "registry:role/ecr-pusher",
        f"  attached policy {ADMIN}: not in the spec",
        f"  trust policy: changed: statement 1: principal {as_people(MALLORY)} only in the live document",
        as_people(f"    {MALLORY} will lose the right to assume registry:role/ecr-pusher (sts:AssumeRole)"),
        "    ci:user/push-user will gain the right to assume registry:role/ecr-pusher (sts:AssumeRole and 2 more)",
        "  would write, in this order:",
        f"    1. delete attached policy {ADMIN}",
        "    2. update trust policy (gives and takes access)",
        "    3. create inline policy ecr-warden-deny-older-sessions: denies sessions issued before the repair "
        "(takes access away)",
        "",
        "ci:user/push-user gains push to shop/checkout through registry:role/ecr-warden/ecr-pusher",
        as_people(f"{MALLORY} loses push to shop/checkout through registry:role/ecr-warden/ecr-pusher"),
        f"registry:role/ecr-pusher: attached policy {ADMIN}: not in the spec",
        "1 gain (1 principal, 1 repository), 1 loss (1 principal, 1 repository), 1 other loss",
        "account ci (111111111111): there is no member stack to cover 3 of the users and roles in the spec:",
        *(as_people(f"  {user}") for user in USERS),
        "  add to the account in ecr-warden.yaml, then ecr-warden deploy, then ecr-warden reconcile:",
        f"    owners: [{', '.join(user.split(':')[5] for user in USERS)}]",
        "5 targets: 4 ok, 1 differs, 0 unreadable; 3 to write, 0 held",
    ]


def test_of_some_targets_the_documents_alone_are_spoken_of_once_and_only_where_they_differ(
    world: MemoryWorld, command: Command
) -> None:
    words = "whatever other policies give"
    make_in_sync(world)
    assert words not in command("plan", str(SPEC_FILE), *HERE, "--target", "*").out
    world.put(trust_policy(PUSHER), trust_document("mallory"))
    world.remove(repository_policy(CHECKOUT))
    assert command("plan", str(SPEC_FILE), *HERE, "--target", "*").out.count(words) == 1
    assert words not in command("plan", str(SPEC_FILE), *HERE).out


def test_held_changes_are_shown_with_the_reason(world: MemoryWorld, command: Command) -> None:
    make_targets(world)
    ran = command("plan", str(SPEC_FILE), *HERE)
    assert ran.code == 2
    assert "  held: inline policy ecr-warden-assume: waits until registry:role/ecr-pusher is" in ran.out
    assert "    1. create role, with its trust policy (gives access)\n" in ran.out
    assert ran.last_line == "5 targets: 0 ok, 5 differ, 0 unreadable; 5 to write, 1 held"


def test_an_unreadable_target_is_an_error_and_drift_is_still_shown(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    world.close(CI)
    ran = command("plan", str(SPEC_FILE), *HERE)
    assert ran.code == 1
    assert "  repository policy: missing\n" in ran.out
    assert f"  state unknown, cannot be read (inline policy ecr-warden-*): no way into ci ({CI}); open it\n" in ran.out
    assert (
        "  state unknown, cannot be read (inline policy ecr-warden-*, inline policy ecr-warden-assume): "
        "for the same reason as ci:user/*\n"
    ) in ran.out
    assert ran.out.count(f"): no way into ci ({CI}); open it") == 1
    assert ran.last_line == "6 targets: 1 ok, 1 differs, 4 unreadable; 1 to write, 0 held"


def test_a_spec_in_observe_mode_is_planned_with_a_note(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    observing = SPEC_FILE.read_bytes().replace(b"enforce", b"observe")
    ran = command("plan", "-", *HERE, stdin=observing)
    assert ran.code == 2
    assert "    1. create repository policy (gives access)\n" in ran.out
    assert "the spec says mode: observe, so ecr-warden reports this and writes nothing\n" in ran.out
    assert "mode: observe" not in command("plan", str(SPEC_FILE), *HERE).out


def test_json_has_the_codecs_plan_of_every_target(world: MemoryWorld, command: Command) -> None:
    make_targets(world)
    ran = command("plan", str(SPEC_FILE), *HERE, "--json")
    answer = ran.json
    plans = [plan_from_json(entry) for entry in answer["plans"]]
    expected = list(plan_spec(ACCEPTED, LiveEstateReader(world.documents).live, command.clock)[0])
    assert [(plan.target, plan.drifts, plan.changes, plan.held) for plan in plans] == [
        (plan.target, plan.drifts, plan.changes, plan.held) for plan in expected
    ]
    assert {plan.spec_version for plan in plans} == {answer["specVersion"]}
    assert (ran.code, answer["schema"], answer["mode"]) == (2, 1, "enforce")
    assert answer["summary"] == {"targets": 5, "ok": 0, "differs": 5, "unreadable": 0, "changes": 5, "held": 1}


def test_document_text_reaches_the_terminal_escaped(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    evil = json.dumps({"\x1b]0;owned\x07\u202e\n": 1})
    world.documents.live[repository_policy(CHECKOUT)] = Unparseable("", evil, "d")
    for verb, *options in (("plan",), ("plan", "--json"), ("check",), ("check", "--json")):
        ran = command(verb, str(SPEC_FILE), *HERE, *options)
        assert ran.code == 2
        assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)
    assert "\\x1b]0;owned\\x07\\u202e\\n" in command("plan", str(SPEC_FILE), *HERE).out


def _snapshot(command: Command) -> dict[str, Any]:
    """A snapshot of the world's accounts, with tags."""
    snapshot: dict[str, Any] = replace(command, entries=None)("snapshot", "--spec", str(SPEC_FILE)).json
    return snapshot


@pytest.mark.parametrize("verb", ["plan", "check"])
def test_a_snapshot_is_planned_like_the_accounts_of_which_it_is(
    world: MemoryWorld, command: Command, verb: str
) -> None:
    make_in_sync(world)
    world.put(trust_policy(PUSHER), trust_document("mallory"))
    live = replace(command, entries=None)(verb, str(SPEC_FILE), *HERE)
    given = json.dumps(_snapshot(command)).encode()
    ran = Command(clock=command.clock)(verb, str(SPEC_FILE), "--snapshot", "-", stdin=given)
    assert (ran.code, ran.out, ran.err) == (live.code, live.out, "")


_PUSHER = f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher"
LACKING: dict[str, tuple[Callable[[dict[str, Any]], object], list[str]]] = {
    "an account": (
        lambda accounts: accounts.pop(CI),
        [
            f"user/{CI}/*: {CI}: it was not read",
            *(
                f"user/{CI}/{name}: for the same reason as user/{CI}/*"
                for name in ("pull-user-1", "pull-user-2", "push-user")
            ),
        ],
    ),
    "a region": (
        lambda accounts: accounts[HOME]["ecr"].clear(),
        [f"{CHECKOUT}: {HOME}/{CHECKOUT.region}: it was not read"],
    ),
    "a list of repositories": (
        lambda accounts: accounts[HOME]["ecr"][CHECKOUT.region].pop("repositories"),
        [f"{CHECKOUT}: {HOME}/{CHECKOUT.region}: its repositories were not listed"],
    ),
    "a policy": (
        lambda accounts: accounts[HOME].update(
            ecr={CHECKOUT.region: {"repositories": [{"repositoryName": CHECKOUT.name}]}},
            unread=[{"what": "ecr:GetRepositoryPolicy", "region": CHECKOUT.region, "code": "access-denied"}],
        ),
        [f"{CHECKOUT}: access-denied"],
    ),
    "a policy that nobody asked for": (
        lambda accounts: accounts[HOME]["ecr"][CHECKOUT.region]["repositories"][0].pop("policy"),
        [f"{CHECKOUT}: not in the snapshot"],
    ),
    "a list of roles": (
        lambda accounts: accounts[HOME]["iam"].pop("RoleDetailList"),
        [
            f"user/{HOME}/*: {HOME}: its users and roles were not listed",
            f"{PUSHER}: for the same reason as user/{HOME}/*",
        ],
    ),
    "the inline policies of a role": (
        lambda accounts: accounts[HOME]["iam"]["RoleDetailList"][0].pop("RolePolicyList"),
        [f"{PUSHER}: {_PUSHER}: RolePolicyList of {_PUSHER} was not read"],
    ),
    "the attached policies of a role": (
        lambda accounts: accounts[HOME]["iam"]["RoleDetailList"][0].update(AttachedManagedPolicies=None),
        [f"{PUSHER}: {_PUSHER}: AttachedManagedPolicies of {_PUSHER} was not read"],
    ),
    "a trust policy": (
        lambda accounts: accounts[HOME]["iam"]["RoleDetailList"][0].pop("AssumeRolePolicyDocument"),
        [f"{PUSHER}: not in the snapshot"],
    ),
    "how long sessions last": (
        lambda accounts: accounts[HOME]["iam"]["RoleDetailList"][0].pop("MaxSessionDuration"),
        [f"{PUSHER}: {_PUSHER}: how long its sessions last was not read"],
    ),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_a_snapshot_lacks_is_unreadable_by_name_and_never_in_order(
    world: MemoryWorld, command: Command, name: str
) -> None:
    remove, unreadable = LACKING[name]
    make_in_sync(world)
    snapshot = _snapshot(command)
    remove(snapshot["accounts"])
    ran = Command()("check", str(SPEC_FILE), "--snapshot", "-", stdin=json.dumps(snapshot).encode())
    found = [line for line in ran.out.splitlines() if line.startswith("unreadable ")]
    assert sorted(found) == sorted(as_people(f"unreadable  {line}") for line in unreadable)
    assert ran.code == 1


def test_the_version_depends_on_the_files_bytes_only(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    by_path, by_stdin = (
        command("plan", str(SPEC_FILE), *HERE, "--json"),
        command("plan", "-", *HERE, "--json", stdin=SPEC_FILE.read_bytes()),
    )
    assert by_path.json == by_stdin.json
    other = command("plan", "-", *HERE, "--json", stdin=SPEC_FILE.read_bytes() + b"\n").json
    assert other["specVersion"] != by_path.json["specVersion"]


def test_profiles_are_given_by_alias_or_account_id(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    command("plan", str(SPEC_FILE), "--profile", "ci=a", "--profile", f"{HOME}=b=c")
    assert command.profiles == {CI: "a", HOME: "b=c"}


def test_gaps_of_the_write_scope_are_shown_even_without_drift(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.documents.lists[CI] = {"ManagedOwners": (USERS[2],), "ManagedOwners2": (f"arn:aws:iam::{CI}:user/ci/*",)}
    world.documents.paths[PULL_USERS[1]] = "/ci/"
    ran = command("plan", str(SPEC_FILE), *HERE)
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"account ci ({CI}): its member stack does not cover 1 of the users and roles in the spec:",
        as_people(f"  {USERS[0]}"),
        "  add to the account in ecr-warden.yaml, then ecr-warden deploy, then ecr-warden reconcile:",
        f"    owners: [{USERS[0].split(':')[5]}]",
        "5 targets: 5 ok, 0 differ, 0 unreadable; 0 to write, 0 held",
    ]
    [ci] = [gap for gap in command("plan", str(SPEC_FILE), *HERE, "--json").json["writeScope"] if gap["account"] == CI]
    assert ci == {
        "kind": "gap",
        "account": CI,
        "memberStack": True,
        "uncovered": [USERS[0]],
        "parameters": {"ManagedOwners": f"{USERS[2]},{USERS[0]}"},
        "withoutRoom": [],
    }


def test_each_gap_says_which_entry_of_the_account_closes_it() -> None:
    user, role, more = (f"arn:aws:iam::{CI}:{name}" for name in ("user/ci/anna", "role/legacy", "user/more"))
    parameters = {"ManagedOwners": user, "ManagedRoles": role, "Writes": "identities"}
    [_, *lines] = write_scope_lines([ScopeGap(CI, True, (role, user, more), parameters, (more,))], writes=True)
    assert lines == [
        *(f"  {arn}" for arn in (role, user, more)),
        "  add to the account in ecr-warden.yaml, then ecr-warden deploy, then ecr-warden reconcile:",
        *("    owners: [user/ci/anna]", "    roles: [role/legacy]", "    writes: identities"),
        "  1 have no room: list an IAM path such as user/ci/* instead of single names",
    ]
    [said, _, writes] = write_scope_lines([ScopeGap(CI, True, (), {"Writes": "all"})], writes=False)
    assert (said.endswith("does not let ecr-warden write what the spec has there:"), writes) == (
        True,
        "    writes: all",
    )


def test_the_write_scope_is_unknown_where_a_snapshot_lacks_a_policy_of_the_write_role(
    world: MemoryWorld, command: Command
) -> None:
    make_in_sync(world)
    world.documents.lists[CI] = {"ManagedOwners": tuple(USERS)}
    snapshot = _snapshot(command)
    [write_role] = snapshot["accounts"][CI]["iam"]["RoleDetailList"]
    write_role["AttachedManagedPolicies"] = [{"PolicyArn": f"arn:aws:iam::{CI}:policy/ecr-warden/owners"}]
    del write_role["RolePolicyList"]
    ran = Command()("plan", str(SPEC_FILE), "--snapshot", "-", stdin=json.dumps(snapshot).encode())
    assert f"account ci ({CI}): it is unknown whom its member stack covers: " in ran.out
    assert "owners:" not in ran.out


def test_orphans_are_planned_too(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    old_user, old_role = UserTarget(CI, "left-us"), RoleTarget(HOME, "old-pusher")
    world.put(identity_policy(old_user, "ecr-warden-pull"), identity_document())
    world.put(identity_policy(old_user, "own"), identity_document())
    world.make_role(old_role, SETTINGS, trust_document(), tagged=True)
    plans = map(plan_from_json, command("plan", str(SPEC_FILE), *HERE, "--json").json["plans"])
    addresses = {plan.target: [change.address for change in plan.changes] for plan in plans}
    assert addresses[old_user] == [identity_policy(old_user, "ecr-warden-pull")]
    assert role(old_role) in addresses[old_role]


def test_each_account_and_each_repository_of_the_spec_is_read_once(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.make(RepositoryTarget(HOME, CHECKOUT.region, "of/nobody"))
    reader = LiveEstateReader(world.documents)
    plan_spec(ACCEPTED, reader.live, command.clock)
    assert sorted(reader.reads) == sorted([CI, HOME, str(CHECKOUT)])
    assert world.documents.writes == []


GITHUB = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"
PARTLY = b"""\
version: 1
accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}
repositories:
  - name: shop/checkout
    account: registry
    pull: [{account: ci}]
    push: [{role: ecr-pusher, by: [{github: acme/shop, owner_id: 1, repository_id: 2, branch: main}]}]
  - {name: shop/basket, account: registry, pull: [{account: ci}], mode: observe}
settings: {mode: enforce}
"""


def test_what_is_only_observed_is_planned_with_a_note(world: MemoryWorld, command: Command) -> None:
    make_targets(world)
    world.documents.oidc = {GITHUB: ("sts.amazonaws.com",)}
    world.make(replace(CHECKOUT, name="shop/basket"))
    ran = command("plan", "-", *HERE, stdin=PARTLY)
    parts = {part.splitlines()[0]: part for part in ran.out.split("\n\n")}
    assert "not carried out for now: its mode is observe" in parts[str(replace(CHECKOUT, name="shop/basket"))]
    assert ran.out.count("not carried out for now") == 1
    assert ran.last_line == "3 targets: 0 ok, 3 differ, 0 unreadable; 3 to write, 0 held"


PROVIDERS: dict[str, tuple[dict[str, tuple[str, ...]], list[str]]] = {
    "there is none": (
        {},
        [
            "the identity provider token.actions.githubusercontent.com does not exist in account 222222222222: "
            "nobody can assume role ecr-pusher with its tokens",
            "  aws iam create-open-id-connect-provider "
            "--url https://token.actions.githubusercontent.com --client-id-list sts.amazonaws.com",
        ],
    ),
    "it does not know the audience": (
        {GITHUB: ("other",)},
        [
            "the identity provider token.actions.githubusercontent.com in account 222222222222 lacks the audience "
            "sts.amazonaws.com: nobody can assume role ecr-pusher with a token for it",
            "  aws iam add-client-id-to-open-id-connect-provider "
            f"--open-id-connect-provider-arn {GITHUB} --client-id sts.amazonaws.com",
        ],
    ),
    "it is there": ({GITHUB: ("other", "sts.amazonaws.com")}, []),
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_identity_providers_that_push_roles_need_are_looked_at(world: MemoryWorld, command: Command, name: str) -> None:
    world.documents.oidc, expected = PROVIDERS[name]
    make_targets(world)
    ran = command("plan", "-", *HERE, stdin=PARTLY)
    said = [line for line in ran.out.splitlines() if "identity provider" in line or "aws iam" in line]
    assert said == [as_people(one) for one in expected]
    answer = command("plan", "-", *HERE, "--json", stdin=PARTLY).json
    assert answer["identityProviders"] == [GITHUB]
    assert [gap["because"] for gap in answer["providerGaps"]] == expected[:1]
    narrow = replace(command, columns=60)("plan", "-", *HERE, stdin=PARTLY).out.splitlines()
    assert [line for line in narrow if "aws iam" in line] == expected[1:], "a command is never folded"


def test_identity_providers_that_cannot_be_read_are_unknown(world: MemoryWorld, command: Command) -> None:
    make_targets(world)
    world.hide_owners()
    ran = command("plan", "-", *HERE, stdin=PARTLY)
    assert (
        "whether the identity provider token.actions.githubusercontent.com exists in account registry "
        "(222222222222) is unknown (permission-missing): role ecr-pusher cannot do without it\n"
    ) in ran.out

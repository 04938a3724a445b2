"""`ecr-warden plan`, on the memory adapter."""

from ecr_warden.model.address import attached_policy, identity_policy, repository_policy, trust_policy
from ecr_warden.model.codec.plans import plan_from_json
from ecr_warden.model.observed import Unparseable
from ecr_warden.usecases.plan import plan_spec

from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CI,
    HOME,
    PULL_USERS,
    PUSH_USER,
    PUSHER,
    SPEC_FILE,
    identity_document,
    repository_document,
    trust_document,
)
from tests.cli.command import Command
from tests.contracts.worlds import MemoryWorld, make_in_sync, make_targets

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
MALLORY = "arn:aws:iam::111111111111:user/mallory"


def test_nothing_to_do_is_one_line_and_exit_0(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    ran = command("plan", str(SPEC_FILE))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "5 targets: 5 ok, 0 differ, 0 unreadable; 0 to write, 0 held\n"


def test_drift_is_shown_with_its_meaning_and_the_writes_in_order(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.put(trust_policy(PUSHER), trust_document("mallory"))
    world.attach(attached_policy(PUSHER, ADMIN))
    ran = command("plan", str(SPEC_FILE))
    assert ran.code == 2
    assert ran.out.splitlines() == [
        "role/222222222222/ecr-pusher",
        f"  attached policy {ADMIN}: not in the spec",
        f"  trust policy: changed: statement 1: principal {MALLORY} only in the live document",
        f"    {MALLORY} will lose the right to assume ecr-pusher (sts:AssumeRole)",
        "    arn:aws:iam::111111111111:user/push-user will gain the right to assume ecr-pusher (sts:AssumeRole)",
        "  would write, in this order:",
        f"    1. delete attached policy {ADMIN}",
        "    2. update trust policy (gives and takes access)",
        "    3. create inline policy ecr-warden-deny-older-sessions: denies sessions issued before the repair "
        "(takes access away)",
        "",
        "5 targets: 4 ok, 1 differ, 0 unreadable; 3 to write, 0 held",
    ]


def test_what_is_held_is_shown_with_the_reason(world: MemoryWorld, command: Command) -> None:
    make_targets(world)
    ran = command("plan", str(SPEC_FILE))
    assert ran.code == 2
    assert "  held: inline policy ecr-warden-assume: waits until role/222222222222/ecr-pusher is" in ran.out
    assert "    1. create role, with its trust policy (gives access)\n" in ran.out
    assert ran.last_line == "5 targets: 0 ok, 5 differ, 0 unreadable; 5 to write, 1 held"


def test_an_owner_that_does_not_exist_is_a_difference_that_nothing_is_written_for(command: Command) -> None:
    ran = command("plan", str(SPEC_FILE))
    assert ran.code == 2
    assert f"held: repository policy: {CHECKOUT} does not exist, and ecr-warden does not create it" in ran.out


def test_what_cannot_be_read_is_an_error_that_hides_no_difference(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    world.close(CI)
    ran = command("plan", str(SPEC_FILE))
    assert ran.code == 1
    assert "  repository policy: missing\n" in ran.out
    assert (
        "  state unknown, cannot be read (inline policy ecr-warden-*, inline policy ecr-warden-assume): "
        f"no way into {CI}; open it\n"
    ) in ran.out
    assert ran.last_line == "6 targets: 1 ok, 1 differ, 4 unreadable; 1 to write, 0 held"


def test_a_spec_that_observes_is_planned_all_the_same_and_says_so(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    observing = SPEC_FILE.read_bytes().replace(b"enforce", b"observe")
    ran = command("plan", "-", stdin=observing)
    assert ran.code == 2
    assert "    1. create repository policy (gives access)\n" in ran.out
    assert "the spec says mode: observe, so ecr-warden reports this and writes nothing\n" in ran.out
    assert "mode: observe" not in command("plan", str(SPEC_FILE)).out


def test_json_is_the_plan_of_the_codec_for_every_target(world: MemoryWorld, command: Command) -> None:
    make_targets(world)
    ran = command("plan", str(SPEC_FILE), "--json")
    answer = ran.json
    plans = [plan_from_json(entry) for entry in answer["plans"]]
    expected = list(plan_spec(ACCEPTED, world.documents, command.clock))
    assert [(plan.target, plan.drifts, plan.changes, plan.held) for plan in plans] == [
        (plan.target, plan.drifts, plan.changes, plan.held) for plan in expected
    ]
    assert {plan.spec_version for plan in plans} == {answer["specVersion"]}
    assert (ran.code, answer["schema"], answer["mode"]) == (2, 1, "enforce")
    assert answer["summary"] == {"targets": 5, "ok": 0, "differs": 5, "unreadable": 0, "changes": 5, "held": 1}


def test_what_a_document_holds_reaches_no_terminal_unescaped(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    evil = "\x1b]0;owned\x07\u202e\n"
    world.documents.live[repository_policy(CHECKOUT)] = Unparseable(f"not JSON: {evil}", evil, "d")
    for verb in ("plan", "verify"):
        for options in ((), ("--json",)):
            ran = command(verb, str(SPEC_FILE), *options)
            assert ran.code == 2
            assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)
    assert "\\x1b]0;owned\\x07\\u202e\\n" in command("plan", str(SPEC_FILE)).out


def test_the_version_is_the_files_own_wherever_it_is(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    by_path, by_stdin = (
        command("plan", str(SPEC_FILE), "--json"),
        command("plan", "-", "--json", stdin=SPEC_FILE.read_bytes()),
    )
    assert by_path.json == by_stdin.json
    other = command("plan", "-", "--json", stdin=SPEC_FILE.read_bytes() + b"\n").json
    assert other["specVersion"] != by_path.json["specVersion"]


def test_profiles_are_given_by_alias_or_digits(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    command("plan", str(SPEC_FILE), "--profile", "ci=a", "--profile", f"{HOME}=b=c")
    assert command.profiles == {CI: "a", HOME: "b=c"}


def test_nothing_is_ever_written(world: MemoryWorld, command: Command) -> None:
    make_targets(world)
    world.put(repository_policy(CHECKOUT), repository_document("mallory"))
    world.put(identity_policy(PUSH_USER, "ecr-warden-x"), identity_document("*"))
    command("plan", str(SPEC_FILE))
    command("verify", str(SPEC_FILE))
    assert world.documents.writes == []


USERS = [f"arn:aws:iam::{CI}:user/{name}" for name in ("pull-user-1", "pull-user-2", "push-user")]


def test_before_the_first_deployment_it_prints_whom_the_member_stack_has_to_cover(
    world: MemoryWorld, command: Command
) -> None:
    make_targets(world)
    ran = command("plan", str(SPEC_FILE))
    assert ran.out.splitlines()[-7:-1] == [
        f"account {CI}: there is no member stack to cover 3 of the users and roles in the spec:",
        *(f"  {arn}" for arn in USERS),
        "  deploy stacks/member.yaml in that account with",
        f"  ManagedOwners={','.join(USERS)}",
    ]


def test_whom_a_member_stack_does_not_cover_is_foreseen_also_where_nothing_differs(
    world: MemoryWorld, command: Command
) -> None:
    make_in_sync(world)
    world.documents.lists[CI] = {"ManagedOwners": (USERS[2],), "ManagedOwners2": (f"arn:aws:iam::{CI}:user/ci/*",)}
    world.documents.paths[PULL_USERS[1]] = "/ci/"
    ran = command("plan", str(SPEC_FILE))
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"account {CI}: its member stack does not cover 1 of the users and roles in the spec:",
        f"  {USERS[0]}",
        "  deploy stacks/member.yaml in that account with",
        f"  ManagedOwners={USERS[2]},{USERS[0]}",
        "5 targets: 5 ok, 0 differ, 0 unreadable; 0 to write, 0 held",
    ]
    [ci] = [fence for fence in command("plan", str(SPEC_FILE), "--json").json["writeScope"] if fence["account"] == CI]
    assert ci == {
        "account": CI,
        "memberStack": True,
        "uncovered": [USERS[0]],
        "parameters": {"ManagedOwners": f"{USERS[2]},{USERS[0]}"},
        "withoutRoom": [],
    }


def test_where_the_member_stacks_cover_all_nothing_is_said(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.documents.lists |= {CI: {"ManagedOwners": tuple(USERS)}, HOME: {}}
    ran = command("plan", str(SPEC_FILE))
    assert ran.out == "5 targets: 5 ok, 0 differ, 0 unreadable; 0 to write, 0 held\n"


def test_whom_an_account_covers_that_cannot_be_read_is_not_known(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.close(CI)
    ran = command("plan", str(SPEC_FILE))
    assert f"account {CI}: cannot be read, so it is unknown whom its member stack covers\n" in ran.out
    [ci] = [fence for fence in command("plan", str(SPEC_FILE), "--json").json["writeScope"] if fence["account"] == CI]
    assert ci == {"account": CI, "memberStack": None, "error": f"no way into {CI}; open it"}

"""`ecr-warden verify`, on the memory adapter."""

from datetime import timedelta

from ecr_warden.model.address import DENY_OLDER_SESSIONS, identity_policy, repository_policy
from ecr_warden.model.sessions import Sessions, denial_of
from ecr_warden.model.target import UserTarget

from local.testing.seed import CHECKOUT, CI, PUSHER, SPEC_FILE, identity_document, repository_document
from tests.cli.command import Command
from tests.contracts.worlds import MemoryWorld, make_in_sync


def test_every_target_is_listed_when_all_are_in_sync(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    ran = command("verify", str(SPEC_FILE))
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "ok          repository/222222222222/eu-central-1/shop/checkout",
        "ok          role/222222222222/ecr-pusher",
        "ok          user/111111111111/pull-user-1",
        "ok          user/111111111111/pull-user-2",
        "ok          user/111111111111/push-user",
        "5 targets: 5 ok, 0 differ, 0 unreadable",
    ]


def test_a_difference_names_the_document_and_exits_2(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.put(repository_policy(CHECKOUT), repository_document("mallory"))
    ran = command("verify", str(SPEC_FILE))
    assert ran.code == 2
    assert f"differs     {CHECKOUT}: repository policy changed\n" in ran.out
    assert ran.last_line == "5 targets: 4 ok, 1 differ, 0 unreadable"


def test_unreadable_is_never_counted_as_fine_and_exits_1(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    world.close(CI)
    ran = command("verify", str(SPEC_FILE))
    assert ran.code == 1
    for name in ("push-user", "*"):
        assert f"unreadable  user/{CI}/{name}: no way into {CI}; open it\n" in ran.out
    assert f"differs     {CHECKOUT}: repository policy missing\n" in ran.out
    assert ran.last_line == "6 targets: 1 ok, 1 differ, 4 unreadable"


def test_a_removed_identity_with_our_policy_differs(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    gone = UserTarget(CI, "left-us")
    world.put(identity_policy(gone, "ecr-warden-pull"), identity_document())
    ran = command("verify", str(SPEC_FILE))
    assert ran.code == 2
    assert f"differs     {gone}: inline policy ecr-warden-pull unexpected\n" in ran.out


def test_a_missing_target_is_reported_once(world: MemoryWorld, command: Command) -> None:
    ran = command("verify", str(SPEC_FILE))
    assert ran.code == 2
    assert ran.out.splitlines() == [
        "differs     repository/222222222222/eu-central-1/shop/checkout: it does not exist",
        "differs     role/222222222222/ecr-pusher: it does not exist",
        "differs     user/111111111111/pull-user-1: it does not exist",
        "differs     user/111111111111/pull-user-2: it does not exist",
        "differs     user/111111111111/push-user: it does not exist",
        "5 targets: 0 ok, 5 differ, 0 unreadable",
    ]


def test_an_expired_session_cutoff_is_not_a_difference_to_verify(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    cutoff = denial_of(Sessions(command.clock.now() - timedelta(hours=13)))
    world.put(identity_policy(PUSHER, DENY_OLDER_SESSIONS), cutoff)
    assert command("verify", str(SPEC_FILE)).code == 0
    assert command("plan", str(SPEC_FILE)).code == 2


def test_json(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    world.remove(repository_policy(CHECKOUT))
    ran = command("verify", str(SPEC_FILE), "--json")
    answer = ran.json
    assert ran.code == 2
    assert list(answer) == ["schema", "specVersion", "targets", "summary"]
    assert answer["summary"] == {"targets": 5, "ok": 4, "differs": 1, "unreadable": 0}
    first, second, *_ = answer["targets"]
    assert (first["target"], first["status"]) == (str(CHECKOUT), "differs")
    assert [drift["kind"] for drift in first["drifts"]] == ["missing"]
    assert second == {"target": str(PUSHER), "status": "ok", "drifts": []}


def test_a_repository_under_a_pattern_is_counted_when_in_sync(world: MemoryWorld, command: Command) -> None:
    make_in_sync(world)
    text = SPEC_FILE.read_text().replace("name: shop/checkout", "name: shop/*").split("    push:")[0]
    ran = command("verify", "-", stdin=text.encode())
    assert f"ok          {CHECKOUT}\n" in ran.out

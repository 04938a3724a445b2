"""The verbs that go through the hub, over a hub in this process."""

import json
from collections.abc import Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden import __version__
from ecr_warden.audit.finding import (
    AuditFailed,
    AuditRecord,
    Finding,
    FindingKind,
    SeenFinding,
    UnreadCause,
    UnreadDocument,
)
from ecr_warden.core.address import repository_policy
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.failures import AccountUnreachable, PermissionMissing
from ecr_warden.core.job import ReconcileTarget, SurveyIdentities, SurveyRegistry
from ecr_warden.core.result import Result
from ecr_warden.core.run import Debts
from ecr_warden.hub.codec_replies import error_to_json, reply_to_json
from ecr_warden.hub.request import question_from_text
from ecr_warden.state.specs import SpecVersion
from ecr_warden.state.switch import Position
from ecr_warden_cli.terminal.context import Failure, SwitchMissing, Uploaded
from iam_access.errors import NamedError
from local.testing.seed import ACCEPTED, CHECKOUT, CI, CUTOFF, D1, HOME, NOW, PUSH_USER, PUSHER, compiled
from tests.cli.command import Command, as_people
from tests.cli.wrong import WRONG, Wrong, name_of
from tests.contracts.runs import open_run
from tests.usecases.hub import ALICE, HUB, commands_of, queries_of
from tests.usecases.pattern_world import policy, shop, world_of
from tests.usecases.test_fights import THEIRS, Fight
from tests.usecases.world import OPEN, World, bare_world, expect, failing, tampered, unreadable, world_in_sync

RUN = "20261124T100000Z0123456789ab"


@dataclass(slots=True)
class InProcess:
    """A hub whose jobs run when somebody waits, if it `works`."""

    world: World
    works: bool = True
    has_switch: bool = True

    def account(self) -> str:
        return CI

    def answer(self, request: str) -> dict[str, Any]:
        try:
            reply = reply_to_json(queries_of(self.world).answer(question_from_text(request)))
            accepted = self.world.specs.compiled
            return reply | {"aliases": {} if accepted is None else dict(accepted.aliases)}
        except NamedError as error:
            return error_to_json(error)

    def control(self, request: str, *, of_upload: bool = False) -> dict[str, Any]:
        try:
            done = commands_of(self.world).carry_out(request, "alice", HUB, only_uploads=of_upload)
            return reply_to_json(done)
        except NamedError as error:
            return error_to_json(error)

    def spec(self, version: str) -> bytes:
        return self.world.specs.text(version)

    def uploads(self) -> Iterator[Uploaded]:
        newest = () if self.world.specs.file is None else (self.world.specs.file,)
        for one in (*newest, *reversed(self.world.specs.older)):
            yield Uploaded(one.version, self.world.clock.now())

    def upload(self, data: bytes) -> str:
        version = f"u{len(self.world.specs.older)}"
        if self.world.specs.file is not None:
            self.world.specs.older = (*self.world.specs.older, self.world.specs.file)
        self.world.specs.file = SpecVersion(version, data)
        return version

    def switch_writes(self, position: Position) -> None:
        if not self.has_switch:
            raise SwitchMissing("there is no parameter /ecr-warden/writes in eu-central-1 in your account")
        self.world.switch.enabled = position is Position.ENABLED

    def make_switch(self, position: Position) -> None:
        if not self.has_switch:
            self.has_switch, self.world.switch.enabled = True, position is Position.ENABLED

    def pass_time(self, _: float) -> None:
        """One job, as one poll."""
        if self.works and self.world.jobs.sent:
            job = self.world.jobs.sent.pop(0)
            if not isinstance(job, SurveyRegistry | SurveyIdentities):  # what a run left is read anew
                self.world.reconcile().reconcile(expect(ReconcileTarget, job))


def test_stop_stops_all_writes_and_start_lets_them_go_on() -> None:
    world = tampered()
    assert over(world)("stop").out.startswith("writes are stopped: drift is found and reported")
    ran = over(world)("reconcile")
    assert (ran.code, "writes are stopped by the switch" in ran.out) == (2, True)
    assert over(world)("start").out.startswith("writes are on")
    assert over(world)("reconcile").code == 0


DELETED: dict[str, tuple[str, bytes | None, str, int]] = {
    "started by a person who says yes": ("start", b"yes\n", "enabled", 0),
    "started by a person who says no": ("start", b"no\n", "stopped", 2),
    "started by a script": ("start", None, "stopped", 2),
    "stopped": ("stop", None, "stopped", 0),
}


@pytest.mark.parametrize("case", DELETED)
def test_a_stop_switch_that_somebody_deleted_is_recreated_stopped_unless_a_person_says_yes(case: str) -> None:
    verb, typed, wanted, code = DELETED[case]
    hub = InProcess(tampered(), has_switch=False)
    ran = Command(hub=hub, clock=hub.world.clock, terminal=typed is not None)(verb, "--json", stdin=typed or b"yes\n")
    assert (ran.code, ran.json["writes"], hub.has_switch) == (code, wanted, True)
    assert hub.world.switch.enabled is (wanted == "enabled")


def test_where_no_hub_answers_no_stop_switch_is_made() -> None:
    hub = Elsewhere(tampered(), has_switch=False)
    ran = Command(hub=hub, clock=hub.world.clock)("start")
    assert (ran.code, hub.has_switch) == (1, False)
    assert "there is no function ecr-warden-answer" in ran.err


class Elsewhere(InProcess):
    """A region without a hub."""

    def answer(self, request: str) -> dict[str, Any]:
        del request
        raise Failure("there is no function ecr-warden-answer in eu-west-1", remedy="pass the hub's region")


def over(world: World) -> Command:
    hub = InProcess(world)
    return Command(hub=hub, clock=world.clock, sleep=hub.pass_time)


def test_status_when_all_is_well() -> None:
    world = world_in_sync()
    assert over(world)("status").code == 2, "before the first sweep nobody knows who has access"
    world.sweep()
    ran = over(world)("status")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == (
        "all 5 targets are as the spec says, and nobody else has access, by the policies that could be read"
    )
    assert lines[1] == "ok        1 repository, 1 role, 3 users, in sync, last read at 2026-11-24T10:00:00Z or later"
    assert ran.last_line == f"5 targets: 5 ok, 0 differ, 0 unknown, 0 pending; 0 paused; spec {ACCEPTED.version}"


def test_status_of_trouble_pauses_the_switch_and_observe_mode() -> None:
    world = tampered()
    command = over(world)
    assert command("pause", "shop/checkout", "--for", "2h", "--reason", "a migration").code == 0
    world.run(CHECKOUT)
    world.switch.enabled = False
    world.specs.compiled = replace(ACCEPTED, mode=Mode.OBSERVE)
    ran = command("status", "shop/*")
    assert ran.code == 2
    assert f"differs   {CHECKOUT}, reported, NOT repaired at 2026-11-24T10:00:00Z, paused\n" in ran.out
    assert ran.out.splitlines()[:3] == [
        "nothing is repaired, for writes are stopped; it is not known who else has access; "
        "1 target differs from the spec",
        "writes are stopped by the switch",
        "paused by alice until 2026-11-24T12:00:00Z: a migration (1 target)",
    ]
    assert "mode: observe" in ran.out
    assert "1 paused" in ran.last_line


def test_status_starts_with_the_hubs_troubles_and_exits_2() -> None:
    world = world_in_sync()
    world.specs.file = None
    world.wiring.remove("rule ecr-warden-sweep")
    ran = over(world)("status")
    assert ran.code == 2
    said, missing, rule, first, *_ = ran.out.splitlines()
    assert said == (
        "something through which ecr-warden sees or works is missing or off; it is not known who else has access; "
        "the bucket has no spec"
    )
    assert missing.startswith("there is no ")
    assert f"version {ACCEPTED.version} stays in force; " in missing
    assert rule.startswith(
        "the rule ecr-warden-sweep is missing: it delivers the schedule of the sweeps; repair its stack: "
    )
    assert first.startswith("ok ")
    as_json = over(world)("status", "--json")
    assert (as_json.code, [one["code"] for one in as_json.json["troubles"]]) == (2, ["spec-missing", "wiring-cut"])
    unreadable(world, AccountUnreachable("no way in"))
    world.run(CHECKOUT)
    assert over(world)("status").code == 1


def test_status_shows_the_last_reading_and_the_sweeps_findings() -> None:
    world = world_in_sync()
    world.put(D1, OPEN)
    world.clock.advance(timedelta(minutes=5))
    world.sweep()
    ran = over(world)("status")
    assert ran.code == 2
    assert "ok        1 role, 3 users, in sync, last read at 2026-11-24T10:05:00Z or later\n" in ran.out
    found = "its last run ended: in sync, the sweep found drift at 2026-11-24T10:05:00Z"
    assert f"differs   {CHECKOUT}, {found}\n" in ran.out


DENIED = PermissionMissing("writing it was denied", remedy="deploy the stack")
ENDS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "one that AWS refused": (1, 99, ("why",)),
    "each of a few": (2, 99, ("why", "why")),
    "one of many alike": (9, 99, ("why, for example",)),
    "none that was repaired": (1, 0, ()),
}
"""How many repositories somebody opens, how many writes AWS refuses, the words before the commands that say why."""


@pytest.mark.parametrize("name", ENDS)
def test_status_names_the_run_that_could_not_repair(name: str) -> None:
    number, times, words = ENDS[name]
    names = [f"r{one}" for one in range(number)]
    world = world_of(*names)
    failing(world, DENIED, times=times)
    for one in names:
        world.put(policy(one), OPEN)
        world.run(shop(one))
    command = over(world)
    lines = [line for line in command("status").out.splitlines() if "ecr-warden history" in line]
    assert [line.strip().partition(":")[0] for line in lines] == [*words]
    for line in lines:
        assert "writing it was denied" in command("history", line.split()[-1]).out


def test_status_shows_pauses_first_the_longest_on_top() -> None:
    command = over(world_in_sync())
    command("pause", "all", "--for", "1h", "--reason", "a holiday")
    command("pause", "shop/checkout", "--for", "7d", "--reason", "a migration")
    lines = command("status").out.splitlines()
    assert lines[1:3] == [
        "paused by alice until 2026-12-01T10:00:00Z: a migration (1 target)",
        "paused by alice until 2026-11-24T11:00:00Z: a holiday (4 targets)",
    ]
    assert [", paused" in line for line in lines if line.startswith(("ok  ", "differs  "))] == [True] * 2
    assert (
        over(world_in_sync())("status", str(PUSHER))
        .out.splitlines()[1]
        .startswith("ok        registry:role/ecr-pusher, in sync at")
    )


def test_status_and_show_say_that_somebody_fights_over_a_document() -> None:
    fight = Fight()
    for _ in range(5):
        fight.restore((D1, THEIRS))
        fight.pass_time(timedelta(minutes=1))
    command = over(fight.world)
    ran = command("status")
    [line] = [line for line in ran.out.splitlines() if "FIGHT" in line]
    assert line == (
        "FIGHT with ci of deploy (Terraform) over repository policy of shop/checkout since 2026-11-24T10:00:00Z: "
        "5 repairs, last at 2026-11-24T10:04:00Z"
    )
    [target] = [one for one in command("status", "--json").json["targets"] if one["fights"]]
    assert target["fights"][0]["repairs"] == 5
    shown = command("history", fight.world.reports[-1].run_id)
    assert "the messages on this fight count the repair" in shown.out
    assert "given back by the next sweep at the latest" in shown.out
    fight.pass_time(timedelta(minutes=31))
    fight.world.run(CHECKOUT)
    assert "FIGHT" not in command("status").out, "a target in order says nothing of what is over"


def test_status_never_counts_unreadable_or_pending_targets_as_fine() -> None:
    world = bare_world()
    assert over(world)("status").code == 2
    unreadable(world, AccountUnreachable("no way in"))
    world.run(CHECKOUT)
    ran = over(world)("status", "--json")
    assert ran.code == 1
    words = {entry["target"]: entry["status"] for entry in ran.json["targets"]}
    assert words == {str(spec.target): "pending" for spec in ACCEPTED.targets.values()} | {str(CHECKOUT): "unknown"}


def test_apply_shows_what_differs_and_waits_until_it_is_repaired() -> None:
    world = tampered()
    ran = over(world)("reconcile")
    assert ran.code == 0, ran.out + ran.err
    assert world.differing() == [str(CUTOFF)], "older sessions are denied for a while"
    assert "would write, in this order:" in ran.out
    assert f"{CHECKOUT}: repaired, run " in ran.out
    assert as_people(f"{PUSHER}: repaired, run ") in ran.out
    assert {report.cause.actor for report in world.reports} == {ALICE}


def test_apply_waits_for_users_that_wait_for_a_role() -> None:
    world = bare_world()
    ran = over(world)("reconcile", str(PUSH_USER), str(PUSHER))
    assert ran.code == 0, ran.out
    assert as_people(f"{PUSH_USER}: repaired") in ran.out


def test_apply_starts_no_run_when_nothing_differs() -> None:
    world = world_in_sync()
    ran = over(world)("reconcile")
    assert (ran.code, ran.out) == (0, "5 targets: all match the accepted spec\n")
    assert world.command_records.taken == {}


def test_apply_in_observe_mode_says_so_and_writes_nothing() -> None:
    world = tampered()
    world.specs.compiled = replace(ACCEPTED, mode=Mode.OBSERVE)
    ran = over(world)("reconcile")
    assert ran.code == 2
    assert ran.last_line == "the spec says mode: observe, so nothing is written"
    assert (world.writes, world.command_records.taken) == ([], {})
    as_json = over(world)("reconcile", "--json")
    assert (as_json.code, as_json.json["mode"], as_json.json["enqueued"]) == (2, "observe", False)


def test_apply_without_an_answer_is_an_error() -> None:
    world = tampered()
    command = over(world)
    assert isinstance(command.hub, InProcess)
    command.hub.works = False
    ran = command("reconcile", "--wait", "2")
    assert ran.code == 1
    assert f"{CHECKOUT}: no run has ended yet" in ran.out


@pytest.mark.parametrize(
    "text",
    [
        "push-user",
        "user/push-user",
        "ci:user/push-user",
        f"arn:aws:iam::{CI}:user/push-user",
        "ecr-pusher",
        "registry:role/ecr-warden/ecr-pusher",
    ],
)
def test_a_target_is_written_in_any_way(text: str) -> None:
    target = PUSHER if "pusher" in text else PUSH_USER
    for verb in (("status",), ("pause", "--for", "1h", "--reason", "x")):
        answer = over(world_in_sync())(*verb, text, "--json").json
        [found] = answer["targets"]
        assert (found if isinstance(found, str) else found["target"]) == str(target)


def test_a_pause_outlives_a_tamper_until_resume() -> None:
    world = world_in_sync()
    command = over(world)
    paused = command("pause", "all", "--until", "2026-11-25T10:00:00+01:00", "--reason", "  a migration ")
    assert paused.code == 0
    new, line, end = paused.out.splitlines()[-3:]
    assert new == "and new targets until then"
    assert line == (
        "5 targets paused until 2026-11-25T09:00:00Z: watched but not written to; "
        "recorded as requested by ci:user/alice"
    )
    assert end == (
        "at the next tick after that, the hub compares them with the spec; ecr-warden resume does so at once"
    )
    world.put(D1, OPEN)
    assert world.run(CHECKOUT) is Result.REPORTED
    resumed = command("resume", "all")
    assert resumed.code == 0, resumed.out
    assert f"{CHECKOUT}: repaired" in resumed.out
    assert not world.differing()
    assert command("resume", "all").out == "none of these targets is paused\n"


def test_history_and_show() -> None:
    world = tampered()
    world.run(CHECKOUT)
    world.clock.advance(timedelta(seconds=1))
    world.run(PUSHER)
    command = over(world)
    ran = command("history")
    _, newest, oldest, cause, *accepted = ran.out.splitlines()
    assert accepted == [f"2026-11-24T10:00:00Z  spec accepted  {ACCEPTED.version}", "  the first"]
    assert as_people(str(PUSHER)) in newest
    run_id = oldest.split()[1]
    assert oldest == f"2026-11-24T10:00:00Z  {run_id}  repaired, 1 written"
    assert cause == f"  {CHECKOUT}, a call by mallory"
    assert command("history", str(CHECKOUT), "--limit", "1").out.splitlines() == [oldest, cause]
    shown = command("history", run_id)
    assert shown.out.startswith("CRITICAL closed: anyone (*) could pull from shop/checkout")
    assert "repository policy: changed: " in shown.out
    assert " could pull " in shown.out
    before = command("history", run_id, "--json").json["run"]["plan"]["changes"][0]["before"]
    assert json.loads(before)["Statement"][0]["Principal"] == {"AWS": "*"}


def test_history_without_an_entry_names_the_whole_time_it_looked_at() -> None:
    command = over(world_in_sync())
    assert command("history", str(PUSHER), "--since", "2h").out == "nothing happened since 2026-11-24T08:00:00Z\n"
    ran = command("history", "--since", "2h", "--until", "1h")
    assert ran.out == "nothing happened between 2026-11-24T08:00:00Z and 2026-11-24T09:00:00Z\n"


def test_history_refuses_too_many_targets_but_takes_a_removed_one() -> None:
    command = over(world_of(*(f"r{number}" for number in range(30))))
    ran = command("history", "shop/r*")
    assert (ran.code, ran.out) == (1, "")
    assert "shop/r* selects 30 targets; select at most 20" in ran.err
    assert command("history", "shop/r1*").code == 0
    assert (
        command("history", "repository/222222222222/eu-central-1/gone").out
        == "nothing happened since 2025-11-23T10:00:00Z\n"
    )


def test_an_open_run_is_shown_as_journalled() -> None:
    world = world_in_sync()
    lease, _ = world.state.acquire(CHECKOUT, RUN)
    world.state.open_run(lease, open_run(RUN), Debts())
    shown = over(world)("history", RUN)
    assert shown.out.startswith(f"run {RUN} has not ended\n")
    assert "update repository policy" in shown.out


def refused(argv: Sequence[str], words: str) -> None:
    world = tampered()
    ran = over(world)(*argv)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1
    assert (world.command_records.taken, world.alerts.published) == ({}, [])


@pytest.mark.parametrize("case", WRONG["hub"], ids=name_of)
def test_wrong_input_is_one_line_and_nothing_is_done(case: Wrong) -> None:
    argv = [RUN if word == "RUN" else word for word in case["argv"]]
    refused(argv, case["says"].replace("no run RUN", f"no run {RUN}"))


@pytest.mark.parametrize("argv", [("status",), ("history",), ("pause", "--for", "1h", "--reason", "x")], ids=" ".join)
@pytest.mark.parametrize("target", ["a" * 10_000_000, "\udcff"], ids=["10 MB", "not UTF-8"])
def test_a_target_that_is_no_text_is_one_line(argv: tuple[str, ...], target: str) -> None:
    refused((*argv, target), "is not a target")


BOTH = {"ECR_WARDEN_HUB_REGION": "eu-north-1", "ECR_WARDEN_HUB_PROFILE": "laptop"}
FILE = 'version: 1\nhub: {account: r, region: eu-west-2}\naccounts: {r: {id: "222222222222", writes: all}}\n'
# name: the options of history, the environment, ecr-warden.yaml, and the region and profile of the hub that is opened
PLACES: dict[str, tuple[tuple[str, ...], dict[str, str], str, tuple[str | None, str | None]]] = {
    "the environment": ((), BOTH, "", ("eu-north-1", "laptop")),
    "a region before the environment": (("--hub-region", "eu-west-1"), BOTH, "", ("eu-west-1", "laptop")),
    "a profile before the environment": (("--profile", "hub"), BOTH, "", ("eu-north-1", "hub")),
    "both before the environment": (("--hub-region", "eu-west-1", "--profile", "hub"), BOTH, "", ("eu-west-1", "hub")),
    "the file": ((), {}, FILE, ("eu-west-2", None)),
    "the environment before the file": ((), BOTH, FILE, ("eu-north-1", "laptop")),
    "a region before the file": (("--hub-region", "eu-west-1"), {}, FILE, ("eu-west-1", None)),
    "a region before a wrong file": (("--hub-region", "eu-west-1"), {}, "hub: [", ("eu-west-1", None)),
}


@pytest.mark.parametrize("name", PLACES)
def test_an_option_wins_over_the_environment_and_that_over_the_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, environment, file, opened = PLACES[name]
    monkeypatch.chdir(tmp_path)
    if file:
        Path("ecr-warden.yaml").write_text(file)
    command = over(world_in_sync())
    command.environment |= environment
    assert command("history", *options).code == 0
    assert command.opened == [opened]


def test_a_wrong_file_is_no_reason_to_ask_another_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ecr-warden.yaml").write_text(FILE.replace("eu-west-2", "london"))
    command = over(world_in_sync())
    ran = command("history")
    assert (ran.code, command.opened) == (1, [])
    assert ran.err.splitlines() == [
        'E110 ecr-warden.yaml:2:27 "london" is not a region; write it as AWS does, for example eu-central-1',
        "ecr-warden: ecr-warden.yaml is not valid; see the problems above; or pass --hub-region REGION",
    ]


# What is given as the hub's region, and what is said of it; nothing of one that AWS may have made since.
REGIONS = {
    "eu-cental-1": "did you mean eu-central-1? give the hub's as",
    "eu-centrl-1": "did you mean eu-central-1? give the hub's as",
    "us-eats-1": "did you mean us-east-1? give the hub's as",
    "EU-CENTRAL-1": "give the hub's as --hub-region or ECR_WARDEN_HUB_REGION",
    "eu-central": "did you mean eu-central-2? give the hub's as",
    "eu-central-1a": "did you mean eu-central-1? give the hub's as",
    "eu_central_1": "did you mean eu-central-1? give the hub's as",
    "frankfurt": "give the hub's as",
    "eu-central-1 ": "did you mean eu-central-1? give the hub's as",
    "..": "give the hub's as",
    "e" * 100_000: "give the hub's as",
    "eu-central-1": "",
    "eu-central-9": "",
    "ap-northwest-1": "",
    "nz-north-1": "",
    "us-east-12": "",
}


@pytest.mark.parametrize("by", ["option", "environment", "option of a question", "option of a comparison"])
@pytest.mark.parametrize("region", REGIONS, ids=lambda region: str(region)[:20])
def test_a_region_that_cannot_be_is_refused_before_anything_is_asked(region: str, by: str) -> None:
    command = over(world_in_sync())
    if by == "environment":
        command.environment |= {"ECR_WARDEN_HUB_REGION": region}
    verb = {"option of a question": ("who-can", "admin", "--hub"), "option of a comparison": ("check",)}
    options = () if by == "environment" else ("--hub-region", region)
    ran = command(*verb.get(by, ("history",)), *options)
    assert {*command.opened} == (set() if REGIONS[region] else {(region, None)})
    if REGIONS[region]:
        (line,) = ran.err.splitlines()
        assert (ran.code, ran.out) == (1, "")
        assert line.startswith(f"ecr-warden: there is no region '{region[:70]}")
        assert REGIONS[region] in line


def test_an_empty_variable_is_none() -> None:
    command = over(world_in_sync())
    command.environment |= {"ECR_WARDEN_HUB_REGION": "", "ECR_WARDEN_HUB_PROFILE": ""}
    assert command("history").code == 0
    assert command.opened == [(None, None)]


def test_an_error_of_the_hub_keeps_its_code_in_json() -> None:
    ran = over(world_in_sync())("history", RUN, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (1, "no-such-run")


@pytest.mark.parametrize("answer", [{}, {"schema": 1, "kind": "status"}, {"schema": 2, "kind": "plan"}, {"schema": 2}])
def test_an_answer_of_another_version_is_an_error(answer: dict[str, Any]) -> None:
    class Other(InProcess):
        def answer(self, request: str) -> dict[str, Any]:
            return answer

    ran = Command(hub=Other(world_in_sync()))("status")
    assert ran.code == 1
    assert "is not understood by this command" in ran.err
    assert "install the hub's version of the command, or bring the hub to this one: ecr-warden deploy" in ran.err


class OfAnotherVersion(InProcess):
    """A hub of this version, to which a command of another one speaks."""

    schema = 0

    def answer(self, request: str) -> dict[str, Any]:
        return super().answer(json.dumps(json.loads(request) | {"schema": self.schema}))


# What a person is asked about, and what may be uploaded.
ASKING = (
    ("apply", "examples/seed/access.yaml", "--accept"),
    ("accept", "3f2a9c1b7d40"),
    ("pause", "all", "--for", "1h", "--reason", "x"),
    ("reconcile",),
    ("status",),
)


@pytest.mark.parametrize("argv", ASKING, ids=lambda argv: argv[0])
@pytest.mark.parametrize(
    ("schema", "remedy"),
    [(0, "upgrade the command: pipx upgrade ecr-warden"), (2, "upgrade the hub: ecr-warden deploy")],
)
def test_a_hub_refuses_an_older_and_a_newer_command_before_anybody_is_asked(
    argv: tuple[str, ...], schema: int, remedy: str
) -> None:
    world = tampered()
    before, hub = world.specs.file, OfAnotherVersion(world)
    hub.schema = schema
    ran = Command(hub=hub, clock=world.clock, terminal=True)(*argv, stdin=b"yes\nyes\n")
    assert (ran.code, world.specs.file, world.command_records.taken) == (1, before, {})
    assert f"the hub, ecr-warden {__version__}, does not understand the command, '{__version__}': schema" in ran.err
    assert remedy in ran.err
    assert "Type yes" not in ran.err


def test_an_interrupt_during_the_wait_says_that_the_runs_continue() -> None:
    world = tampered()
    command = over(world)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    command.sleep = interrupt
    ran = command("reconcile")
    assert ran.code == 130
    assert "the hub's runs continue without this command: ecr-warden status" in ran.err
    assert len(world.jobs.sent) == 2


@pytest.mark.parametrize("verb", [("reconcile",), ("pause", "all", "--for", "1h", "--reason", "x")])
def test_an_interrupt_during_the_command_says_where_to_see_its_effect(verb: tuple[str, ...]) -> None:
    class Slow(InProcess):
        def control(self, request: str, *, of_upload: bool = False) -> dict[str, Any]:
            raise KeyboardInterrupt

    world = tampered()
    ran = Command(hub=Slow(world), clock=world.clock)(*verb)
    assert ran.code == 130
    assert "the hub may have received the command: ecr-warden status" in ran.err


def test_an_interrupt_during_a_question_says_that_nothing_was_written() -> None:
    class Slow(InProcess):
        def answer(self, request: str) -> dict[str, Any]:
            raise KeyboardInterrupt

    ran = Command(hub=Slow(tampered()))("reconcile")
    assert (ran.code, ran.err) == (130, "ecr-warden: interrupted; this command has written no policy\n")


def test_waiting_shows_progress_on_a_terminal_and_erases_it() -> None:
    command = over(tampered())
    command.terminal = True
    ran = command("reconcile")
    assert "runs ended 1 of 2" in ran.err
    assert ran.err.endswith("\r\x1b[K")


def test_status_lists_findings_with_their_way_and_since_when_and_exits_2() -> None:
    world = world_in_sync()
    world.sweep()
    shadow = f"arn:aws:iam::{HOME}:role/shadow-pusher"
    finding = Finding(
        FindingKind.EXTRA, str(CHECKOUT), "push", shadow, (shadow,), because=("statement 1 allows it",), remedy="cut it"
    )
    other = replace(finding, place=f"{HOME}/eu-central-1", kind=FindingKind.REPLICATION)
    seen = tuple(SeenFinding(one, NOW) for one in (finding, other))
    record = AuditRecord(
        NOW,
        "v1",
        {},
        seen,
        administrators={HOME: (shadow,)},
        unread=(UnreadDocument(CI, "", "users", UnreadCause.REFUSED, "denied"),),
    )
    world.audits.keep(replace(record, audited_at=NOW))
    ran = over(world)("status")
    assert ran.code == 2
    lines = ran.out.splitlines()
    assert lines[0] == (
        "registry:role/shadow-pusher can push shop/checkout now (1 more finding); "
        "it is not known who else has access; 1 of 5 targets differs from the spec"
    )
    assert lines[1].startswith(
        f"the last audit, at 2026-11-24T10:00:00Z, could not take into account: ci ({CI}): users"
    )
    said = "registry:role/shadow-pusher can push shop/checkout: NOT IN SPEC"
    access = "and access is not as the spec says"
    assert f"differs   {CHECKOUT}, in sync at 2026-11-24T10:00:00Z, {access}" in lines, "NOT IN SPEC is not green"
    assert f"  {said} (found 2026-11-24T10:00:00Z)" in lines
    assert "    because statement 1 allows it" in lines and "    remedy: cut it" in lines
    assert f"  administrators of registry ({HOME}): registry:role/shadow-pusher" in lines
    form = over(world)("status", "user/111111111111/push-user", "--json").json
    assert [one["finding"]["kind"] for one in form["access"]["findings"]] == ["foreign-replication"]
    assert form["repositories"] == []


def _of_many(number: int) -> CompiledSpec:
    """So many repositories from which a whole account pulls."""
    accounts = {"ci": {"id": CI}, "registry": {"id": HOME, "regions": ["eu-central-1"]}}
    repositories = [
        {"name": f"many/r{one:03}", "account": "registry", "pull": [{"account": "ci"}]} for one in range(number)
    ]
    return compiled(json.dumps({"version": 1, "accounts": accounts, "repositories": repositories}).encode())


def test_status_says_once_what_is_the_same_for_many() -> None:
    world = bare_world(_of_many(200))
    world.audits.kept = None
    lines = over(world)("status").out.splitlines()
    said = "all 200 repositories since 2026-11-24T10:00:00Z"
    assert lines[0] == "it is not known who else has access; 200 targets were not compared yet"
    assert lines[2:] == [
        f"access not known, {said}: there was no audit yet",
        as_people(f"never read in full, {said}: {HOME} was never swept; {HOME} was never surveyed; and 2 more"),
        "pending   200 repositories (many/r000, many/r001, many/r002 and 197 more)",
        "the spec says mode: observe, so the hub reports and writes nothing",
        f"200 targets: 0 ok, 0 differ, 0 unknown, 200 pending; 0 paused; spec {ACCEPTED.version}",
    ]
    assert len(over(world)("status", "--json").json["repositories"]) == 200


def test_status_shows_what_differs_before_what_does_not() -> None:
    accepted = _of_many(60)
    world, last = world_in_sync(accepted), replace(CHECKOUT, name="many/r059")
    world.put(repository_policy(last), OPEN)
    world.run(last)
    lines = over(world)("status").out.splitlines()
    assert next(line for line in lines if "/many/" in line and line[0] != " ").startswith(f"differs   {last}")
    assert any(line.startswith("ok        59 repositories, in sync") for line in lines)


def test_status_reads_as_one_whom_the_same_statement_lets_in_and_counts_what_it_leaves_out() -> None:
    world = world_in_sync()
    who = [f"arn:aws:iam::{CI}:user/u{number:02}" for number in range(45)]
    remedies = [*["remove statement 1"] * 20, *(f"remove statement {number}" for number in range(2, 27))]
    found = (
        Finding(FindingKind.EXTRA, str(CHECKOUT), "pull", one, (one,), remedy=remedy, accept=f"name {one}")
        for one, remedy in zip(who, remedies, strict=True)
    )
    world.audits.keep(
        AuditRecord(NOW, "v1", {}, tuple(SeenFinding(one, NOW) for one in found), left_out=5, audited_at=NOW)
    )
    ran = over(world)("status")
    lines = ran.out.splitlines()
    assert "50 findings of access at 2026-11-24T10:00:00Z, by the policies that could be read" in lines
    assert "  ci:user/u00 and 19 more can pull shop/checkout: NOT IN SPEC (found 2026-11-24T10:00:00Z)" in lines
    assert sum("NOT IN SPEC (found" in line for line in lines) == 20
    every = "all of them: ecr-warden status --json, ecr-warden report --hub"
    assert f"  and 11 more findings; {every}" in lines
    assert len(over(world)("status", "--json").json["access"]["findings"]) == 45


def test_status_says_what_a_failed_proof_leaves_unknown() -> None:
    world = world_in_sync()
    world.audits.keep(
        AuditRecord(NOW, "v1", {}, failure=AuditFailed("ecr-warden failed (KeyError in access.py, line 1)"))
    )
    ran = over(world)("status")
    assert ran.code == 2
    assert "failed: ecr-warden failed (KeyError in access.py, line 1); it is not known who has access" in ran.out
    assert "access not known" in ran.out

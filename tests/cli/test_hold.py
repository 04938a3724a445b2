"""`held`, over a hub in this process."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.job import AcceptSpec, ReconcileTarget
from ecr_warden.state.history import HistoryKind
from ecr_warden.state.hold import Hold, HoldState, Verdict
from ecr_warden.state.specs import SpecVersion
from ecr_warden.versions.alerts import SpecAccepted
from ecr_warden_cli.terminal.context import Failure
from local.testing.seed import CHECKOUT, CI
from tests.cli.command import Command
from tests.cli.test_hub import InProcess
from tests.usecases.test_holds import EMPTY, held, version_of
from tests.usecases.uploads import ALICE, TEXT, accept_of, decide, first, look, offer
from tests.usecases.world import World, bare_world


@dataclass(slots=True)
class Working(InProcess):
    """A hub that looks at the spec and carries out its jobs while somebody waits, if it `works`."""

    def pass_time(self, _: float) -> None:
        if not self.works:
            return
        if not self.world.jobs.sent:
            look(self.world)
            return
        job = self.world.jobs.sent.pop(0)
        if isinstance(job, AcceptSpec):
            accept_of(self.world).process(job)
        elif isinstance(job, ReconcileTarget):
            self.world.clock.advance(timedelta(seconds=1))
            self.world.reconcile().reconcile(job)


def over(world: World, *, works: bool = True, terminal: bool = False) -> Command:
    hub = Working(world, works)
    return Command(hub=hub, clock=world.clock, sleep=hub.pass_time, terminal=terminal)


def with_hold() -> tuple[World, Hold]:
    world = first()
    return world, held(world)


def test_nothing_is_held() -> None:
    ran = over(first())("held")
    assert (ran.code, ran.out) == (0, "nothing is held\n")


def test_what_waits_is_listed_with_who_gains_and_loses() -> None:
    world, hold = with_hold()
    ran = over(world)("held")
    assert ran.code == 2
    assert ran.out.splitlines()[:2] == [
        f"{hold.id}  version v2 of the spec: waits until 2026-12-01T10:00:00Z",
        "  because it names no repository, role or user any more (removes-much)",
    ]
    assert "  who loses:" in ran.out.splitlines()
    assert ran.out.count("loses pull from shop/checkout") == 2
    as_json = over(world)("held", "--json")
    assert (as_json.code, [one["state"] for one in as_json.json["holds"]]) == (2, ["waiting"])


def test_accept_shows_it_first_and_then_lets_it_take_effect() -> None:
    world, hold = with_hold()
    ran = over(world)("accept", hold.id, "--yes")
    assert (ran.code, version_of(world)) == (0, "v2")
    assert ran.out.splitlines()[0].startswith(f"{hold.id}  version v2 of the spec: waits until")
    assert ran.last_line == "version v2 of the spec: accepted by alice at 2026-11-24T10:00:00Z"


def test_reject_keeps_it_from_taking_effect() -> None:
    world, hold = with_hold()
    ran = over(world)("reject", hold.id, "--yes", "--json")
    assert (ran.code, version_of(world), ran.json["decided"]) == (0, "v1", True)
    assert ran.json["hold"]["state"] == "rejected"
    shown = over(world)("held", hold.id)
    assert shown.code == 0
    assert "rejected by alice" in shown.out


def test_after_a_rejection_it_is_said_what_comes_before_another_upload() -> None:
    world, hold = with_hold()
    ran = over(world)("reject", hold.id, "--yes")
    assert (ran.code, ran.last_line.endswith("Z; to upload it again, change it first")) == (0, True)


# name: what is typed at a terminal, or None without one, and whether that accepts
ANSWERS: dict[str, tuple[bytes | None, bool]] = {
    "yes": (b"yes\n", True),
    "no": (b"no\n", False),
    "nothing": (b"\n", False),
    "the end of the input": (b"", False),
    "y": (b"y\n", False),
    "yes, without a terminal": (None, False),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_person_has_to_answer_yes(case: str) -> None:
    typed, accepts = ANSWERS[case]
    world, hold = with_hold()
    ran = over(world, terminal=typed is not None)("accept", hold.id, stdin=b"yes\n" if typed is None else typed)
    assert version_of(world) == ("v2" if accepts else "v1")
    assert ran.code == (0 if accepts else 2)
    assert ("nothing was decided" in ran.err) is not accepts


def test_with_json_the_hold_is_shown_and_nothing_is_decided_without_yes() -> None:
    world, hold = with_hold()
    ran = over(world)("accept", hold.id, "--json")
    assert (ran.code, ran.json["decided"], ran.json["hold"]["what"]) == (2, False, "version v2 of the spec")
    assert world.command_records.taken == {}


def test_a_hub_that_has_not_acted_yet_is_said_and_exits_2() -> None:
    world, hold = with_hold()
    ran = over(world, works=False)("accept", hold.id, "--yes", "--wait", "2")
    assert (ran.code, version_of(world)) == (2, "v1")
    assert f"the hub has not acted on it yet: ecr-warden held {hold.id}" in ran.last_line


def test_an_acceptance_that_another_version_overtook_exits_2_and_names_what_is_held() -> None:
    world, hold = with_hold()
    hub = Working(world)

    def overtaken(_: float) -> None:
        held(world, EMPTY + "# another\n", "v3")

    ran = Command(hub=hub, clock=world.clock, sleep=overtaken)("accept", hold.id, "--yes")
    assert (ran.code, version_of(world)) == (2, "v1")
    assert "void, accepted by alice" in ran.last_line
    now = world.holds.find(hold.id)
    assert now is not None and now.state is HoldState.VOID
    assert f"; replaced by {now.instead}" in ran.last_line


# name: the arguments (ID is replaced), and words of the error
WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "an ID that was never held": (("accept", "0" * 12, "--yes"), "nothing is held as 000000000000"),
    "no ID": (("accept", "--yes"), "required: ID; see ecr-warden accept --help"),
    "no ID at all but a name": (("accept", "v2"), "is not the ID of a hold"),
    "one that was decided": (("accept", "ID", "--yes"), "was rejected by alice"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_id_is_an_error_that_says_what_is_held(case: str) -> None:
    arguments, words = WRONG[case]
    world, hold = with_hold()
    if "ID" in arguments:
        decide(world, hold, Verdict.REJECT)
    ran = over(world)(*(hold.id if one == "ID" else one for one in arguments))
    assert ran.code == 1
    assert words in ran.err
    assert version_of(world) == "v1"


def spec_file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "access.yaml"
    path.write_text(text)
    return str(path)


def test_apply_shows_who_loses_uploads_and_says_who_it_was(tmp_path: Path) -> None:
    world = first()
    path = spec_file(tmp_path, TEXT.replace(", ci:user/pull-user-2]", "]"))
    ran = over(world)("apply", path, "--yes")
    assert ran.code == 0, ran.err
    assert any("pull-user-2" in line and "pull" in line for line in ran.out.splitlines())
    assert "recorded as uploaded by ci:user/alice" in ran.out
    assert world.specs.file is not None
    [uploaded] = [entry for entry in world.log.kept.values() if entry.kind is HistoryKind.PUBLISHED]
    assert (uploaded.by, uploaded.text) == (ALICE, world.specs.file.version)
    again = over(world)("apply", path, "--yes", "--json")
    assert (again.code, again.json["uploaded"], again.json["version"]) == (0, True, world.specs.file.version)


@dataclass(slots=True)
class Unrecording(Working):
    """A hub that takes no commands."""

    error: BaseException | None = None

    def control(self, request: str, *, of_upload: bool = False) -> dict[str, Any]:
        raise self.error or Failure("no way in")


@pytest.mark.parametrize(("error", "code"), [(Failure("no way in"), 1), (KeyboardInterrupt(), 130)])
def test_apply_says_that_it_has_uploaded_if_that_is_not_recorded(
    tmp_path: Path, error: BaseException, code: int
) -> None:
    world = first()
    ran = Command(hub=Unrecording(world, error=error), clock=world.clock)("apply", spec_file(tmp_path, TEXT), "--yes")
    assert world.specs.file is not None
    uploaded = f"version {world.specs.file.version} is uploaded, and the hub may not know by whom"
    assert (ran.code, uploaded in ran.err) == (code, True)


@dataclass(slots=True)
class Uploading(Working):
    """A hub to which an upload is interrupted."""

    def upload(self, data: bytes) -> str:
        raise KeyboardInterrupt


def test_an_interrupted_upload_may_have_happened(tmp_path: Path) -> None:
    world = first()
    ran = Command(hub=Uploading(world), clock=world.clock)("apply", spec_file(tmp_path, TEXT), "--yes")
    assert (ran.code, "the spec may be uploaded: ecr-warden versions" in ran.err) == (130, True)


def test_apply_uploads_nothing_without_yes_or_with_a_problem(tmp_path: Path) -> None:
    world = first()
    before = world.specs.file
    path = spec_file(tmp_path, TEXT)
    assert over(world)("apply", path).code == 2
    asked = over(world)("apply", path, "--json")
    assert (asked.code, asked.json["uploaded"]) == (2, False)
    assert over(world)("apply", spec_file(tmp_path, "versio: 1"), "--yes").code == 1
    assert (world.specs.file, world.command_records.taken) == (before, {})


def test_the_first_version_compares_with_nothing(tmp_path: Path) -> None:
    world = bare_world()
    world.specs.compiled = world.specs.base = world.specs.file = None
    ran = over(world)("apply", spec_file(tmp_path, TEXT), "--yes")
    assert ran.code == 2
    assert "against nothing, because no version is accepted yet" in ran.out
    assert f"account ci ({CI}): it is unknown whom its member stack covers: no accepted version has it yet" in ran.out
    [hold] = world.holds.waiting()
    assert ran.last_line.startswith(f"ecr-warden held {hold.id} shows who gains")


def test_apply_ends_with_what_happened(tmp_path: Path) -> None:
    world = first()
    path = spec_file(tmp_path, TEXT.replace(", ci:user/pull-user-2]", "]"))
    ran = over(world)("apply", path, "--yes")
    assert (ran.code, ran.last_line) == (
        0,
        "version u0 is in force since 2026-11-24T10:00:00Z; "
        "of 2 targets that it changes 2 reconciled: 1 no longer in the spec, 1 repaired",
    )
    world.switch.enabled = False
    as_json = over(world)("apply", spec_file(tmp_path, TEXT), "--yes", "--json")
    assert (as_json.code, as_json.json["fate"]) == (2, "in-force")
    assert as_json.json["results"][str(CHECKOUT)] == "reported"


# name: the options, what is typed at a terminal, or None without one; the exit code, whether it takes effect, words
ACCEPTING: dict[str, tuple[str, bytes | None, int, bool, str]] = {
    "yes to both": ("", b"yes\nyes\n", 0, True, "of 5 targets that it changes 5 reconciled: 5 no longer in the spec"),
    "yes to the upload alone": ("", b"yes\nno\n", 2, False, "nothing was decided: answer yes at a terminal, or: "),
    "--yes, which answers the upload alone": ("--yes", b"\n", 2, False, "ecr-warden accept HOLD --yes"),
    "--yes, and then yes": ("--yes", b"yes\n", 0, True, "version u0 of the spec: accepted by alice at "),
    "no terminal": ("--yes", None, 2, False, "ecr-warden accept HOLD --yes"),
    "a script": ("--json", b"", 1, False, "scripts take the ID from apply --json: ecr-warden accept ID --yes"),
    "nothing to wait for": ("--no-wait", b"", 1, False, "--accept asks a person, and goes without --no-wait"),
}


@pytest.mark.parametrize("case", ACCEPTING)
def test_apply_has_what_waits_accepted_by_a_person_at_a_terminal_alone(case: str, tmp_path: Path) -> None:
    options, typed, code, is_accepted, words = ACCEPTING[case]
    world = first()
    command = over(world, terminal=typed is not None)
    ran = command("apply", spec_file(tmp_path, EMPTY), "--accept", *options.split(), stdin=typed or b"yes\n")
    assert (ran.code, version_of(world)) == (code, "u0" if is_accepted else "v1"), ran.err
    uploaded = {hold.ground.version: hold for hold in world.holds.kept.values()}
    words = words.replace("HOLD", uploaded["u0"].id if code != 1 else "")
    assert words in ran.out + ran.err
    assert ("because it names no repository" in ran.out, ran.out.count("who loses:")) == ((code != 1), int(code != 1))


def test_apply_says_what_did_not_happen_in_time(tmp_path: Path) -> None:
    world = first()
    path = spec_file(tmp_path, TEXT.replace(", ci:user/pull-user-2]", "]"))
    ran = over(world, works=False)("apply", path, "--yes", "--wait", "4")
    assert (ran.code, ran.last_line) == (1, "version u0 was not processed in time: ecr-warden status says why")
    ran = over(world, works=False)("apply", path, "--yes", "--no-wait")
    assert (ran.code, ran.last_line.startswith("ecr-warden status says whether it is accepted")) == (0, True)


def test_apply_says_beforehand_whom_ecr_warden_may_not_write(tmp_path: Path) -> None:
    world = first()
    world.documents.lists[CI] = {"ManagedOwners": (f"arn:aws:iam::{CI}:user/push-user",)}
    ran = over(world)("apply", spec_file(tmp_path, TEXT))
    assert ran.code == 2
    lines = ran.out.splitlines()
    assert f"account ci ({CI}): its member stack does not cover 2 of the users and roles in the spec:" in lines
    assert "    owners: [user/pull-user-1, user/pull-user-2]" in lines


def test_a_hold_names_the_gravest_gain_first() -> None:
    beside = "{Statement: [{Effect: Allow, Principal: {AWS: '999999999999'}, Action: 'ecr:*'}]}"
    more = "repositories:\n  - {name: app, account: registry, pull: [deployers]}\n"
    text = TEXT.replace("repositories:\n", more).replace(
        "pull: [deployers]\n", f"pull: [deployers]\n    beside: {beside}\n"
    )
    hold = held(first(), text)
    assert hold.gains[0].startswith("account 999999999999 gains administration of, deletion of images ")


def test_accept_lists_what_changed_by_itself_since_the_baseline() -> None:
    world = first()
    more = TEXT.replace("pull-user-2]", "pull-user-2, ci:user/pull-user-3]")
    assert isinstance(offer(world, more, "v2"), SpecAccepted)
    world.specs.older = (SpecVersion("v2", more.encode()),)
    hold = held(world, EMPTY, "v3")
    lines = over(world)("accept", hold.id, "--yes").out.splitlines()
    at = lines.index("  changed by itself since the baseline:")
    assert "pull-user-3 gains pull from shop/checkout" in " ".join(lines[at + 1 : at + 3])

"""The first four steps of the demo."""

import time
from collections.abc import Callable

from local.aws.calls import Call
from local.aws.faults import EventLate, Fault
from local.demo import journal, truth
from local.demo.attack import Bout, Ring, milliseconds_of
from local.demo.places import PUSH_USER, REPOSITORY, SPEC
from local.demo.pushing import Doors
from local.demo.quiet import by_product
from local.demo.rewrites import LEGACY_DOCUMENT, REWRITES, Rewrite
from local.demo.tampers import OPENED_ROLE, REOPENED_SESSIONS, TAMPERS, UNSEEN, Tamper
from local.testing.waiting import until

_DOOR_OPEN_MS = 1_500  # least delay of the event about the opened role: time for the outsider to push
_SLOWER = 10  # by how much longer that may take than before, on a machine that others use too


def become_right(ring: Ring) -> str:
    """Step 1: two bare accounts are brought in sync; returns the version of the spec."""
    aws, report = ring.stage.aws, ring.report
    bare = truth.read(aws)
    report.check("the accounts are bare: no role, no policy", not bare, f"documents found: {sorted(bare)}")
    version, runs = upload(ring, SPEC.read_text())
    report.check(
        "bare accounts are brought in sync: repository policy, role, its two policies, three users",
        len(ring.right) == 7 and len(runs) == 5 and all(run.result == "converged" for run in runs),
        f"{', '.join(ring.right)}; runs: {', '.join(f'{run.target} {run.result}' for run in runs)}",
    )
    return version


def upload(ring: Ring, spec: str) -> tuple[str, list[journal.Run]]:
    """Upload a spec and wait until the accounts follow; what they hold then is right."""
    aws, mark, began = ring.stage.aws, ring.stage.aws.mark(), time.time()
    version = ring.stage.enforce(spec)
    table = ring.stage.hub["Table"]
    until(lambda: by_product(aws.calls(mark)), what="the first write after an upload")
    ring.quiet.wait(mark)
    runs = [run for run in journal.runs(aws, table, since=began) if run.applied]
    ring.right = truth.read(aws)
    writes = by_product(aws.calls(mark))
    written = "1 write" if len(writes) == 1 else f"{len(writes)} writes"
    ring.report.screen.good(f"in sync     {len(ring.right)} documents, {written}")
    return version, runs


def open_the_door(ring: Ring, doors: Doors) -> journal.Run | None:
    """Step 2, the tamper with consequences: an outsider can push, and then no longer, not even in an old session."""
    screen, report = ring.report.screen, ring.report
    answers: list[str] = []
    late = max(_DOOR_OPEN_MS, _SLOWER * milliseconds_of(lambda: answers.append(doors.who_can_push())))
    screen.progress(f"  who can push: {answers[0]}")
    ring.stage.aws.add_fault(Fault("iam", "UpdateAssumeRolePolicy", EventLate(late), principal="*:user/*"))

    def look() -> None:
        answers.append(doors.who_can_push())
        screen.bad(f"who can push: {answers[1]}")

    repair = ring.attack(OPENED_ROLE, during=look, late=late)
    old = [doors.session_pushes(doors.outsider)] if doors.outsider in doors.sessions else []
    # push-user gets a new session once the cut-off of the old ones is past.
    until(lambda: doors.who_can_push() == answers[0], what="push-user's next session")
    answers.append(doors.who_can_push())
    old += [doors.session_pushes(doors.outsider)] if old else []
    screen.good(f"who can push: {answers[2]}")
    if report.check(
        "the session from before the repair pushed, and is refused", old == [False, False], f"pushes: {old}"
    ):
        screen.good("the outsider's open session is refused too")
    since = truth.ended_since(ring.stage.aws)
    report.check("only sessions since the trust policy was last read in sync ended", since != "", f"since {since}")
    outside = f"{answers[0]}, {doors.outsider}"
    report.check(
        "who can push, by AssumeRole and PutImage: before, during, after",
        answers == ["push-user", outside, "push-user"],
        " -> ".join(answers),
    )
    return repair


def reopen_sessions(ring: Ring, doors: Doors) -> None:
    """Step 2, the outsider's next move: reviving the ended session while the role stays closed."""
    aws, screen, report = ring.stage.aws, ring.report.screen, ring.report
    outsider, ours = doors.outsider, PUSH_USER
    pushes: list[bool] = []
    late = max(_DOOR_OPEN_MS, _SLOWER * milliseconds_of(lambda: pushes.append(doors.session_pushes(outsider))))
    aws.add_fault(Fault("iam", "DeleteRolePolicy", EventLate(late), principal="*:user/*"))

    def look() -> None:
        pushes.append(doors.session_pushes(outsider))
        screen.bad("the outsider's open session pushes again")

    stood, heard = truth.read_ends(aws), len(ring.stage.chat.messages)
    ring.attack(REOPENED_SESSIONS, during=look, late=late, stands=stood, read=truth.read_ends)
    pushes.append(doors.session_pushes(outsider))
    if report.check(
        "an ended session that was revived: before, during, after", pushes == [False, True, False], f"{pushes}"
    ):
        screen.good("the outsider's open session is refused again")
    foreign = ring.stage.message("pushed through an open door", heard)
    if report.check(
        "a message names the outsider's image", f"image {REPOSITORY}:pushed-" in foreign.text, foreign.text
    ):
        screen.good(
            "reported   the image that it pushed meanwhile, and how to see who pulled it and who opened the session"
        )
    left = truth.difference(truth.read_ends(aws), stood)
    report.check("the cut-off is the same as before", not left, f"changed: {left}")
    report.check(
        f"the session that {ours} opened after the repair still works", doors.session_pushes(ours), "it pushes"
    )


def tamper(ring: Ring) -> None:
    """Step 2, the other tampers in turn, and a burst."""
    for one in TAMPERS:
        ring.attack(one)
    _burst(ring, TAMPERS[0], TAMPERS[1])


def _burst(ring: Ring, first: Tamper, second: Tamper) -> None:
    """Three tampers with one document: two at once, and one as soon as they are repaired."""
    somebody = first.side.somebody(ring.stage.people)
    bout = Bout(ring, f"{somebody.words} tampers with {first.repair} three times within seconds", somebody, ring.right)
    bout.strike(first)
    bout.strike(second)
    until(lambda: truth.same(truth.read(ring.stage.aws), ring.right), what="the repair of the first two")
    bout.strike(first)
    if bout.undone(first, burst=True):
        seconds = bout.struck[-1] - bout.struck[0]
        ring.report.screen.good(f"repaired   {first.repair}, after {len(bout.struck)} tampers within {seconds:.1f} s")


def rewrite(ring: Ring) -> str:
    """Step 3: equivalent documents are left alone; one that differs by one action is repaired."""
    ring.report.screen.progress("  a second version of the spec, with a document that names an account by its ID")
    version, _ = upload(ring, SPEC.read_text() + LEGACY_DOCUMENT)
    for one in REWRITES:
        ring.attack(one.sibling, stands=_untouched(ring, one))
    return version


def _untouched(ring: Ring, one: Rewrite) -> truth.Snapshot:
    """The rewrite, and what the accounts hold after it."""
    aws, equal = ring.stage.aws, one.equal
    somebody = equal.side.somebody(ring.stage.people)
    mark, before = aws.mark(), truth.read(aws)
    equal.do(somebody)
    rewritten = truth.read(aws)
    ring.quiet.wait(mark)
    after = truth.read(aws)
    writes = by_product(aws.calls(mark))
    ring.report.false_writes += len(writes)
    name = f"{somebody.words} {equal.what}"
    changed = [key for key in rewritten if rewritten[key] != before.get(key)]
    ring.report.check(f"the rewrite is another text: {name}", len(changed) == 1, f"changed: {changed}")
    shown = ", ".join(call.action for call in writes) or "no write, the rewritten text is still there"
    if ring.report.check(f"equivalent, so untouched: {name}", not writes and after == rewritten, shown):
        ring.report.screen.untouched(name)
    return after


def _is_of_a_run(call: Call) -> bool:
    """Whether a run made the call: each begins with its lease.

    That the rules are off is reported without a run; what is noted of the queue, once a minute, is of no run either.
    """
    is_of_reconcile = ":assumed-role/ecr-warden-reconcile/" in call.principal and call.service == "dynamodb"
    return is_of_reconcile and "QUEUE#" not in str(call.parameters)


def sweep(ring: Ring, say: Callable[[str], None]) -> None:
    """Step 4: with the rules off, a sweep finds the tamper."""
    aws, stage = ring.stage.aws, ring.stage
    stage.events(on=False)
    say("  the rules that forward CloudTrail's events are off")
    somebody = UNSEEN.side.somebody(stage.people)
    bout = Bout(ring, f"{somebody.words} {UNSEEN.what}", somebody, ring.right)
    bout.strike(UNSEEN)
    until(lambda: time.time() > bout.struck[-1] + 1.0, 5, "a second")
    unseen = truth.difference(truth.read(aws), ring.right)
    runs = [f"{call.action} {call.parameters}" for call in aws.calls(bout.mark) if _is_of_a_run(call)]
    shown = f"not right: {unseen}; calls of runs: {runs}"
    ring.report.check("without an event there is no run and no repair", bool(unseen) and not runs, shown)
    say("  a sweep begins")
    asked = time.time()
    stage.begin_sweep()
    until(lambda: truth.same(truth.read(aws), ring.right), what=f"the sweep's repair of {REPOSITORY}")
    repair = bout.undone(UNSEEN, cause="sweep")
    if repair is not None:
        ended = max(call.at + call.milliseconds / 1000 for call in bout.writes_of(repair))
        ring.report.screen.good(f"repaired   {UNSEEN.repair}, {(ended - asked) * 1000:.0f} ms after the sweep began")
    stage.events(on=True)

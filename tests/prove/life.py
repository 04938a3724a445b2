"""A long life of one hub: operators, attackers, another tool, AWS, lost and late events, processes that die.

What is true at the end is in `at_rest`: after quiet, and one sweep with its jobs, access is as the spec says.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from ecr_warden.core.address import Address, attached_policy, identity_policy
from ecr_warden.core.desired import MustNotExist
from ecr_warden.core.job import Cause, CauseKind, FollowClock, Job, ReconcileTarget, SweepAll
from ecr_warden.core.observed import Observation, Present, Unparseable
from ecr_warden.core.target import Target
from ecr_warden.hub.request import request_to_text
from ecr_warden.state.commands import Command, PauseUntil, ReconcileTargets, Resume
from iam_access.delta.relate import Same, relate
from iam_access.document.document import Document
from iam_access.errors import NamedError
from local.testing.seed import (
    ADMIN,
    CHECKOUT,
    CI,
    D1,
    D2,
    D3,
    D4,
    D5,
    EVERYTHING,
    MALLORY,
    MORE_TRUST,
    OPEN_TRUST,
    PUSHER,
    ROLE,
    SETTINGS,
    USERS,
    allow,
    document,
)
from tests.prove.faults import Fault, Faulty, Kind
from tests.prove.judge import swept, unjournalled, unreported, unsettled
from tests.prove.scenes import FEWER, spec_in_sync, upload
from tests.prove.wiring import Call, Hub
from tests.usecases.hub import HUB, commands_of
from tests.usecases.uploads import TEXT
from tests.usecases.world import MALLORY as MALLORY_OF_HOME
from tests.usecases.world import OPEN, World

_TARGETS: tuple[Target, ...] = (CHECKOUT, PUSHER, *USERS)
_SPECS = (
    TEXT,
    FEWER,
    TEXT.replace("by: [ci:user/push-user]", "by: [ci:user/push-user, ci:user/pull-user-1]"),
    TEXT.replace("mode: enforce", "mode: observe"),
    "not a spec",
)
_TRUSTS = (MORE_TRUST, OPEN_TRUST, document(allow("sts:AssumeRole", who="*")))
_POLICIES = (OPEN, document(allow("ecr:*", who=MALLORY)), document(allow("ecr:BatchGetImage", who=CI)))
_IDENTITIES = (EVERYTHING, document(allow("ecr:PutImage")), document(allow("sts:AssumeRole")))
_LAMBDA = {
    "Sid": "LambdaECRImageRetrievalPolicy",
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    "Condition": {
        "StringLike": {"aws:sourceArn": f"arn:aws:lambda:eu-central-1:{CHECKOUT.account}:function:*"},
    },
}
_ALL_TAMPERS: Sequence[tuple[Address, Any]] = (
    *((D1, one) for one in _POLICIES),
    *((D2, one) for one in _TRUSTS),
    *((at, one) for at in (D3, D4, D5) for one in _IDENTITIES),
    *((identity_policy(one, "ecr-warden-more"), EVERYTHING) for one in (PUSHER, *USERS)),
    *((at, None) for at in (D1, D3, D4, D5, ROLE)),
    *((at, Unparseable("no document", '{"Statement": 7}', "odd")) for at in (D1, D3, D4)),
    (ROLE, replace(SETTINGS, boundary=None)),
    (ROLE, replace(SETTINGS, max_session_duration=43200)),
    (attached_policy(PUSHER, ADMIN), "attached"),
    (D1, document(_LAMBDA)),
)
_TAMPERS = {target: [one for one in _ALL_TAMPERS if one[0].target == target] for target in _TARGETS}
_MORE_WRITES = 10
"""Than drifts, at most: for sessions that are ended, and for what is removed before the whole repair may be made."""


class Life(RuleBasedStateMachine):
    """`steps` of all lives are counted in the class, as what was explored."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub(spec_in_sync(TEXT))
        self.events: list[Job] = []
        self.drifts = 0
        self.seen: dict[str, Observation] = {}
        self.lags = 0
        self.faulty = Faulty()
        self.hub.wire, self.hub.begin = self._wire, self.faulty.revive

    @property
    def world(self) -> World:
        return self.hub.world

    # ---- operators

    @rule(text=st.sampled_from(_SPECS))
    def spec_changes(self, text: str) -> None:
        self._counts()
        self.drifts += len(_TARGETS)
        version = f"v{next(self.world.ids)}"
        if self.world.specs.file is not None:
            self.world.specs.older += (self.world.specs.file,)
        self.events.append(upload(self.hub, text, version))

    @rule(of=st.sampled_from(_TARGETS), verb=st.sampled_from(("pause", "resume", "reconcile")))
    def command(self, of: Target, verb: str) -> None:
        self._counts()
        match verb:
            case "pause":
                until = self.world.clock.now() + timedelta(minutes=30)
                self._command(PauseUntil(self._id(), (of,), "a migration", until))
            case "resume":
                self._command(Resume(self._id(), (of,)))
            case _:
                self._command(ReconcileTargets(self._id(), (of,)))

    @rule(times=st.integers(1, 3))
    def jobs_are_done_while_writes_are_stopped(self, times: int) -> None:
        self._counts()
        self.world.switch.enabled = False
        for _ in range(times):
            self.hub.do_one()
        self.world.switch.enabled = True

    # ---- attackers, another tool, AWS

    @rule(tamper=st.sampled_from(_TAMPERS[CHECKOUT]), reported=st.booleans())
    def repository_is_changed(self, tamper: tuple[Address, Any], reported: bool) -> None:
        self._tamper(tamper, reported)

    @rule(tamper=st.sampled_from(_TAMPERS[PUSHER]), reported=st.booleans())
    def role_is_changed(self, tamper: tuple[Address, Any], reported: bool) -> None:
        self._tamper(tamper, reported)

    @rule(tamper=st.sampled_from([one for user in USERS for one in _TAMPERS[user]]), reported=st.booleans())
    def user_is_changed(self, tamper: tuple[Address, Any], reported: bool) -> None:
        self._tamper(tamper, reported)

    @rule(times=st.integers(1, 3))
    def another_tool_puts_its_version_back(self, times: int) -> None:
        self._counts()
        for _ in range(times):
            self.drifts += 1
            self.world.put(D1, _POLICIES[1])
            self._report(CHECKOUT)
            self.hub.do_one()

    @rule(of=st.sampled_from((CHECKOUT, *USERS)))
    def recreated(self, of: Target) -> None:
        self._counts()
        self.drifts += len(_TARGETS)
        self.world.documents.unmake(of)
        self.world.documents.make(of)
        self._report(of)

    @rule(times=st.integers(1, 3))
    def reads_lag(self, times: int) -> None:
        self._counts()
        self.lags += times

    # ---- events, jobs, time

    @rule(data=st.data(), again=st.booleans())
    def event_arrives(self, data: st.DataObject, again: bool) -> None:
        """Any of those under way, so that one may come late, and with `again` twice."""
        self._counts()
        if self.events:
            job = data.draw(st.sampled_from(self.events))
            self.hub.send(job)
            if not again:
                self.events.remove(job)

    @rule()
    def events_are_lost(self) -> None:
        self._counts()
        self.events.clear()

    @rule(times=st.integers(1, 8))
    def jobs_are_done(self, times: int) -> None:
        self._counts()
        for _ in range(times):
            self.hub.do_one()

    @rule(kind=st.sampled_from(Kind), at=st.integers(1, 14), lasts=st.booleans())
    def job_meets_a_fault(self, kind: Kind, at: int, lasts: bool) -> None:
        self._counts()
        self.faulty.planned = (Fault(kind, self.faulty.calls + at, lasts),)
        self.hub.do_one()
        self.hub.do_one()
        self.faulty.end()

    @rule(minutes=st.sampled_from((1, 7, 61)))
    def time_passes(self, minutes: int) -> None:
        self._counts()
        self.world.clock.advance(timedelta(minutes=minutes))
        self.hub.send(FollowClock(Cause(CauseKind.SWEEP, f"t{next(self.world.ids)}")))

    @rule()
    def sweep(self) -> None:
        self._counts()
        self.hub.send(SweepAll(Cause(CauseKind.SWEEP, f"s{next(self.world.ids)}")))

    # ---- the end

    def teardown(self) -> None:
        assert [*self.at_rest()] == []

    def at_rest(self) -> Iterator[str]:
        """All is enforced again; then what is not as it must be after one sweep and its jobs."""
        world = self.world
        self.lags = 0
        self.events.clear()
        self.hub.settle()
        if self.world.specs.file is not None:
            world.specs.older += (self.world.specs.file,)
        self.hub.send(upload(self.hub, f"{TEXT}# {next(world.ids)}\n", f"v{next(world.ids)}"))
        self.hub.settle()
        for target in _TARGETS:
            self._command(Resume(self._id(), (target,)))
        self.hub.settle()
        world.clock.advance(timedelta(minutes=30))
        swept(self.hub)
        yield from unsettled(self.hub)
        yield from self._otherwise_than_the_spec()
        yield from unjournalled(self.hub)
        yield from unreported(self.hub)
        if len(self.hub.written) > self.drifts + _MORE_WRITES:
            yield f"{len(self.hub.written)} writes for {self.drifts} drifts"
        if len(self.hub.messages) < len(self.hub.exhausted):
            yield "an exhausted job was not reported"

    def _otherwise_than_the_spec(self) -> Iterator[str]:
        """By the engine, beside the comparison of documents."""
        accepted = self.world.specs.compiled
        assert accepted is not None
        for spec in accepted.targets.values():
            for address, wanted in spec.documents.items():
                live = self.world.documents.live.get(address)
                match wanted, live:
                    case MustNotExist(), None:
                        pass
                    case Document(), Present(Document() as found):
                        if not isinstance(relate(found, wanted, kind=address.document_kind), Same):
                            yield f"{address} gives other access than the spec"
                    case _, Present():
                        pass
                    case _:
                        yield f"{address} is {live}"

    # ---- helpers

    def _tamper(self, tamper: tuple[Address, Any], reported: bool) -> None:
        self._counts()
        address, value = tamper
        if address.target not in self.world.documents.owners:
            return
        self.drifts += 1
        if value is None:
            self.drifts += len(self.world.documents.live) if address is ROLE else 0
            self.world.documents.remove(address)
        else:
            self.world.put(address, None if value == "attached" else value)
        if reported:
            self._report(address.target)

    def _counts(self) -> None:
        Life.steps += 1

    def _wire(self, call: Call) -> Any:
        answer = self.faulty(call)
        if call.port != "documents" or call.method != "read":
            return answer
        key = answer.target.key
        before, self.seen[key] = self.seen.get(key), answer
        if self.lags and before is not None and before.documents.keys() == answer.documents.keys():
            self.lags -= 1
            return before
        return answer

    def _id(self) -> str:
        return f"command-{next(self.world.ids)}"

    def _command(self, command: Command) -> None:
        with suppress(NamedError):  # the accepted spec may not have the target
            commands_of(self.world).carry_out(request_to_text(command), "alice", HUB)

    def _report(self, target: Target) -> None:
        cause = Cause(CauseKind.EVENT, f"e{next(self.world.ids)}", actor=MALLORY_OF_HOME)
        self.events.append(ReconcileTarget(cause, target))


def live(lives: int, steps: int) -> int:
    """So many lives of so many steps, the same each time; how many steps it were. Raises at the first that is wrong."""
    Life.steps = 0
    limits = settings(
        max_examples=lives,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # to shrink an example may take longer than everything else
    )
    run_state_machine_as_test(Life, settings=limits)
    return Life.steps

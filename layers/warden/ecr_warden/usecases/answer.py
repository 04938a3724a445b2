"""Questions of people to the deployed hub; nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from ecr_warden.errors import WardenError
from ecr_warden.model.codec.base import Json, dumps
from ecr_warden.model.codec.plans import drift_to_json, plan_to_json
from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.plan import Plan
from ecr_warden.model.reply import (
    CallReply,
    GrantsReply,
    HistoryReply,
    PlanReply,
    QuestionReply,
    RunReply,
    StatusReply,
    TargetStatus,
    Verified,
    VerifyReply,
)
from ecr_warden.model.request import (
    AskCall,
    AskGrants,
    AskHistory,
    AskPlan,
    AskRun,
    AskStatus,
    AskVerify,
    Question,
    Selection,
)
from ecr_warden.ports import Calls, Clock, Documents, Journal, Listing, Specs, State, Switch, TargetRecord
from ecr_warden.usecases.plan import plan_spec
from ecr_warden.usecases.selection import NothingAccepted, select

# Lambda returns 6 MB at most; JSON text in JSON may grow.
REPLY_BYTES = 4_000_000


class NoSuchRun(WardenError):
    """The journal has no such run."""

    code = "no-such-run"


@dataclass(frozen=True, slots=True)
class _Plans:
    accepted: CompiledSpec
    plans: tuple[Plan, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """The use case over its ports."""

    specs: Specs
    documents: Documents
    state: State
    journal: Journal
    calls: Calls
    switch: Switch
    clock: Clock
    reply_bytes: int = REPLY_BYTES

    def __call__(self, question: Question) -> QuestionReply:
        """Answer; raises NoSuchTarget, NothingAccepted, NoSuchRun, or a PortError of the hub's own stores."""
        match question:
            case AskStatus(selection):
                return self._status(selection)
            case AskPlan(selection):
                return self._plan(selection)
            case AskVerify(selection):
                return self._verify(selection)
            case AskGrants():
                return self._grants()
            case AskHistory():
                return self._history(question)
            case AskRun(run_id):
                return self._run(run_id)
            case AskCall(call_id):
                return CallReply(tuple(self.calls.answers(call_id)))
            case _:
                assert_never(question)

    def _accepted(self) -> CompiledSpec:
        accepted = self.specs.accepted()
        if accepted is None:
            raise NothingAccepted
        return accepted

    def _status(self, selection: Selection) -> StatusReply:
        accepted, now = self._accepted(), self.clock.now()
        listing = self.documents.list_repositories(accepted.patterns) if accepted.patterns else Listing()
        named = [spec.target for spec in accepted.targets.values()]
        targets = select(selection, {target.key: target for target in (*named, *listing.repositories)})
        records = self.state.records(list(targets.values()))

        def status(key: str) -> TargetStatus:
            record = records.get(key, TargetRecord())
            pause = record.pause if record.pause is not None and record.pause.is_on(now) else None
            return TargetStatus(str(targets[key]), record.last, pause, record.open_run, record.reported is not None)

        return StatusReply(
            accepted.version,
            accepted.mode,
            self.switch.reason_to_stop(),
            tuple(status(key) for key in targets),
            tuple(str(error) for _, error in listing.unread),
        )

    def _plans(self, selection: Selection) -> _Plans:
        """All are read whatever is selected: whether a user's way is open depends on its role."""
        accepted = self._accepted()
        patterns = {pattern.target.key for pattern in accepted.patterns}
        plans = {plan.target.key: plan for plan in plan_spec(accepted, self.documents, self.clock)}
        unread = [plan.drifts[0].explain for key, plan in plans.items() if key in patterns]
        selected = select(selection, {key: plan.target for key, plan in plans.items() if key not in patterns})
        return _Plans(accepted, tuple(plans[key] for key in selected), tuple(unread))

    def _plan(self, selection: Selection) -> PlanReply:
        read = self._plans(selection)
        differing = [plan for plan in read.plans if not plan.is_empty]
        kept = _that_fit([plan_to_json(plan) for plan in differing], self.reply_bytes)
        return PlanReply(
            version=read.accepted.version,
            mode=read.accepted.mode,
            targets=len(read.plans),
            plans=tuple(differing[:kept]),
            omitted=len(differing) - kept,
            unread=read.unread,
        )

    def _verify(self, selection: Selection) -> VerifyReply:
        read = self._plans(selection)
        # Those without drift weigh next to nothing: none of them is left out.
        differing = [plan for plan in read.plans if plan.drifts]
        forms: list[Json] = [{"drifts": [drift_to_json(drift) for drift in plan.drifts]} for plan in differing]
        kept = {plan.target.key for plan in differing[: _that_fit(forms, self.reply_bytes)]}
        told = tuple(
            Verified(str(plan.target), plan.drifts) for plan in read.plans if not plan.drifts or plan.target.key in kept
        )
        return VerifyReply(read.accepted.version, told, len(read.plans) - len(told), read.unread)

    def _grants(self) -> GrantsReply:
        from ecr_warden.usecases.grants import grants_of  # noqa: PLC0415 - the other questions need no YAML

        version = self._accepted().version
        return grants_of(version, self.specs.text(version))

    def _history(self, asked: AskHistory) -> HistoryReply:
        if asked.target is None:
            return HistoryReply(tuple(self.journal.latest(days=asked.days, limit=asked.limit)))
        return HistoryReply(tuple(self.journal.of_target(asked.target, limit=asked.limit)))

    def _run(self, run_id: str) -> RunReply:
        run = self.journal.find(run_id)
        if run is None:
            remedy = "ecr-warden history lists the runs that told something; they are kept for a year"
            raise NoSuchRun(f"the journal has no run {run_id}", remedy=remedy)
        return RunReply(run)


def _that_fit(forms: Sequence[Json], limit: int) -> int:
    """How many of the forms, from the first, stay within so many bytes together."""
    size = 0
    for count, form in enumerate(forms):
        size += len(dumps(form))
        if size > limit:
            return count
    return len(forms)

"""How a verdict on a version of the spec comes about: it is judged by what was read."""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from ecr_warden.audit.audit import stored_estate
from ecr_warden.collect.estate import EstateStore
from ecr_warden.collect.observed import LiveEstate, NotRead
from ecr_warden.core.clock import Clock
from ecr_warden.core.job import AcceptSpec, JudgeVersion
from ecr_warden.core.judgement import Judgement, WaitCode
from ecr_warden.core.queue import Jobs
from ecr_warden.core.spec_failures import BaselineLost
from ecr_warden.state.hold import OPEN, Hold
from ecr_warden.state.holds import Holds, Judged, Verdicts
from ecr_warden.state.specs import Specs
from ecr_warden.versions.baseline import baseline_of
from ecr_warden.versions.changes import Versions, recent
from ecr_warden.versions.judge import judge, parts_to_read


class JudgeVersions(Struct, frozen=True):
    """Judges versions by what lies there; it enters no account, and writes verdicts alone."""

    specs: Specs
    holds: Holds
    verdicts: Verdicts
    estate: EstateStore
    jobs: Jobs
    clock: Clock
    has_time: Callable[[], bool]
    young: timedelta
    """How old the kept inventory may be, by which documents that are taken over are judged."""
    max_removed: int | None = None
    """How many grants versions may remove in 24 hours; None for a share."""

    def judge_version(self, job: JudgeVersion) -> str:
        """Judge the version of a hold; keep the verdict, or what has to be read before one, and enqueue accept."""
        hold = self.holds.find(job.request)
        if hold is None or hold.state not in OPEN or hold.asked is None:
            return "nobody asks any more"
        versions = self._versions(hold)
        if versions is None:
            return "what is to be judged is not kept any more"
        notes, needed, now = self.verdicts.notes(hold), parts_to_read(versions), self.clock.now()
        unread = {part: why for part in needed.all if (why := notes.get(part))}
        estate, broken, read_at = stored_estate(self.estate, needed.all - unread.keys(), now)
        young = {part for part, at in read_at.items() if timedelta() <= now - at < self.young}
        # What had changed before it was taken over is not in it.
        kept = frozenset[str]() if hold.ground.again else needed.kept & young
        due = needed.all - notes.keys() - kept
        judgement = None
        if not due:
            # A piece that cannot be used counts as unread.
            failed = unread | {one.place: f"{one.what}: {one.why}" for one in broken}
            live = LiveEstate(estate, {part: NotRead(f"{part}: {text}") for part, text in failed.items()})
            judgement = self._judge(versions, live, now)
            if any(reason.code is WaitCode.NOT_JUDGED for reason in judgement.held):
                due = kept - notes.keys()
        verdict = None if due else judgement
        self.verdicts.keep(Judged(hold.ground, now, verdict, tuple(sorted(due))))
        self.jobs.enqueue([AcceptSpec(job.cause, request=job.request, after_reading=job.after_reading)])
        return "not everything was read yet" if verdict is None else f"{len(verdict.held)} reasons"

    def _judge(self, versions: Versions, live: LiveEstate, now: datetime) -> Judgement:
        accepted = versions.accepted
        earlier = 0 if accepted is None else sum(removal.grants for removal in recent(accepted.removals, now))
        return judge(
            versions, live, removed_before=earlier, now=now, max_removed=self.max_removed, has_time=self.has_time
        )

    def _versions(self, hold: Hold) -> Versions | None:
        baseline, accepted, new = hold.ground.digests
        forms = [self.specs.kept(digest) if digest else None for digest in (accepted, new)]
        if forms[1] is None or (accepted and forms[0] is None) or self.specs.standing().baseline != baseline:
            return None
        try:
            known = baseline_of(self.specs) if baseline else None
        except BaselineLost:
            known = None
        return Versions(known, forms[0], forms[1])

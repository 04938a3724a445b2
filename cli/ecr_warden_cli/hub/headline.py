"""What is wrong with the whole, in one sentence, the worst first."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ecr_warden.audit.finding import Certainty, ConditionStatus, FindingGroup, FindingKind
from ecr_warden.audit.finding_texts import sentence
from ecr_warden.core.desired import Mode
from ecr_warden.hub.reply import StatusReply
from ecr_warden.state.target_status import Standing
from iam_access.text.printable import count

_CLAUSES = 3
_STOPPED: Mapping[str, str] = {
    "writes-stopped": "nothing is repaired, for writes are stopped",
    "jobs-stuck": "jobs of the hub are stuck",
    "jobs-waiting": "a change was reported and is not looked at yet",
    "wiring-cut": "something through which ecr-warden sees or works is missing or off",
    "heartbeat-missing": "no heartbeat comes from a region",
    "sweep-overdue": "sweeps are overdue",
    "sessions-go-on": "sessions from before a repair go on",
}
"""Troubles of the hub because of which others may have access unseen, the gravest first."""
_UNKNOWN = ("audit-failed", "access-unaudited", "access-unread")
"""Troubles because of which it is not known who has access."""
_LESS_GRAVE: Mapping[str, str] = {
    "spec-refused": "the uploaded version of the spec was refused",
    "spec-missing": "the bucket has no spec",
    "spec-pending": "a new version of the spec is not in force yet",
    "spec-not-accepted": "the uploaded version of the spec is not in force",
    "held": "something waits for a person",
    "wiring-unread": "part of the wiring cannot be read",
    "wiring-outdated": "a stack is of another version than the hub",
}


def standings(reply: StatusReply) -> dict[str, Standing]:
    """The standing of each target: a repository to which others have access is not as the spec says."""
    found = {status.target: status.standing for status in reply.targets}
    for repository in reply.repositories:
        if repository.health.audited.status is ConditionStatus.FALSE and found.get(repository.target) is Standing.OK:
            found[repository.target] = Standing.DIFFERS
    return found


def headline(reply: StatusReply) -> tuple[str, bool]:
    """The sentence, and whether all is well."""
    clauses = [*_clauses(reply)]
    if clauses:
        rest = len(clauses) - _CLAUSES
        return "; ".join(clauses[:_CLAUSES] + ([f"and {count(rest, 'more thing')} below"] if rest > 0 else [])), False
    number = len(reply.targets)
    every = f"all {count(number, 'target')} are" if number != 1 else "the target is"
    others = "nobody else has access" + (" but administrators" if reply.access.administrators else "")
    fine = f"{every} as the spec says, and {others}, by the policies that could be read"
    return fine + ("; the spec says mode: observe" if reply.mode is Mode.OBSERVE else ""), True


def _clauses(reply: StatusReply) -> Iterator[str]:
    """The troubles, the worst first."""
    unintended = [finding for finding in reply.access.findings if finding.finding.kind is not FindingKind.MISSING]
    yield from _of_findings([finding_group for finding_group in unintended if _lets_in_outsider(finding_group)])
    yield from reply.access.left[:_CLAUSES]
    troubles = {trouble.code: trouble for trouble in reply.troubles}
    yield from (clause for code, clause in _STOPPED.items() if code in troubles)
    yield from _of_findings([finding_group for finding_group in unintended if not _lets_in_outsider(finding_group)])
    number, words = len(reply.targets), Counter(standings(reply).values())
    if words[Standing.UNKNOWN] or reply.unread:
        yield (
            f"{_of(words[Standing.UNKNOWN], number)} could not be read"
            if words[Standing.UNKNOWN]
            else ("not all targets are known")
        )
    if any(code in troubles for code in _UNKNOWN) or _is_unknown(reply):
        yield "it is not known who else has access"
    if words[Standing.DIFFERS]:
        verb = "differs" if words[Standing.DIFFERS] == 1 else "differ"
        yield f"{_of(words[Standing.DIFFERS], number)} {verb} from the spec"
    yield from _of_findings(
        [finding for finding in reply.access.findings if finding.finding.kind is FindingKind.MISSING]
    )
    for code, trouble in troubles.items():
        if code not in (*_STOPPED, *_UNKNOWN):
            yield _LESS_GRAVE.get(code, trouble.message)
    if words[Standing.PENDING]:
        verb = "was" if words[Standing.PENDING] == 1 else "were"
        yield f"{_of(words[Standing.PENDING], number)} {verb} not compared yet"


def _of(some: int, every: int) -> str:
    """`2 of 5 targets`; `1 target` of one."""
    return count(every, "target") if some == every else f"{some} of {count(every, 'target')}"


def _is_unknown(reply: StatusReply) -> bool:
    conditions = (condition for each in reply.repositories for condition in (each.health.audited, each.health.fresh))
    return any(condition.status is ConditionStatus.UNKNOWN for condition in conditions)


def _lets_in_outsider(group: FindingGroup) -> bool:
    return group.finding.foreign and group.finding.certainty is not Certainty.UNKNOWN


def _of_findings(groups: Sequence[FindingGroup]) -> Iterator[str]:
    """The gravest of them, and how many more."""
    if groups:
        worst = min(
            groups, key=lambda group: (group.finding.certainty is not Certainty.YES, "push" not in group.accesses)
        )
        said = sentence(worst).removesuffix(": NOT IN SPEC")
        now = " now" if worst.finding.certainty is Certainty.YES and worst.finding.kind is FindingKind.EXTRA else ""
        more = len(groups) - 1
        yield f"{said}{now}" + (f" ({count(more, 'more finding')})" if more else "")

"""The product's verdicts on texts, as codes, names and sets: the one module of the net that imports the product.

A verdict is plain data in which no wording, class or module shows: when code moves, only the imports here change.
`answer` is the verdict in a word; `codes`: every code in it, each after the kind of code.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access.missing import Edit, Side
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.audit.administrators import unlimited_in
from ecr_warden.audit.finding import Certainty, Finding, FindingKind
from ecr_warden.audit.findings import find
from ecr_warden.audit.grounds import Grounds
from ecr_warden.audit.judge import Judge
from ecr_warden.audit.repaired import Waits
from ecr_warden.audit.spec_access import SpecAccess
from ecr_warden.collect.observed import LiveEstate, NotRead, ReadAccounts
from ecr_warden.core.address import DOCUMENT_KINDS, AddressKind, is_our_policy
from ecr_warden.core.codec.base import to_json
from ecr_warden.core.desired import CompiledSpec, RoleSettings, TargetSpec
from ecr_warden.core.drift import Drift, Loosening
from ecr_warden.core.estate import Estate, target_of
from ecr_warden.core.job import Job, job_to_json
from ecr_warden.core.judgement import WaitCode
from ecr_warden.core.kinds import DriftKind, HoldReason, Operation
from ecr_warden.core.observed import Observation
from ecr_warden.core.plan import Change, Held, NewRole, Written
from ecr_warden.core.run import Debts
from ecr_warden.core.target import RoleTarget, Target
from ecr_warden.events.decide import EventDecision, SpecPlace, decide
from ecr_warden.events.trigger import Ignored, TriggerError
from ecr_warden.repair.orphans import as_observed
from ecr_warden.repair.planner import Facts
from ecr_warden.repair.targets import orphan_spec
from ecr_warden.versions.access_changes import access_changes
from ecr_warden.versions.changes import Versions, succeeding
from ecr_warden.versions.enforced import step
from ecr_warden.versions.judge import judge
from ecr_warden_cli.asking.access import can_assume, can_i, find_subject, question, who_can, with_extra
from iam_access.delta.delta import PermissionDelta
from iam_access.delta.relate import Differs, Interchangeable, Same, relate
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import digest
from iam_access.equivalent.subsumption import AllBut, AnyOf
from iam_access.errors import NamedError
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath
from local.testing.seed import plan_for
from tests.snapshots import estate_from_text

type Inputs = Mapping[str, str]
type Verdict = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SPEC_BUCKET = "ecr-warden-spec-111111111111-eu-central-1"

CODES: Mapping[str, type[StrEnum]] = {
    "answer": Answer,
    "certainty": Certainty,
    "drift": DriftKind,
    "finding": FindingKind,
    "hold": HoldReason,
    "loosens": Loosening,
    "missing": Side,
    "write": Operation,
    "waits": WaitCode,
}
"""Every kind of code with the codes that the product knows."""


def verdict_on(question_: str, inputs: Inputs) -> Verdict:
    """The product's answer to a question; an exception of its own is an answer too, by its code."""
    try:
        return _QUESTIONS[question_](inputs)
    except NamedError as error:
        return {"answer": "error", "codes": [f"error {error.code}"]}


def _verdict(answer: str, codes: Iterable[str], **more: Any) -> Verdict:
    return {"answer": str(answer), "codes": sorted({*codes})} | more


# relate: a live and a desired document


def _related(inputs: Inputs) -> Verdict:
    kind = DOCUMENT_KINDS[AddressKind(inputs["kind"])]
    live, desired = (parse_document(inputs[name]) for name in ("live", "desired"))
    found = relate(live, desired, kind=kind)
    answer = {Same: "same", Interchangeable: "interchangeable", Differs: "differs"}[type(found)]
    more: Verdict = {"digests": [digest(one, kind=kind) for one in (live, desired)]}
    if isinstance(found, Differs):
        more["gained"], more["lost"] = (_permissions(one) for one in (found.access.gained, found.access.lost))
        more["assumed"], more["outlasts"] = found.access.assumed, found.outlasts
    return _verdict(answer, (), **more)


def _permissions(permissions: Iterable[PermissionDelta]) -> list[str]:
    return sorted(map(_permission, permissions))


def _permission(one: PermissionDelta) -> str:
    """`Allow AWS:* ecr:putimage - if Bool aws:securetransport [true]`."""
    parts = (_part(one.principal), _part(one.action), _part(one.resource))
    clauses = sorted(
        f"{clause.operator} {clause.key} [{', '.join(sorted(clause.values))}]" for clause in one.conditions
    )
    return " ".join((one.effect.value, *parts)) + "".join(f" if {clause}" for clause in clauses)


def _part(part: Any) -> str:
    match part:
        case None:
            return "-"
        case AllBut(values):
            return f"all but {'|'.join(map(_part, values))}"
        case AnyOf(values):
            return f"any of {'|'.join(map(_part, values))}"
        case str():
            return part
        case _:
            return f"{part.kind}:{part.value}"


# plan: a spec and the accounts


def _planned(inputs: Inputs) -> Verdict:
    spec = _valid(inputs["spec"]).compiled
    if "before" in inputs:
        spec = succeeding(_valid(inputs["before"]).compiled, spec)
    given = json.loads(inputs.get("given", "{}"))
    live = ReadAccounts(_live(inputs["estate"], given))
    drifts: list[str] = []
    changes: list[str] = []
    holds: list[str] = []
    codes: list[str] = []
    for target, asked in _asked(spec, _estate(inputs["estate"])).items():
        seen = live.observe(asked, takes_duration=True)
        if target not in spec.targets and spec.spec_of(asked.target) is None and not _is_orphan(seen):
            continue
        now = as_observed(asked, seen)
        looked = NOW - timedelta(hours=given["looked"]) if "looked" in given else None
        in_sync, mode = not given.get("roles differ"), spec.mode_of(asked.target)
        plan = plan_for(now, seen, _facts(now, given), mode=mode, version="v", looked=looked, in_sync=in_sync)
        drifts += map(_drift, plan.drifts)
        changes += map(_change, plan.changes)
        holds += map(_held, plan.held)
        codes += [f"drift {one.kind.value}" for one in plan.drifts]
        codes += [f"loosens {one.value}" for drift in plan.drifts for one in drift.loosens]
        codes += [f"write {one.operation.value}" for one in plan.changes]
        codes += [f"hold {one.reason.value}" for one in plan.held]
    answer = "writes and holds" if changes and holds else "writes" if changes else "holds" if holds else "in sync"
    return _verdict(answer, codes, drifts=sorted(drifts), changes=changes, holds=sorted(holds))


def _is_orphan(found: Observation) -> bool:
    """Whether a target that no spec names still holds something of ecr-warden's."""
    return (isinstance(found.target, RoleTarget) and found.tagged_ours) or any(map(is_our_policy, found.documents))


def _live(estate: str, given: Mapping[str, Any]) -> LiveEstate:
    return LiveEstate(_estate(estate), {part: NotRead(f"{part}: denied") for part in given.get("unread", ())})


def _asked(spec: CompiledSpec, estate: Estate) -> dict[str, TargetSpec]:
    """What is asked of each target: those of the spec, the repositories that fit a pattern, and what may be left."""
    found = dict(spec.targets)
    targets: list[Target] = [one.target for one in estate.repositories()]
    targets += map(target_of, estate.identities())
    for target in targets:
        asked = spec.spec_of(target) or orphan_spec(target, spec)
        if asked is not None:
            found.setdefault(target.key, asked)
    return dict(sorted(found.items()))


class _EveryVersion(tuple[Any, ...]):
    """Somebody keeps restoring whatever is there."""

    __slots__ = ()

    def __contains__(self, one: object) -> bool:
        return True


def _facts(spec: TargetSpec, given: Mapping[str, Any]) -> Facts:
    """What came before, the same for each document.

    `looked`: the hours since the role was last seen in sync; `written`: the seconds since the last write; `recreated`:
    whether all principals were recreated since; `judged`: the digest of what is taken over.
    """
    addresses = [*spec.documents]
    recreated = tuple(sorted(spec.principals)) if given.get("recreated") else ()
    return Facts(
        NOW,
        debts=Debts(recreated_principals=recreated) if "recreated" in given else None,
        written_at=NOW - timedelta(seconds=given["written"]) if "written" in given else None,
        refusals=dict.fromkeys(addresses, given.get("refusals", 0)),
        paced=_EveryVersion() if given.get("paced") else (),
        expected={str(one): given["judged"] for one in addresses} if "judged" in given else {},
    )


def _drift(drift: Drift) -> str:
    """`changed repository-policy repository/...: +1 -2`."""
    change = drift.change
    access = "same access" if drift.same_access else f"+{len(change.gained)} -{len(change.lost)}" if change else "?"
    return " ".join((drift.kind.value, f"{drift.address}:", access, *sorted(drift.loosens), drift.code)).rstrip()


def _change(change: Change) -> str:
    """`update repository-policy repository/... to DIGEST`; creating a role also has its trust policy's."""
    to = "" if change.after is None else f" to {_content(change.after, change)}"
    return f"{change.operation.value} {change.address}{to}"


def _content(written: Written, change: Change) -> str:
    match written:
        case Document():
            return digest(written, kind=change.address.document_kind)[:16]
        case RoleSettings():
            return f"{written.path} {written.max_session_duration} {written.boundary or '-'}"
        case NewRole():
            trust = digest(written.trust, kind=DocumentKind.TRUST)[:16]
            return f"{_content(written.settings, change)} {trust}"


def _held(held: Held) -> str:
    return f"{held.reason.value} {held.drift.address}"


# judge: versions of a spec, and the accounts


def _judged(inputs: Inputs) -> Verdict:
    baseline, accepted = (
        _valid(inputs[name]).compiled if name in inputs else None for name in ("baseline", "accepted")
    )
    versions = Versions(baseline, accepted, _valid(inputs["new"]).compiled)
    given = json.loads(inputs.get("given", "{}"))
    live = _live(inputs["estate"], given) if "estate" in inputs else None
    found = judge(versions, live, removed_before=given.get("removed", 0), now=NOW)
    change = step(versions.accepted, versions.new)
    changes = access_changes(change.before, change.after)
    codes = [one.code for one in found.held]
    return _verdict(
        "waits" if codes else "takes effect",
        [f"waits {code.value}" for code in codes],
        reasons=sorted({f"{one.code.value}: {gist(one.reason)}" for one in found.held}),
        access=sorted(
            " ".join(
                (one.principal, one.direction, one.access, one.repository, *_via(one.through), *_if(one.conditions))
            )
            for one in changes.changes
        ),
        undecided=sorted(changes.undecided),
        removed=found.removed,
        taken_over=dict(sorted(found.taken_over.items())),
        gains=sorted({*map(gist, found.gains)}),
        loses=sorted({*map(gist, found.loses)}),
        unseen=sorted({*map(gist, found.unseen)}),
    )


# findings: a spec and the accounts


def _found(inputs: Inputs) -> Verdict:
    given = json.loads(inputs.get("given", "{}"))
    proof = find(
        _estate(inputs["estate"]),
        _valid(inputs["spec"]).compiled,
        given.get("administrators"),
        given.get("upstreams"),
        live=dict.fromkeys(given.get("live", ()), Waits.NOBODY).get,
    )
    kinds = {one.kind.value for one in proof.findings}
    codes = [f"finding {one}" for one in kinds] + [f"certainty {one.certainty.value}" for one in proof.findings]
    return _verdict(
        "several kinds" if len(kinds) > 1 else min(kinds, default="none"),
        codes,
        findings=sorted(map(_finding, proof.findings)),
        administrators={part: sorted(map(_who, names)) for part, names in proof.administrators.items()},
        upstreams={part: sorted(map(gist, rules)) for part, rules in proof.upstreams.items()},
        unread=sorted({*map(gist, map(str, proof.unread))}),
    )


def _finding(one: Finding) -> str:
    words = (one.kind.value, one.access, one.place, one.scope, *map(_who, (one.principal, *one.chain)))
    marks = (one.certainty.value, "foreign" if one.foreign else "", "ends repaired" if one.ends_repaired else "")
    return " ".join(filter(None, (*words, *marks, *_if(one.conditions))))


# can-i and who-can: the accounts, and a question


def _can(inputs: Inputs) -> Verdict:
    graph = RepositoryGraph(_estate(inputs["estate"]))
    subject = find_subject(graph, inputs["principal"])
    if inputs["access"] == "assume":
        found = can_assume(graph, subject, find_subject(graph, inputs["repository"]))
    else:
        found = can_i(graph, subject, question(graph, inputs["access"], inputs["repository"]))
    path, change = found.path, found.change
    codes = [f"missing {edit.side.value}" for edit in change.edits] if change else []
    return _verdict(
        found.answer.value,
        [f"answer {found.answer.value}", *codes],
        chain=list(path.chain) if path else [],
        conditions=_if(path.conditions) if path else [],
        unread=sorted({gist(one.name) for one in path.unread}) if path else [],
        missing=sorted(map(_edit, change.edits)) if change else [],
        via=list(change.via) if change else [],
    )


def _edit(edit: Edit) -> str:
    if edit.index is not None:
        shared = edit.place.arn or (edit.policy if edit.place.group else "")
        return f"{edit.side.value} of {edit.holder} {edit.level}: not statement {edit.index} {shared}".rstrip()
    added = " ".join((*sorted(edit.actions), edit.resource or "-", edit.principal or "-"))
    return f"{edit.side.value} of {edit.holder} {edit.level}: {added}"


def _who_can(inputs: Inputs) -> Verdict:
    estate = _estate(inputs["estate"])
    graph = RepositoryGraph(estate)
    asked = question(graph, inputs["access"], inputs["repository"])
    found = who_can(graph, asked)
    given = None
    if "spec" in inputs:
        compiled, target = _valid(inputs["spec"]).compiled, asked.repository.target
        spec_access = SpecAccess(compiled, estate, [target])
        given = partial(spec_access.gives, asked.what, target)
        found = with_extra(Grounds(Judge(graph, compiled), spec_access, unlimited_in(graph)), asked, found)
    paths = (*found.identities, *found.classes)
    answers = {path.answer.value for path in paths}
    answer = "nobody" if not answers else min(answers) if len(answers) == 1 else "several answers"
    return _verdict(
        answer,
        [f"answer {one}" for one in answers],
        identities=sorted(_path(path, given) for path in found.identities),
        classes=sorted(_path(path, given) for path in found.classes),
        unread=sorted({gist(one.name) for one in found.unread}),
    )


def _path(path: AccessPath, given: Callable[[AccessPath], bool] | None) -> str:
    in_spec = "" if given is None else "in spec" if given(path) else "not in spec"
    return " ".join(filter(None, (path.answer.value, " > ".join(path.chain), in_spec, *_if(path.conditions))))


# event: what CloudTrail, S3 or the schedule sent


def _triggered(inputs: Inputs) -> Verdict:
    try:
        found = decide(json.loads(inputs["event"]), SpecPlace("access.yaml", SPEC_BUCKET.__eq__))
    except TriggerError:
        return _verdict("malformed", ())
    match found:
        case Ignored():
            return _verdict("ignored", ())
        case EventDecision(trigger, targets, jobs):
            kinds = [_kind(job) for job in jobs]
            return _verdict(
                "targets" if targets else "jobs" if jobs else "nothing",
                [f"job {kind}" for kind in kinds],
                targets=sorted(map(str, targets)),
                actor=to_json(getattr(trigger, "actor", None)),
                at=trigger.at,
                jobs=kinds,
            )


def _kind(job: Job) -> str:
    kind: str = job_to_json(job)["kind"]
    return kind


_QUESTIONS: Mapping[str, Callable[[Inputs], Verdict]] = {
    "relate": _related,
    "plan": _planned,
    "judge": _judged,
    "findings": _found,
    "can-i": _can,
    "who-can": _who_can,
    "event": _triggered,
}
QUESTIONS = tuple(_QUESTIONS)


# The texts


class Refused(NamedError):
    """The text of a spec has problems."""

    code = "refused"


@lru_cache(maxsize=8)
def _valid(text: str) -> Valid:
    # Some were recorded with settings that a new version must not have any more.
    loaded = load_spec(text.encode(), version="v", now=NOW, accepted=True)
    if not isinstance(loaded, Valid):
        raise Refused("the spec is not valid")
    return loaded


@lru_cache(maxsize=8)
def _estate(text: str) -> Estate:
    return estate_from_text(text, at=NOW)


# What is certain in a sentence

_NAME = re.compile(
    r'"[^"]*"|arn:[^\s,;()"]+|[\w.*?-]+(?:[/:][\w.*?${}-]+)+|\b[0-9]{12}\b|\b[a-z]{2}(?:-[a-z]+)+-[0-9]\b|\bo-[a-z0-9]{10,}\b'
    r"|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net)\b|\bset [0-9a-f]{8}\b|\b[0-9]+\b"
)
_MARKS = frozenset(
    {
        *("not", "absent", "present", "less", "more", "most", "least", "matches", "in"),
        *("root", "token", "service", "anybody", "anyone", "gains", "loses", "pull", "push"),
    }
)


def gist(text: str) -> str:
    """The names, values and numbers in a sentence, and the few words that turn its meaning; its wording is free."""
    names = {found.strip('"').rstrip(".:") for found in _NAME.findall(text)}
    words = _MARKS & {*re.findall(r"[a-z]+", _NAME.sub(" ", text))}
    return " ".join((*sorted(words), *sorted(names)))


def _who(principal: str) -> str:
    """An ARN, or the gist of a class in words."""
    return principal if principal.startswith("arn:") else gist(principal)


def _via(chain: Collection[str]) -> Iterator[str]:
    if chain:
        yield "by " + " > ".join(chain)


def _if(conditions: Iterable[str]) -> list[str]:
    return sorted({f"if {gist(one)}" for one in conditions})

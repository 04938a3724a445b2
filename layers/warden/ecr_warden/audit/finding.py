"""The findings of an audit: access that the spec does not give, or gives in vain; and the health of each repository."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field

from ecr_warden.core.codec.base import Json, forms
from ecr_warden.core.value import Count, Moment, Value
from iam_access.arn import parse_arn

AUDITED_FOR = timedelta(hours=1)
"""How long an audit holds although nothing changes: a condition on the time can let somebody in later."""


class FindingKind(StrEnum):
    """What is wrong, apart from drift: an audit takes every document of the spec as repaired that is being repaired."""

    EXTRA = "extra-access"  # somebody can, and the spec does not give it
    MISSING = "missing-access"  # the spec gives it, and they cannot
    REGISTRY = "registry-policy"  # the registry policy lets somebody in, to every repository at once
    REPLICATION = "foreign-replication"  # a rule copies images to where nobody reads who can pull
    TEMPLATE = "creation-template"  # repositories that are created from now on let somebody in
    ADMINISTRATOR = "new-administrator"  # may write repository policies or IAM, and could not at the last audit
    UPSTREAM = "new-upstream"  # a pull-through cache rule that was not there at the last audit


ANYONE = "anyone on the internet with an AWS account"
MEMBERS = "more principals"
"""Whom a finding is about that lists them; their number is no part of what tells findings apart."""
_NUMBERED = re.compile(r"[0-9]+ more principals?")


def is_call(access: str) -> bool:
    """Is an access one action, and neither a pull nor a push?"""
    return ":" in access


def key_of_arn(arn: str) -> str:
    """The key of the user or role that an ARN names; "" for any other text."""
    parsed = parse_arn(arn)
    kind = "" if parsed is None else parsed.resource.partition("/")[0]
    return f"{kind}/{parsed.account}/{parsed.name}".lower() if parsed and kind in ("user", "role") else ""


class Certainty(StrEnum):
    """How certain a finding is by what was read."""

    YES = "yes"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


class Half(StrEnum):
    """Of a principal that has one action of a pull and not the other, who has what is left."""

    ALONE = "alone"  # nobody who is not ours
    OPEN = "open"  # the same, and the half is open to anybody
    COMPLETED = "completed"  # others who are not ours, who may be the same person


class Finding(Value, frozen=True, omit_defaults=True):
    """One thing that an audit found."""

    kind: FindingKind
    place: str
    """A repository's target text, ACCOUNT/REGION of a registry, or ACCOUNT."""
    access: str = ""
    """Pull, push, or an action, of a registry policy several."""
    principal: str = ""
    """An ARN, or a class in words."""
    chain: tuple[str, ...] = ()
    """The principal and the ARNs of the roles from it to whoever uses the repository."""
    certainty: Certainty = Certainty.YES
    conditions: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    """The statements that decide, in words."""
    remedy: str = ""
    """What closes it, and where."""
    foreign: bool = False
    """The principal or destination is in no account that the spec names."""
    scope: str = ""
    """Which of a registry's repositories it is about, as a pattern of their names; "" for all."""
    ends_repaired: bool = False
    """It is so now, and ends once the spec's documents are repaired."""
    lacking: tuple[str, ...] = ()
    """The actions for want of which docker cannot do it."""
    accept: str = ""
    """What to say where instead, if the access is meant."""
    half: Half | None = None
    """`access` is one of the two actions of a pull, and the principal has not both."""

    @property
    def key(self) -> str:
        """The same for the same finding in two audits, however it is worded."""
        return "\n".join((*self.deed, *self.chain))

    @property
    def deed(self) -> tuple[str, ...]:
        """Who can, or cannot, do what where, whichever way."""
        return self.kind, self.place, self.scope, self.access, self.principal

    @property
    def lets_in_outsider(self) -> bool:
        """Whether an outsider certainly gets in, or gets images, by it: what is CRITICAL."""
        opens_up = self.kind is not FindingKind.MISSING and self.half is not Half.ALONE
        return self.foreign and opens_up and self.certainty is not Certainty.UNKNOWN

    @property
    def change(self) -> str:
        """The change that closes access, the same for all whom the same statements let in; empty for other findings."""
        return self.remedy if self.accept else ""


class SeenFinding(Value, frozen=True):
    """A current finding, and when an audit first had it."""

    finding: Finding
    first_seen: Moment


class FindingGroup(Value, frozen=True):
    """Findings that differ in nothing but their access and their place: what people read as one.

    `accesses`, `places`: of all of them, the places less `left_out`.
    """

    finding: Finding
    """One of them."""
    accesses: tuple[str, ...]
    places: tuple[str, ...]
    first_seen: Moment
    """In the first audit that had one."""
    left_out: Count = 0


class UnreadCause(StrEnum):
    """Why a document was not read."""

    REFUSED = "refused"  # its neighbours were read, or it was before
    UNPARSABLE = "unparsable"  # it was read, and cannot be used
    LASTING = "lasting"  # all of an account or region never was, or is suspended, or what passes has not for two sweeps
    PASSING = "passing"  # throttled, not answered, or not surveyed yet


HIDING = (UnreadCause.REFUSED, UnreadCause.UNPARSABLE)
"""Whoever hides a document so may let in anybody."""
WHOLE = ""
"""The kind of all users and roles of an account, or of all of a registry."""


class UnreadDocument(Value, frozen=True, omit_defaults=True):
    """A document that was not read and could open a repository."""

    place: str
    """ACCOUNT, or ACCOUNT/REGION of a registry."""
    kind: str
    what: str
    cause: UnreadCause
    why: str
    """An error's code or a sentence."""
    opens: tuple[str, ...] = ()
    """The target texts of the repositories that it could open, none for any that the place concerns."""
    since: Moment | None = None
    """When an audit first had it so."""

    @property
    def identity(self) -> tuple[str, ...]:
        """The same for the same document."""
        return self.place, self.kind, self.what if self.kind else WHOLE


class ConditionStatus(StrEnum):
    """The status of a condition, as in Kubernetes."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Condition(Value, frozen=True):
    """Whether something holds of a repository."""

    status: ConditionStatus
    reason: str
    """A stable code."""
    message: str
    """For people."""
    since: Moment
    """When `status` last changed."""


class RepositoryHealth(Value, frozen=True):
    """The health of a repository."""

    in_sync: Condition
    """Its documents, and those of the roles and users of its grants, are as the spec says."""
    audited: Condition
    """With these documents, exactly those whom the spec names can pull and push."""
    fresh: Condition
    """What both rest on was read recently."""


class AuditFailed(Value, frozen=True, tag="failed", tag_field="kind"):
    """The audit ended without a decision on everything, for a reason in words."""

    why: str

    def __str__(self) -> str:
        return self.why


class AuditBegun(Value, frozen=True, tag="begun", tag_field="kind"):
    """The audit was begun, for the `times`th time, and has not ended: its process runs, or was killed."""

    times: Count

    def __str__(self) -> str:
        return "the audit was begun, and has not ended"


class AuditRecord(Value, frozen=True):
    """The last audit, as it is kept."""

    at: Moment
    version: str
    """Of the accepted spec."""
    pieces: Mapping[str, str]
    """The tag of each piece of the estate that was read, by part."""
    findings: tuple[SeenFinding, ...] = ()
    """Those that stand, the gravest first, and `left_out` more."""
    left_out: Count = 0
    administrators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """ARNs by account."""
    upstreams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Pull-through cache rules in words, by ACCOUNT/REGION."""
    health: Mapping[str, RepositoryHealth] = field(default_factory=dict)
    """By the repository's target text."""
    unread: tuple[UnreadDocument, ...] = ()
    """What could not be read."""
    failure: AuditFailed | AuditBegun | None = None
    """Why the audit at `at` did not decide everything, None if it did: no finding of the one at `audited_at` has ended
    since."""
    audited_at: Moment | None = None
    """When an audit was whole last; None before the first."""
    unrepaired: str = ""
    """A digest of the targets of the spec that count as they are."""


class Audits(Protocol):
    """Where the last audit is kept."""

    def last(self) -> AuditRecord | None:
        """It; None before the first, and for one that this version cannot read. Raises PortError."""

    def keep(self, record: AuditRecord) -> None:
        """Replace it; raises PortError."""


class AuditResult(Struct, frozen=True):
    """What one estate shows against one spec, before it is compared with the last audit."""

    findings: tuple[Finding, ...]
    administrators: Mapping[str, tuple[str, ...]]
    upstreams: Mapping[str, tuple[str, ...]]
    unread: tuple[UnreadDocument, ...] = ()
    failure: str = ""
    """Why not everything was decided, "" if it was."""


def _with_kind(value: Json) -> Json:
    """Up to 0.1.0 a failure was a text, empty for none."""
    match value.get("failure"):
        case str() as why:
            return value | {"failure": {"kind": "failed", "why": why} if why else None}
        case _:
            return value


def _with_documents(value: Json) -> Json:
    """Up to 0.2.0 what was not read was a line each, `PLACE: what: why`, of which people did not hear."""
    rest = {"kind": WHOLE, "cause": UnreadCause.LASTING, "why": ""}
    given = [(one, str(one).partition(": ")) for one in value.get("unread", ())]
    documents = [one if isinstance(one, dict) else {**rest, "place": at[0], "what": at[2]} for one, at in given]
    return value | {"unread": documents}


def _with_members(value: Json) -> Json:
    """Up to 0.2.0 the number of principals was part of whom a finding was about."""
    for seen in value.get("findings", ()):
        seen["finding"]["principal"] = _NUMBERED.sub(MEMBERS, seen["finding"].get("principal", ""))
    return value


audit_to_json, audit_from_json = forms("audit", AuditRecord, _with_kind, _with_documents, _with_members)

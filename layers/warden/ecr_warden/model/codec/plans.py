"""Plans: one JSON form for the command line, the journal and what is announced."""

from typing import TYPE_CHECKING

from ecr_warden.model.codec.access import access_from_json, access_to_json
from ecr_warden.model.codec.base import CodecError, Json, entries, flag, number, optional_text, text, texts
from ecr_warden.model.codec.values import address_from_json, address_to_json, value_from_json, value_to_json
from ecr_warden.model.desired import MustNotExist
from ecr_warden.model.drift import Compared, Drift, DriftKind, Loosening
from ecr_warden.model.plan import Change, Held, HoldReason, Operation, Plan
from ecr_warden.model.target import parse_target
from ecr_warden.policy.phrases import Relation
from ecr_warden.policy.relate import Interchangeable

if TYPE_CHECKING:  # see drift
    from ecr_warden.policy.phrases import Phrase


def plan_to_json(plan: Plan) -> Json:
    """`{"target", "specVersion", "drifts", "changes", "held"}`."""
    return {
        "target": str(plan.target),
        "specVersion": plan.spec_version,
        "drifts": [drift_to_json(drift) for drift in plan.drifts],
        "changes": [change_to_json(change) for change in plan.changes],
        "held": [
            {"drift": drift_to_json(hold.drift), "reason": hold.reason, "explain": hold.explain} for hold in plan.held
        ],
    }


def plan_from_json(value: Json) -> Plan:
    return Plan(
        target=parse_target(value["target"]),
        spec_version=text(value["specVersion"]),
        drifts=tuple(drift_from_json(entry) for entry in entries(value["drifts"])),
        changes=tuple(change_from_json(entry) for entry in entries(value["changes"])),
        held=tuple(
            Held(drift_from_json(entry["drift"]), HoldReason(entry["reason"]), text(entry["explain"]))
            for entry in entries(value["held"])
        ),
    )


def drift_to_json(drift: Drift) -> Json:
    """`{"address", "kind", "explain", "access": {"gained", "lost"} | null, "compared", "sameAccess", "loosens",
    "code", "leftOut"}`.

    The last five only where there is something to say.
    """
    return {
        "address": address_to_json(drift.address),
        "kind": drift.kind,
        "explain": drift.explain,
        "access": access_to_json(drift.change),
        **({"compared": _compared_to_json(drift.compared)} if drift.compared else {}),
        **({"sameAccess": True} if drift.same_access else {}),
        **({"loosens": list(drift.loosens)} if drift.loosens else {}),
        **({"code": drift.code} if drift.code else {}),
        **({"leftOut": drift.left_out} if drift.left_out else {}),
    }


def drift_from_json(value: Json) -> Drift:
    explain = text(value["explain"])
    is_same = flag(value.get("sameAccess", False))
    return Drift(
        address_from_json(value["address"]),
        DriftKind(value["kind"]),
        explain,
        Interchangeable(explain) if is_same else access_from_json(value["access"]),
        compared=_compared(value["compared"]) if "compared" in value else None,
        loosens=tuple(map(Loosening, texts(value.get("loosens", [])))),
        code=text(value.get("code", "")),
        left_out=number(value.get("leftOut", 0)),
    )


def _compared_to_json(compared: Compared) -> Json:
    """`{"relation", "gained": [{"who", "deed", "what", "detail"}...], "lost": [...], "undecided": [TEXT...]}`."""
    return {
        "relation": compared.relation,
        "gained": list(map(_phrase_to_json, compared.gained)),
        "lost": list(map(_phrase_to_json, compared.lost)),
        "undecided": list(compared.undecided),
    }


def _compared(value: Json) -> Compared | None:
    if any(isinstance(entry, str) for entry in (*entries(value["gained"]), *entries(value["lost"]))):
        return None  # of an earlier version, in sentences that say only one perspective
    return Compared(
        Relation(value["relation"]), _phrases(value["gained"]), _phrases(value["lost"]), texts(value["undecided"])
    )


def _phrase_to_json(phrase: "Phrase") -> Json:
    """What engine examples are about; they never are of a Deny alone."""
    form: Json = {"who": phrase.who, "deed": phrase.deed, "what": phrase.what, "detail": phrase.detail}
    return form | ({"uniqueId": True} if phrase.unique_id else {})


def _phrases(value: object) -> "tuple[Phrase, ...]":
    return tuple(map(_phrase, entries(value)))


def _phrase(value: Json) -> "Phrase":
    from ecr_warden.policy.phrases import Deed, Phrase  # noqa: PLC0415

    return Phrase(
        text(value["who"]),
        Deed(value["deed"]),
        text(value["what"]),
        text(value["detail"]),
        unique_id=flag(value.get("uniqueId", False)),
    )


def change_to_json(change: Change) -> Json:
    """`{"operation", "address", "before", "expect", "after", "access", "why"}`; `before` is the pre-image's text."""
    return {
        "operation": change.operation,
        "address": address_to_json(change.address),
        "before": change.before,
        "expect": change.expect,
        "after": value_to_json(change.after),
        "access": access_to_json(change.access),
        "why": change.why,
    }


def change_from_json(value: Json) -> Change:
    after = value_from_json(value["after"])
    if isinstance(after, MustNotExist):
        raise CodecError("a change to nothing is a DELETE")
    return Change(
        operation=Operation(value["operation"]),
        address=address_from_json(value["address"]),
        before=optional_text(value["before"]),
        expect=optional_text(value["expect"]),
        after=after,
        access=access_from_json(value["access"]),
        why=text(value["why"]),
    )

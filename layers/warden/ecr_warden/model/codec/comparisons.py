"""What a comparison of two documents says, as JSON: one form for drift and for `policy compare`."""

from types import MappingProxyType
from typing import Any

from ecr_warden.model.codec.base import Json, entries, flag, optional_text, text, texts
from ecr_warden.policy.action import ActionGroup
from ecr_warden.policy.relation import Comparison, Relation, Witness
from ecr_warden.policy.request import Request
from ecr_warden.policy.request_context import parse_context
from ecr_warden.policy.request_error import RequestError
from ecr_warden.policy.request_principal import CallerKind, RequestPrincipal, parse_request_principal


def comparison_to_json(comparison: Comparison) -> Json:
    """`{"relation", "equivalent", "gained": [WITNESS...], "lost": [...], "undecided": [...], "summary"}`."""
    return {
        "relation": comparison.relation,
        "equivalent": comparison.equivalent,
        "gained": [_witness_to_json(witness) for witness in comparison.gained],
        "lost": [_witness_to_json(witness) for witness in comparison.lost],
        "undecided": list(comparison.undecided),
        "summary": comparison.summary,
    }


def comparison_from_json(value: Json) -> Comparison:
    """Read what comparison_to_json wrote; it writes the same again."""
    return Comparison(
        Relation(value["relation"]),
        flag(value["equivalent"]),
        tuple(map(_witness, entries(value["gained"]))),
        tuple(map(_witness, entries(value["lost"]))),
        texts(value["undecided"]),
    )


def _witness_to_json(witness: Witness) -> Json:
    """A request as `policy evaluate` reads it, and what it shows."""
    request = witness.request
    result: Json = {
        "principal": request.principal.text,
        "action": request.action,
        "resource": request.resource,
        "resourceAccount": request.resource_account,
        "context": {key: _one_or_all(values) for key, values in request.context.items()},
        "group": witness.group,
        "sentence": witness.sentence,
    }
    return {key: entry for key, entry in result.items() if entry is not None}


def _one_or_all(values: tuple[str, ...]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _witness(value: Json) -> Witness:
    request = Request(
        principal=_principal(text(value["principal"])),
        action=text(value["action"]),
        resource=text(value["resource"]),
        resource_account=optional_text(value.get("resourceAccount")),
        context=MappingProxyType(parse_context(value["context"])),
    )
    return Witness(request, ActionGroup(value["group"]), text(value["sentence"]))


def _principal(name: str) -> RequestPrincipal:
    try:
        return parse_request_principal(name)
    except RequestError:  # a document may name what makes no requests, such as the unique id of who was deleted
        return RequestPrincipal(CallerKind.USER, name, "", name=name)

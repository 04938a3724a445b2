"""Reads the table of requests: requests and the policies that have a say, or one condition in one context."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from iam_access.document.document import Document, parse_document
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.request import ANY_RESOURCE, Request, make_request
from iam_access.evaluate.request_principal import parse_request_principal
from tests import tables
from tests.unit.iam_access.tables import CASES, Case

REPOSITORY = "arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout"
USER = "arn:aws:iam::222222222222:user/dev"
_DEFAULTS = {"action": "ecr:PutImage", "resource": REPOSITORY}


def evaluations() -> list[Case]:
    """The requests of the table, whose names are unique sentences."""
    return list(_grouped("groups"))


def conditions() -> list[Case]:
    """The conditions of the table."""
    return list(_grouped("conditions"))


def request(case: Case) -> Request:
    """The request that a case makes."""
    return requested(case["principal"], case["action"], case["resource"], case.get("context"), case.get("owner"))


def requested(
    principal: str,
    action: str,
    resource: str = ANY_RESOURCE,
    context: Mapping[str, Any] | None = None,
    owner: str | None = None,
) -> Request:
    """A request of texts; the context as a table or JSON has it, where null is a key that the request lacks."""
    keys = {key: _values(raw) for key, raw in (context or {}).items()}
    return make_request(parse_request_principal(principal), action, resource, keys, resource_account=owner)


def _values(raw: Any) -> tuple[str, ...]:
    if raw is None:
        return ()
    entries = raw if isinstance(raw, list | tuple) else [raw]
    return tuple(one if isinstance(one, str) else json.dumps(one) for one in entries)


def policies(case: Case) -> Policies:
    """The policies that a case gives."""
    version = case.get("version", "2012-10-17")
    single = {
        name: document(case[key], version) if key in case else None
        for name, key in (("resource", "policy"), ("trust", "trust"), ("boundary", "boundary"), ("session", "session"))
    }
    return Policies(
        identity=(document(case["identity"], version),) if "identity" in case else (),
        service_control=_levels(case.get("scp", [])),
        resource_control=_levels(case.get("rcp", [])),
        **single,
    )


def document(statements: Any, version: str = "2012-10-17") -> Document:
    """A document around statements."""
    return parse_document({"Version": version, "Statement": statements})


def _levels(levels: list[list[Any]]) -> tuple[tuple[Document, ...], ...]:
    return tuple((document(level),) if level else () for level in levels)


def _grouped(table: str) -> Iterator[Case]:
    names: set[str] = set()
    groups: list[Mapping[str, Any]] = tables.load((CASES / "evaluation.yaml").read_text())[table]
    for group in groups:
        assert group["page"], "a group rests on a page"
        for case in group["cases"]:
            assert case["name"] not in names, f"a name occurs twice: {case['name']}"
            names.add(case["name"])
            yield _DEFAULTS | group.get("defaults", {}) | case

"""An Allow that gives more: one principal, action or resource beside those it has, or a further statement."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.property import iam_requests
from tests.property.policy_oracle import as_list

type Raw = dict[str, Any]

_ONE_MORE = {
    "Principal": (*({"AWS": who} for who in iam_requests.NAMED), {"Service": iam_requests.PRINCIPALS[5]}),
    "Action": iam_requests.ACTION_PATTERNS,
    "Resource": iam_requests.RESOURCE_PATTERNS,
}


@st.composite
def widened(draw: st.DrawFn, document: Raw, *, principals: bool) -> Raw:
    """The document with one thing more in an Allow, or with one more Allow."""
    statements = copy.deepcopy(as_list(document["Statement"]))
    elements = [
        (statement, element)
        for statement in statements
        if statement["Effect"] == "Allow"
        for element in ("Principal", *_ONE_MORE)
        if element in statement
    ]
    if elements and draw(st.integers(0, 2)) > 0:
        statement, element = elements[draw(st.integers(0, len(elements) - 1))]
        more = draw(st.sampled_from(_ONE_MORE[element]))
        statement[element] = _joined(statement[element], more, first=draw(st.booleans()))
    else:
        statements.append(draw(iam_requests.statements(principals=principals)) | {"Effect": "Allow"})
    return document | {"Statement": statements}


@st.composite
def widened_policies(draw: st.DrawFn) -> tuple[Raw, Raw]:
    """All policies that have a say, and the same with up to three documents that give more.

    Not one of the organization for its resources: who writes these may only deny, AWS's own allows.
    """
    policies = draw(iam_requests.policies())
    wider = json.loads(json.dumps(policies))
    places = [
        (document, name in ("resource", "trust"))
        for name, given in wider.items()
        if name != "rcp"
        for document in _documents(given)
        for _ in range(3 if name in ("resource", "trust") else 1)
    ]
    for _ in range(draw(st.integers(1, 3)) if places else 0):
        document, principals = places[draw(st.integers(0, len(places) - 1))]
        document["Statement"] = draw(widened(document, principals=principals))["Statement"]
    return policies, wider


def _documents(given: Any) -> Iterator[Raw]:
    """The documents in lists of lists of them."""
    if isinstance(given, list):
        for one in given:
            yield from _documents(one)
    else:
        yield given


def _joined(value: Any, more: Any, *, first: bool) -> Any:
    if isinstance(more, dict):
        named = {"AWS": ["*"]} if value == "*" else {kind: as_list(names) for kind, names in value.items()}
        (kind, name), *_ = more.items()
        beside = named.get(kind, [])
        return named | {kind: [name, *beside] if first else [*beside, name]}
    beside = as_list(value)
    return [more, *beside] if first else [*beside, more]

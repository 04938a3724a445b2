"""A policy document: parsed once at the edge, then only values.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from iam_access.document.condition import Clause, parse_condition
from iam_access.document.principal import Principals, parse_principals
from iam_access.text.printable import printable
from iam_access.text.strict_json import (
    MAX_CHARACTERS,
    DocumentError,
    check_characters,
    encode,
    load,
    plain,
    strings,
    too_large,
    wrong_type,
)

__all__ = ["Document", "DocumentError", "Effect", "Patterns", "Statement", "document_of", "parse_document"]

MAX_STATEMENTS = 1000
"""More than any quota of aws-facts 2.3 has room for: a statement has at least 30 characters."""

VARIABLES_VERSION = "2012-10-17"
LITERAL_VERSION = "2008-10-17"

_DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
_STATEMENT_ELEMENTS = (
    *("Sid", "Effect", "Principal", "NotPrincipal"),
    *("Action", "NotAction", "Resource", "NotResource", "Condition"),
)
_DOCUMENT_KEYS = frozenset(_DOCUMENT_ELEMENTS)
_STATEMENT_KEYS = frozenset(_STATEMENT_ELEMENTS)


class Effect(StrEnum):
    """Whether a statement allows or denies the requests that it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


# AWS accepts Allow and Deny only; tools that compare documents read any case, and so must we.
_EFFECTS = {"allow": Effect.ALLOW, "deny": Effect.DENY}


class Patterns(Struct, frozen=True):
    """An Action or Resource element, or its Not form (`negated`), in the order given."""

    negated: bool
    values: tuple[str, ...]


class Statement(Struct, frozen=True):
    """One statement as written; None is an absent element, () no condition."""

    effect: Effect
    actions: Patterns
    principals: Principals | None = None
    resources: Patterns | None = None
    conditions: tuple[Clause, ...] = ()
    sid: str | None = None
    misspelt: str = ""
    """The Effect as written where AWS would refuse it, because its case is neither `Allow` nor `Deny`.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html"""

    @property
    def varies_in_resources(self) -> bool:
        """Does its Resource element name variables, of which another version than the latest knows nothing?"""
        return self.resources is not None and any("${" in value for value in self.resources.values)


class Document(Struct, frozen=True):
    """A policy document; two are equal when they send the same text.

    `text` is the compact JSON to send, ASCII only, key order as given; `version` is the one in effect (2008-10-17
    where none is written).
    """

    text: str
    version: str
    statements: tuple[Statement, ...]
    id: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def parse_document(source: str | bytes | Mapping[str, object]) -> Document:
    """Parse a policy document from JSON text or from a mapping; raises DocumentError, nothing else."""
    try:
        raw = load(source) if isinstance(source, str | bytes) else plain(source)
    except RecursionError:
        raise DocumentError(
            "document-too-deep", "", "nested too deeply", remedy="a policy has at most five levels"
        ) from None
    if isinstance(raw, list):
        raise DocumentError(
            "document-type", "", "a list instead of a document", remedy="send the object without the list around it"
        )
    if not isinstance(raw, dict):
        raise wrong_type("", raw, "an object")
    document = document_of(raw)
    if len(document.statements) > MAX_STATEMENTS:
        raise DocumentError(
            "document-too-many-statements",
            "Statement",
            f"{len(document.statements)} statements, at most {MAX_STATEMENTS}",
            remedy="merge statements",
        )
    if len(document.text) > MAX_CHARACTERS:
        raise too_large()
    return document


def document_of(raw: dict[str, object]) -> Document:
    """The document of an object that has JSON's own types alone and is given away; raises DocumentError.

    Of any size: whoever makes documents knows their quota.
    """
    if not raw:
        raise DocumentError("document-empty", "", "the document has no element", remedy="write at least one Statement")
    if not _DOCUMENT_KEYS.issuperset(raw):
        raise _unknown_key(raw, _DOCUMENT_ELEMENTS, "")
    version = raw.get("Version", LITERAL_VERSION)
    if version not in (VARIABLES_VERSION, LITERAL_VERSION):
        raise DocumentError(
            "document-version", "Version", "not a version of the policy language", remedy=f'write "{VARIABLES_VERSION}"'
        )
    statements = _statements(raw)
    identifier = _optional_string(raw, "Id", "Id")
    text = encode(raw)
    check_characters(text, raw)
    return Document(text, str(version), statements, identifier)


def _statements(raw: dict[str, object]) -> tuple[Statement, ...]:
    if "Statement" not in raw:
        raise DocumentError("document-missing", "Statement", "missing", remedy="write at least one Statement")
    given = raw["Statement"]
    if isinstance(given, dict):
        return (_statement(given, "Statement"),)
    if not isinstance(given, list):
        raise wrong_type("Statement", given, "an object or a list of objects")
    if not given:
        raise DocumentError("document-empty", "Statement", "an empty list", remedy="write at least one Statement")
    return tuple([_statement(entry, f"Statement[{index}]") for index, entry in enumerate(given)])


def _statement(raw: object, place: str) -> Statement:
    if not isinstance(raw, dict):
        raise wrong_type(place, raw, "an object")
    if not _STATEMENT_KEYS.issuperset(raw):
        raise _unknown_key(raw, _STATEMENT_ELEMENTS, place)
    effect, misspelt = _effect(raw, place)
    actions = _patterns(raw, "Action", place)
    if actions is None:
        raise DocumentError("document-missing", f"{place}.Action", "missing", remedy="write Action or NotAction")
    principals: Principals | None = None
    if "Principal" in raw:
        if "NotPrincipal" in raw:
            raise _conflict(place, "Principal")
        principals = parse_principals(raw["Principal"], f"{place}.Principal", negated=False)
    elif "NotPrincipal" in raw:
        principals = parse_principals(raw["NotPrincipal"], f"{place}.NotPrincipal", negated=True)
    conditions = parse_condition(raw["Condition"], f"{place}.Condition") if "Condition" in raw else ()
    sid = _optional_string(raw, "Sid", f"{place}.Sid")
    return Statement(effect, actions, principals, _patterns(raw, "Resource", place), conditions, sid, misspelt)


def _effect(raw: dict[str, object], place: str) -> tuple[Effect, str]:
    """The effect, and the misspelt text if its case is wrong; `raw` gets the right case, which is what is sent."""
    given = raw.get("Effect")
    effect = _EFFECTS.get(given.lower()) if isinstance(given, str) else None
    if effect is None:
        if "Effect" not in raw:
            raise DocumentError("document-missing", f"{place}.Effect", "missing", remedy="write Allow or Deny")
        raise DocumentError("document-effect", f"{place}.Effect", "neither Allow nor Deny", remedy="write one of them")
    raw["Effect"] = effect.value
    return effect, "" if given == effect.value else str(given)


def _patterns(raw: dict[str, object], element: str, place: str) -> Patterns | None:
    negated = f"Not{element}"
    if element in raw:
        if negated in raw:
            raise _conflict(place, element)
        name = element
    elif negated in raw:
        name = negated
    else:
        return None
    values = strings(raw[name], place, name)
    if not values:
        raise DocumentError("document-empty", f"{place}.{name}", "an empty list", remedy="name at least one")
    return Patterns(name == negated, values)


def _optional_string(raw: dict[str, object], key: str, place: str) -> str | None:
    value = raw.get(key)
    if value is None and key not in raw:
        return None
    if not isinstance(value, str):
        raise wrong_type(place, value, "a string")
    return value


def _conflict(place: str, element: str) -> DocumentError:
    return DocumentError(
        "document-conflict",
        f"{place}.{element}",
        f"both {element} and Not{element}",
        remedy="AWS accepts only one of them: remove the other",
    )


def _unknown_key(raw: dict[str, object], elements: tuple[str, ...], place: str) -> DocumentError:
    key = next(key for key in raw if key not in elements)
    spelled = {name.lower(): name for name in elements}.get(key.lower())
    where = f"{place}.{printable(key, 40)}" if place else printable(key, 40)
    if spelled and spelled in raw:
        return DocumentError(
            "document-key-repeated", where, f"repeats {spelled} in another case", remedy=f"keep {spelled} alone"
        )
    return DocumentError(
        "document-key-unknown",
        where,
        "unknown element",
        remedy=f"write {spelled}" if spelled else f"the elements are {', '.join(elements)}",
    )


# Quotas, in characters. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html and
# botocore's model of iam (aws-facts 1.1).
USER_INLINE_QUOTA: Final = 2_048
"""All inline policies of a user together, without whitespace."""

ROLE_INLINE_QUOTA: Final = 10_240
"""All inline policies of a role together, without whitespace."""

TRUST_POLICY_QUOTA: Final = 2_048
"""A trust policy; the default, which an account can have raised."""


def policy_size(document: Document) -> int:
    """The characters of the document as sent, without whitespace, as IAM counts them.

    Whitespace inside a string does not count either: IAM counts characters, not JSON.
    """
    return len("".join(document.text.split()))


def raw_statements(document: Document) -> list[dict[str, Any]]:
    """The statements as JSON objects, in the document's order."""
    given = json.loads(document.text)["Statement"]
    return given if isinstance(given, list) else [given]

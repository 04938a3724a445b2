"""Policy variables in a comparison: values that no document mentions, or those under which two texts meet."""

import re
from collections.abc import Iterable, Mapping

from ecr_warden.policy.canonical import CanonicalPatterns, CanonicalStatement
from ecr_warden.policy.compare.boxes import Box
from ecr_warden.policy.compare.facts import Test, Values
from ecr_warden.policy.compare.spaces import Texts
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.variables import key_and_default

# Bounded as the variables of a request are.
_VARIABLE = re.compile(r"\$\{([^}]{0,1024})\}")
_TOKEN = re.compile(r"\$\{[^}]{0,1024}\}|[*?]")
_SPECIAL = re.compile(r"[*?$]")
_CHARACTERS = frozenset("*?$")
_FRESH = "unmentioned"
_MOST_VARIABLES = 3


def variables_of(statements: Iterable[CanonicalStatement]) -> tuple[str, ...]:
    """The variables that stand in resources and condition values, `${...}` included."""
    found: set[str] = set()
    for one in statements:
        texts = [*one.resources.values] if one.resources else []
        for clause in one.conditions:
            texts += clause.values
        for text in texts:
            found.update(f"${{{inside}}}" for inside in _VARIABLE.findall(text) if inside not in _CHARACTERS)
    return tuple(sorted(found))


def key_of(variable: str) -> str:
    """The condition key that a variable reads, in lower case."""
    return key_and_default(variable[2:-1])[0]


def fresh_values(variables: Iterable[str], known: Mapping[str, Values]) -> dict[str, str]:
    """A value for each variable: what is known of its key, else one that no document mentions."""
    keys = sorted({key_of(variable) for variable in variables})
    values = {key: next(iter(known.get(key, ())), f"{_FRESH}{number}") for number, key in enumerate(keys)}
    return {variable: values[key_of(variable)] for variable in variables}


def default_values(variables: Iterable[str]) -> dict[str, str | None]:
    """What each variable is in a request without any of their keys; nothing (None) where it has no default."""
    found = {variable: key_and_default(variable[2:-1])[1] for variable in variables}
    return {variable: None if default is None else as_text(default) for variable, default in found.items()}


def as_text(value: str) -> str:
    """What a policy writes for the text, whatever characters are in it."""
    return _SPECIAL.sub(lambda char: f"${{{char[0]}}}", value)


def resolved(statement: CanonicalStatement, values: Mapping[str, str | None]) -> CanonicalStatement:
    """The statement with its variables replaced; `values` by the variable's text, `${...}` included.

    A text with a variable that is None goes: it matches nothing.
    """

    def replaced(given: Iterable[str]) -> frozenset[str]:
        return frozenset(found for one in given if (found := text(one)) is not None)

    def text(given: str) -> str | None:
        gone = False

        def value(variable: re.Match[str]) -> str:
            nonlocal gone
            found = values.get(variable[0], variable[0])
            gone |= found is None
            return found or ""

        made = _VARIABLE.sub(value, given) if "${" in given else given
        return None if gone else made

    resources = statement.resources
    return CanonicalStatement(
        statement.effect,
        statement.actions,
        statement.principals,
        CanonicalPatterns(resources.negated, replaced(resources.values)) if resources else None,
        frozenset(CanonicalClause(o, key, replaced(values)) for o, key, values in statement.conditions),
    )


def bound(statement: CanonicalStatement) -> CanonicalStatement:
    """The statement with each variable replaced whose key its own condition binds to one text."""
    texts = {
        clause.key: next(iter(clause.values))
        for clause in statement.conditions
        if clause.operator == "StringEquals" and len(clause.values) == 1
    }
    values = {
        variable: texts[key]
        for variable in (variables_of([statement]) if texts else ())
        if (key := key_of(variable)) in texts and not _SPECIAL.search(texts[key])
    }
    return resolved(statement, values) if values else statement


def meeting_values(boxes: Iterable[Box], values: Mapping[str, Values]) -> dict[str, str]:
    """Values by key under which the open patterns of the boxes match what was found, as far as one look tells."""
    found: dict[str, str] = {}
    for box in boxes:
        for part in box.parts:
            texts = values.get(part.key.name, ())
            if isinstance(part.fact, Test) and isinstance(part.fact.region, Texts) and texts:
                for one in sorted(part.fact.region.globs, key=lambda entry: entry.text):
                    if one.open:
                        found = _captured(one.text, texts[0]) | found
    return found


def _captured(pattern: str, text: str) -> dict[str, str]:
    """What each variable would be; each is tried as the shortest text, for that leaves most to the others.

    A part between two open ends is taken where it first fits, atomically: nothing is tried twice.
    """
    parts, keys, position = [""], [], 0
    for token in _TOKEN.finditer(pattern):
        parts[-1] += re.escape(pattern[position : token.start()])
        position = token.end()
        match token[0]:
            case "*":
                parts.append(".*?")
            case "?":
                parts[-1] += "."
            case variable if variable[2:-1] in _CHARACTERS:
                parts[-1] += re.escape(variable[2])
            case variable:
                parts.append("(.+?)")
                keys.append(key_of(variable))
    if len(keys) > _MOST_VARIABLES:
        return {}
    first, *middle = parts
    last = middle.pop() if middle else ""
    atomic = "".join(f"(?>{part})" for part in middle)
    found = re.fullmatch(f"{first}{atomic}{last}{re.escape(pattern[position:])}", text, re.DOTALL)
    return dict(zip(keys, found.groups(), strict=True)) if found else {}

"""What IAM says of one request and one document, by trying it: slow, plain, and without a line of the engine.

It knows what the documents of universe.py hold, no more.
"""

import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple


class Request(NamedTuple):
    """A request; the context's keys are in lower case.

    `principal` is an ARN, a service, a provider or `*`; for a federated user's session the ARN of the user who made it
    may stand before its own, a space between them.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]


def as_list(value: Any) -> list[Any]:
    """A scalar as a list of one."""
    return value if isinstance(value, list) else [value]


PATHS = ("team/",)
"""All paths of roles in the documents."""


def allowed(document: Mapping[str, Any], request: Request) -> bool:
    """Some Allow matches, and no Deny."""
    matched = {
        statement["Effect"].lower()
        for statement in as_list(document["Statement"])
        if _principal(statement, request.principal)
        and matches(statement, request, literal=document.get("Version") != "2012-10-17")
    }
    return matched == {"allow"}


def matches(statement: Mapping[str, Any], request: Request, *, literal: bool) -> bool:
    """Whether the statement is about the request, whoever makes it; `literal`: variables are texts."""
    return (
        _patterns(statement, "Action", request.action.lower(), request, fold=True, literal=True)
        and _patterns(statement, "Resource", request.resource, request, fold=False, literal=literal)
        and all(
            _clause(operator.lower(), request.context.get(key.lower(), ()), as_list(values), request, literal)
            for operator, block in statement.get("Condition", {}).items()
            for key, values in block.items()
        )
    )


def _principal(statement: Mapping[str, Any], who: str) -> bool:
    if "NotPrincipal" in statement:
        named = _names(statement["NotPrincipal"])
        if "*" in named:
            return False
        levels = _levels(who)
        if statement["Effect"].lower() == "allow":
            return not any(level & named for level in levels)
        return not all(level & named for level in levels)
    if "Principal" not in statement:
        return True
    named = _names(statement["Principal"])
    return "*" in named or any(level & named for level in _levels(who))


def _names(element: Any) -> set[str]:
    """What an element names, account ids as roots; a service is named by `Service:`."""
    if element == "*":
        return {"*"}
    found: set[str] = set()
    for kind, values in element.items():
        for value in as_list(values):
            root = re.fullmatch("[0-9]{12}", value)
            name = f"arn:aws:iam::{value}:root" if root else value
            found.add(name if kind == "AWS" else f"{kind}:{value}")
    return found


def _levels(who: str) -> list[set[str]]:
    """The names of a caller: its account, its role, itself (or the user who made a federated user's session)."""
    if who.startswith("AIDA"):
        # A unique id does not show its account, so no NotPrincipal names that.
        return [set(), {who}]
    if not who.startswith("arn:"):
        kind = "Service" if who.endswith(".amazonaws.com") else "Federated" if "." in who else "CanonicalUser"
        return [{"*"} if who == "*" else {f"{kind}:{who}", f"{kind}:*"}]
    if "-provider/" in who:
        return [{f"Federated:{who}", "Federated:*"}]
    account = who.split(":")[4]
    levels = [{f"arn:aws:iam::{account}:root"}]
    session = re.fullmatch(r"arn:aws:sts::[0-9]+:assumed-role/(.+)/[^/]+", who)
    if session:
        # A session does not show the path of its role.
        levels.append({f"arn:aws:iam::{account}:role/{path}{session[1]}" for path in ("", *PATHS)})
    return [*levels, set(who.split(" "))]


def _patterns(
    statement: Mapping[str, Any], element: str, text: str, request: Request, *, fold: bool, literal: bool
) -> bool:
    negated = f"Not{element}" in statement
    if not negated and element not in statement:
        return True
    values = as_list(statement[f"Not{element}" if negated else element])
    return any(_glob(v.lower() if fold else v, text, request, literal) for v in values) is not negated


def _glob(pattern: str, text: str, request: Request, literal: bool) -> bool:
    expression = _expression(pattern, request, literal, any_text=".*", any_character=".")
    return expression is not None and _fits(expression, text)


def like(pattern: str, text: str) -> bool:
    """Does a pattern without variables match?"""
    return _fits(_written(pattern, ".*", "."), text)


@cache
def _fits(expression: str, text: str) -> bool:
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _expression(pattern: str, request: Request, literal: bool, *, any_text: str, any_character: str) -> str | None:
    if literal or "${" not in pattern:
        return _written(pattern, any_text, any_character)
    out = ""
    for part in re.split(r"(\$\{[^}]*\})", pattern):
        if part.startswith("${") and part.endswith("}"):
            value = _variable(part, request)
            if value is None:
                return None
            out += re.escape(value)
        else:
            out += _written(part, any_text, any_character)
    return out


@cache
def _written(pattern: str, any_text: str, any_character: str) -> str:
    return "".join({"*": any_text, "?": any_character}.get(char) or re.escape(char) for char in pattern)


def _variable(part: str, request: Request) -> str | None:
    inside = part[2:-1]
    if inside in "*?$":
        return inside
    key, comma, default = inside.partition(", ")
    values = request.context.get(key.lower(), ())
    return values[0] if len(values) == 1 else default.strip("'") if comma else None


def _clause(operator: str, given: tuple[str, ...], values: list[Any], request: Request, literal: bool) -> bool:
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    if operator.endswith("null"):
        missing = given in ((), ("",))
        if operator != "null" and missing:
            return operator.startswith("forall")
        return ("true" if missing else "false") in [text.lower() for text in texts]
    every, some = operator.startswith("forallvalues:"), operator.startswith("foranyvalue:")
    base = operator.rpartition(":")[2].removesuffix("ifexists")
    if_exists = operator.endswith("ifexists")
    positive = base.replace("not", "")
    negated = positive != base

    def one(value: str) -> bool:
        if negated and not all(_comparable(positive, value, text, request, literal) for text in texts):
            return False
        return any(_compare(positive, value, text, request, literal) for text in texts) is not negated

    if every:
        return given in ((), ("",)) or all(map(one, given))
    if some:
        return if_exists if not given else given != ("",) and any(map(one, given))
    if not given:
        return if_exists or negated
    return len(given) == 1 and one(given[0])


def _compare(operator: str, value: str, policy: str, request: Request, literal: bool) -> bool:
    match operator:
        case "stringlike":
            return _glob(policy, value, request, literal)
        case "arnlike" | "arnequals":
            ours, theirs = value.split(":", 5), _arn(policy, request, literal)
            if theirs is None or len(ours) != 6:
                return False
            return _is_every_arn(theirs) or (
                len(theirs) == 6 and all(_fits(b, a) for a, b in zip(ours, theirs, strict=True))
            )
        case "ipaddress":
            here, wide = _address(value), _network(policy)
            return here is not None and wide is not None and here in wide
        case "binaryequals":
            return value == policy and _is_base64(value)
    if operator.startswith(("numeric", "date")):
        read = _number if operator.startswith("numeric") else _moment
        left, right = read(value), read(policy)
        if left is None or right is None:
            return False
        return _ordered(operator.removeprefix("numeric").removeprefix("date"), left, right)
    text = policy
    if not literal:
        # StringEquals takes `*` for itself; variables are replaced there, too.
        found = _expression(policy, request, literal, any_text=r"\*", any_character=r"\?")
        if found is None:
            return False
        text = re.sub(r"\\(.)", r"\1", found)
    match operator:
        case "stringequals":
            return value == text
        case "stringequalsignorecase":
            return value.lower() == text.lower()
        case "bool":
            return value.lower() == text.lower() and text.lower() in ("true", "false")
    raise AssertionError(operator)


def _comparable(operator: str, value: str, policy: str, request: Request, literal: bool) -> bool:
    """Whether a negated operator can say anything of the two."""
    match operator:
        case "numericequals":
            return None not in (_number(value), _number(policy))
        case "dateequals":
            return None not in (_moment(value), _moment(policy))
        case "ipaddress":
            return _address(value) is not None and _network(policy) is not None
        case "arnlike" | "arnequals":
            parts = _arn(policy, request, literal)
            return value.count(":") >= 5 and (parts is None or len(parts) == 6 or _is_every_arn(parts))
    return True


def _arn(pattern: str, request: Request, literal: bool) -> list[str] | None:
    """Expressions of the parts of an ARN, at most six: its variables first, whatever colons they bring."""
    parts = [""]
    for token in re.findall(r"\$\{[^}]*\}|.", pattern, re.DOTALL) if not literal else [*pattern]:
        text: str | None = token if len(token) == 1 else _variable(token, request)
        if text is None:
            return None
        if len(token) == 1 and token in "*?":
            parts[-1] += ".*" if token == "*" else "."
            continue
        for char in text:
            if char == ":" and len(parts) < 6:
                parts.append("")
            else:
                parts[-1] += re.escape(char)
    return parts


def _is_every_arn(parts: list[str]) -> bool:
    return len(parts) == 1 and parts[0] != "" and parts[0].replace(".*", "") == ""


def _ordered(name: str, a: Fraction, b: Fraction) -> bool:
    match name:
        case "equals":
            return a == b
        case "lessthan":
            return a < b
        case "lessthanequals":
            return a <= b
        case "greaterthan":
            return a > b
        case "greaterthanequals":
            return a >= b
    raise AssertionError(name)


def _number(text: str) -> Fraction | None:
    return Fraction(text) if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text) else None


def _moment(text: str) -> Fraction | None:
    """Seconds since 1970, of the forms that the universe holds."""
    if re.fullmatch(r"-?[0-9]{5,12}(\.[0-9]{1,9})?", text):
        return Fraction(text)
    if re.fullmatch("[0-9]{13}", text):
        return Fraction(text) / 1000
    if re.fullmatch("[0-9]{4}", text):
        text += "-01-01"
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?", text):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Fraction(int(found.replace(tzinfo=found.tzinfo or UTC).timestamp()))


def _address(text: str) -> Any:
    found = _network(text)
    return found[0] if found is not None and found.num_addresses == 1 else None


def _network(text: str) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _is_base64(text: str) -> bool:
    return (
        re.fullmatch("([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?", text)
        is not None
    )

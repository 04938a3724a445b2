"""Requests that show a difference: which ones to look for, and the phrases about them.

No proof rests on this. A witness should be a request that AWS can receive, with names that mean something to people;
each one was tried on both documents. Text from outside is escaped and bounded.
Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (no root user) and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html (no federated user)
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from iam_access.catalogue import actions, spelled
from iam_access.compare.callers import KINDS, CallerClass
from iam_access.compare.cubes import Atom, CubeBuilder
from iam_access.compare.shapes import ROLES, resources_of
from iam_access.delta.phrases import ANYTHING, Phrase
from iam_access.delta.service import ASSUME, EVERYTHING, OTHER, ActionGroup, Service, effect_of, groups_of
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import is_unique_id
from iam_access.equivalent.canonical import CanonicalPatterns
from iam_access.evaluate.request import ANY_RESOURCE, Request, default_context
from iam_access.evaluate.request_principal import CallerKind
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import listed, printable


class About(Struct, frozen=True):
    """What two documents are about: `account` owns the resource or identity that they belong to, `subject` names it."""

    kind: DocumentKind
    service: Service | None
    account: str | None
    subject: str


# What to look for

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_ANY_ARN = CanonicalPatterns(False, frozenset({"arn:?*:?*:*:*:?*", ANY_RESOURCE}))
_ASSUME = "sts:assumerole"
_CANNOT_ASSUME = frozenset({CallerKind.ROOT, CallerKind.FEDERATED_USER, CallerKind.ANONYMOUS})
_PARTITION = re.compile(r"arn:aws[a-z-]*:")


def searches_by_group(about: About, cubes: CubeBuilder) -> Iterator[tuple[ActionGroup, list[tuple[Atom, ...]]]]:
    """What to require of a witness of each group of actions, most telling group and likeliest requirement first."""
    resources = frozenset() if about.service is None else resources_of(about.service)
    for group in groups_of(about.service):
        is_of_kind = about.kind is DocumentKind.IDENTITY or (group is ASSUME) is (about.kind is DocumentKind.TRUST)
        if group is EVERYTHING or not is_of_kind:
            continue
        known = _actions(cubes, *map(ascii_lower, _known(group, about.service)))
        usual = [(known, cubes.texts(ROLES if group is ASSUME else resources))] if group is ASSUME or resources else []
        yield group, [*usual, (known, cubes.resources(_ANY_ARN)), (known,)]


def _known(group: ActionGroup, service: Service | None) -> Collection[str]:
    """The known actions of a group, the most telling first."""
    if group is not OTHER or service is None:
        return group.actions
    grouped = {action for action_group in service.groups for action in action_group.actions}
    return [action.name for action in actions(service.prefix).values() if action.name not in grouped]


def searches_by_kind(about: About, cubes: CubeBuilder) -> list[tuple[Atom, ...]]:
    """What to require of a witness for a kind of document, whatever the group of its action, the likeliest first."""
    match about.kind:
        case DocumentKind.RESOURCE:
            return [(_actions(cubes, "sts:*", negated=True),)]
        case DocumentKind.TRUST:
            return [(_actions(cubes, "sts:*"),)]
        case DocumentKind.IDENTITY:
            service = about.service
            usual = [(_actions(cubes, f"{service.prefix}:*"), cubes.texts(resources_of(service)))] if service else []
            return [*usual, (cubes.resources(_ANY_ARN),)]


def possible_for(kind: CallerKind, cubes: CubeBuilder) -> tuple[Atom, ...]:
    """What to require of a request so that a caller of this kind can make it."""
    return (_actions(cubes, _ASSUME, negated=True),) if kind in _CANNOT_ASSUME else ()


def _actions(cubes: CubeBuilder, *actions: str, negated: bool = False) -> Atom:
    return cubes.actions(CanonicalPatterns(negated, frozenset(actions)))


def can_be_made(request: Request) -> bool:
    """Can the caller make such a request at all?"""
    return request.principal.kind not in _CANNOT_ASSUME or request.action.lower() != _ASSUME


def is_likely(request: Request, about: About) -> bool:
    """Is this a request that AWS can receive about a document of this kind, as far as is known here?"""
    action, resource = request.action.lower(), _PARTITION.sub("arn:aws:", request.resource)
    prefix, service = action.partition(":")[0], about.service
    if not can_be_made(request) or not _ACTION.fullmatch(action):
        return False
    if about.kind is not DocumentKind.IDENTITY and (prefix == "sts") is not (about.kind is DocumentKind.TRUST):
        return False
    if resource == ANY_RESOURCE:
        return True
    if service is not None and prefix == service.prefix:
        return any(shape.matches(resource) for shape in resources_of(service))
    if action == _ASSUME:
        return any(shape.matches(resource) for shape in ROLES)
    return resource.startswith("arn:") and (service is None or f":{service.prefix}:" not in resource)


# Names that mean something, for the texts that the search made up

_ACCOUNT = "111111111111"
_ACTIONS = ("iam:CreateUser", "s3:GetObject", "ec2:RunInstances")
_RESOURCES = {
    "iam": "arn:aws:iam::OWNER:user/any",
    "s3": "arn:aws:s3:::any/any",
    "sts": "arn:aws:iam::OWNER:role/any",
}


def spellings(documents: Iterable[Document]) -> Mapping[str, str]:
    """The spelling of each action that the documents name, by its lower case."""
    return {
        ascii_lower(value): value
        for document in documents
        for statement in document.statements
        for value in statement.actions.values
        if "*" not in value and "?" not in value
    }


def likely(action: str, resource: str, about: About, written: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Actions and resources to try instead of those that the search found, which come last."""
    service = about.service
    named = written.get(action, action) if spelled(action) == action else spelled(action)
    is_made_up = named == action and action not in written and not (service and action.startswith(f"{service.prefix}:"))
    for one in (*_ACTIONS, named) if is_made_up else (named,):
        if resource != ANY_RESOURCE and not resource.startswith("arn:aws"):
            prefix = one.partition(":")[0].lower()
            usual = _RESOURCES.get(prefix, f"arn:aws:{prefix}:eu-central-1:OWNER:any/any")
            if service is not None and prefix == service.prefix:
                usual = _example(service)
            yield one, usual.replace("OWNER", about.account or _ACCOUNT)
            yield one, ANY_RESOURCE
        yield one, resource


def _example(service: Service) -> str:
    """The ARN of a resource of the service."""
    *parts, _, name = service.arn.split(":")
    return ":".join((*parts, "OWNER", name)).replace("*", "eu-central-1", 1).replace("*", "any")


# Phrases

_NAME_LIMIT = 160
_KEYS = 2
_SUBJECTS = {
    DocumentKind.RESOURCE: "the resource",
    DocumentKind.TRUST: "the role",
    DocumentKind.IDENTITY: "the holder of the document",
}


def phrase_of(
    request: Request,
    caller: CallerClass,
    group: ActionGroup,
    about: About,
    *,
    anyone: bool,
    is_named: bool,
    tells_apart: Callable[[str], bool],
) -> Phrase:
    """The phrase for `X can now assume deployer (sts:AssumeRole and 2 more)`; `tells_apart` tries another action.

    `anyone`: the same is true of a caller without credentials. `is_named`: a document names the resource; else it is an
    example.
    """
    own = _SUBJECTS[about.kind]
    if about.kind is DocumentKind.RESOURCE and about.service is not None:
        own = f"the {about.service.noun}"
    name = printable(about.subject or own, _NAME_LIMIT)
    if about.kind is DocumentKind.IDENTITY:
        holder = request.principal.kind
        who = name if holder is CallerKind.USER else f"{name}, as a {holder},"
        example = "" if is_named else "resources such as "
        what = ANYTHING if request.resource == ANY_RESOURCE else example + printable(request.resource, _NAME_LIMIT)
    else:
        who, what = _who(request, caller, anyone=anyone), name
    action = request.action
    others = [other for other in _known(group, about.service) if other != spelled(action) and tells_apart(other)]
    effect = effect_of(group, [spelled(action), *others], about.service)
    detail = f" ({listed([printable(action), *others], 1)}){_with_keys(request)}"
    return Phrase(who, effect, what, detail)


def _who(request: Request, caller: CallerClass, *, anyone: bool) -> str:
    principal = request.principal
    text = printable(principal.text, _NAME_LIMIT)
    if principal.kind is CallerKind.ANONYMOUS:
        return "callers without credentials"
    if not caller.generic:
        return text if principal.account is None or principal.account or is_unique_id(text) else f"{text} (a unique ID)"
    if principal.issuer:
        return f"{text}, a federated user of {printable(principal.issuer, _NAME_LIMIT)},"
    if principal.kind not in KINDS:
        return f"any {principal.kind}, for example {text},"
    if caller.outsider:
        return f"{'anyone (*)' if anyone else 'principals of any account'}, for example {text},"
    return f"principals that account {principal.account} allows, for example {text},"


def _with_keys(request: Request) -> str:
    """The condition keys that the request needs, without those that follow from the caller."""
    own = default_context(request.principal, request.resource_account)
    given = [(key, values) for key, values in request.context.items() if values and own.get(key) != values]
    keys = [f"{printable(key)} {printable(values[0])}" for key, values in sorted(given)]
    return f" with {listed(keys, _KEYS)}" if keys else ""


def weight_of(document: Document) -> int:
    """Units of work to try a request on a document, whatever the request."""
    values = sum(
        len(statement.actions.values)
        + (len(statement.resources.values) if statement.resources else 0)
        + (len(statement.principals.values) if statement.principals else 0)
        + sum(len(clause.values) for clause in statement.conditions)
        for statement in document.statements
    )
    return 4 * len(document.statements) + 2 * values + len(document.text) // 64 + document.text.count("${") * 4

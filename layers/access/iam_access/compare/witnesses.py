"""Requests that show a difference: which ones to look for, and the phrases about them.

No proof rests on this. A witness should be a request that AWS can receive, with names that mean something to people;
each one was tried on both documents. Text from outside is escaped and bounded.
Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (no root user) and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html (no federated user)
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from iam_access.compare.callers import KINDS, CallerClass
from iam_access.compare.cubes import Atom, CubeBuilder
from iam_access.compare.language import matches
from iam_access.compare.shapes import REPOSITORIES, ROLES
from iam_access.delta.action import ActionGroup, actions_of, spelled
from iam_access.delta.phrases import ANYTHING, Phrase, deed_of, is_unique_id
from iam_access.document.document import Document, DocumentKind
from iam_access.equivalent.canonical import CanonicalPatterns
from iam_access.evaluate.request import ANY_RESOURCE, Request, default_context
from iam_access.evaluate.request_principal import CallerKind
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import listed, printable

# What to look for

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_ANY_ARN = CanonicalPatterns(False, frozenset({"arn:?*:?*:*:*:?*", ANY_RESOURCE}))
_OF_ECR = (ActionGroup.PUSH, ActionGroup.PULL, ActionGroup.DELETE, ActionGroup.ADMIN)
_GROUPS = {
    DocumentKind.REPOSITORY: (*_OF_ECR, ActionGroup.OTHER),
    DocumentKind.TRUST: (ActionGroup.ASSUME,),
    DocumentKind.IDENTITY: (*_OF_ECR, ActionGroup.ASSUME, ActionGroup.OTHER),
}
_ASSUME = "sts:assumerole"
_CANNOT_ASSUME = frozenset({CallerKind.ROOT, CallerKind.FEDERATED_USER, CallerKind.ANONYMOUS})
_PARTITION = re.compile(r"arn:aws[a-z-]*:")


def searches_by_group(kind: DocumentKind, cubes: CubeBuilder) -> Iterator[tuple[ActionGroup, list[tuple[Atom, ...]]]]:
    """What to require of a witness of each group of actions, most telling group and likeliest requirement first."""
    for group in _GROUPS[kind]:
        known = _actions(cubes, *(action.lower() for action in actions_of(group)))
        usual = cubes.texts(ROLES if group is ActionGroup.ASSUME else REPOSITORIES)
        yield group, [(known, usual), (known, cubes.resources(_ANY_ARN)), (known,)]


def searches_by_kind(kind: DocumentKind, cubes: CubeBuilder) -> list[tuple[Atom, ...]]:
    """What to require of a witness for a kind of document, whatever the group of its action, the likeliest first."""
    match kind:
        case DocumentKind.REPOSITORY:
            return [(_actions(cubes, "sts:*", negated=True),)]
        case DocumentKind.TRUST:
            return [(_actions(cubes, "sts:*"),)]
        case DocumentKind.IDENTITY:
            return [(_actions(cubes, "ecr:*"), cubes.texts(REPOSITORIES)), (cubes.resources(_ANY_ARN),)]


def possible_for(kind: CallerKind, cubes: CubeBuilder) -> tuple[Atom, ...]:
    """What to require of a request so that a caller of this kind can make it."""
    return (_actions(cubes, _ASSUME, negated=True),) if kind in _CANNOT_ASSUME else ()


def _actions(cubes: CubeBuilder, *actions: str, negated: bool = False) -> Atom:
    return cubes.actions(CanonicalPatterns(negated, frozenset(actions)))


def can_be_made(request: Request) -> bool:
    """Can the caller make such a request at all?"""
    return request.principal.kind not in _CANNOT_ASSUME or request.action.lower() != _ASSUME


def is_likely(request: Request, kind: DocumentKind) -> bool:
    """Is this a request that AWS can receive about a document of this kind, as far as is known here?"""
    action, resource = request.action.lower(), _PARTITION.sub("arn:aws:", request.resource)
    service = action.partition(":")[0]
    if not can_be_made(request) or not _ACTION.fullmatch(action):
        return False
    if kind is not DocumentKind.IDENTITY and (service == "sts") is not (kind is DocumentKind.TRUST):
        return False
    if resource == ANY_RESOURCE:
        return True
    if service == "ecr":
        return any(matches(one, resource) for one in REPOSITORIES)
    if action == _ASSUME:
        return any(matches(one, resource) for one in ROLES)
    return resource.startswith("arn:") and (":ecr:" not in resource)


# Names that mean something, for the texts that the search made up

_ACCOUNT = "111111111111"
_ACTIONS = ("iam:CreateUser", "s3:GetObject", "ec2:RunInstances", "ecr:DescribeRepositories")
_RESOURCES = {
    "ecr": "arn:aws:ecr:eu-central-1:OWNER:repository/any",
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


def likely(action: str, resource: str, *, written: Mapping[str, str], account: str | None) -> Iterator[tuple[str, str]]:
    """Actions and resources to try instead of those that the search found, which come last."""
    named = spelled(action)
    if named == action:
        named = written.get(action, action)
    made_up = named == action and action not in written and action.split(":", maxsplit=1)[0] != "ecr"
    for one in (*_ACTIONS, named) if made_up else (named,):
        if resource != ANY_RESOURCE and not resource.startswith("arn:aws"):
            service = one.partition(":")[0].lower()
            usual = _RESOURCES.get(service, f"arn:aws:{service}:eu-central-1:OWNER:any/any")
            yield one, usual.replace("OWNER", account or _ACCOUNT)
            yield one, ANY_RESOURCE
        yield one, resource


# Phrases

_NAME_LIMIT = 160
_KEYS = 2
_SUBJECTS = {
    DocumentKind.REPOSITORY: "the repository",
    DocumentKind.TRUST: "the role",
    DocumentKind.IDENTITY: "the holder of the document",
}


def phrase_of(
    request: Request,
    caller: CallerClass,
    group: ActionGroup,
    *,
    anyone: bool,
    kind: DocumentKind,
    subject: str,
    tells_apart: Callable[[str], bool],
) -> Phrase:
    """The phrase for `X can now push to shop/checkout (ecr:PutImage and 4 more)`; `tells_apart` tries another action.

    `anyone`: the same is true of a caller without credentials.
    """
    name = printable(subject or _SUBJECTS[kind], _NAME_LIMIT)
    if kind is DocumentKind.IDENTITY:
        holder = request.principal.kind
        who = name if holder is CallerKind.USER else f"{name}, as a {holder},"
        what = ANYTHING if request.resource == ANY_RESOURCE else printable(request.resource, _NAME_LIMIT)
    else:
        who, what = _who(request, caller, anyone=anyone), name
    action = request.action
    others = [other for other in actions_of(group) if other != spelled(action) and tells_apart(other)]
    does = deed_of(group, [spelled(action), *others])
    detail = f" ({listed([printable(action), *others], 1)}){_with_keys(request)}"
    return Phrase(who, does, what, detail, unique_id=is_unique_id(who))


def _who(request: Request, caller: CallerClass, *, anyone: bool) -> str:
    one = request.principal
    text = printable(one.text, _NAME_LIMIT)
    if one.kind is CallerKind.ANONYMOUS:
        return "callers without credentials"
    if not caller.generic:
        return text if one.account is None or one.account or is_unique_id(text) else f"{text} (a unique ID)"
    if one.issuer:
        return f"{text}, a federated user of {printable(one.issuer, _NAME_LIMIT)},"
    if one.kind not in KINDS:
        return f"any {one.kind} such as {text}"
    if caller.outsider:
        return f"{'anyone (*)' if anyone else 'principals of any account'}, such as {text},"
    return f"principals that account {one.account} allows, such as {text},"


def _with_keys(request: Request) -> str:
    """The condition keys that the request needs, without those that follow from the caller."""
    own = default_context(request.principal, request.resource_account)
    given = [(key, values) for key, values in request.context.items() if values and own.get(key) != values]
    keys = [f"{printable(key)} {printable(values[0])}" for key, values in sorted(given)]
    return f" with {listed(keys, _KEYS)}" if keys else ""


def weight_of(document: Document) -> int:
    """Units of work to try a request on a document, whatever the request."""
    values = sum(
        len(one.actions.values)
        + (len(one.resources.values) if one.resources else 0)
        + (len(one.principals.values) if one.principals else 0)
        + sum(len(clause.values) for clause in one.conditions)
        for one in document.statements
    )
    return 4 * len(document.statements) + 2 * values + len(document.text) // 64 + document.text.count("${") * 4

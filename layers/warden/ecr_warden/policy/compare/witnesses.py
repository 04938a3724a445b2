"""What a witness is about, in words that a person reads at once; all from outside is escaped and bounded."""

from collections.abc import Callable

from ecr_warden.policy.action import ActionGroup, actions_of, spelled
from ecr_warden.policy.compare.callers import KINDS, Caller
from ecr_warden.policy.document import DocumentKind
from ecr_warden.policy.phrases import Phrase, deed_of, is_unique_id
from ecr_warden.policy.printable import listed, printable
from ecr_warden.policy.request import ANY_RESOURCE, Request, default_context
from ecr_warden.policy.request_principal import CallerKind

_NAME_LIMIT = 160
_KEYS = 2

_SUBJECTS = {
    DocumentKind.REPOSITORY: "the repository",
    DocumentKind.TRUST: "the role",
    DocumentKind.IDENTITY: "the holder of the document",
}


def phrase_of(
    request: Request,
    caller: Caller,
    group: ActionGroup,
    *,
    anyone: bool,
    kind: DocumentKind,
    subject: str,
    tells_apart: Callable[[str], bool],
) -> Phrase:
    """Of `X can now push to shop/checkout (ecr:PutImage and 4 more)`; `tells_apart` tries another action.

    `anyone`: the same holds for a caller without credentials.
    """
    name = printable(subject or _SUBJECTS[kind], _NAME_LIMIT)
    where = printable(request.resource, _NAME_LIMIT)
    if kind is DocumentKind.IDENTITY:
        kind_of_holder = request.principal.kind
        as_whom = "" if kind_of_holder is CallerKind.USER else f", as a {kind_of_holder},"
        who, what = name + as_whom, "anything" if request.resource == ANY_RESOURCE else where
    else:
        who, what = _who(request, caller, anyone=anyone), name
    action = request.action
    others = [other for other in actions_of(group) if other != spelled(action) and tells_apart(other)]
    does = deed_of(group, [spelled(action), *others])
    return Phrase(
        who, does, what, f" ({listed([printable(action), *others], 1)}){_under(request)}", unique_id=is_unique_id(who)
    )


def _who(request: Request, caller: Caller, *, anyone: bool) -> str:
    one = request.principal
    text = printable(one.text, _NAME_LIMIT)
    if one.kind is CallerKind.ANONYMOUS:
        return "callers without credentials"
    if not caller.generic:
        return text if one.account is None or one.account or is_unique_id(text) else f"{text} (a unique id)"
    if one.issuer:
        return f"{text}, a federated user of {printable(one.issuer, _NAME_LIMIT)},"
    if one.kind not in KINDS:
        return f"any {one.kind} such as {text}"
    if caller.stranger:
        return f"{'anyone (*)' if anyone else 'principals of any account'}, such as {text},"
    return f"whoever account {one.account} lets, such as {text},"


def _under(request: Request) -> str:
    """Which keys the request needs; those that follow from the caller say nothing new."""
    own = default_context(request.principal, request.resource_account)
    given = [(key, values) for key, values in request.context.items() if values and own.get(key) != values]
    if not given:
        return ""
    keys = [f"{printable(key)} {printable(values[0])}" for key, values in sorted(given)]
    return f" with {listed(keys, _KEYS)}"

"""`what-if`: who would gain and who would lose if policies or tags were others."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ecr_warden.access.difference import AccessAnswer, AccessDifference, DifferenceKind, differences
from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.audit.answer_texts import class_of, named
from ecr_warden.audit.repaired import as_repaired
from ecr_warden.core.estate import Estate
from ecr_warden.versions.changes import succeeding
from ecr_warden_cli.asking.access import is_class, unlisted
from ecr_warden_cli.asking.access_text import detail, names_of, not_looked_at
from ecr_warden_cli.asking.change_input import CHANGE_ARGUMENTS, change_in_full, changes_asked
from ecr_warden_cli.asking.estate_input import open_estate, source_arguments
from ecr_warden_cli.asking.what_if import laid_over
from ecr_warden_cli.terminal.console import Exit, Style
from ecr_warden_cli.terminal.context import Context, Verb
from ecr_warden_cli.terminal.inputs import load_compiled
from ecr_warden_cli.verbs.access import say_unseen
from iam_access.gather import gather
from iam_access.text.printable import count, listed
from iam_access.who_can.decide import Answer

_STYLES = {
    DifferenceKind.GAINS: Style.ODD,
    DifferenceKind.LOSES: None,
    DifferenceKind.CONDITIONS: Style.ODD,
    DifferenceKind.UNCLEAR: Style.BAD,
}
_MOST_NAMES = 5


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print what differs between the estate as it is and with the changes."""
    given = changes_asked(arguments, context)
    new = load_compiled(arguments.new_spec, context) if arguments.new_spec else None
    asked = open_estate(arguments, context)
    supposed = laid_over(asked.estate, [change_in_full(change, asked) for change in given])
    if new is not None:
        supposed = as_repaired(
            supposed, new.compiled if asked.spec is None else succeeding(asked.spec.compiled, new.compiled)
        )
    beyond = [_beyond(asked.estate)] if any(change.is_of_many_accounts for change in given) else []
    with context.console.doing("asking the policies before and after"):
        found = sorted(differences(asked.graph, RepositoryGraph(supposed)), key=_order)
    if arguments.json:
        of_each = [_to_json(difference, supposed) for difference in found]
        context.console.answer({"changes": of_each, "notLookedAt": [*not_looked_at(asked), *beyond]})
    else:
        _show(found, supposed, context)
        say_unseen(asked, context)
        context.console.notes(beyond)
    is_unclear = any(difference.kind is DifferenceKind.UNCLEAR for difference in found) or any(unlisted(supposed))
    return Exit.ERROR if is_unclear else Exit.DIFFERENT if found else Exit.FINE


def _beyond(estate: Estate) -> str:
    accounts = listed(sorted(estate.accounts), _MOST_NAMES)
    return f"the change is laid over the accounts that were read ({accounts}), over no others"


_ORDER = {kind: place for place, kind in enumerate(DifferenceKind)}


def _order(difference: AccessDifference) -> tuple[object, ...]:
    subject = difference.subject
    return _ORDER[difference.kind], not subject.is_class, subject.arn, difference.repository.key, difference.access


def _show(found: Sequence[AccessDifference], estate: Estate, context: Context) -> None:
    """One entry for each principal and kind of difference, with the kinds of access and the repositories."""
    names, console = names_of(estate), context.console
    places = gather(((one.kind, one.subject.arn, one.before, one.after, one.access), one) for one in found)
    entries = gather(((*alike, tuple(one.repository for one in some)), some) for (*alike, _), some in places.items())
    for of_each in entries.values():
        first = of_each[0][0]
        who = named(first.subject) if is_class(first.subject) else first.subject.arn
        console.line(f"{first.kind.value:<13}{who}", _STYLES[first.kind])
        console.line(detail("what", ", ".join(some[0].access for some in of_each)))
        console.line(detail("in", listed([names.repository(one.repository) for one in of_each[0]], _MOST_NAMES)))
        for label, text in _details(first):
            console.line(detail(label, text))
    if not found:
        console.line("nobody gains or loses access", Style.GOOD)
    else:
        numbers = Counter(kind for kind, _ in {(one.kind, one.subject.arn) for one in found})
        sums = [f"{count(numbers[kind], 'principal')} {_PHRASES[kind]}" for kind in DifferenceKind if numbers[kind]]
        console.line(f"{', '.join(sums)}, by the policies that could be read", Style.HEADING)


_PHRASES = {
    DifferenceKind.GAINS: "would gain",
    DifferenceKind.LOSES: "would lose",
    DifferenceKind.CONDITIONS: "under other conditions",
    DifferenceKind.UNCLEAR: "unclear",
}


def _details(difference: AccessDifference) -> Iterator[tuple[str, str]]:
    standing = difference.before if difference.kind is DifferenceKind.LOSES else difference.after
    yield from (("as", arn) for arn in standing.chain[1:])
    if difference.kind in (DifferenceKind.CONDITIONS, DifferenceKind.UNCLEAR):
        yield "was", _said(difference.before)
        yield "would be", _said(difference.after)
        unknown = dict.fromkeys((*difference.before.unknown, *difference.after.unknown))
        yield from (("not read", text) for text in unknown)
    else:
        yield from (("if", condition) for condition in standing.conditions)


def _said(standing: AccessAnswer) -> str:
    return " and ".join(("yes, if", *standing.conditions)) if standing.answer is Answer.CONDITIONAL else standing.answer


def _to_json(difference: AccessDifference, estate: Estate) -> dict[str, Any]:
    target = difference.repository
    return {
        "principal": difference.subject.written,
        "class": class_of(difference.subject, _first_call(difference), estate)
        if is_class(difference.subject)
        else None,
        "access": difference.access,
        "repository": f"{target.account}/{target.region}/{target.name}",
        "difference": difference.kind,
        "before": _answer_to_json(difference, difference.before),
        "after": _answer_to_json(difference, difference.after),
    }


def _first_call(difference: AccessDifference) -> str:
    """Through roles, everybody of an account begins with the first of these."""
    chain = difference.before.chain or difference.after.chain
    return "sts:AssumeRole" if len(chain) > 1 else difference.permissions[0].action


def _answer_to_json(difference: AccessDifference, standing: AccessAnswer) -> dict[str, Any]:
    return {
        "answer": standing.answer,
        "chain": [difference.subject.written, *standing.chain[1:]] if standing.chain else [],
        "conditions": list(standing.conditions),
        "unknown": list(standing.unknown),
    }


WHAT_IF = Verb(
    "ecr-warden what-if --role shadow-pusher --trust examples/who-can/trust.json \\\n"
    "    --example\n"
    "  ecr-warden what-if examples/who-can/change.json --example",
    (
        *CHANGE_ARGUMENTS,
        *source_arguments(),
    ),
    _run,
    "Says who would gain and who would lose access if a policy or a tag were another, or a spec enforced. Nothing is "
    "changed.\n\n"
    'A change in a file is {"change": KIND, "of": WHAT, "document": POLICY}. KIND is one of identity-policy (with '
    '"name"), managed-policy, permissions-boundary, trust-policy, repository-policy, registry-policy, '
    'service-control-policy, resource-control-policy, endpoint-policy and tags (with "tags" in place of "document").',
)

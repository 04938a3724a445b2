"""`can-i` and `who-can`: who can do what, from the policies that could be read."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from ecr_warden.audit.providers import ProviderGap
from ecr_warden.audit.remedies import Remedies
from ecr_warden.audit.spec_access import SpecAccess
from ecr_warden.audit.words import class_of, unread_text, verb_of
from ecr_warden.core.actions import TOKEN, Access
from ecr_warden.core.estate import Repository
from ecr_warden.core.selection import is_pattern
from ecr_warden_cli.access import (
    CanI,
    Question,
    TrustingRoles,
    WhoCan,
    access_named,
    against_spec,
    can_i,
    everybody_of,
    find_repositories,
    find_subject,
    question,
    question_of,
    reach,
    unlisted,
    who_can_each,
)
from ecr_warden_cli.access_text import (
    AccessNames,
    can_i_to_json,
    names_of,
    not_looked_at,
    path_to_json,
    show_can_i,
    show_reach,
    show_who_can,
)
from ecr_warden_cli.advising import Asking, advised
from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, UsageError, Verb
from ecr_warden_cli.estate_input import OpenedEstate, add_source, note_age, open_estate
from ecr_warden_cli.naming import arn_of, in_full
from ecr_warden_cli.plan_text import gap_to_json, show_gaps
from iam_access import catalogue
from iam_access.arn import ACCOUNT_ID
from iam_access.lint.names import nearest_action
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.subject import Subject

_ASKING = "asking the policies"
_PRINCIPAL = (
    "the ARN of a user, role or role session, or ALIAS:user/NAME or ALIAS:role/NAME as the spec writes it; for a list "
    "also an account, by its alias or ID: everybody in it"
)
EXITS: Mapping[str, Exit] = {
    Answer.YES: Exit.FINE,
    Answer.NO: Exit.DIFFERENT,
    Answer.CONDITIONAL: Exit.DIFFERENT,
    Answer.UNKNOWN: Exit.ERROR,
}


def ask(asked: OpenedEstate, access: str, repository: str, context: Context) -> Question:
    """Parse the question, and say if its action may be misspelt: a pattern such as `ecr:*` allows that one too."""
    _say_unknown(access, context)
    return question(asked.graph, access, in_full(repository, asked.accounts))


def _say_unknown(access: str, context: Context) -> None:
    if access not in list(Access) and not catalogue.matching_actions(access):
        near = nearest_action(access)
        hint = f" (did you mean {near}?)" if near else ""
        context.console.note(f"{access} is not an action of ECR as of {catalogue.date()}{hint}")


def _run_can_i(arguments: argparse.Namespace, context: Context) -> Exit:
    """Answer one question, or list what the principal can do where nothing or a pattern was asked about."""
    access, repository = arguments.access, arguments.repository
    if repository is None and access is not None and "/" in access:
        access, repository = None, access
    is_one = access is not None and repository is not None and not is_pattern(repository)
    if arguments.expect is not None and not is_one:
        raise UsageError("--expect without one question", remedy="add ACCESS and the name of one REPOSITORY")
    asked = open_estate(arguments, context)
    if access is None or repository is None or is_pattern(repository):
        return _list(asked, access, repository, arguments, context)
    return answer(asked, ask(asked, access, repository, context), arguments.principal, arguments, context)


def answer(asked: OpenedEstate, what: Question, arn: str, arguments: argparse.Namespace, context: Context) -> Exit:
    """Answer one question."""
    subject = find_subject(asked.graph, arn_of(arn, asked.accounts))
    with context.console.doing(_ASKING):
        found = can_i(asked.graph, subject, what)
        asking = asking_of(asked, subject, what, arguments, context)
        found = advised(asked, found, asking)
    return say(asked, found, asking, arguments, context)


def asking_of(
    asked: OpenedEstate, subject: Subject, what: Question, arguments: argparse.Namespace, context: Context
) -> Asking:
    """The question in words; docker's token is of no repository."""
    now, file, target = context.clock.now(), arguments.spec, what.repository.target
    if what.what == TOKEN:
        return Asking(subject, "sign in to ECR", TOKEN, "ECR", None, file, now)
    name = names_of(asked.estate).repository(target)
    return Asking(subject, f"{verb_of(what.what)} {name}", what.what, name, target, file, now)


def say(asked: OpenedEstate, found: CanI, asking: Asking, arguments: argparse.Namespace, context: Context) -> Exit:
    """Print an answer of can-i."""
    if arguments.json:
        context.console.answer(can_i_to_json(found, asked.estate))
    else:
        show_can_i(found, asking.does, asking.subject.arn, asked.estate, context)
        say_age(asked, context)
    return expected(found.answer, getattr(arguments, "expect", None))


def expected(answer: Answer, expected: str | None) -> Exit:
    if expected is None:
        return EXITS[answer]
    return Exit.FINE if answer == expected else Exit.ERROR if answer is Answer.UNKNOWN else Exit.DIFFERENT


def _run_who_can(arguments: argparse.Namespace, context: Context) -> Exit:
    """Of one repository, or of each that a pattern selects."""
    asked = open_estate(arguments, context)
    text = in_full(arguments.repository, asked.accounts)
    access, repositories = access_named(arguments.access), find_repositories(asked.estate, text)
    _say_unknown(access, context)
    questions = [question_of(asked.graph, access, one) for one in repositories]
    shown = context.console.progress(questions, of=len(questions), doing="asking about repositories")
    each = zip(questions, who_can_each(asked.graph, shown), strict=True)
    trusting_roles = TrustingRoles(asked.estate)
    answers = [_who_can(asked, what, found, trusting_roles) for what, found in each]
    if arguments.json:
        found = [answer.to_json(asked) for answer in answers]
        of_each = [{"repository": place_of(one)} | form for one, form in zip(repositories, found, strict=True)]
        context.console.answer({"repositories": of_each} if is_pattern(text) else found[0])
    else:
        names = names_of(asked.estate)
        for answer in answers:
            answer.show(asked, names, context)
        say_unseen(asked, context)
    return Exit.ERROR if any(answer.found.unread for answer in answers) else Exit.FINE


class _WhoCan(Struct, frozen=True):
    """Who can, of one repository, and what is lacking of the identity providers by which they can."""

    what: Question
    found: WhoCan
    given: Callable[[AccessPath], bool] | None
    lacking: tuple[ProviderGap, ...]

    def to_json(self, asked: OpenedEstate) -> dict[str, Any]:
        found = self.found
        principals = [self._to_json(path) for path in found.identities]
        classes = [
            {"class": class_of(path.subject, path.steps[0].permissions[0], asked.estate), **self._to_json(path)}
            for path in found.classes
        ]
        return {
            "principals": principals,
            "classes": classes,
            "unknown": list(map(unread_text, found.unread)),
            "providerGaps": list(map(gap_to_json, self.lacking)),
            "notLookedAt": list(not_looked_at(asked.estate)),
        }

    def _to_json(self, path: AccessPath) -> dict[str, Any]:
        return path_to_json(path, self.given, self.found.docker.get(path.subject.arn))

    def show(self, asked: OpenedEstate, names: AccessNames, context: Context) -> None:
        remedies = _remedies(asked, self.what)
        show_who_can(self.found, self.what, self.given, (asked.estate, names), context, closing=remedies)
        show_gaps(context.console, self.lacking)


def _remedies(asked: OpenedEstate, what: Question) -> Callable[[AccessPath], str]:
    """What ends a path that the spec does not give, as a finding says it."""
    if asked.spec is None:
        return lambda _: ""
    spec_access = SpecAccess(asked.spec.compiled, asked.estate, [what.repository.target])
    return Remedies(asked.graph, asked.spec.compiled, spec_access).closing


def _who_can(asked: OpenedEstate, what: Question, found: WhoCan, trusting_roles: TrustingRoles) -> _WhoCan:
    given = None
    if asked.spec is not None:
        given, found = against_spec(asked.graph, asked.spec.compiled, what, found)
    return _WhoCan(what, found, given, trusting_roles.closed(found))


def say_unseen(asked: OpenedEstate, context: Context) -> None:
    """Say what no answer takes into account, and how old what the hub has read is."""
    for text in not_looked_at(asked.estate):
        context.console.note(text)
    say_age(asked, context)


def say_age(asked: OpenedEstate, context: Context) -> None:
    """Say how old what the hub has read is."""
    note_age(asked.read_at, context)


def _list(
    asked: OpenedEstate, access: str | None, repository: str | None, arguments: argparse.Namespace, context: Context
) -> Exit:
    """All that the principal can do, or only the access and the repositories that were asked about."""
    graph = asked.graph
    name = asked.accounts.get(arguments.principal, arguments.principal)
    is_account = ACCOUNT_ID.fullmatch(name) is not None
    subjects = everybody_of(graph, name) if is_account else [find_subject(graph, arn_of(name, asked.accounts))]
    principal = name if is_account else subjects[0].arn
    if repository is None:
        repositories = list(asked.estate.repositories())
    else:
        repositories = find_repositories(asked.estate, in_full(repository, asked.accounts))
    accesses = tuple(Access) if access is None else (access_named(access),)
    shown = context.console.progress(repositories, of=len(repositories), doing="asking about repositories")
    rows = list(reach(graph, subjects, shown, accesses))
    unread = [
        *dict.fromkeys(unread_text(policy) for row in rows for policy in row.by.unread),
        *unlisted(asked.estate),
    ]
    if arguments.json:
        found = [
            {
                "repository": place_of(row.repository),
                "access": str(row.access),
                "answer": row.answer,
                "chain": list(row.by.chain),
                "conditions": list(row.conditions),
            }
            for row in rows
        ]
        context.console.answer({"principal": principal, "repositories": found, "unknown": unread})
    else:
        show_reach(rows, unread, principal, asked.estate, context)
        say_age(asked, context)
    return Exit.ERROR if unread else Exit.FINE


def place_of(repository: Repository) -> str:
    """`account/region/name`."""
    target = repository.target
    return f"{target.account}/{target.region}/{target.name}"


_ACCESS = "pull, push, delete, admin, or an action such as ecr:PutImage"
_REPOSITORY = "its name if that is unique, ACCOUNT/REGION/NAME, an image, or a pattern of names ('shop/*')"


def _add_can_i(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("principal", metavar="PRINCIPAL", help=_PRINCIPAL)
    parser.add_argument("access", metavar="ACCESS", nargs="?", help=f"{_ACCESS}; default: list what they can do")
    parser.add_argument(
        "repository",
        metavar="REPOSITORY",
        nargs="?",
        help=f"{_REPOSITORY}; without one, and with a pattern: list what they can do",
    )
    parser.add_argument("--expect", choices=["yes", "no"], help="exit with 0 if this is the answer, else with 2")
    add_source(parser)


def _add_who_can(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("access", metavar="ACCESS", help=_ACCESS)
    parser.add_argument("repository", metavar="REPOSITORY", help=_REPOSITORY)
    add_source(parser)


CAN_I = Verb(
    "ecr-warden can-i arn:aws:iam::111111111111:user/newcomer push shop/checkout \\\n"
    "    --snapshot examples/who-can/estate.json\n"
    "  ecr-warden can-i arn:aws:iam::111111111111:user/push-user \\\n"
    "    --snapshot examples/who-can/estate.json",
    _add_can_i,
    _run_can_i,
    "Says whether somebody can, through which roles, and what is missing if not. Without ACCESS or REPOSITORY it lists "
    "all that they can do.",
)
WHO_CAN = Verb(
    "ecr-warden who-can push shop/checkout --spec examples/seed/access.yaml \\\n"
    "    --snapshot examples/who-can/estate.json",
    _add_who_can,
    _run_who_can,
)

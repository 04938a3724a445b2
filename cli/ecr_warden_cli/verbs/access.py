"""`can-i` and `who-can`: who can do what, from the policies that could be read."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from typing import Any

from msgspec import Struct

from ecr_warden.audit.administrators import Unlimited, unlimited_in
from ecr_warden.audit.answer_texts import class_of, unread_text, verb_of
from ecr_warden.audit.grounds import Ground
from ecr_warden.audit.providers import ProviderGap
from ecr_warden.audit.remedies import Remedies
from ecr_warden.core.actions import TOKEN, Access
from ecr_warden.core.estate import Repository
from ecr_warden.core.selection import is_pattern
from ecr_warden_cli.asking.access import (
    CanI,
    Question,
    Reach,
    TrustingRoles,
    WhoCan,
    access_named,
    can_i,
    everybody_of,
    find_repositories,
    question,
    question_of,
    reach,
    subject_named,
    unlisted,
    who_can_each,
    with_extra,
)
from ecr_warden_cli.asking.access_text import (
    NOT_ACCOUNTS,
    AccessNames,
    can_i_to_json,
    chain_to_json,
    could_not_be_read,
    given_to_json,
    names_of,
    not_looked_at,
    path_to_json,
    show_can_i,
    show_reach,
    show_who_can,
)
from ecr_warden_cli.asking.administering import administering, administering_to_json, show_administering, undecided
from ecr_warden_cli.asking.advising import advised
from ecr_warden_cli.asking.asked_access import Asking
from ecr_warden_cli.asking.estate_input import OpenedEstate, note_age, open_estate, source_arguments
from ecr_warden_cli.asking.naming import in_full
from ecr_warden_cli.asking.spec_estate import SPEC_ALONE, open_spec_or_estate
from ecr_warden_cli.asking.spec_places import Basis, SpecPlaces
from ecr_warden_cli.hub.plan_text import gap_to_json, show_gaps
from ecr_warden_cli.terminal.console import Exit
from ecr_warden_cli.terminal.context import Context, Failure, UsageError, Verb, argument
from iam_access import catalogue
from iam_access.arn import ACCOUNT_ID
from iam_access.errors import NamedError
from iam_access.lint.names import nearest_action
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath, rank
from iam_access.who_can.subject import Subject

_ASKING = "asking the policies"
_WHO = (
    "whose access: ALIAS:user/NAME, ALIAS:role/NAME, the name alone if nobody else has it, or the ARN of a user, role "
    "or session; for a list also an account, by its alias or ID: everybody in it; default: whose credentials these are"
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
        context.console.note(
            f"{access} is not an action of ECR as of {catalogue.date()}{hint}: to allow it may do nothing"
        )


def _run_can_i(arguments: argparse.Namespace, context: Context) -> Exit:
    """Answer one question, or list what somebody can do where nothing or a pattern was asked about."""
    if arguments.repository is None and "/" in (arguments.access or ""):
        arguments.access, arguments.repository = None, arguments.access
    access, repository = arguments.access, arguments.repository
    is_one = access is not None and repository is not None and not is_pattern(repository)
    if arguments.expect is not None and not is_one:
        raise UsageError("--expect without one question", remedy="add ACCESS and the name of one REPOSITORY")
    if arguments.principal == "":
        raise UsageError("--as with an empty name", remedy="name somebody, or leave it out to ask about yourself")
    who = arguments.principal = arguments.principal or _caller(arguments, context)
    asked = open_spec_or_estate(arguments, repository or "", context, who=who)
    if asked.spec is not None and who in asked.spec.spec.teams:
        raise UsageError(f"{who} is a team of the spec, not somebody", remedy="name one of those under its teams:")
    if access is None or repository is None or is_pattern(repository):
        return _list(asked, arguments, context)
    if ACCOUNT_ID.fullmatch(asked.accounts.get(who, who)):
        raise UsageError(
            f"{who} is an account, not somebody",
            remedy=f"ecr-warden who-can {access} {repository} lists who of it, "
            f"ecr-warden can-i --as {who} what they can",
        )
    subject = subject_named(asked.graph, who, asked.accounts)
    what = ask(asked, access, repository, context)
    with context.console.doing(_ASKING):
        found = can_i(asked.graph, subject, what)
        asking = asking_of(asked, subject, what, arguments, context)
        found = replace(advised(asked, found, asking), given=_given(asked, found, what))
    return say(asked, found, asking, arguments, context)


def _given(asked: OpenedEstate, found: CanI, what: Question) -> Basis | None:
    """On what ground they can."""
    target = what.repository.target
    if asked.spec is None or found.path is None:
        return None
    return SpecPlaces(asked, asked.spec, [target], unlimited_in(asked.graph)).given(what.what, target, found.path)


def _caller(arguments: argparse.Namespace, context: Context) -> str:
    """The ARN of whoever asks, by the one profile that is given, or the default credentials; raises Failure."""
    if len(arguments.profile) > 1:
        raise UsageError("nobody is named, and there are several profiles", remedy="add --as WHO")
    profile = arguments.profile[0].rpartition("=")[2] if arguments.profile else None
    try:
        with context.console.doing("asking who you are"):
            return context.aws().identify(profile).arn
    except NamedError as error:
        raise Failure(
            f"nobody is named, and who you are is unknown: {error.message}",
            code=error.code,
            remedy="add --as WHO, or sign in",
        ) from error


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
    beside = (NOT_ACCOUNTS,) if found.answer is Answer.NO and asking.what == Access.ADMIN else ()
    if arguments.json:
        context.console.answer(can_i_to_json(found, asked, *beside))
    else:
        show_can_i(found, asking.does, asking.subject.arn, asked, context)
        context.console.notes(beside)
        say_age(asked, context)
    return expected(found.answer, getattr(arguments, "expect", None))


def expected(answer: Answer, expected: str | None) -> Exit:
    if expected is None:
        return EXITS[answer]
    return Exit.FINE if answer == expected else Exit.ERROR if answer is Answer.UNKNOWN else Exit.DIFFERENT


def _run_who_can(arguments: argparse.Namespace, context: Context) -> Exit:
    """Of one repository, or of each that a pattern selects; without one, who administers accounts."""
    if arguments.repository is None:
        return _administering(arguments, context)
    asked = open_spec_or_estate(arguments, arguments.repository, context)
    text = in_full(arguments.repository, asked.accounts)
    access, repositories = access_named(arguments.access), find_repositories(asked.estate, text)
    _say_unknown(access, context)
    questions = [question_of(asked.graph, access, one) for one in repositories]
    shown = context.console.progress(questions, of=len(questions), doing="asking about repositories")
    each = zip(questions, who_can_each(asked.graph, shown), strict=True)
    trusting_roles, unlimited = TrustingRoles(asked.estate), unlimited_in(asked.graph)
    answers = [_who_can(asked, what, found, trusting_roles, unlimited) for what, found in each]
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


def _administering(arguments: argparse.Namespace, context: Context) -> Exit:
    """The administrators of the accounts."""
    if arguments.access != Access.ADMIN:
        raise UsageError(
            "who-can without a repository",
            remedy=f"write who-can {arguments.access} REPOSITORY; without one, who-can admin lists administrators",
        )
    asked = open_estate(arguments, context)
    with context.console.doing(_ASKING):
        found = list(administering(asked))
    if arguments.json:
        context.console.answer(administering_to_json(found, asked))
    else:
        show_administering(found, asked, context)
        say_unseen(asked, context)
    is_known = not undecided(asked) and all(account.is_listed for account in asked.estate.accounts.values())
    return Exit.FINE if is_known else Exit.ERROR


class _WhoCan(Struct, frozen=True):
    """Those who can, of one repository, and what is lacking of the identity providers by which they can."""

    what: Question
    found: WhoCan
    places: SpecPlaces | None = None
    lacking: tuple[ProviderGap, ...] = ()

    def to_json(self, asked: OpenedEstate) -> dict[str, Any]:
        found = self.found
        principals = [self._to_json(path) for path in found.identities]
        classes = [
            {"class": class_of(path.subject, path.steps[0].permissions[0].action, asked.read), **self._to_json(path)}
            for path in found.classes
        ]
        for forms in (principals, classes):
            forms.sort(key=lambda form: form["ground"] != Ground.NONE.value)
        return {
            "principals": principals,
            "classes": classes,
            "halves": [
                {"action": path.steps[-1].permissions[0].action, **self._to_json(path)} for path in found.halves
            ],
            "unknown": list(map(unread_text, found.unread)),
            "providerGaps": list(map(gap_to_json, self.lacking)),
            "notLookedAt": _not_looked_at(asked),
        }

    def _to_json(self, path: AccessPath) -> dict[str, Any]:
        return path_to_json(path, self._given(path), self.found.docker.get(path.subject.arn))

    def _given(self, path: AccessPath) -> Basis | None:
        """On what ground they can; None without a spec."""
        return None if self.places is None else self.places.given(self.what.what, self.what.repository.target, path)

    def show(self, asked: OpenedEstate, names: AccessNames, context: Context) -> None:
        show_who_can(self.found, self.what, self._given, asked, context, names=names, closing=self._closing(asked))
        show_gaps(context.console, self.lacking)

    def _closing(self, asked: OpenedEstate) -> Callable[[AccessPath], str]:
        """The remedy for a path that the spec does not give, as a finding says it."""
        if asked.spec is None or self.places is None:
            return lambda _: ""
        return Remedies(asked.graph, asked.spec.compiled, self.places.access).closing


def _who_can(
    asked: OpenedEstate, what: Question, found: WhoCan, trusting_roles: TrustingRoles, unlimited: Unlimited
) -> _WhoCan:
    if asked.spec is None:
        return _WhoCan(what, found, lacking=trusting_roles.closed(found))
    places = SpecPlaces(asked, asked.spec, [what.repository.target], unlimited)
    if asked.is_spec_alone:
        return _WhoCan(what, found, places)
    found = with_extra(places.grounds, what, found)
    return _WhoCan(what, found, places, trusting_roles.closed(found))


def _not_looked_at(asked: OpenedEstate) -> list[str]:
    return [SPEC_ALONE] if asked.is_spec_alone else list(not_looked_at(asked))


def say_unseen(asked: OpenedEstate, context: Context) -> None:
    """Say what of the accounts could not be read, and how old what the hub has read is."""
    context.console.notes(could_not_be_read(asked))
    say_age(asked, context)


def say_age(asked: OpenedEstate, context: Context) -> None:
    """Say how old what was read is, or that nothing was."""
    if asked.is_spec_alone:
        context.console.note(SPEC_ALONE)
    else:
        note_age(asked.read_at, context)


def _list(asked: OpenedEstate, arguments: argparse.Namespace, context: Context) -> Exit:
    """All that somebody can do, or only the access and the repositories that were asked about."""
    principal, access, repository = arguments.principal, arguments.access, arguments.repository
    graph = asked.graph
    account = asked.accounts.get(principal, principal)
    is_account = ACCOUNT_ID.fullmatch(account) is not None
    subjects = everybody_of(graph, account) if is_account else [subject_named(graph, principal, asked.accounts)]
    whose = account if is_account else subjects[0].arn
    named = None if repository is None else find_repositories(asked.estate, in_full(repository, asked.accounts))
    repositories = list(asked.estate.repositories()) if named is None else named
    # The gravest first.
    accesses = tuple(Access)[::-1] if access is None else (access_named(access),)
    shown = context.console.progress(repositories, of=len(repositories), doing="asking about repositories")
    rows = list(_with_places(asked, list(reach(graph, subjects, shown, accesses))))
    rows.sort(key=lambda row: (row.given is not None and not row.given.is_extra, rank(row.by.answer)))
    unread = [
        *dict.fromkeys(unread_text(policy) for row in rows for policy in row.by.unread),
        *unlisted(asked.estate),
    ]
    if arguments.json:
        found = [
            {
                "repository": place_of(row.repository),
                "access": str(row.access),
                "answer": row.by.answer.value,
                "chain": chain_to_json(row.by),
                "conditions": list(row.conditions),
                **given_to_json(row.given),
            }
            for row in rows
        ]
        not_looked = [*(() if found else (NOT_ACCOUNTS,)), *_not_looked_at(asked)]
        context.console.answer(
            {"principal": whose, "repositories": found, "unknown": unread, "notLookedAt": not_looked}
        )
    else:
        show_reach(rows, unread, whose, asked, context)
        say_age(asked, context)
    return Exit.ERROR if unread else Exit.FINE


def _with_places(asked: OpenedEstate, rows: Sequence[Reach]) -> Iterator[Reach]:
    """Each with where the spec gives it."""
    if asked.spec is None:
        yield from rows
        return
    targets = {row.repository.target: None for row in rows}.keys()
    places = SpecPlaces(asked, asked.spec, targets, unlimited_in(asked.graph))
    yield from (replace(row, given=places.given(row.access, row.repository.target, row.by)) for row in rows)


def place_of(repository: Repository) -> str:
    """`account/region/name`."""
    target = repository.target
    return f"{target.account}/{target.region}/{target.name}"


_SPEC = "a spec, or - for stdin: alone what it gives, else it is compared with its accounts, or with those of a file"
_ACCESS = "pull, push, delete, admin, or an action such as ecr:PutImage"
_REPOSITORY = "its name if that is unique, ACCOUNT/REGION/NAME, an image, or a pattern of names ('shop/*')"


CAN_I = Verb(
    "ecr-warden can-i push shop/checkout --as newcomer --example\n"
    "  ecr-warden can-i --as ci:user/push-user --spec examples/seed/access.yaml",
    (
        argument("access", metavar="ACCESS", nargs="?", help=f"{_ACCESS}; default: list what they can do"),
        argument(
            "repository",
            metavar="REPOSITORY",
            nargs="?",
            help=f"{_REPOSITORY}; without one, and with a pattern: list what they can do",
        ),
        argument("--as", dest="principal", metavar="WHO", help=_WHO),
        argument("--expect", choices=["yes", "no"], help="exit with 0 if this is the answer, else with 2"),
        *source_arguments(spec=_SPEC),
    ),
    _run_can_i,
    "Says whether somebody can, through which roles, and what is missing if not. Without ACCESS or REPOSITORY it lists "
    "all that they can do, each with the line of the spec that gives it, or NOT IN SPEC.",
)
WHO_CAN = Verb(
    "ecr-warden who-can push shop/checkout --example\n"
    "  ecr-warden who-can pull 'shop/*' --spec examples/seed/access.yaml\n"
    "  ecr-warden who-can admin --example",
    (
        argument("access", metavar="ACCESS", help=_ACCESS),
        argument(
            "repository",
            metavar="REPOSITORY",
            nargs="?",
            help=f"{_REPOSITORY}; left out after admin: whoever administers the accounts",
        ),
        *source_arguments(spec=_SPEC),
    ),
    _run_who_can,
    "Lists everybody who can, directly and through roles, with a spec each with the line that gives it, or NOT IN "
    "SPEC. From a spec alone it says whom that gives access.",
)

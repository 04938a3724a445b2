"""`explain-denial`: why a call was denied, by its error message, and what to do.

The message becomes denials, each denial a question (who, what, where; what the message leaves open is asked for), the
question an answer by the policies, and the answer an advice. What AWS names as the reason is believed.
"""

import argparse
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from ecr_warden.access.missing import Edit, Side, change_along, edits_of, unmet
from ecr_warden.audit.advice import Advice, advise, not_for
from ecr_warden.audit.answer_texts import edit_text, removal_text, verb_of
from ecr_warden.core.actions import IMPORT, TOKEN, Access
from ecr_warden.core.administering import administering
from ecr_warden.core.target import RepositoryTarget
from ecr_warden_cli.asking.access import (
    AccessError,
    CanI,
    Trusting,
    arn_meant,
    can_assume,
    can_i,
    find_repository,
    find_subject,
    passed_to,
    question_of,
    trusting,
)
from ecr_warden_cli.asking.access_text import can_i_to_json, detail, says_of, show_answer, show_details
from ecr_warden_cli.asking.advising import advised, ours_in
from ecr_warden_cli.asking.asked_access import Asking
from ecr_warden_cli.asking.denials import (
    ASKS,
    ASSUME,
    LOGIN,
    NO,
    NOT_THERE,
    OF_SESSION,
    OIDC,
    PULL,
    PUSH,
    SIGN_IN,
    WEB_IDENTITY,
    DeniedCall,
    NamedPolicy,
    ToolCredentials,
    caller_of,
    denials,
    plain,
    text_of,
    unsaid,
)
from ecr_warden_cli.asking.estate_input import OpenedEstate, count_stdin, open_estate, source_arguments
from ecr_warden_cli.asking.naming import in_full
from ecr_warden_cli.terminal.console import Exit, worst
from ecr_warden_cli.terminal.context import Context, Failure, UsageError, Verb, argument
from ecr_warden_cli.terminal.inputs import name_of, read_json
from ecr_warden_cli.verbs.access import EXITS, asking_of, say_age
from iam_access.arn import partition_of
from iam_access.errors import NamedError
from iam_access.evaluate.request_principal import CallerKind, is_identity_center_role
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.nearest import did_you_mean, nearest
from iam_access.text.printable import listed, printable, show_time
from iam_access.who_can.decide import AccessDecision, Answer
from iam_access.who_can.subject import Subject

_TO_ORGANIZATION = (
    "send this message to the organization's administrators, who alone can change it; to see it here, add"
)
_UNSEEN = {
    "service control policy": f"{_TO_ORGANIZATION} --scp FILE",
    "resource control policy": f"{_TO_ORGANIZATION} --rcp FILE",
    "vpc endpoint policy": "let the endpoint's owner allow it: aws ec2 describe-vpc-endpoints shows its policy",
    "session policy": "whoever opened the session narrowed it: open one without that policy",
}
"""Kinds of policies that no snapshot has, or not always, and what to do.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""
_SIDES: Mapping[str, tuple[Side, ...]] = {
    "identity-based policy": (Side.IDENTITY,),
    "resource-based policy": (Side.REPOSITORY, Side.TRUST),
    "role trust policy": (Side.TRUST,),
    "permissions boundary": (Side.BOUNDARY,),
    "service control policy": (Side.SERVICE_CONTROL,),
    "resource control policy": (Side.RESOURCE_CONTROL,),
}
_LACKING = {
    "identity-based policy": "in its identity policies",
    "resource-based policy": "in the policy of the repository or role",
}
_SESSION = re.compile(r"^(arn:[a-z-]+:)sts(::[^:]*:)assumed-role/([^/]+)/.*")
_NOT_ASKED = {
    "sts:TagSession": "do not tag the session (configure-aws-credentials: role-skip-session-tagging: true)",
    "sts:SetSourceIdentity": "do not set a source identity",
}
_KEPT = {
    "ec2.amazonaws.com": "Ec2InstanceMetadata",
    **dict.fromkeys(("ecs-tasks.amazonaws.com", "codebuild.amazonaws.com", "pods.eks.amazonaws.com"), "EcsContainer"),
}
"""Where a service keeps a role's credentials, as profiles name it; others: in the environment.

Source: https://docs.aws.amazon.com/cli/latest/topic/config-vars.html
"""
_PARTITION = re.compile("arn:([a-z-]+):")
_CREATE = "ecr:CreateRepository"
_VERBS = {LOGIN: "sign in to ECR", ASSUME: "assume"}
_DID = {PULL: "pulled", PUSH: "pushed", LOGIN: "signed in", ASSUME: "tried to assume"}
_MOST = 10
MAX_DENIAL = MAX_RECORD = 1 << 20
_MOST_READ = 1 << 26


class _Explained(Struct, frozen=True):
    """The answer to one denial: the verdict, in words, and what to do."""

    denial: DeniedCall
    verdict: str
    says: str
    advice: Advice
    found: CanI | None = None
    """Where the policies answer."""


class _Case(Struct, frozen=True):
    """What all denials of a message have in common: the options, whose credentials its tool uses, the accounts."""

    arguments: argparse.Namespace
    context: Context
    caller: ToolCredentials
    asked: Callable[[], OpenedEstate]
    """Reads the accounts, once; raises Failure."""

    @property
    def read_at(self) -> str:
        """What was read, and when."""
        asked = self.asked()
        return f"what was read at {show_time(asked.read_at or asked.estate.taken_at)}"


def _run_explain(arguments: argparse.Namespace, context: Context) -> Exit:
    text = "" if arguments.record else _message(arguments, context)
    found = denials(text) or (unsaid(text),)
    case = _Case(arguments, context, caller_of(text), cache(partial(open_estate, arguments, context)))
    answers, failed = list[_Explained](), list[NamedError]()
    for denial in found[:_MOST]:
        try:
            answers.append(_explained(denial, case))
        except NamedError as error:
            failed.append(error)
    if not answers:
        raise failed[0]
    _show(answers, case)
    if len(found) > _MOST:
        context.console.note(f"{len(found) - _MOST} more denials are not answered: give their part of the log")
    context.console.notes(f"another denial: {other.message}; {other.remedy}" for other in failed)
    return worst(*(EXITS.get(one.verdict, Exit.ERROR) for one in answers))


_NAME = re.compile(r"[\w./~-]{2,255}")
"""What may be the name of a file. An encoded message of AWS's, which is one word too, is longer."""


def _message(arguments: argparse.Namespace, context: Context) -> str:
    """The message: a file, the text itself, or stdin."""
    given = "" if arguments.message == ["-"] else " ".join(arguments.message)
    if os.path.isfile(given):  # noqa: PTH113 - to pathlib a long text is an error
        with Path(given).open("rb") as file:
            given = file.read(_MOST_READ).decode(errors="replace")
    elif _NAME.fullmatch(given) and not arguments.principal:
        # A message has more than one word: what was meant is a file.
        what = f"{name_of(given)} is a directory" if os.path.isdir(given) else f"there is no file {name_of(given)}"  # noqa: PTH112
        raise Failure(what, code="no-denial", remedy="give the file with the message, or the message itself")
    if not given:
        if count_stdin(arguments):
            raise UsageError("- for a file, and the error message from stdin", remedy="give the path of the file")
        if context.stdin.isatty() and arguments.sub:
            return ""
        if context.stdin.isatty():
            context.console.note("paste the message of the denied call, end with Ctrl-D")
        given = context.stdin.read(_MOST_READ).decode(errors="replace")
    if len(given) > MAX_DENIAL:
        # What came first caused the rest, and what came last ended it.
        given = f"{given[: MAX_DENIAL // 2]}\n{given[-MAX_DENIAL // 2 :]}"
        says = f"only the first and the last {MAX_DENIAL // 2:,} characters are looked at"
        context.console.note(f"{says}: give the part around the error")
    text = plain(given)
    if not text and not arguments.principal and not arguments.sub:
        raise Failure("the message is empty", code="no-denial", remedy="paste what docker or the AWS CLI printed")
    return text


def _explained(denial: DeniedCall, case: _Case) -> _Explained:
    given = case.arguments
    if denial.form.says:
        return _said_alone(denial, case)
    # What AWS names stands; then who must have acted; then who is given.
    named = "" if "*" in denial.who and given.principal else denial.who
    who = named or case.caller.itself or given.principal or ""
    denial = replace(denial, who=who, tried=given.access or denial.tried)
    if denial.action == WEB_IDENTITY or ((given.record or given.sub) and not denial.action):
        try:
            return _of_token(denial, case)
        except AccessError as error:
            # Of a role that is not there AWS says the same as of one that takes no such token.
            return _absent(replace(denial, who=f"a token with the sub {given.sub or denial.subject}"), error, case)
    where = printable(denial.role, 200) or given.repository or text_of(denial.place)
    if not (denial.who and denial.tried and (where or denial.tried == LOGIN)):
        raise _unsaid(denial, where, case.caller)
    caller, resource = (_PARTITION.match(arn) for arn in (denial.who, denial.groups.get("resource", "")))
    if caller and resource and caller[1] != resource[1]:
        return _Explained(
            denial,
            NO,
            f"{printable(denial.who, 200)} cannot act in partition {resource[1]}: it is of partition {caller[1]}",
            Advice(f"use credentials of an account of partition {resource[1]}"),
        )
    subject = None
    try:
        subject = _subject(denial, case)
        if denial.role:
            return _assuming(denial, subject, find_subject(case.asked().graph, denial.role), case)
        return _accessing(denial, subject, where, case)
    except AccessError as error:
        return _absent(denial, error, case, is_caller=subject is None)


def _said_alone(denial: DeniedCall, case: _Case) -> _Explained:
    """The answer that needs no policy."""
    form, given = denial.form, case.arguments
    says, do = form.says.format_map(denial.groups), form.do.format_map(denial.groups)
    if form.verdict == ASKS:
        raise Failure(says, code="no-denial", remedy=do)
    if form.do == SIGN_IN and case.caller.whose:
        do = f"let it sign in, which needs {TOKEN}: it has {case.caller.whose}"
    elif form.do == NOT_THERE and (given.snapshot or given.spec or given.profile):
        return _Explained(denial, form.verdict, says, _elsewhere(denial, case) or Advice(do))
    commands = (_login(denial.host or _host(denial.place)),) if do == SIGN_IN else ()
    return _Explained(denial, form.verdict, says, Advice(do, commands))


def _elsewhere(denial: DeniedCall, case: _Case) -> Advice | None:
    """The place of a repository that the registry which was asked lacks, or what else may be meant; None is unknown."""
    place, estate = denial.place, case.asked().estate
    targets = [one.target for one in estate.repositories()]
    known = [one for one in targets if not place.region or partition_of(one.region) == partition_of(place.region)]
    there = sorted((one for one in known if one.name == place.name), key=lambda one: one.account != place.account)
    if there:
        account, region = there[0].account, there[0].region
        asked = f"the registry of account {place.account}{place.region and f' in {place.region}'} was asked"
        own = f"aws ecr describe-images --registry-id {account} --region {region} --repository-name {place.name}"
        has = f"that of account {account} in {region} has it: {_host(there[0])} for docker, its ID for aws ecr:"
        return Advice(f"{asked}, as it is where none is named; {has}", (own,))
    registries = estate.accounts[place.account].registries.values() if place.account in estate.accounts else ()
    caches = [rule.prefix for one in registries for rule in one.upstreams or () if rule.prefix]
    if any(place.name.startswith(f"{prefix}/") for prefix in caches):
        return Advice(f"let whoever pulls call {IMPORT} and {_CREATE}: the first pull through its cache makes it")
    shown = {one.name: one.name if one.account == place.account else text_of(one) for one in known}
    near = [shown[one] for one in nearest(place.name, shown)]
    return Advice(f"{NOT_THERE}{did_you_mean(''.join(near))}") if near else None


def _host(place: RepositoryTarget) -> str:
    domain = "amazonaws.com.cn" if place.region.startswith("cn-") else "amazonaws.com"
    return f"{place.account or 'ACCOUNT'}.dkr.ecr.{place.region or 'REGION'}.{domain}"


def _login(host: str, profile: str = "") -> str:
    """The command that signs docker in at a registry: without a registry it would be Docker Hub."""
    region = host.replace("-ecr", ".ecr").split(".")[3]
    option = f" --profile {profile}" if profile else ""
    return f"aws ecr get-login-password --region {region}{option} | docker login --username AWS --password-stdin {host}"


def _unsaid(denial: DeniedCall, where: str, caller: ToolCredentials) -> Failure:
    """The error where the message does not say who was denied what, with what to look for."""
    did = (
        f"{_DID.get(denial.tried, f'called {denial.tried} on')} {where}" if denial.tried and where else "was denied it"
    )
    whose = caller.whose or denial.form.do
    lacking = {
        f"add --as with the ARN{whose and f': {whose}'}": "" if denial.who else f"who {did}",
        "add --access pull (or push)": "" if denial.tried else "whether it was a pull or a push",
        "add --repository NAME": "" if where else "which repository",
    }
    remedy = "; ".join(option for option, lacks in lacking.items() if lacks)
    return Failure(
        f"the message does not say {listed([lacks for lacks in lacking.values() if lacks], 3)}",
        code="no-denial",
        remedy=f"{remedy}; or give more of the log",
    )


def _subject(denial: DeniedCall, case: _Case) -> Subject:
    """Whoever was denied; raises AccessError, and Failure where somebody else's credentials are used."""
    asked, caller = case.asked(), case.caller
    arn = arn_meant(asked.estate, denial.who, asked.accounts)
    subject = find_subject(asked.graph, _unmasked(arn, asked) if "*" in arn else arn)
    if denial.who == case.arguments.principal and caller.whose:
        why = f"it trusts none of {listed(caller.services, 5)}" if not _may_be(subject, caller) else ""
        repository = next(asked.estate.repositories(), None)
        is_signed_in = denial.tried in (PULL, PUSH) and not denial.form.weak
        if not why and is_signed_in and repository is not None and not caller.keys and caller.services:
            # A registry denies whoever signed in: not a task's own role, which the same service takes as well.
            decision = asked.graph.decide(subject, asked.graph.permissions(TOKEN, repository))
            why = f"it cannot sign in ({TOKEN})" if decision.answer is Answer.NO else ""
        if why:
            raise Failure(
                f"{printable(subject.arn, 200)} is not whose credentials were used: {why}",
                code="no-denial",
                remedy=f"add --as with the ARN: {caller.whose}",
            )
    return subject


def _unmasked(arn: str, asked: OpenedEstate) -> str:
    """The ARN, with its path, of the one user or role of that name; of a session, of its role."""
    named = arn.rpartition(":")[2]
    kind, _, name = named.removeprefix("assumed-").partition("/")
    ends = f"/{name.partition('/')[0] if named.startswith('assumed-') else name}"
    arns = (one.arn for one in asked.estate.identities())
    known = [one for one in arns if f":{kind}/" in one and one.endswith(ends)]
    if len(known) != 1:
        raise Failure(f"the account of {named} is masked", code="no-denial", remedy="add --as with the whole ARN")
    return known[0]


def _may_be(subject: Subject, caller: ToolCredentials) -> bool:
    """Whether it may be what a tool uses: a user whose keys it was given, a role by whom its trust policy names."""
    identity = subject.identity
    if identity is None or not caller.services:
        return True
    if identity.trust is None:
        return caller.keys
    named = [one.value for each in identity.trust.statements for one in getattr(each.principals, "values", ())]
    return any(one in caller.services or (OIDC in one and OIDC in caller.services) for one in named)


def _absent(denial: DeniedCall, error: AccessError, case: _Case, *, is_caller: bool = False) -> _Explained:
    """The answer where whoever AWS names, or the repository or role, is not in what was read; raises the error."""
    named, place = denial.named, denial.place
    if not named.text and not denial.action:
        raise error
    verb = _VERBS.get(denial.tried) or verb_of(denial.tried)
    who, owner = printable(denial.who, 200), f"whoever owns account {place.account}"
    says, _, near = error.message.partition(" (")
    hint = f" ({near}" if near and (is_caller or denial.role) else ""
    do = Advice(f"read the accounts again, or correct the name, which is not in {case.read_at}{hint}")
    if is_caller and who.startswith("arn:"):
        # AWS knows it: nobody mistypes whose credentials they have.
        role = _SESSION.sub(r"\1iam\2role/\3", who)
        lacks = f"it lacks {denial.action} {_LACKING[named.kind]}; " if named.is_lack and named.kind else ""
        do = Advice(f"{lacks}read the accounts again, to see how to give it: {role} is not in {case.read_at}")
    elif denial.action in (IMPORT, _CREATE):
        says, do = "the call makes the repository", Advice(f"{owner} decides: no grant gives it")
        if denial.action == IMPORT:
            by_policy = f"or allow {IMPORT} and {_CREATE} in the policies of its registry and of the caller"
            do = Advice(f"have {owner} create {place.name}, so that a grant can say upstream: true, {by_policy}")
    elif denial.tried in administering():
        do = Advice(f"{owner} decides: no grant gives it")
    elif not denial.role and place.name and not is_caller:
        do = _elsewhere(denial, case) or do
    does = f"{verb} {printable(denial.role, 200) or place.name}".rstrip()
    unseen = _UNSEEN.get(named.kind)
    return _Explained(denial, NO, f"{who} cannot {does}: {says}", Advice(unseen) if unseen else do)


def _accessing(denial: DeniedCall, subject: Subject, where: str, case: _Case) -> _Explained:
    """May somebody do this to the repository, or sign in, which is to any?"""
    asked, is_login = case.asked(), denial.tried == LOGIN
    anywhere = next(asked.estate.repositories(), None) if is_login else None
    repository = anywhere or find_repository(asked.estate, in_full(where, asked.accounts))
    what = question_of(asked.graph, TOKEN if is_login else denial.tried, repository)
    found = can_i(asked.graph, subject, what)
    if found.docker is not None and found.docker.answer is Answer.NO:
        found = replace(found, answer=Answer.NO, path=None, docker=None)
    direct = asked.graph.decide(subject, asked.graph.permissions(denial.action or what.what, repository))
    if case.caller.services and not case.caller.roles and direct.answer is Answer.NO:
        found = CanI(Answer.NO, None, change_along(asked.graph, (subject,), what.ways[0]))
    answer = _judged(denial, found, direct, asking_of(asked, subject, what, case.arguments, case.context), case)
    if subject.principal.kind is CallerKind.SERVICE and case.caller.whose:
        return replace(
            answer, advice=replace(answer.advice, text=f"{answer.advice.text}; or have it use {case.caller.whose}")
        )
    return answer


def _judged(denial: DeniedCall, found: CanI, direct: AccessDecision, asking: Asking, case: _Case) -> _Explained:
    """The answer by the policies, once AWS's own reason has been heard; `direct`: on the call, without any role."""
    named = denial.named
    denied = replace(found, answer=Answer.NO, path=None, docker=None)
    chain = found.path.chain if found.path is not None else ()
    via_role = len(chain) > 1 and direct.answer is Answer.NO
    advice = _otherwise(denial, direct, asking, case) or (_as_role(chain, asking, case) if via_role else None)
    if advice is None:
        found = advised(case.asked(), denied, asking)
    elif named.text or via_role:
        found = replace(denied, change=None, advice=advice)
    else:
        found = replace(found, advice=advice)
    says = says_of(found.answer, asking.does, asking.subject.arn)
    more = f", {named.text}" if not named.is_lack else " as itself" if via_role else ""
    return _Explained(denial, found.answer, f"{says}{more}", found.advice, found)


def _otherwise(denial: DeniedCall, direct: AccessDecision, asking: Asking, case: _Case) -> Advice | None:
    """The remedy where no grant helps: AWS names another reason, or the policies allow the call."""
    named, is_no = denial.named, direct.answer is Answer.NO
    kind, ours = asking.subject.principal.kind, ours_in(case.asked())
    # A root user is advised as such where nothing keeps it out; docker's token is each account's own to give.
    is_somebody = kind is not CallerKind.SERVICE and (kind is not CallerKind.ROOT or not named.is_lack)
    where = f"account {asking.subject.principal.account}" if asking.what == TOKEN else asking.where
    if (named.text or is_no) and is_somebody and (no := not_for(asking.subject, asking.does, where, ours)):
        return no
    if direct.answer is Answer.CONDITIONAL and named.kind not in _UNSEEN:
        asks = " and ".join(direct.conditions)
        return Advice(f"call it so that {asks}; the call's CloudTrail record shows what it had")
    why = _of_kind(named, edits_of(asking.subject, direct))
    if named.text and not why and not (named.is_lack and is_no):
        return _of_unseen(named, case)
    if not named.is_lack:
        lies = (removal_text(edit) if edit.index is not None else edit_text(edit)[1] for edit in why)
        return Advice(" and ".join(f"ask whoever wrote it: {text}" for text in lies))
    if not is_no:
        unread = "a policy does that no snapshot has: the organization's, an endpoint's, the session's"
        return Advice(f"try again: {case.read_at} allows it; if AWS denies it again, {unread}")
    if denial.action in OF_SESSION and why:
        advice = advise(asking.subject, asking.does, asking.where, why, ours=ours)
        return replace(advice, text=f"{advice.text}, or {_NOT_ASKED[denial.action]}")
    if denial.tried == PUSH and not _may_be(asking.subject, case.caller):
        whose = case.caller.whose
        return Advice(f"have the build use its own role, {whose}: a grant to this one would let others push")
    return None


def _of_kind(named: NamedPolicy, edits: Iterable[Edit]) -> list[Edit]:
    """The statements that deny a call, of the kind that AWS names: AWS names no policy of IAM, or the same."""
    sides = _SIDES.get(named.kind, () if named.kind else tuple(Side))
    return [
        edit
        for edit in edits
        if edit.side in sides
        and named.explicit is (edit.index is not None)
        and (":iam:" not in named.policy or named.policy == edit.place.arn)
    ]


def _of_unseen(named: NamedPolicy, case: _Case) -> Advice:
    """The remedy where AWS names what was not read."""
    again, read = "read the accounts again, or ask whoever owns it", case.read_at
    if named.is_lack:
        return Advice(f"try again: {read} allows it, which may have changed since; if it is denied again, {again}")
    do = _UNSEEN.get(named.kind, f"{again}, for it is not in {read}")
    return Advice(f"{do}: {named.policy}" if named.policy else do)


def _as_role(chain: Sequence[str], asking: Asking, case: _Case) -> Advice:
    """The way through the roles that have the access."""
    names, options = ["default", *(arn.rpartition("/")[2] for arn in chain[1:])], ["source_profile"] * len(chain)
    do = f"with the profile of {printable(asking.subject.arn, 200)} in place of default:"
    if (
        (identity := asking.subject.identity) is not None
        and identity.trust
        and not is_identity_center_role(identity.arn)
    ):
        # A role's own session is in no profile.
        kept = (_KEPT[service] for service in passed_to(asking.subject) if service in _KEPT)
        names[0], options[0], do = next(kept, "Environment"), "credential_source", "from where it runs:"
    commands = [
        f"aws configure set profile.{name}.role_arn {arn} && aws configure set profile.{name}.{option} {source}"
        for source, option, name, arn in zip(names, options, names[1:], chain[1:], strict=False)
    ]
    target = asking.target or next(one.target for one in case.asked().estate.repositories())
    return Advice(f"sign in with role {names[-1]}, {do}", (*commands, _login(_host(target), names[-1])))


def _assuming(denial: DeniedCall, subject: Subject, role: Subject, case: _Case, claims: str = "") -> _Explained:
    """Can somebody assume the role, whatever it then may do?"""
    asked, arguments = case.asked(), case.arguments
    found = can_assume(asked.graph, subject, role)
    name = printable(role.arn, 200)
    if subject.identity is not None and subject.identity is role.identity:
        return _Explained(
            denial,
            NO,
            f"{printable(subject.arn, 200)} cannot assume {name}: it is that role already",
            Advice("leave out the step that assumes it (role_arn, role-to-assume)"),
        )
    target = _target_of(asked, role)
    decision = AccessDecision(found.answer)
    if role.identity is not None:
        needed = asked.graph.assuming(subject, role)
        decision = asked.graph.decide(subject, needed)
        if decision.answer is not Answer.NO and denial.action in OF_SESSION:
            decision = asked.graph.decide(subject, (replace(needed[0], action=denial.action),))
            found = CanI(decision.answer, found.path if decision.answer is Answer.YES else None, None)
            claims = f" with {denial.action}, which {OF_SESSION[denial.action]}"
        elif denial.action in OF_SESSION:
            denial = replace(denial, action="sts:AssumeRole")
    what = Access.PUSH if target is not None else "sts:AssumeRole"
    asking = Asking(subject, f"assume {name}{claims}", what, name, target, arguments.spec, case.context.clock.now())
    return _judged(denial, found, decision, asking, case)


def _target_of(asked: OpenedEstate, role: Subject) -> RepositoryTarget | None:
    """The repository that a push role is of, where it is of one alone."""
    entries = asked.spec.spec.repositories if asked.spec is not None else ()
    roles = ((push.role.account, push.role.name, entry.targets) for entry in entries for push in entry.push)
    named = [targets for *own, targets in roles if role.identity and own == [role.identity.account, role.identity.name]]
    return named[0][0] if len(named) == 1 and len(named[0]) == 1 else None


def _of_token(denial: DeniedCall, case: _Case) -> _Explained:
    """Of whoever came with a token, whom AWS's message does not name, with what the role asks of it."""
    given = case.arguments
    sub = given.sub or denial.subject
    if not (given.record or sub):
        raise Failure(
            "the message does not say whose token it was",
            code="no-denial",
            remedy="add --record FILE, the CloudTrail record of the call or --sub SUBJECT, the token's sub",
        )
    as_asked = _Token(given.principal or "", sub, "", denial.role)
    token = _token_of(given.record, case.context) if given.record else as_asked
    asked = case.asked()
    trust = [one for one in trusting(asked.estate) if token.provider in ("", one.provider)]
    named = _unmasked(token.role, asked) if "*" in token.role else token.role
    if named:
        trust = [one for one in trust if one.role == named] or [Trusting(named, token.provider)]
        if not trust[0].provider:
            who, arn = f"a token with the sub {printable(token.sub, 200)}", find_subject(asked.graph, named).arn
            says = f"{who} cannot assume {printable(arn, 200)}, which trusts no identity provider"
            return _Explained(denial, NO, says, Advice("correct the role (role-to-assume, AWS_ROLE_ARN)"))
    if len(trust) != 1:
        raise UsageError(
            f"{len(trust)} roles trust {printable(token.provider, 200) or 'an identity provider'}",
            remedy="give the record with --record, or whose token it is with --as PROVIDER-ARN",
        )
    role, provider = find_subject(asked.graph, trust[0].role), trust[0].provider
    issuer = ascii_lower(provider.partition("/")[2])
    keys = {f"{issuer}:{name}": (value,) for name, value in (("sub", token.sub), ("aud", token.audience)) if value}
    subject = find_subject(asked.graph, provider)
    subject = replace(subject, keys={**subject.keys, **keys})
    answer = _assuming(denial, subject, role, case, f" with the sub {printable(token.sub, 200)}")
    if answer.verdict != NO:
        return answer
    edit = Edit(Side.TRUST, role.arn, actions=("sts:AssumeRoleWithWebIdentity",), principal=provider)
    texts = [text for _, text in unmet(edit, asked.estate, keys.get)]
    asks = f"come with a token that it takes: {' or '.join(texts)}" if texts else "ask whoever owns the role"
    return replace(
        answer, advice=Advice(f"{asks}; whom it takes, whoever owns {printable(role.arn, 200)} decides"), found=None
    )


class _Token(Struct, frozen=True):
    """Who came with a token: its provider, subject and audience, and the role that was asked for."""

    provider: str
    sub: str
    audience: str = ""
    role: str = ""


def _token_of(path: str, context: Context) -> _Token:
    """The token of a record of AssumeRoleWithWebIdentity; raises Failure."""
    remedy = "give the JSON of one CloudTrail record of AssumeRoleWithWebIdentity"
    record = read_json(path, context.stdin, MAX_RECORD, code="record-unusable", remedy=remedy)
    match record.get("detail", record) if isinstance(record, dict) else record:
        case {
            "eventName": "AssumeRoleWithWebIdentity",
            "userIdentity": {"identityProvider": str(provider), "userName": str(sub), **who},
            "requestParameters": {"roleArn": str(role)},
        }:
            audience = str(who.get("principalId", "")).removeprefix(f"{provider}:").removesuffix(f":{sub}")
            return _Token(provider, sub, audience, role)
        case _:
            raise Failure(
                f"{name_of(path)} is no record of AssumeRoleWithWebIdentity", code="record-unusable", remedy=remedy
            )


def _show(answers: Sequence[_Explained], case: _Case) -> None:
    """The answers, the gravest first; in JSON the others stand in the first."""
    console = case.context.console
    if case.arguments.json:
        first, *others = [_to_json(one, case) for one in answers]
        console.answer(first | {"others": others})
        return
    for number, one in enumerate(answers):
        if number:
            console.line()
        show_answer(one.verdict, one.says, one.advice, case.context)
        if not one.says.endswith(one.denial.named.text):
            console.line(detail("AWS says", one.denial.named.text))
        if one.denial.authorization:
            console.line("AWS itself says more, for a day:")
            console.block(f"    {_details_of(one.denial.authorization)}")
        if one.found is not None:
            show_details(one.found, case.asked(), case.context)
    if any(one.found for one in answers):
        say_age(case.asked(), case.context)


def _details_of(authorization: str) -> str:
    """The command that asks AWS for what a decision rested on.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html
    """
    return f"aws iam-toolbox get-request-authorization-details --authorization-id {authorization}"


def _to_json(one: _Explained, case: _Case) -> dict[str, Any]:
    denial, named = one.denial, one.denial.named
    return {
        "answer": one.verdict,
        "says": one.says,
        **({} if one.found is None else can_i_to_json(one.found, case.asked())),
        "do": one.advice.text or None,
        "commands": list(one.advice.commands),
        "asked": {
            "principal": denial.who or None,
            "access": denial.tried or None,
            "on": denial.role or text_of(denial.place) or None,
        },
        "details": _details_of(denial.authorization) if denial.authorization else None,
        "denied": None if not named.text else {"kind": named.kind, "policy": named.policy, "remedy": one.advice.text},
    }


EXPLAIN_DENIAL = Verb(
    "docker pull IMAGE 2>&1 | ecr-warden explain-denial --snapshot estate.json\n"
    "  echo 'arn:aws:iam::111111111111:user/newcomer is not authorized to perform:' \\\n"
    "    ecr:BatchGetImage on resource: \\\n"
    "    arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout |\n"
    "    ecr-warden explain-denial --example",
    (
        argument("message", metavar="MESSAGE", nargs="*", help="the message, or a file with it; default, and -: stdin"),
        argument("--as", dest="principal", metavar="ARN", help="who was denied, if the message does not say"),
        argument("--repository", metavar="REPOSITORY", help="the repository, if the message does not name it"),
        argument("--sub", metavar="SUBJECT", help="of a call with a token: its sub"),
        argument("--record", metavar="FILE", help="of a call with a token: its CloudTrail record"),
        argument("--access", metavar="ACCESS", help="what was tried: pull, push, delete, admin or an action"),
        *source_arguments(),
    ),
    _run_explain,
)

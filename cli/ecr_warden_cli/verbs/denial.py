"""`explain-denial`: why a call was denied, by its error message, and what to do.

The message becomes denials, each denial a question (who, what, where; what the message leaves open is asked for), the
question an answer by the policies, and the answer an advice. What AWS names as the reason is believed.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from pathlib import Path
from typing import Any

from msgspec import Struct

from ecr_warden.access.missing import Edit, Side, edits_of, unmet
from ecr_warden.audit.advice import Advice
from ecr_warden.audit.words import edit_text, removal_text, short, verb_of
from ecr_warden.core.actions import TOKEN, Access
from ecr_warden.core.administering import administering
from ecr_warden.core.target import RepositoryTarget
from ecr_warden_cli.access import (
    AccessError,
    CanI,
    can_assume,
    can_i,
    find_repository,
    find_subject,
    question_of,
    trusting,
)
from ecr_warden_cli.access_text import can_i_to_json, detail, names_of, says_of, show_answer, show_details
from ecr_warden_cli.advising import Asking, advised
from ecr_warden_cli.console import Exit, worst
from ecr_warden_cli.context import Context, Failure, UsageError, Verb
from ecr_warden_cli.denials import (
    ASKS,
    ASSUME,
    FORMS,
    LOGIN,
    NO,
    NOT_DENIED,
    PULL,
    PUSH,
    SIGN_IN,
    DeniedCall,
    NamedPlace,
    NamedPolicy,
    ToolCredentials,
    caller_of,
    denials,
    plain,
)
from ecr_warden_cli.estate_input import OpenedEstate, add_source, count_stdin, open_estate
from ecr_warden_cli.inputs import name_of, read_json
from ecr_warden_cli.naming import arn_of, in_full
from ecr_warden_cli.verbs.access import EXITS, asking_of, say_age
from iam_access.errors import NamedError
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
_TAGS = {
    "sts:TagSession": "do not tag the session (configure-aws-credentials: role-skip-session-tagging: true)",
    "sts:SetSourceIdentity": "do not set a source identity",
}
_GRANTED = ("identity-based policy", "resource-based policy")
"""Kinds of policies in which a grant adds what none allows."""
_BY_TOKEN = "sts:AssumeRoleWithWebIdentity"  # noqa: S105 - an action's name
_OTHERWISE = (
    "if AWS denies it again, a policy does that no snapshot has: the organization's, an endpoint's, the session's"
)
_DOES = {LOGIN: "sign in to ECR"}
_DID = {PULL: "pulled", PUSH: "pushed", LOGIN: "signed in"}
_MOST = 10
MAX_DENIAL, MAX_RECORD = 65_536, 1 << 20


class _Explained(Struct, frozen=True):
    """The answer to one denial: the verdict, in words, and what to do; `found`: where the policies answer."""

    denial: DeniedCall
    verdict: str
    says: str
    advice: Advice
    found: CanI | None = None


class _Case(Struct, frozen=True):
    """What all denials of a message have in common: the options, whose credentials its tool uses, the accounts."""

    arguments: argparse.Namespace
    context: Context
    caller: ToolCredentials | None
    opened: list[OpenedEstate] = []

    def asked(self) -> OpenedEstate:
        """The accounts, read once; raises Failure."""
        if not self.opened:
            self.opened.append(open_estate(self.arguments, self.context))
        return self.opened[0]

    @property
    def read_at(self) -> str:
        """What was read, and when."""
        asked = self.asked()
        return f"what was read at {show_time(asked.read_at or asked.estate.taken_at)}"


def _run_explain(arguments: argparse.Namespace, context: Context) -> Exit:
    text = "" if arguments.record or arguments.sub else _message(arguments, context)
    found = denials(text) or (DeniedCall(FORMS[-1]),)
    case = _Case(arguments, context, caller_of(text), [])
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
    for other in failed:
        context.console.note(f"another denial: {other.message}; {other.remedy}")
    return worst(*(EXITS.get(one.verdict, Exit.ERROR) for one in answers))


def _message(arguments: argparse.Namespace, context: Context) -> str:
    """The message: a file, the text itself, or stdin."""
    given = " ".join(arguments.message)
    if given and Path(given).is_file():
        given = Path(given).read_bytes()[-MAX_DENIAL:].decode(errors="replace")
    if not given:
        if count_stdin(arguments):
            raise UsageError("- for a file, and the error message from stdin", remedy="give the path of the file")
        if context.stdin.isatty():
            context.console.note("paste the message of the denied call, end with Ctrl-D")
        given = context.stdin.read(MAX_RECORD).decode(errors="replace")
    if len(given) > MAX_DENIAL:
        context.console.note(f"only the last {MAX_DENIAL:,} characters are looked at: give the part around the error")
    text = plain(given[-MAX_DENIAL:])
    if not text and not arguments.principal:
        raise Failure("the message is empty", code="no-denial", remedy="paste what docker or the AWS CLI printed")
    return text


def _explained(denial: DeniedCall, case: _Case) -> _Explained:
    given = case.arguments
    if denial.form.says:
        return _said_alone(denial, case)
    if denial.action and not denial.action.startswith(("ecr:", "sts:")):
        message = f"the message is about {denial.action}, a call of another service"
        remedy = "whoever owns the policies there can say: ecr-warden answers for ECR and for assuming roles"
        raise Failure(message, code="no-denial", remedy=remedy)
    who = given.principal or denial.who or (case.caller.principal if case.caller is not None else "")
    denial = replace(denial, who=who, tried=given.access or denial.tried)
    if given.record or given.sub or denial.tried == ASSUME:
        if not denial.role:
            return _of_token(denial, case)
        if denial.who:
            return _of_role(denial, case)
    name = given.repository or denial.place.text or short(denial.role)
    if not (denial.who and denial.tried and (name or denial.tried == LOGIN)):
        raise _unsaid(denial, name, case.caller)
    asked = case.asked()
    try:
        subject = _subject(denial, case)
        found = next(asked.estate.repositories(), None) if denial.tried == LOGIN else None
        found = found or find_repository(asked.estate, in_full(name, asked.accounts))
    except AccessError as error:
        does = _DOES.get(denial.tried) or f"{verb_of(denial.tried)} {denial.place.name}"
        return _absent(denial, does, error, case)
    what = question_of(asked.graph, TOKEN if denial.tried == LOGIN else denial.tried, found)
    asking = asking_of(asked, subject, what, given, case.context)
    answer = can_i(asked.graph, subject, what)
    if answer.docker is not None and answer.docker.answer is Answer.NO:
        answer = replace(answer, answer=Answer.NO, path=None, docker=None)
    direct = asked.graph.decide(subject, asked.graph.permissions(denial.action or what.what, found))
    explained = _judged(denial, answer, direct, asking, case)
    if denial.tried != PUSH or case.caller is None or _may_be(subject, case.caller) or not explained.advice.commands:
        return explained
    do = Advice(f"have the build use its own role, {case.caller.whose}: a grant to this one would let others push")
    return replace(explained, advice=do)


def _said_alone(denial: DeniedCall, case: _Case) -> _Explained:
    """What is known without any policy."""
    form, given = denial.form, case.arguments
    says, do = denial.fill(form.says), denial.fill(form.do)
    if form.verdict == ASKS:
        raise Failure(says, code="no-denial", remedy=do)
    if form.do == SIGN_IN and case.caller is not None and case.caller.whose:
        # What is no docker of one's own signs in by itself, as soon as it may.
        return _Explained(
            denial, form.verdict, says, Advice(f"let it sign in, which needs {TOKEN}: it has {case.caller.whose}")
        )
    if "{name}" in form.says and (given.snapshot or given.spec or given.profile or given.files):
        known = (one.target.name for one in case.asked().estate.repositories())
        do += did_you_mean("".join(nearest(denial.place.name, known)))
    return _Explained(denial, form.verdict, says, Advice(do, (_login(denial),) if form.do == SIGN_IN else ()))


def _login(denial: DeniedCall, profile: str = "") -> str:
    """The command that signs docker in at a registry: without a registry it would be Docker Hub."""
    place = denial.place
    region, account = place.region or "REGION", place.account or "ACCOUNT"
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    host = denial.host or f"{account}.dkr.ecr.{region}.{domain}"
    region = host.split(".")[3] if ".dkr.ecr." in host else region
    option = f" --profile {profile}" if profile else ""
    return f"aws ecr get-login-password --region {region}{option} | docker login --username AWS --password-stdin {host}"


def _unsaid(denial: DeniedCall, repository: str, caller: ToolCredentials | None) -> Failure:
    """The error where the message does not say who was denied what, with what to look for."""
    if denial.tried and repository:
        whose = caller.whose if caller is not None and caller.whose else denial.form.do
        did = _DID.get(denial.tried, f"called {denial.tried} on")
        says = f"the message does not say who {did} {denial.place.name or repository}"
        return Failure(says, code="no-denial", remedy=f"add --as with the ARN: {whose}")
    lacking = {
        "--as ARN": "" if denial.who else "who",
        "--access pull (or push)": "" if denial.tried else "whether it was a pull or a push",
        "--repository NAME": "" if repository else "which repository",
    }
    words = ", ".join(filter(None, lacking.values()))
    options = " and ".join(option for option, lacks in lacking.items() if lacks)
    says = f"the message does not say who was denied what: {words}"
    return Failure(says, code="no-denial", remedy=f"add {options}, or give more of the log")


def _subject(denial: DeniedCall, case: _Case) -> Subject:
    """Whoever was denied; raises AccessError, and Failure where somebody else's credentials are used."""
    asked = case.asked()
    arn = arn_of(denial.who, asked.accounts)
    if "*" in arn:
        named = arn.rpartition(":")[2]
        # A session is of its role, whose ARN has a path besides.
        name = named.split("/")[1] if named.startswith("assumed-role/") else named
        known = [one.arn for one in asked.estate.identities() if one.arn.endswith((f":{name}", f"/{name}"))]
        if len(known) != 1:
            raise Failure(f"the account of {named} is masked", code="no-denial", remedy="add --as with the whole ARN")
        arn = known[0]
    subject, caller = find_subject(asked.graph, arn), case.caller
    if caller is not None and case.arguments.principal and not _may_be(subject, caller):
        services = listed(caller.services, 5)
        message = f"{short(subject.arn)} is not whose credentials were used: it trusts none of {services}"
        raise Failure(message, code="no-denial", remedy=f"add --as with the ARN: {caller.whose}")
    return subject


def _may_be(subject: Subject, caller: ToolCredentials) -> bool:
    """Whether a role may be what a tool uses, by whom its trust policy names."""
    trust = subject.identity.trust if subject.identity is not None else None
    named = {
        one.value for each in (trust.statements if trust else ()) for one in getattr(each.principals, "values", ())
    }
    return trust is None or not caller.services or not named.isdisjoint(caller.services)


def _absent(denial: DeniedCall, does: str, error: AccessError, case: _Case) -> _Explained:
    """The answer where whoever AWS names, or the repository or role, is not in what was read; raises the error."""
    if not denial.named and not denial.action:
        raise error
    says, _, near = error.message.partition(" (")
    do = f"read the accounts again, or correct the name, which is not in {case.read_at}: {says}{near and f' ({near}'}"
    if denial.named is not None and denial.named.kind in _UNSEEN:
        do = _UNSEEN[denial.named.kind]
    if denial.tried in administering():
        do = f"whoever owns account {denial.place.account} decides: no grant gives it"
    return _Explained(denial, NO, f"{short(denial.who)} cannot {does}", Advice(do))


def _judged(denial: DeniedCall, found: CanI, direct: AccessDecision, asking: Asking, case: _Case) -> _Explained:
    """The answer by the policies, once AWS's own reason has been heard; `direct`: on the call, without any role."""
    named, more = denial.named, ""
    is_grant = named is None or (not named.explicit and named.kind in _GRANTED)
    denied = replace(found, answer=Answer.NO, path=None, docker=None)
    of_kind = _of_kind(denial, edits_of(asking.subject, direct))
    if named is not None and not is_grant:
        more = f", {named.text}"
    if direct.answer is Answer.CONDITIONAL and (named is None or named.kind not in _UNSEEN):
        asks = " and ".join(direct.conditions)
        do = Advice(f"call it so that {asks}; the call's CloudTrail record shows what it had")
        found = replace(denied if named else found, advice=do)
    elif named is not None and not of_kind and (not is_grant or direct.answer is not Answer.NO):
        found = replace(denied, change=None, advice=_of_unseen(named, case, is_grant=is_grant))
    elif named is not None and not is_grant:
        found = replace(denied, change=None, advice=Advice(" and ".join(map(_owner, of_kind))))
    elif direct.answer is not Answer.NO:
        found = replace(found, advice=Advice(f"try again: {case.read_at} allows it; {_OTHERWISE}"))
    elif found.path is not None and len(found.path.steps) > 1:
        more = " as itself"
        found = replace(denied, change=None, advice=_as_role(denial, found.path.chain, asking, case))
    else:
        found = advised(case.asked(), denied, asking)
    says = says_of(found.answer, asking.does, asking.subject.arn, case.asked().estate)
    return _Explained(denial, found.answer, f"{says}{more}", found.advice, found)


def _of_kind(denial: DeniedCall, edits: Iterable[Edit]) -> list[Edit]:
    """What denies a call, of the kind that AWS names."""
    named = denial.named
    sides = _SIDES.get(named.kind, () if named.kind else tuple(Side)) if named is not None else ()
    alike = (edit for edit in edits if edit.side in sides and named is not None)
    return [edit for edit in alike if named and named.is_like(edit.place.arn, explicit=edit.index is not None)]


def _owner(edit: Edit) -> str:
    """Whose a policy is that denies, or sets the bounds."""
    lies = removal_text(edit) if edit.index is not None else edit_text(edit)[1]
    return f"ask whoever wrote it: {lies}"


def _of_unseen(named: NamedPolicy, case: _Case, *, is_grant: bool) -> Advice:
    """What to do where AWS names what was not read."""
    policy = f": {named.policy}" if named.policy else ""
    if named.kind in _UNSEEN:
        return Advice(f"{_UNSEEN[named.kind]}{policy}")
    again = "read the accounts again, or ask whoever owns it"
    if is_grant:
        return Advice(
            f"try again: {case.read_at} allows it, which may have changed since; if it is denied again, {again}"
        )
    return Advice(f"{again}, for it is not in {case.read_at}{policy}")


def _as_role(denial: DeniedCall, chain: Sequence[str], asking: Asking, case: _Case) -> Advice:
    """How to come through the roles that have the access."""
    roles = [(arn.rpartition("/")[2], arn) for arn in chain[1:]]
    sources = ["default", *(name for name, _ in roles)]
    commands = [
        f"aws configure set profile.{name}.role_arn {arn} && aws configure set profile.{name}.source_profile {source}"
        for (name, arn), source in zip(roles, sources, strict=False)
    ]
    target = asking.target or next(one.target for one in case.asked().estate.repositories())
    at = replace(denial, place=NamedPlace(target.account, target.region, target.name), host="")
    last = roles[-1][0]
    by = f"with the profile of {short(asking.subject.arn)} in place of default"
    return Advice(f"sign in with role {last}, {by}:", (*commands, _login(at, last)))


def _of_role(denial: DeniedCall, case: _Case) -> _Explained:
    """Can somebody assume the role, whatever it then may do?"""
    try:
        subject, role = _subject(denial, case), find_subject(case.asked().graph, denial.role)
    except AccessError as error:
        return _absent(denial, f"assume {short(denial.role)}: {error.message}", error, case)
    return _assuming(denial, subject, role, case)


def _assuming(denial: DeniedCall, subject: Subject, role: Subject, case: _Case, claims: str = "") -> _Explained:
    asked, arguments = case.asked(), case.arguments
    found = can_assume(asked.graph, subject, role)
    name = names_of(asked.estate).identity(role.arn)
    target = _target_of(asked, role)
    what = Access.PUSH if target is not None else "sts:AssumeRole"
    asking = Asking(subject, f"assume {name}{claims}", what, name, target, arguments.spec, case.context.clock.now())
    if denial.action in _TAGS:
        text = (
            f"allow {denial.action} in the caller's policies and in the role's trust policy, or {_TAGS[denial.action]}"
        )
        says = f"{short(subject.arn)} cannot {asking.does} with {denial.action}"
        return _Explained(denial, NO, f"{says}, which tags the session or names its source", Advice(text))
    decision = AccessDecision(found.answer)
    if role.identity is not None:
        decision = asked.graph.decide(subject, asked.graph.assuming(subject, role))
    return _judged(denial, found, decision, asking, case)


def _target_of(asked: OpenedEstate, role: Subject) -> RepositoryTarget | None:
    """The repository that a push role is of, where it is of one alone."""
    entries = asked.spec.spec.repositories if asked.spec is not None and role.identity is not None else ()
    named = [
        one.targets
        for one in entries
        for push in one.push
        if role.identity is not None
        and (push.role.account, push.role.name) == (role.identity.account, role.identity.name)
    ]
    return named[0][0] if len(named) == 1 and len(named[0]) == 1 else None


def _of_token(denial: DeniedCall, case: _Case) -> _Explained:
    """Of whoever came with a token, whom AWS's message does not name."""
    arguments, context = case.arguments, case.context
    if not (arguments.record or arguments.sub):
        remedy = "add --record FILE, the CloudTrail record of the call or --sub SUBJECT, the token's sub"
        raise Failure("the message does not say whose token it was", code="no-denial", remedy=remedy)
    token = _Token(arguments.principal or "", arguments.sub or "", "", "")
    if arguments.record:
        token = _token_of(arguments.record, context)
    asked = case.asked()
    providers = {one.provider: None for one in trusting(asked.estate)}
    provider = token.provider or next(iter(providers), "")
    if not token.provider and len(providers) != 1:
        known = listed(sorted(providers), 5) if providers else "no role trusts one"
        raise UsageError(f"of which identity provider is the token? {known}", remedy="add --as PROVIDER-ARN")
    issuer = ascii_lower(provider.partition("/")[2])
    keys = {f"{issuer}:{name}": (value,) for name, value in (("sub", token.sub), ("aud", token.audience)) if value}
    subject = find_subject(asked.graph, provider)
    subject = replace(subject, keys={**subject.keys, **keys})
    roles = [token.role] if token.role else [one.role for one in trusting(asked.estate) if one.provider == provider]
    if len(roles) != 1:
        raise UsageError(f"{len(roles)} roles trust {printable(provider, 200)}", remedy="give the record with --record")
    role, claims = find_subject(asked.graph, roles[0]), f" with the sub {printable(token.sub, 200)}"
    return _of_claims(_assuming(denial, subject, role, case, claims), role, keys, case)


def _of_claims(answer: _Explained, role: Subject, given: Mapping[str, tuple[str, ...]], case: _Case) -> _Explained:
    """With what the role asks of a token, and what this one has."""
    if answer.verdict != NO:
        return answer
    provider = next(one.provider for one in trusting(case.asked().estate) if one.role == role.arn)
    edit = Edit(Side.TRUST, role.arn, actions=(_BY_TOKEN,), principal=provider)
    texts = [text for _, text in unmet(edit, case.asked().estate, given.get)]
    asks = f"come with a token that it takes: {' or '.join(texts)}" if texts else "ask whoever owns the role"
    advice = Advice(f"{asks}; whom it takes, whoever owns {short(role.arn)} decides")
    return _Explained(answer.denial, NO, answer.says, advice)


class _Token(Struct, frozen=True):
    """Who came with a token: its provider, subject and audience, and the role that was asked for."""

    provider: str
    sub: str
    audience: str
    role: str


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
    raise Failure(f"{name_of(path)} is no record of AssumeRoleWithWebIdentity", code="record-unusable", remedy=remedy)


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
        if one.denial.named is not None and not one.says.endswith(one.denial.named.text):
            console.line(detail("AWS says", one.denial.named.text))
        if one.found is not None:
            show_details(one.found, case.asked().estate, case.context)
    if case.opened:
        say_age(case.asked(), case.context)


def _to_json(one: _Explained, case: _Case) -> dict[str, Any]:
    denial, named = one.denial, one.denial.named
    asked = {
        "principal": denial.who or None,
        "access": denial.tried or None,
        "on": denial.role or denial.place.text or None,
    }
    kept = None if named is None else {"kind": named.kind, "policy": named.policy, "remedy": one.advice.text}
    form: dict[str, Any] = {"answer": one.verdict, "says": one.says}
    if one.found is not None:
        form |= can_i_to_json(one.found, case.asked().estate)
    form |= {"do": one.advice.text or None, "commands": list(one.advice.commands)}
    return form | {"asked": asked, "denied": kept}


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("message", metavar="MESSAGE", nargs="*", help="the message, or a file with it; default: stdin")
    parser.add_argument("--as", dest="principal", metavar="ARN", help="who was denied, if the message does not say")
    parser.add_argument("--repository", metavar="REPOSITORY", help="the repository, if the message does not name it")
    parser.add_argument("--sub", metavar="SUBJECT", help="of a call with a token: its sub")
    parser.add_argument("--record", metavar="FILE", help="of a call with a token: its CloudTrail record")
    parser.add_argument("--access", metavar="ACCESS", help="what was tried: pull, push, delete, admin or an action")
    add_source(parser)


EXPLAIN_DENIAL = Verb(
    "docker pull IMAGE 2>&1 | ecr-warden explain-denial --snapshot estate.json\n"
    "  echo 'arn:aws:iam::111111111111:user/newcomer is not authorized to perform:' \\\n"
    "    ecr:BatchGetImage on resource: \\\n"
    "    arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout |\n"
    "    ecr-warden explain-denial --snapshot examples/who-can/estate.json",
    _add_explain,
    _run_explain,
)

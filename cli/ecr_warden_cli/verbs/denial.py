"""`explain-denial`: what is missing for whoever an error message says was denied a call."""

import argparse
import re
from copy import replace

from msgspec import Struct

from ecr_warden.core.actions import FOR_DOCKER, REQUIRED, Access
from ecr_warden_cli.access import Denied, can_assume, find_subject, trusting
from ecr_warden_cli.access_text import names_of
from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, Failure, UsageError, Verb
from ecr_warden_cli.estate_input import OpenedEstate, add_source, count_stdin, open_estate
from ecr_warden_cli.inputs import name_of, read_json, say_awaited
from ecr_warden_cli.naming import IMAGE, arn_of
from ecr_warden_cli.verbs.access import answer, ask, say
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import listed, printable
from iam_access.who_can.subject import Subject

_DENIAL = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:\S+) is not authorized to perform: "
    r"(?P<action>[a-z0-9-]+:[A-Za-z]+)(?: on resource: (?P<resource>arn:\S+))?"
)


_REPOSITORY_ARN = re.compile(r"arn:aws[a-z-]*:ecr:([a-z0-9-]+):([0-9]{12}):repository/(\S+)")


_NOT_SIGNED_IN = {
    "no basic auth credentials": "docker has no credentials for this registry: it never asked AWS",
    "authorization token has expired": "docker's credentials for this registry have expired: they last 12 hours",
}
"""Errors of docker, in small letters, and what they mean."""


_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+")


_OF_ASSUMING = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


_OF_TOKENS = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
"""AWS's message says neither who nor which role."""


_REASON = re.compile(
    r"(?:because no (?P<lacks>[A-Za-z -]{1,40}) allows"
    r"|with an explicit deny in (?:an? |the )?(?P<denies>[A-Za-z -]{1,40}(?:policy|boundary)))"
    r"(?:[^:]{0,160}: (?P<policy>arn:\S{1,400}))?"
)


_ORGANIZATION = "send this message to the organization's administrators, who alone can change it; to see it here, add "
_UNSEEN = {
    "service control policy": f"{_ORGANIZATION}--scp FILE",
    "resource control policy": f"{_ORGANIZATION}--rcp FILE",
    "vpc endpoint policy": "let the endpoint's owner allow it: aws ec2 describe-vpc-endpoints shows its policy",
    "session policy": "whoever opened the session narrowed it: open one without that policy",
}
"""Kinds of policies that no snapshot has, or not always, and what to do.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""


_ENDS = ".,;:\"')"
MAX_DENIAL, MAX_RECORD = 65_536, 1 << 20


def _run_explain(arguments: argparse.Namespace, context: Context) -> Exit:
    if arguments.record or arguments.sub:
        return _explain_token(arguments, context)
    text = _message(arguments, context)
    found = _DENIAL.search(text)
    image = IMAGE.search(text)
    place = image.groups() if image else None
    arn = arguments.principal or (found["arn"] if found else None)
    if found and (named := _REPOSITORY_ARN.search(found["resource"] or "")):
        place = named[2], named[1], named[3].rstrip(_ENDS)
    repository = arguments.repository or ("/".join(place) if place else None)
    unsigned = next((means for words, means in _NOT_SIGNED_IN.items() if words in text.lower()), None)
    if unsigned is not None and not arguments.access:
        context.console.line(unsigned, Style.HEADING)
        context.console.line("sign in first:")
        context.console.block(_login(image))
    action = found["action"] if found else "pull"
    denied = _denied(text, action)
    role = _ROLE_ARN.match(found["resource"] or "") if found else None
    if arn is not None and role is not None and repository is None and action in _OF_ASSUMING:
        asked = open_estate(arguments, context)
        return _assume(
            asked,
            find_subject(asked.graph, arn_of(arn, asked.accounts)),
            role[0].rstrip(_ENDS),
            arguments,
            context,
            denied=denied,
        )
    if arn is None or repository is None:
        raise _unsaid(text, arn, repository)
    access = arguments.access or (Access.PUSH if action in _OF_ASSUMING else _access_of(action))
    asked = open_estate(arguments, context)
    return answer(
        asked, ask(asked, access, repository, context), arn, arguments, context, denied=denied, for_docker=True
    )


def _unsaid(text: str, arn: str | None, repository: str | None) -> Failure:
    """The error where the message does not say who was denied what."""
    lacking = [option for option, value in (("--as ARN", arn), ("--repository NAME", repository)) if value is None]
    remedy = " and ".join(lacking)
    if _OF_TOKENS in text:
        remedy = "--record FILE, the CloudTrail record of the call or --sub SUBJECT, the token's"
    return Failure("the message does not say who was denied what", code="no-denial", remedy=f"add {remedy}")


def _message(arguments: argparse.Namespace, context: Context) -> str:
    """The message, in one line: terminals wrap it."""
    if count_stdin(arguments):
        raise UsageError("- for a file, and the error message from stdin", remedy="give the path of the file")
    say_awaited(context.stdin, context.console, "the error message of a denied call")
    return " ".join(context.stdin.read(MAX_DENIAL + 1)[:MAX_DENIAL].decode(errors="replace").split())


def _denied(text: str, action: str) -> Denied | None:
    """What the message says of the policy that denies; None if it says nothing."""
    if action in _OF_ASSUMING[1:]:
        remedy = f"allow {action} in the caller's policies and in the role's trust policy, or call without it"
        if action == "sts:TagSession":
            remedy += " (configure-aws-credentials tags unless it has role-skip-session-tagging: true)"
        return Denied(action, f"{action} is denied, which comes with sts:AssumeRole", remedy, unseen=True)
    found = _REASON.search(text)
    if found is None:
        return None
    kind = (found["lacks"] or found["denies"]).lower()
    remedy = _UNSEEN.get(kind, "")
    policy = (found["policy"] or "").rstrip(_ENDS)
    return Denied(kind, printable(found[0], 400), remedy, policy, kind in _UNSEEN)


def _assume(
    asked: OpenedEstate,
    subject: Subject,
    role: str,
    arguments: argparse.Namespace,
    context: Context,
    *,
    denied: Denied | None,
) -> Exit:
    """Can the subject assume the role, whatever it then may do?"""
    can_i = replace(can_assume(asked.graph, subject, find_subject(asked.graph, role)), denied=denied)
    does = f"assume {names_of(asked.estate).identity(role)}"
    return say(asked, can_i, (subject.arn, does), arguments, context)


def _explain_token(arguments: argparse.Namespace, context: Context) -> Exit:
    """Of whoever came with a token, whom AWS's message does not name."""
    token = _Token(arguments.principal or "", arguments.sub or "", "", "")
    if arguments.record:
        token = _token_of(arguments.record, context)
    asked = open_estate(arguments, context)
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
    denied = Denied("role trust policy", _OF_TOKENS, f"compare the token's sub, {printable(token.sub, 200)!r}, with it")
    return _assume(asked, subject, roles[0], arguments, context, denied=denied)


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


def _login(image: re.Match[str] | None) -> str:
    """The command that signs docker in at the image's registry: without a registry it would be Docker Hub."""
    account, region = image.groups()[:2] if image else ("ACCOUNT", "REGION")
    registry = f"{account}.dkr.ecr.{region}.amazonaws.com"
    sign_in = "docker login --username AWS --password-stdin"
    return f"  aws ecr get-login-password --region {region} |\n    {sign_in} \\\n      {registry}"


def _access_of(action: str) -> str:
    """The kind of access that needs the denied action: checking all of it explains later denials, too."""
    of_docker = (access for access, more in FOR_DOCKER.items() if action in (*REQUIRED[access], *more))
    return next(of_docker, action)


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="principal", metavar="ARN", help="who was denied, if the message does not say")
    parser.add_argument("--repository", metavar="REPOSITORY", help="the repository, if the message does not name it")
    parser.add_argument("--sub", metavar="SUBJECT", help="of a call with a token: its sub")
    parser.add_argument("--record", metavar="FILE", help="of a call with a token: its CloudTrail record")
    parser.add_argument("--access", metavar="ACCESS", help="the kind of access: pull, push, delete, admin or an action")
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

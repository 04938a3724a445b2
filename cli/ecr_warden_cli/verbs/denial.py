"""`explain-denial`: what is missing for whoever an error message says was denied a call."""

import argparse
import re

from ecr_warden.proof.access import Access

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, Failure, UsageError, Verb
from ecr_warden_cli.estate_input import add_source, count_stdin, open_estate
from ecr_warden_cli.inputs import say_awaited
from ecr_warden_cli.verbs.access import answer, ask

_DENIAL = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:\S+) is not authorized to perform: "
    r"(?P<action>[a-z0-9-]+:[A-Za-z]+)(?: on resource: (?P<resource>arn:\S+))?"
)


_REPOSITORY_ARN = re.compile(r"arn:aws[a-z-]*:ecr:([a-z0-9-]+):([0-9]{12}):repository/(\S+)")


_IMAGE = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([a-z0-9._/-]+)")


_NOT_SIGNED_IN = {
    "no basic auth credentials": "docker has no credentials for this registry: it never asked AWS",
    "authorization token has expired": "docker's credentials for this registry have expired: they last 12 hours",
}
"""Errors of docker, in small letters, and what they mean."""


MAX_DENIAL = 65_536


class NoDenial(Failure):
    """The text contains no message of a denied call that says who was denied what."""

    code = "no-denial"


def _run_explain(arguments: argparse.Namespace, context: Context) -> Exit:
    if count_stdin(arguments):
        raise UsageError("- for a file, and the error message from stdin", remedy="give the path of the file")
    say_awaited(context.stdin, context.console, "the error message of a denied call")
    text = context.stdin.read(MAX_DENIAL + 1)[:MAX_DENIAL].decode(errors="replace")
    found = _DENIAL.search(text)
    image = _IMAGE.search(text)
    place = image.groups() if image else None
    arn = arguments.principal or (found["arn"] if found else None)
    if found and (named := _REPOSITORY_ARN.search(found["resource"] or "")):
        place = named[2], named[1], named[3].rstrip(".,;:\"')")
    repository = arguments.repository or ("/".join(place) if place else None)
    unsigned = next((means for words, means in _NOT_SIGNED_IN.items() if words in text.lower()), None)
    if unsigned is not None and not arguments.access:
        context.console.line(unsigned, Style.HEADING)
        context.console.line("sign in first:")
        context.console.block(_login(image))
    if arn is None or repository is None:
        lacking = [option for option, value in (("--as ARN", arn), ("--repository NAME", repository)) if value is None]
        raise NoDenial("the message does not say who was denied what", remedy=f"add {' and '.join(lacking)}")
    action = found["action"] if found else "pull"
    access = arguments.access or _access_of(action)
    asked = open_estate(arguments, context, repository)
    return answer(asked, ask(asked, access, repository, context), arn, arguments, context)


def _login(image: re.Match[str] | None) -> str:
    """The command that signs docker in at the image's registry: without a registry it would be Docker Hub."""
    account, region = image.groups()[:2] if image else ("ACCOUNT", "REGION")
    registry = f"{account}.dkr.ecr.{region}.amazonaws.com"
    sign_in = "docker login --username AWS --password-stdin"
    return f"  aws ecr get-login-password --region {region} |\n    {sign_in} \\\n      {registry}"


def _access_of(action: str) -> str:
    """The kind of access that needs the denied action: checking all of it explains later denials, too."""
    match action.lower():
        case "ecr:batchgetimage" | "ecr:getdownloadurlforlayer" | "ecr:getauthorizationtoken":
            return Access.PULL
        case "ecr:putimage" | "ecr:initiatelayerupload" | "ecr:uploadlayerpart" | "ecr:completelayerupload":
            return Access.PUSH
        case "ecr:batchchecklayeravailability":
            return Access.PUSH
        case _:
            return action


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="principal", metavar="ARN", help="who was denied, if the message does not say")
    parser.add_argument("--repository", metavar="REPOSITORY", help="the repository, if the message does not name it")
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

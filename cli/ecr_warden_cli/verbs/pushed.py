"""`pushed`: who pushed to a repository, with which right, and what is there now."""

import argparse
from copy import replace
from datetime import timedelta

from ecr_warden.core.target import RepositoryTarget
from ecr_warden.hub.reply import PushedReply
from ecr_warden.hub.request import AskPushed
from ecr_warden.images.push import COMPLETE, Right
from ecr_warden.notify.kinds.images import PUSHED, image_name, lookups
from ecr_warden.notify.wording import describe_actor
from ecr_warden_cli.hub.client import HUB_ARGUMENTS, checked, expect, json_of, known_targets, speak
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, UsageError, Verb, argument
from ecr_warden_cli.terminal.dates import PAST, past, past_end, shifted
from iam_access.text.printable import and_more, count, show_time

_DAYS = 7


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print who pushed each image, the newest first, and for those without a right how to see who pulled it."""
    now = context.clock.now()
    until = min(arguments.until(now), now) if arguments.until else now
    since = arguments.since(now) if arguments.since else shifted(until, timedelta(days=-_DAYS))
    client = speak(arguments, context)
    match known_targets(client, (checked(arguments.repository),)):
        case (RepositoryTarget() as repository,):
            reply = expect(PushedReply, client.ask(AskPushed(repository, since, until)))
        case targets:
            raise UsageError(
                f"{arguments.repository} is {count(len(targets), 'target')}, and not one repository",
                remedy="name one, as status prints it",
            )
    reply = replace(reply, pushes=tuple(one for one in reply.pushes if arguments.by in describe_actor(one.by)))
    if arguments.json:
        form = json_of(reply)
        there = form.pop("there")
        pushes = [push | {"now": there.get(push["digest"])} for push in form["pushes"]]
        context.console.answer(form | {"repository": str(repository), "pushes": pushes})
    else:
        _show(reply, repository, context.console)
        more = "; CloudTrail may yet report more of the last 15 minutes" if now - until < COMPLETE else ""
        number = count(len(reply.pushes), "image")
        context.console.line(f"{number} pushed from {show_time(since)} to {show_time(until)}{more}")
    if reply.unread:
        return Exit.ERROR
    return Exit.DIFFERENT if any(one.right is not Right.YES for one in reply.pushes) else Exit.FINE


def _show(reply: PushedReply, repository: RepositoryTarget, console: Console) -> None:
    states = {"ACTIVE": "there now", "": "not known whether it is there" if reply.unread else "not there now"}
    for push in reply.pushes:
        is_foreign, status = push.right is not Right.YES, reply.there.get(push.digest, "")
        what = f"{image_name(repository, push)} {PUSHED[push.right]}, {states.get(status, status.lower())}"
        console.line(f"{show_time(push.at)}  {what}", Style.BAD if is_foreign else None)
        console.line(f"  {push.digest or 'digest not known'}, by {describe_actor(push.by)}")
        if is_foreign:
            console.line(
                "  whether it was pulled is not known; this shows it, and who opened the session if one pushed:"
            )
            for command in lookups(repository, push):
                console.block(f"    {command}")
    if reply.left_out:
        console.line(f"{and_more(reply.left_out)}; CloudTrail has them", Style.ODD)
    if reply.unread:
        console.error(f"which images are there now could not be read: {reply.unread}")


PUSHED_TO = Verb(
    "ecr-warden pushed shop/checkout --from 2h --hub-region eu-central-1",
    (
        argument("repository", metavar="REPOSITORY", help="a repository of the accepted spec, as status prints it"),
        argument("--from", metavar="TIME", dest="since", type=past, help=f"start: {PAST}; default: {_DAYS} days"),
        argument("--to", metavar="TIME", dest="until", type=past_end, help=f"end: {PAST}; default: now"),
        argument("--by", metavar="TEXT", default="", help="only by whom this is a part of the name, such as mallory"),
        *HUB_ARGUMENTS,
    ),
    _run,
    "Says of each push with which right by the spec it was made, and whether the image is there now, which the hub "
    "reads. Pushes of the last 90 days are kept, a bounded number a day.",
)

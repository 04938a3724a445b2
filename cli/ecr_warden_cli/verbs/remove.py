"""`remove`: take away what `deploy` brought about, and say what stays."""

import argparse
from collections.abc import Iterator, Sequence
from itertools import groupby

from ecr_warden.core.codec.base import to_json
from ecr_warden.hub.reply import HistoryReply
from ecr_warden.hub.request import MAX_ENTRIES, AskHistory
from ecr_warden.state.switch import Position
from ecr_warden_cli.asking.estate_input import accepted_of_hub
from ecr_warden_cli.deployment.file import load_deployment
from ecr_warden_cli.deployment.ports import ChangeSet, Entered, Kind, Thing
from ecr_warden_cli.deployment.remedies import AGAIN
from ecr_warden_cli.deployment.removal import Stays, access_that_stays, besides, split, turn_of
from ecr_warden_cli.deployment.sessions import DEPLOYMENT_ARGUMENTS, DeploymentAws, aliases_of, enter
from ecr_warden_cli.deployment.stacks import hub_place, not_ours, stacks_of
from ecr_warden_cli.deployment.wanted import Deployment
from ecr_warden_cli.hub.client import HubClient, expect
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, Failure, Verb, argument
from ecr_warden_cli.verbs.hold import is_confirmed
from iam_access.arn import IAM_REGION
from iam_access.text.printable import printable

_ROUNDS = 2
"""A function that still ran may have made its log anew."""
_NOTES = (
    "all versions of the spec, what the hub remembers and its journal are lost; --keep-data keeps them",
    "the functions' logs go with the hub's stack: export them first",
    "to take access back first: take the grants out of the spec, ecr-warden apply SPEC --accept, and run this then",
)


def _run(arguments: argparse.Namespace, context: Context[DeploymentAws]) -> Exit:
    """Show what goes and what stays, ask, do it, and look again."""
    console, deployment = context.console, load_deployment(arguments.file, context)
    entered = enter(deployment, arguments, context)
    goes, stays = _look(deployment, entered, arguments, context)
    stays += _access(goes, entered, context)
    if not arguments.json:
        _show(goes, stays, console)
    is_agreed = bool(goes) and not arguments.plan and (arguments.yes or is_confirmed("remove all this?", context))
    left, gone = goes, list[Thing]()
    try:
        for _ in range(_ROUNDS if is_agreed else 0):
            for thing in _carry_out(left, entered):
                console.note(f"gone: {thing}")
                gone.append(thing)
            left, _ = _look(deployment, entered, arguments, context)
    except KeyboardInterrupt:
        there = [thing for thing in goes if thing not in gone]
        where = f"{len(goes) - len(there)} of {len(goes)} are gone" + (f", the next is {there[0]}" if there else "")
        raise KeyboardInterrupt(f"interrupted; {where}; CloudFormation ends what it has begun; {AGAIN}") from None
    if arguments.json:
        goes_and_stays = {"goes": to_json(tuple(goes)), "stays": to_json(tuple(stays))}
        console.answer({**goes_and_stays, "done": is_agreed, "left": to_json(tuple(left))})
    elif left and not arguments.plan:
        console.note(
            f"{left[0]} is still there; {AGAIN}" if is_agreed else "nothing was removed: answer yes, or add --yes"
        )
    return Exit.DIFFERENT if left or entered.refused else Exit.FINE


def _look(
    deployment: Deployment, entered: Entered, arguments: argparse.Namespace, context: Context
) -> tuple[list[Thing], list[Stays]]:
    """The things that go, and those that stay, as all of an account that was not entered; raises Failure."""
    with context.console.doing("looking at what is there"):
        hub = hub_place(deployment)
        found = [*entered.remains(hub.account, hub.region).of_hub()]
        closed = {account: why for account, why in entered.refused.items() if account != hub.account}
        theirs = [Stays(f"all of account {one}", f"not entered: {why.reason}") for one, why in closed.items()]
        for account in (one for one in aliases_of(deployment) if one not in closed):
            found += entered.remains(account, IAM_REGION).of_account()
        for place, wanted in ((one.place, one) for one in stacks_of(deployment, "") if one.place.account not in closed):
            stack = Thing(Kind.STACK, place.account, place.region, place.name)
            live = entered.stacks(place.account, place.region).read(place.name)
            if live is not None and (why := not_ours(wanted, live)):
                theirs.append(Stays(str(stack), f"it is {why}"))
            elif live is not None:
                if place == hub and deployment.organization is None and (of := live.parameters.get("OrganizationId")):
                    raise Failure(
                        f"the hub takes events of organization {printable(of)}, and ecr-warden.yaml has none: what is "
                        "in its units would stay, and nothing would name it",
                        remedy=f"write organization: {{id: {printable(of)}, units: [...]}} into the file, as it was",
                    )
                found.append(stack)
                # Where a first deployment failed, there is nothing but the bucket for its code, which writes nothing.
                if place == hub and live.outputs.keys() != {"CodeBucket"} and not live.status.startswith("DELETE"):
                    found.append(Thing(Kind.WRITES, place.account, place.region, place.name))
        goes, stays = split(found, keep_data=arguments.keep_data, now=context.clock.now())
        return goes, [*theirs, *stays, *besides(goes, deployment)]


def _access(goes: Sequence[Thing], entered: Entered, context: Context) -> tuple[Stays, ...]:
    """The access that the accepted spec gives, as far as the hub says it."""
    for one in goes:
        if one.kind is Kind.WRITES:
            client = HubClient(entered.hub(one.account, one.region), context.console)
            try:
                if (accepted := accepted_of_hub(client, context)) is not None:
                    history = expect(HistoryReply, client.ask(AskHistory(limit=MAX_ENTRIES)))
                    return tuple(access_that_stays(accepted.compiled, history))
            except Failure as error:
                return (Stays("whatever access the spec gives", f"what that is, the hub does not say: {error}"),)
    return ()


def _show(goes: Sequence[Thing], stays: Sequence[Stays], console: Console) -> None:
    console.line("goes, in this order:" if goes else "there is nothing to remove", Style.HEADING)
    for thing in goes:
        console.line(f"  {thing}", Style.BAD if thing.kind in (Kind.BUCKET, Kind.TABLE) else None)
    console.lines(_NOTES if goes else (), Style.ODD)
    if stays:
        console.line("stays:", Style.HEADING)
    for one in stays:
        console.line(f"  {one.what}: {one.why}")
        if one.command:
            console.block(f"    {one.command}")


def _carry_out(goes: Sequence[Thing], entered: Entered) -> Iterator[Thing]:
    """Take it away, and say what is gone: what has its turn at the same time is begun together."""
    for _, turn in groupby(goes, key=turn_of):
        for thing, deletion in [(thing, _begin(thing, entered)) for thing in turn]:
            if deletion is not None:
                entered.stacks(thing.account, thing.region).deleted(deletion)
            yield thing


def _begin(thing: Thing, entered: Entered) -> ChangeSet | None:
    match thing.kind:
        case Kind.WRITES:
            hub = entered.hub(thing.account, thing.region)
            hub.make_switch(Position.STOPPED)
            hub.switch_writes(Position.STOPPED)
        case Kind.STACK:
            return entered.stacks(thing.account, thing.region).delete(thing.name)
        case _:
            entered.remains(thing.account, thing.region or IAM_REGION).delete(thing)
    return None


REMOVE = Verb(
    "ecr-warden remove --plan\n  ecr-warden remove --profile ci=PROFILE --profile registry=PROFILE",
    (
        *DEPLOYMENT_ARGUMENTS,
        argument("--plan", action="store_true", help="show what would go and what stays, and do nothing"),
        argument("--keep-data", action="store_true", help="keep the spec's versions, the state and the journal"),
        argument("--yes", action="store_true", help="do not ask: for scripts"),
    ),
    _run,
    "Takes away what deploy brought about: shows what goes and what stays, asks, stops writes, removes the hub, the "
    "events, the members and the data, and the boundary if no role needs it. Policies stay as they are. Run again, it "
    "goes on where it stands.",
)

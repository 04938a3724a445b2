"""`make aws-smoke`: ecr-warden on two real accounts, on resources that this run creates and removes, a hub among them.

It can be tried on the embedded AWS as well, where it proves the test and nothing about AWS; it says so.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ecr_warden.aws.accounts import SessionClients
from iam_access.errors import NamedError
from local.smoke.answers import LAB_PROBES, write_answers
from local.smoke.deployed import DEPLOYED_PROBES, Command, Deployed, InTheWay
from local.smoke.loop import Loop, LoopBroken
from local.smoke.probes import Asked, Lab, ask
from local.smoke.throwaway import TAG, Side, Throwaway
from local.testing.waiting import NeverCame

FINE, FAILED, OTHERWISE = 0, 1, 2
LOOP, DEPLOYMENT = "loop", "deployment"
_EMULATED = "This is NOT AWS ({}): nothing is settled below, it only shows that the test works."


class Refused(Exception):
    """The run cannot start; the message says why."""


def main(arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Run it; 0: everything as assumed, 1: something failed or could not be removed, 2: AWS does otherwise."""
    given = _parser().parse_args(arguments)
    given.part = given.part or [LOOP, DEPLOYMENT]
    try:
        registry = _side(given.registry_profile, given.registry_account, given.region)
        ci = _side(given.ci_profile, given.ci_account, given.region)
        if registry.account == ci.account:
            raise Refused("two accounts are needed")  # noqa: TRY301 - said as every other reason
    except (Refused, BotoCoreError, ClientError, NamedError) as error:
        say(f"refused: {error}")
        return FAILED
    with tempfile.TemporaryDirectory() as home:
        command = Command(Path(home), registry, ci)
        try:
            if DEPLOYMENT in given.part:
                command.refuse_what_is_there()
        except InTheWay as error:
            say(f"refused: {error}")
            return FAILED
        return _try(given, command, say)


def _try(given: argparse.Namespace, command: Command, say: Callable[[str], None]) -> int:
    """Ask everything of the parts that were chosen, and remove what was made for it."""
    registry, ci, endpoint = command.registry, command.ci, command.registry.emulator
    if endpoint:
        say(_EMULATED.format(endpoint))
    places = Throwaway(registry, ci)
    say(f"accounts {ci.account} (users) and {registry.account} (repositories, roles) in {registry.region}")
    say(f"everything made is named {places.name}... and tagged {TAG}={places.name}, but for the hub and its member")
    asked: list[Asked] = []
    broken = ""
    try:
        for one in _asking(given, places, command, say):
            asked.append(one)
            say(_line(one))
    except (LoopBroken, NeverCame, ClientError, BotoCoreError, NamedError) as error:
        broken = f"{type(error).__name__}: {error}"
    except KeyboardInterrupt:
        broken = "interrupted"
    finally:
        places.remove_all()
        for kept in places.kept:
            say(f"NOT REMOVED, remove it by hand: {kept}")
    if asked and not endpoint:
        say(f"the answers are written into {write_answers(asked)}")
    if given.json:
        answers = {"emulated": bool(endpoint), "failed": broken or None, "kept": places.kept}
        Path(given.json).write_text(json.dumps({**answers, "questions": [one.to_json() for one in asked]}, indent=2))
    return _end(asked, broken, places, bool(endpoint), say)


def _asking(
    given: argparse.Namespace, places: Throwaway, command: Command, say: Callable[[str], None]
) -> Iterator[Asked]:
    patience, pause = (1.0, 0.02) if places.registry.emulator else (given.patience, 3.0)
    if LOOP in given.part:
        Loop(places, say, max(patience, 20.0), pause).run()
    lab = Lab.opened(places, patience, pause)
    if LOOP in given.part:
        yield from (ask(probe, lab) for probe in LAB_PROBES)
    if DEPLOYMENT in given.part:
        deployed = Deployed.opened(lab, command)
        for probe in DEPLOYED_PROBES:
            yield (one := ask(probe, deployed))
            if probe is DEPLOYED_PROBES[0] and not one.as_assumed:
                raise LoopBroken("without a hub there is nothing further to ask")


def _end(asked: Sequence[Asked], broken: str, places: Throwaway, emulated: bool, say: Callable[[str], None]) -> int:
    otherwise = [one for one in asked if one.answer is not None and not one.as_assumed]
    if broken:
        say(f"FAILED: {broken}")
    else:
        settled = sum(one.answer is not None for one in asked)
        word = "would be settled" if emulated else "settled"
        say(f"it works; {settled} of {len(asked)} questions {word}, {len(otherwise)} otherwise than assumed")
    if not places.kept:
        say("everything that was made is removed")
    if broken or places.kept:
        return FAILED
    return OTHERWISE if otherwise else FINE


def _line(asked: Asked) -> str:
    head = f"[{asked.probe.line}] {asked.probe.question}"
    match asked.answer:
        case None:
            return f"{head} NOT SETTLED: {asked.why}"
        case answer if asked.as_assumed:
            return f"{head} as assumed: {answer.found}"
        case answer:
            words = " ".join(answer.words.split())
            return f"{head} OTHERWISE: {answer.found}, not {asked.probe.assumed}: {asked.means}; AWS: {words}"


def _side(profile: str, account: str, region: str) -> Side:
    """The account behind a profile; raises Refused unless it is the one that was named."""
    session = boto3.Session(profile_name=profile, region_name=region)
    found = str(session.client("sts").get_caller_identity()["Account"])
    if found != account:
        raise Refused(f"the profile {profile} is of account {found}, and you named {account}")
    return Side(account, region, session, SessionClients(session))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.smoke",
        description="Tries ecr-warden on two real accounts, on repositories, roles and users of its own making.",
        epilog="Both account ids are asked for, and have to be those of the profiles: nothing is done by mistake.",
    )
    for side, holds in (("registry", "repositories and roles"), ("ci", "users")):
        parser.add_argument(f"--{side}-profile", required=True, metavar="PROFILE", help=f"makes the {holds}")
        parser.add_argument(f"--{side}-account", required=True, metavar="ID", help="its 12 digits, to confirm them")
    parser.add_argument("--region", required=True, help="where the repositories are made")
    parser.add_argument(
        "--patience", type=float, default=90.0, metavar="SECONDS", help="how long AWS may take for each change (90)"
    )
    parser.add_argument(
        "--part",
        action="append",
        choices=(LOOP, DEPLOYMENT),
        help="the loop with the questions about single calls, or the deployment of a hub and a member; default: both",
    )
    parser.add_argument("--json", metavar="FILE", help="write the questions and what the answers mean as JSON too")
    return parser


if __name__ == "__main__":
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, signal.default_int_handler)
    os.environ.setdefault("AWS_RETRY_MODE", "standard")
    sys.exit(main(sys.argv[1:], lambda line: print(line, flush=True)))

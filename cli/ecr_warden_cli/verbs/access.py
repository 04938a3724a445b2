"""`can-i`, `who-can`, `can`, `explain-denial`, `snapshot`: who can do what, from the policies that could be read."""

import argparse
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from ecr_warden.model.codec.base import CodecError
from ecr_warden.model.codec.compressed import decompress
from ecr_warden.model.codec.snapshot import MAX_BYTES, SCHEMA, SnapshotError, estate_from_text, joined
from ecr_warden.model.estate import Estate, Repository
from ecr_warden.model.reply import EstateReply
from ecr_warden.model.request import AskEstate
from ecr_warden.policy import catalogue
from ecr_warden.policy.printable import count, printable
from ecr_warden.proof.access import Access, AccessPath, Graph
from ecr_warden.proof.decide import Answer
from ecr_warden.proof.escalation import Escalation, Escalations
from ecr_warden.proof.words import (
    already_allowed_text,
    because_of,
    class_of,
    edit_text,
    edit_to_json,
    short,
    unread_text,
    verb_of,
)
from ecr_warden.spec import Valid
from ecr_warden.usecases.access import (
    CanI,
    Question,
    can_i,
    find_subject,
    given_by,
    question,
    spec_change,
    who_can,
)
from msgspec import Struct

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, Failure, UsageError, Verb
from ecr_warden_cli.hub import HubClient, expect, speak, unintelligible
from ecr_warden_cli.inputs import load_compiled, name_of, read_file, say_awaited
from ecr_warden_cli.live import AtHub, Here, parse_profiles, place_of

_STYLES = {
    Answer.YES: Style.GOOD,
    Answer.NO: Style.BAD,
    Answer.CONDITIONAL: Style.ODD,
    Answer.UNKNOWN: Style.ODD,
}
_EXITS = {
    Answer.YES: Exit.FINE,
    Answer.NO: Exit.DIFFERENT,
    Answer.CONDITIONAL: Exit.DIFFERENT,
    Answer.UNKNOWN: Exit.ERROR,
}
_SHOWN = 40
_FILES = "write a snapshot with: ecr-warden snapshot SPEC > FILE"


type _Given = Callable[[AccessPath], bool]
"""Does the spec give what a path shows?"""


class SnapshotUnreadable(Failure):
    """The file could not be read."""

    code = "snapshot-unreadable"


class _Asked(Struct, frozen=True):
    """The input of a verb: the estate, and the spec if one was given."""

    graph: Graph
    spec: Valid | None

    @property
    def estate(self) -> Estate:
        return self.graph.estate


def _add_source(parser: argparse.ArgumentParser) -> None:
    source = parser.add_argument_group("where to read")
    source.add_argument("--snapshot", metavar="FILE", help="a snapshot of the accounts, or - for stdin")
    source.add_argument(
        "--iam", metavar="FILE", help="the output of aws iam get-account-authorization-details for one account"
    )
    source.add_argument("--repository-policy", metavar="FILE", help="with --iam: the policy of REPOSITORY")
    source.add_argument(
        "--spec", metavar="SPEC", help="the spec: the answer says what it gives; without a file, its accounts are read"
    )
    source.add_argument(
        "--profile",
        metavar="ACCOUNT=PROFILE",
        action="append",
        default=[],
        help="without a file: the AWS profile to read an account of the spec with; once per account",
    )


def _add_access(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("access", metavar="ACCESS", help="pull, push, delete, admin, or an action such as ecr:PutImage")
    parser.add_argument("repository", metavar="REPOSITORY", help="its name if that is unique, else account/region/name")


def _open(arguments: argparse.Namespace, context: Context, repository: str | None = None) -> _Asked:
    """Read the estate that the arguments name; raises Failure."""
    given = [name for name in ("snapshot", "iam") if getattr(arguments, name)]
    if len(given) > 1:
        raise UsageError("--snapshot with --iam", remedy="give one of them")
    if _from_stdin(arguments) > 1:
        raise UsageError("- for two files", remedy="stdin can be one of them: give the path of the other")
    if arguments.repository_policy and not arguments.iam:
        raise UsageError("--repository-policy without --iam", remedy="add --iam FILE, or give a --snapshot")
    spec = load_compiled(arguments.spec, context) if arguments.spec else None
    text: bytes | str
    if arguments.snapshot:
        text = _read(arguments.snapshot, context)
    elif arguments.iam:
        text = _joined(arguments, context, repository)
    elif spec is not None:
        text = _live(spec, arguments.profile, context)
    else:
        raise UsageError("there is no input", remedy="give --snapshot FILE, --iam FILE, or --spec SPEC")
    return _Asked(Graph(_estate(text, arguments.snapshot or arguments.iam, context)), spec)


def _from_stdin(arguments: argparse.Namespace) -> int:
    """How many files the arguments read from stdin."""
    return sum(getattr(arguments, name) == "-" for name in ("snapshot", "iam", "repository_policy", "spec"))


def _estate(text: bytes | str, path: str | None, context: Context) -> Estate:
    """Parse a snapshot; raises SnapshotError, which names the file that was read."""
    try:
        return estate_from_text(text, at=context.clock.now())
    except SnapshotError as error:
        place = f"{name_of(path)}: " if path else ""
        raise SnapshotError(f"{place}{error.message}", remedy=error.remedy) from error


def _read(path: str, context: Context) -> bytes:
    return read_file(path, context.stdin, MAX_BYTES, failure=SnapshotUnreadable, remedy=_FILES)


def _live(spec: Valid, profiles: Sequence[str], context: Context) -> str:
    accounts = spec.spec.accounts
    entries = context.read_accounts(accounts, parse_profiles(profiles, accounts))
    progress = context.console.progress(entries, of=len(accounts), doing="reading accounts")
    taken = context.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"schema": SCHEMA, "takenAt": taken, "accounts": dict(progress)})


def _joined(arguments: argparse.Namespace, context: Context, repository: str | None) -> bytes | str:
    """The AWS CLI's output for one account as a snapshot, with the repository whose policy is given."""
    text = _read(arguments.iam, context)
    if not arguments.repository_policy or repository is None:
        return text
    holder = next(iter(_estate(text, arguments.iam, context).accounts))
    whole = _WHOLE.fullmatch(repository)
    account, region, name = whole.groups() if whole else (holder, _ANY_REGION, repository)
    policy = _policy(_read(arguments.repository_policy, context))
    accounts: dict[str, Any] = {holder: {"iam": json.loads(text)}}
    ecr = {region: {"repositories": [{"repositoryName": name, "policy": policy}]}}
    accounts[account] = {**accounts.get(account, {}), "ecr": ecr}
    return json.dumps({"schema": SCHEMA, "accounts": accounts})


_WHOLE = re.compile(r"([0-9]{12})/([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})/(.+)")
# If no region is given: only conditions on aws:RequestedRegion depend on it.
_ANY_REGION = "us-east-1"


def _policy(text: bytes) -> object:
    """A policy document, also from within the output of `aws ecr get-repository-policy`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SnapshotUnreadable("the repository policy is not JSON", remedy="give the policy document") from error
    return found.get("policyText", found) if isinstance(found, dict) else found


def _question(asked: _Asked, access: str, repository: str, context: Context) -> Question:
    """Parse the question, and say if its action may be misspelt: a pattern such as `ecr:*` allows that one too."""
    found = question(asked.graph, access, repository)
    if access not in list(Access) and not catalogue.matching_actions(access):
        near = catalogue.nearest_action(access)
        hint = f" (did you mean {near}?)" if near else ""
        context.console.note(f"{access} is not an action of ECR as of {catalogue.date()}{hint}")
    return found


def _run_can_i(arguments: argparse.Namespace, context: Context) -> Exit:
    asked = _open(arguments, context, arguments.repository)
    what = _question(asked, arguments.access, arguments.repository, context)
    return _answer(asked, what, arguments.principal, arguments, context)


def _answer(asked: _Asked, what: Question, arn: str, arguments: argparse.Namespace, context: Context) -> Exit:
    subject = find_subject(asked.graph, arn)
    found = can_i(asked.graph, subject, what)
    in_spec = spec_change(asked.spec.spec, what, subject) if asked.spec and found.answer is Answer.NO else ""
    if arguments.json:
        context.console.answer(_can_i_to_json(found, asked.estate) | {"specChange": in_spec or None})
    else:
        _show_can_i(found, what, arn, asked.estate, context)
        if in_spec:
            context.console.line(f"{'':<12}{'spec':<12}{in_spec}")
    return _expected(found.answer, getattr(arguments, "expect", None))


def _expected(answer: Answer, expected: str | None) -> Exit:
    if expected is None:
        return _EXITS[answer]
    return Exit.FINE if answer == expected else Exit.ERROR if answer is Answer.UNKNOWN else Exit.DIFFERENT


def _can_i_to_json(found: CanI, estate: Estate) -> dict[str, Any]:
    path, change = found.path, found.change
    return {
        "answer": found.answer.value,
        "chain": list(path.chain) if path else [],
        "because": [_because_to_json(one) for one in because_of(path)] if path else [],
        "missing": [edit_to_json(edit) for edit in change.edits] if change else [],
        "via": list(change.via) if change else [],
        "conditions": list(path.conditions) if path else [],
        "unknown": [unread_text(policy) for policy in path.unread] if path else [],
        "notLookedAt": list(_not_looked_at(estate)),
    }


def _because_to_json(one: Any) -> dict[str, Any]:
    return {"policy": one.policy, "statement": one.statement, "sid": one.sid, "text": str(one)}


def _show_can_i(found: CanI, what: Question, arn: str, estate: Estate, context: Context) -> None:
    verb = verb_of(what.what)
    cannot = {Answer.NO: f"cannot {verb}", Answer.UNKNOWN: f"may or may not {verb}"}
    says = cannot.get(found.answer, f"can {verb}")
    head = f"{found.answer.value:<12}{short(arn)} {says} {printable(what.repository.target.name, 200)}"
    context.console.line(head, _STYLES[found.answer])
    for label, text in _details(found, estate):
        context.console.line(f"{'':<12}{label:<12}{text}", None)


def _details(found: CanI, estate: Estate) -> Iterator[tuple[str, str]]:
    if found.path is not None:
        yield from (("as", short(arn)) for arn in found.path.chain[1:])
        yield from (("if", condition) for condition in found.path.conditions)
        yield from (("unknown", unread_text(policy)) for policy in found.path.unread)
        yield from (("because", str(one)) for one in because_of(found.path))
    elif found.change is None:
        yield "missing", "no change of a policy would allow it"
    else:
        yield from (("as", short(arn)) for arn in found.change.via)
        yield from (("ok", already_allowed_text(edit)) for edit in found.change.already_allowed)
        for edit in found.change.edits:
            label, text = edit_text(edit)
            yield label, text
            if edit.index is None:
                yield "  add", json.dumps(edit.statement)
    yield from (("not read", text) for text in _not_looked_at(estate))


def _not_looked_at(estate: Estate) -> Iterator[str]:
    """The policies that were not given and could deny it all the same."""
    missing = [
        name
        for name, given in (
            ("service control policies", all(one.service_control is not None for one in estate.accounts.values())),
            ("resource control policies", all(one.resource_control is not None for one in estate.accounts.values())),
        )
        if not given
    ]
    yield f"{', '.join([*missing, 'VPC endpoint policies'])}: not given, so not taken into account"
    for account in estate.accounts.values():
        yield from (f"{printable(one.what, 160)}: {printable(one.why, 160)}" for one in account.unread)


def _run_who_can(arguments: argparse.Namespace, context: Context) -> Exit:
    asked = _open(arguments, context, arguments.repository)
    what = _question(asked, arguments.access, arguments.repository, context)
    found = who_can(asked.graph, what, Escalations(asked.graph) if arguments.escalation else None)
    given = None if asked.spec is None else given_by(asked.spec.compiled, what, asked.estate)
    unknown = list(dict.fromkeys(unread_text(one) for path in found.identities + found.classes for one in path.unread))
    if arguments.json:
        principals = [_path_to_json(path, given) for path in found.identities]
        principals += [_escalation_to_json(one, given) for one in found.escalations]
        classes = [
            {"class": class_of(path.subject, what.permissions[0], asked.estate), **_path_to_json(path, given)}
            for path in found.classes
        ]
        answer = {"principals": principals, "classes": classes, "unknown": unknown}
        context.console.answer({**answer, "notLookedAt": list(_not_looked_at(asked.estate))})
    else:
        _show_who_can(found, what, given, asked.estate, context)
    return Exit.ERROR if unknown else Exit.FINE


def _path_to_json(path: AccessPath, given: _Given | None) -> dict[str, Any]:
    return {
        "principal": path.subject.arn,
        "answer": path.answer.value,
        "chain": list(path.chain),
        "because": [_because_to_json(one) for one in because_of(path)],
        "inSpec": None if given is None else given(path),
        "conditions": list(path.conditions),
        "via": "direct" if len(path.steps) == 1 else "role",
        "steps": [],
    }


def _escalation_to_json(one: Escalation, given: _Given | None) -> dict[str, Any]:
    return {
        "principal": one.subject.arn,
        "answer": "could",
        "chain": list(one.chain),
        "because": [],
        "inSpec": None if given is None else False,
        "conditions": list(one.conditions),
        "via": "escalation",
        "steps": list(one.steps),
    }


def _show_who_can(found: Any, what: Question, given: _Given | None, estate: Estate, context: Context) -> None:
    console = context.console
    verb, name = verb_of(what.what), printable(what.repository.target.name, 200)
    for path in (*found.identities, *found.classes):
        is_class = path in found.classes
        who = class_of(path.subject, what.permissions[0], estate) if is_class else short(path.subject.arn)
        in_spec = "" if given is None else "spec" if given(path) else "NOT IN SPEC"
        console.line(f"{path.answer.value:<12}{in_spec:<12}{who}".rstrip(), _STYLES[path.answer])
        yield_lines = [*(("as", short(arn)) for arn in path.chain[1:]), *(("if", one) for one in path.conditions)]
        yield_lines += [("unknown", unread_text(policy)) for policy in path.unread]
        for label, text in yield_lines:
            console.line(f"{'':<12}{label:<12}{text}", Style.FAINT)
    for one in found.escalations:
        console.line(f"{'could':<12}{'':<12}{short(one.subject.arn)}", Style.ODD)
        for step in one.steps:
            console.line(f"{'':<12}{'by':<12}{printable(step, 300)}", Style.FAINT)
        for condition in one.conditions:
            console.line(f"{'':<12}{'if':<12}{condition}", Style.FAINT)
    count = len(found.identities) + len(found.classes)
    more = f", {len(found.escalations)} more could escalate to it" if found.escalations else ""
    console.line(f"{count} can {verb} {name}{more}, by the policies that could be read", Style.HEADING)
    for text in _not_looked_at(estate):
        console.note(text)


def _run_can(arguments: argparse.Namespace, context: Context) -> Exit:
    asked = _open(arguments, context)
    graph = asked.graph
    subject = find_subject(graph, arguments.principal)
    rows = [
        (repository, access, path)
        for repository in graph.estate.repositories()
        for access in Access
        if isinstance(path := graph.can(subject, graph.permissions(access, repository)), AccessPath)
    ]
    if arguments.json:
        found = [
            {
                "repository": f"{one.target.account}/{one.target.region}/{one.target.name}",
                "access": access.value,
                "answer": path.answer.value,
                "chain": list(path.chain),
                "conditions": list(path.conditions),
            }
            for one, access, path in rows
        ]
        context.console.answer({"principal": subject.arn, "repositories": found})
    else:
        _show_can(rows, subject.arn, context)
    return Exit.ERROR if any(path.answer is Answer.UNKNOWN for _, _, path in rows) else Exit.FINE


def _show_can(rows: Sequence[tuple[Repository, Access, AccessPath]], arn: str, context: Context) -> None:
    for repository, access, path in rows:
        through = f" as {' -> '.join(short(one) for one in path.chain[1:])}" if len(path.chain) > 1 else ""
        conditions = f" if {' and '.join(path.conditions)}" if path.conditions else ""
        text = f"{path.answer.value:<12}{access.value:<8}{printable(repository.target.name, 120)}{through}{conditions}"
        context.console.line(text, _STYLES[path.answer])
    context.console.line(
        f"{short(arn)}: {count(len(rows), 'kind of access')}, by the policies that could be read", Style.HEADING
    )


_DENIAL = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:\S+) is not authorized to perform: "
    r"(?P<action>[a-z0-9-]+:[A-Za-z]+)(?: on resource: (?P<resource>arn:\S+))?"
)
_REPOSITORY_ARN = re.compile(r"arn:aws[a-z-]*:ecr:([a-z0-9-]+):([0-9]{12}):repository/(\S+)")
_IMAGE = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([a-z0-9._/-]+)")
MAX_DENIAL = 65_536


class NoDenial(Failure):
    """The text contains no message of a denied call that says who was denied what."""

    code = "no-denial"


def _run_explain(arguments: argparse.Namespace, context: Context) -> Exit:
    if _from_stdin(arguments):
        raise UsageError("- for a file, and the error message from stdin", remedy="give the path of the file")
    asked = _open(arguments, context)
    say_awaited(context.stdin, context.console, "the error message of a denied call")
    text = context.stdin.read(MAX_DENIAL + 1)[:MAX_DENIAL].decode(errors="replace")
    return _explain(text, asked, arguments, context)


def _explain(text: str, asked: _Asked, arguments: argparse.Namespace, context: Context) -> Exit:
    found = _DENIAL.search(text)
    image = _IMAGE.search(text)
    place = image.groups() if image else None
    arn = arguments.principal or (found["arn"] if found else None)
    if found and (named := _REPOSITORY_ARN.search(found["resource"] or "")):
        place = named[2], named[1], named[3].rstrip(".,;:\"')")
    repository = arguments.repository or ("/".join(place) if place else None)
    if "no basic auth credentials" in text and not arguments.access:
        context.console.line("docker has no credentials for this registry: it never asked AWS", Style.HEADING)
        context.console.line("sign in first: aws ecr get-login-password | docker login --username AWS --password-stdin")
    if arn is None or repository is None:
        lacking = [option for option, value in (("--as ARN", arn), ("--repository NAME", repository)) if value is None]
        raise NoDenial("the message does not say who was denied what", remedy=f"add {' and '.join(lacking)}")
    action = found["action"] if found else "pull"
    access = arguments.access or _access_of(action)
    return _answer(asked, _question(asked, access, repository, context), arn, arguments, context)


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


def _run_snapshot(arguments: argparse.Namespace, context: Context) -> Exit:
    match place_of(arguments):
        case Here(spec, profiles):
            text = _live(load_compiled(spec, context), profiles, context)
        case AtHub(targets=(target, *_)):
            raise UsageError(
                f"{target} with --hub", remedy="leave it out: the accounts of the accepted spec are written"
            )
        case AtHub() as place:
            text = _kept(speak(place, context))
    context.console.block(json.dumps(json.loads(text), indent=1))
    return Exit.FINE


def _kept(client: HubClient) -> str:
    """The hub's own pieces of the estate as a snapshot, which is as old as the oldest of them; raises Failure."""
    parts = expect(EstateReply, client.ask(AskEstate())).parts
    pieces = client.console.progress(map(partial(_piece, client), parts), of=len(parts), doing="parts fetched")
    found = dict(zip(parts, pieces, strict=True))
    accounts = joined({part: entry for part, (_, entry) in found.items()})
    taken = min((began for began, _ in found.values()), default=None)
    return json.dumps({"schema": SCHEMA, "takenAt": taken and taken.isoformat(), "accounts": accounts})


def _piece(client: HubClient, part: str) -> tuple[datetime, dict[str, Any]]:
    reply = expect(EstateReply, client.ask(AskEstate(part)))
    try:
        entry = decompress(b64decode(reply.piece, validate=True))
    except (CodecError, ValueError) as error:
        raise unintelligible(f"the piece {part} cannot be opened") from error
    if reply.began is None:
        raise unintelligible(f"the piece {part} has no time")
    return reply.began, entry


def _add_can_i(parser: argparse.ArgumentParser) -> None:
    _add_access(parser)
    parser.add_argument("--as", dest="principal", metavar="ARN", required=True, help="a user, role or role session")
    parser.add_argument("--expect", choices=["yes", "no"], help="exit with 0 if this is the answer, else with 2")
    _add_source(parser)


def _add_who_can(parser: argparse.ArgumentParser) -> None:
    _add_access(parser)
    parser.add_argument(
        "--escalation",
        action="store_true",
        help="also list who could escalate to this access by writing IAM or ECR policies",
    )
    _add_source(parser)


def _add_can(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("principal", metavar="ARN", help="a user, role or role session")
    _add_source(parser)


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="principal", metavar="ARN", help="who was denied, if the message does not say")
    parser.add_argument("--repository", metavar="REPOSITORY", help="the repository, if the message does not name it")
    parser.add_argument("--access", metavar="ACCESS", help="the kind of access: pull, push, delete, admin or an action")
    _add_source(parser)


def _add_snapshot(parser: argparse.ArgumentParser) -> None:
    name = parser.prog
    parser.usage = (
        f"{name} SPEC [--profile ACCOUNT=PROFILE ...]\n       {name} --hub [--hub-region REGION] [--profile PROFILE]"
    )
    parser.add_argument(
        "places", metavar="SPEC", nargs="*", help="the spec, whose accounts and regions are read; - for stdin"
    )
    parser.add_argument("--hub", action="store_true", help="take what the deployed hub has read of the accounts")
    parser.add_argument("--hub-region", metavar="REGION", help="with --hub: its region; default: the profile's region")
    parser.add_argument(
        "--profile",
        metavar="[ACCOUNT=]PROFILE",
        action="append",
        default=[],
        help="as in plan; once per account. With --hub: one profile, for the hub's account",
    )


CAN_I = Verb(
    "say whether a principal can pull, push, delete or administer, and what is missing",
    "ecr-warden can-i push shop/checkout --as arn:aws:iam::111111111111:user/ci --snapshot estate.json",
    _add_can_i,
    _run_can_i,
)
WHO_CAN = Verb(
    "list everybody who can, directly and through roles",
    "ecr-warden who-can push shop/checkout --snapshot estate.json --spec access.yaml",
    _add_who_can,
    _run_who_can,
)
CAN = Verb(
    "list what a principal can reach, repository by repository",
    "ecr-warden can arn:aws:iam::111111111111:user/ci --snapshot estate.json",
    _add_can,
    _run_can,
)
EXPLAIN_DENIAL = Verb(
    "explain the error message of a denied call: what is missing",
    "docker pull IMAGE 2>&1 | ecr-warden explain-denial --snapshot estate.json",
    _add_explain,
    _run_explain,
)
SNAPSHOT = Verb(
    "write the policies of the spec's accounts to a file that these verbs read",
    "ecr-warden snapshot access.yaml --profile ci=ci-read > estate.json\n"
    "  ecr-warden snapshot --hub --hub-region eu-central-1 > estate.json",
    _add_snapshot,
    _run_snapshot,
)

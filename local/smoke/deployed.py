"""A hub and a member by `ecr-warden deploy`, with the deployer's policies alone, and what only they can ask of AWS.

The command runs as people type it. Its credentials are sessions of roles made here, to which
stacks/deployer-policy*.json are attached and nothing else.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.aws.launcher import ROOT
from local.smoke.event_probes import Listener
from local.smoke.probes import PULL, Answer, Lab, Probe
from local.smoke.throwaway import NotRemoved, Side, Throwaway, code_and_text, document
from local.testing.waiting import NeverCame, until

_IAM_REGION = "us-east-1"
_BUS = "ecr-warden-trail"
HUB, MEMBER, EVENTS = "ecr-warden", "ecr-warden-member", "ecr-warden-events"
_PATIENCE = 10
"""Of CloudTrail, and of metrics, beside the patience for other answers."""
_ENDS = 600
"""The seconds that a command has for ending well after Ctrl-C: CloudFormation goes on by itself."""
_KEPT_FROM_ENVIRONMENT = ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_RETRY_MODE")


class InTheWay(Exception):
    """There is a hub, or what one left; the message says what."""


@dataclass(slots=True)
class Ran:
    """What a command ended with; `answer`: its JSON."""

    code: int
    answer: Mapping[str, Any]
    words: str


@dataclass
class Command:
    """`ecr-warden` in a folder, with a profile for each account."""

    home: Path
    registry: Side
    ci: Side

    def write(self, repository: str = "", organization: str = "") -> None:
        """ecr-warden.yaml, and the spec of one repository, which is only observed."""
        ci, registry, region = self.ci.account, self.registry.account, self.registry.region
        more = {"organization": {"id": organization}} if organization else {}
        accounts: dict[str, dict[str, Any]] = {
            "ci": {"id": ci, "writes": "identities"},
            "registry": {"id": registry, "regions": [region], "writes": "all"},
        }
        file = {"version": 1, "hub": {"account": "ci", "region": region}, "accounts": accounts, **more}
        names = {name: {key: one[key] for key in one if key != "writes"} for name, one in accounts.items()}
        grants = [{"name": repository, "account": "registry", "pull": []}] if repository else []
        spec = {"version": 1, "accounts": names, "repositories": grants, "settings": {"mode": "observe"}}
        (self.home / "ecr-warden.yaml").write_text(json.dumps(file))
        (self.home / "access.yaml").write_text(json.dumps(spec))

    def __call__(self, *words: str, ci: Side, registry: Side) -> Ran:
        """Run it with these credentials. Raises KeyboardInterrupt once the command has ended in its own way."""
        with _private(self.home / "credentials") as file:
            for name, side in (("ci", ci), ("registry", registry)):
                file.write(_profile(name, side))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            **{name: os.environ[name] for name in _KEPT_FROM_ENVIRONMENT if name in os.environ},
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "credentials"),
            "AWS_CONFIG_FILE": os.devnull,
            "ECR_WARDEN_RELEASE": os.environ.get("ECR_WARDEN_RELEASE", str(ROOT / "build" / "release")),
        }
        profiles = ("--profile", "ci=ci", "--profile", "registry=registry")
        command = [str(Path(sys.executable).parent / "ecr-warden"), *words, *profiles, "--json"]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # In a session of its own, so that Ctrl-C reaches it once, and it can end what it has begun.
        with subprocess.Popen(command, cwd=self.home, env=environment, start_new_session=True, **pipes) as process:
            try:
                out, said = process.communicate()
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=_ENDS)
                raise
        answer = {}
        with suppress(ValueError):
            answer = json.loads(out)
        return Ran(process.returncode, answer, " ".join(said.split()[-80:]))

    def refuse_what_is_there(self) -> None:
        """Raises InTheWay if `remove`, with the profiles' own rights, would find anything."""
        self.write()
        ran = self("remove", "--plan", ci=self.ci, registry=self.registry)
        found = [*ran.answer.get("goes", ("?",)), *ran.answer.get("stays", ("?",))]
        if ran.code or found:
            what = ran.words if "?" in found else ", ".join(map(_named, found))
            raise InTheWay(f"a hub, or what one has left, is in these accounts: {what}")


@dataclass
class Deployed:
    """The deployment, from nothing to nothing."""

    lab: Lab
    command: Command
    roles: Mapping[str, str] = field(default_factory=dict)
    mark: int = 0
    """What was made before the hub was."""

    @classmethod
    def opened(cls, lab: Lab, command: Command) -> "Deployed":
        """Make the roles, and have whatever is deployed removed before they are."""
        places = lab.places
        made = cls(lab, command, {side.account: _deployer(places, side) for side in (places.ci, places.registry)})
        command.write(lab.repository)
        places.register("what ecr-warden deploy made", made.remove)
        made.mark = places.mark
        return made

    def types(self, *words: str) -> Ran:
        """Run the command by the deployer's policies alone."""
        return self.command(*words, ci=self._as(self.lab.places.ci), registry=self._as(self.lab.places.registry))

    def remove(self) -> None:
        """Remove what is there, by the profiles' own rights if need be; raises NotRemoved."""
        own = partial(self.command, ci=self.lab.places.ci, registry=self.lab.places.registry)
        for types in (self.types, own, own):
            ran = types("remove", "--yes")
            if ran.answer.get("left") == []:
                return
        raise NotRemoved(f"{ran.answer.get('left', '')} {ran.words}")

    def _as(self, side: Side) -> Side:
        """A new session of the role of an account, which AWS may not see yet."""

        def session() -> Side | None:
            arn = f"arn:aws:iam::{side.account}:role/{self.roles[side.account]}"
            try:
                given = side.sts().assume_role(RoleArn=arn, RoleSessionName=self.lab.places.name)
                found = side.with_credentials(given["Credentials"])
                found.client("cloudformation").describe_stacks(StackName=HUB)
            except ClientError as error:
                if "AccessDenied" in code_and_text(error):
                    return None
                if "does not exist" not in code_and_text(error):
                    raise
            return found

        return until(session, self.lab.patience, "the deployer's role as AWS sees it", pause=self.lab.pause)

    @cached_property
    def first(self) -> Ran:
        """The first deployment."""
        return self.types("deploy", "--yes", "--spec", "access.yaml")

    @cached_property
    def drift(self) -> tuple[Ran, Ran]:
        """What is said and done of all that is changed beside CloudFormation, at once."""
        for one in _DRIFTS:
            one.change(self.lab.places.registry)
        return self.types("deploy", "--plan"), self.types("deploy", "--yes")


def _named(thing: Mapping[str, Any]) -> str:
    return str(thing.get("what") or "{kind} {name} in {account}/{region}".format_map(thing))


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")


def _profile(name: str, side: Side) -> str:
    session: Any = side.session
    given = session.get_credentials().get_frozen_credentials()
    lines = {
        "aws_access_key_id": given.access_key,
        "aws_secret_access_key": given.secret_key,
        "aws_session_token": given.token,
        "region": side.region,
    }
    return "\n".join([f"[{name}]", *(f"{key}={value}" for key, value in lines.items() if value), ""])


def _deployer(places: Throwaway, side: Side) -> str:
    """A role that whoever runs this may assume, and that may do what the deployer's policies say."""
    caller = str(side.sts().get_caller_identity()["Arn"])
    trust = {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "sts:AssumeRole"}
    role = places.role("deployer", trust, side=side)
    for path in sorted((ROOT / "stacks").glob("deployer-policy*.json")):
        places.policy(side, role, path.stem, json.dumps(json.loads(path.read_text()), separators=(",", ":")))
    return role


# ---------------------------------------------------------------- from nothing to nothing


def _deploys(deployed: Deployed) -> Answer:
    ran = deployed.first
    return Answer("deployed" if ran.answer.get("done") else "refused", ran.words)


def _in_force(deployed: Deployed) -> Answer:
    fate = (deployed.first.answer.get("spec") or {}).get("fate", "")
    return Answer(str(fate) or "no answer", deployed.first.words)


def _nothing_to_do(deployed: Deployed) -> Answer:
    ran = deployed.types("deploy", "--plan")
    if "plan" not in ran.answer:
        return Answer("refused", ran.words)
    plan = ran.answer["plan"]
    return Answer("something to do" if plan else "nothing to do", "; ".join(plan))


def _finds_nothing(deployed: Deployed) -> Answer:
    session: Any = deployed.lab.places.registry.session
    client = session.client("cloudformation", region_name=_IAM_REGION)
    live = client.describe_stacks(StackName=MEMBER)["Stacks"][0]
    where = {"StackName": MEMBER, "ChangeSetName": deployed.lab.places.name}
    client.create_change_set(
        **where,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        DeploymentMode="REVERT_DRIFT",
        Parameters=[{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in live["Parameters"]],
        Tags=live.get("Tags", []),
    )
    try:
        found: Any = until(
            lambda: (one := client.describe_change_set(**where))["Status"] in ("FAILED", "CREATE_COMPLETE") and one,
            deployed.lab.patience * _PATIENCE,
            "the change set",
            pause=deployed.lab.pause,
        )
        reason = str(found.get("StatusReason", ""))
        known = found["Status"] == "FAILED" and ("didn't contain changes" in reason or "No updates" in reason)
        return Answer("says so as known" if known else found["Status"], reason)
    finally:
        client.delete_change_set(**where)


def _removes(deployed: Deployed) -> Answer:
    deployed.lab.places.remove_all(since=deployed.mark)
    ran = deployed.types("remove", "--yes")
    if "left" not in ran.answer:
        return Answer("refused", ran.words)
    return Answer("something is left" if ran.answer["left"] else "nothing is left", json.dumps(ran.answer["left"]))


# ---------------------------------------------------------------- the way of an event


def _forwarded(deployed: Deployed, suffix: str) -> Answer:
    """A change of the repository, on the hub's bus through the member's rule and role, minutes after both were made."""
    listener = Listener.at(deployed.lab, suffix, _BUS)
    deployed.lab.write({"Sid": suffix, "Effect": "Allow", "Principal": _account(deployed), "Action": PULL})
    return _arrives(listener, "SetRepositoryPolicy")


def _forwarded_iam(deployed: Deployed) -> Answer:
    listener, places = Listener.at(deployed.lab, "iam", _BUS), deployed.lab.places
    trust = {"Effect": "Deny", "Principal": _account(deployed), "Action": "sts:AssumeRole"}
    places.registry.iam.update_assume_role_policy(RoleName=places.role("iam", trust), PolicyDocument=document(trust))
    return _arrives(listener, "UpdateAssumeRolePolicy")


def _arrives(listener: Listener, call: str) -> Answer:
    try:
        event = listener.await_call(call)[0]
    except NeverCame as never:
        return Answer("it does not arrive", str(never))
    return Answer("it arrives", f"from {event['account']}/{event['region']}")


def _account(deployed: Deployed) -> Mapping[str, str]:
    return {"AWS": deployed.lab.places.registry.account}


def _of_organization(deployed: Deployed) -> Answer:
    """The bus that takes the events of an organization, and no accounts by name."""
    places = deployed.lab.places
    both = [
        side.client("organizations").describe_organization()["Organization"]["Id"]
        for side in (places.ci, places.registry)
    ]
    if both[0] != both[1]:
        raise NeverCame("the two accounts are of different organizations")
    deployed.command.write(deployed.lab.repository, both[0])
    ran = deployed.types("deploy", "--yes")
    return _forwarded(deployed, "organization") if ran.answer.get("done") else Answer("refused", ran.words)


def _organization_trail(deployed: Deployed) -> Answer:
    places = deployed.lab.places
    trails = places.registry.client("cloudtrail")
    for one in trails.describe_trails()["trailList"]:
        if one.get("IsOrganizationTrail") and f":{places.registry.account}:" not in one["TrailARN"]:
            name = {"Name": one["TrailARN"]}
            trails.get_trail_status(**name)
            trails.get_event_selectors(TrailName=one["TrailARN"])
            return Answer("readable")
    raise NeverCame("the registry's account has no trail of an organization")


def _metric(deployed: Deployed) -> Answer:
    """That a sweep has ended is a line in a log; the alarm reads the metric."""
    asked, lab = deployed.lab.places.ci.client("cloudwatch"), deployed.lab
    try:
        until(
            lambda: asked.list_metrics(Namespace="ecr-warden")["Metrics"],
            lab.patience * _PATIENCE,
            "a metric",
            pause=lab.pause,
        )
    except NeverCame as never:
        return Answer("no metric", str(never))
    return Answer("a metric")


# ---------------------------------------------------------------- what somebody changes beside CloudFormation


@dataclass(frozen=True, slots=True)
class _Drift:
    """A change of the member, by whom it is named, and whether it is there no more."""

    what: str
    stack: str
    logical_id: str
    change: Callable[[Side], object]
    is_reverted: Callable[[Side], bool]

    def ask(self, deployed: Deployed) -> Answer:
        plan, done = deployed.drift
        steps = plan.answer.get("steps", ())
        changes = [one for step in steps if step["stack"] == self.stack for one in step["changes"]]
        named = "named" if self.logical_id in [one["logicalId"] for one in changes] else "not named"
        reverted = "reverted" if self.is_reverted(deployed.lab.places.registry) else "not reverted"
        return Answer(f"{named}, {reverted}", done.words or "; ".join(plan.answer.get("plan", ())))


_READ, _FORWARD, _OWN = "ecr-warden-read", "ecr-warden-forward", "ecr-warden-forward-own"
_READ_ONLY = "arn:aws:iam::aws:policy/AWSDenyAll"
"""Harmless wherever it is attached."""
_DENY = document({"Effect": "Deny", "Action": "*", "Resource": "*"})


def _events(side: Side) -> Any:
    return side.session.client("events", region_name=_IAM_REGION)


def _boundary(side: Side) -> str:
    return f"arn:aws:iam::{side.account}:policy/ecr-warden/ecr-warden-boundary"


def _denies_by_default(side: Side) -> bool:
    version = side.iam.get_policy(PolicyArn=_boundary(side))["Policy"]["DefaultVersionId"]
    kept = side.iam.get_policy_version(PolicyArn=_boundary(side), VersionId=version)["PolicyVersion"]["Document"]
    return bool(kept == json.loads(_DENY))


def _lose_rule(side: Side) -> None:
    _events(side).remove_targets(Rule=_OWN, Ids=["hub"])
    _events(side).delete_rule(Name=_OWN)


def _has_rule(side: Side, name: str, state: str) -> bool:
    with suppress(ClientError):
        return bool(_events(side).describe_rule(Name=name)["State"] == state)
    return False


_HEARTBEAT = "ecr-warden-heartbeat"
_DRIFTS = (
    _Drift(
        "a disabled rule",
        EVENTS,
        "Heartbeat",
        lambda side: _events(side).disable_rule(Name=_HEARTBEAT),
        lambda side: _has_rule(side, _HEARTBEAT, "ENABLED"),
    ),
    _Drift("a deleted rule", EVENTS, "ForwardOwn", _lose_rule, lambda side: _has_rule(side, _OWN, "ENABLED")),
    _Drift(
        "an attached policy",
        MEMBER,
        "ReadRole",
        lambda side: side.iam.attach_role_policy(RoleName=_READ, PolicyArn=_READ_ONLY),
        lambda side: not side.iam.list_attached_role_policies(RoleName=_READ)["AttachedPolicies"],
    ),
    _Drift(
        "a new inline policy",
        MEMBER,
        "ForwardRole",
        lambda side: side.iam.put_role_policy(RoleName=_FORWARD, PolicyName="smoke", PolicyDocument=_DENY),
        lambda side: "smoke" not in side.iam.list_role_policies(RoleName=_FORWARD)["PolicyNames"],
    ),
    _Drift(
        "another default version of the boundary",
        MEMBER,
        "Boundary",
        lambda side: side.iam.create_policy_version(PolicyArn=_boundary(side), PolicyDocument=_DENY, SetAsDefault=True),
        lambda side: not _denies_by_default(side),
    ),
)

_BY_HAND = (
    "what doctor names of this kind stays after its own command: docs/security.md has to say how it is ended by hand"
)


DEPLOYED_PROBES: tuple[Probe[Deployed], ...] = (
    Probe(
        "13.5, 1",
        "do the deployer's policies deploy a hub and a member?",
        "deployed",
        _deploys,
        "a right is missing from stacks/deployer-policy*.json: AWS's words name it",
    ),
    Probe(
        "13.5, 5 and 7",
        "does the deployed hub take the first spec?",
        "in-force",
        _in_force,
        "STS refuses the signed headers that prove who asks (hub/aws_callers.py), or DynamoDB the hub's transactions "
        "under dynamodb:LeadingKeys and Attributes (template.yaml): the logs of control and accept say which",
    ),
    Probe(
        "13.5, 1",
        "does deploy --plan find nothing to do at once?",
        "nothing to do",
        _nothing_to_do,
        "CloudFormation reports drift where nobody changed anything: what it names has to be compared by our own "
        "equality (deployment/compare.py)",
    ),
    Probe(
        "13.5, 2",
        "what says a change set that reverts drift and finds none?",
        "says so as known",
        _finds_nothing,
        "its words belong into deployment/aws_cloudformation.py, or deploy fails where nothing differs",
    ),
    Probe(
        "13.5, 3",
        "does a repository's event reach the hub by the member's rule and role?",
        "it arrives",
        partial(_forwarded, suffix="ecr"),
        "repairs wait for sweeps: the trust or the rights of ecr-warden-forward, or the hub's bus policy, is wrong",
    ),
    Probe(
        "13.5, 3 and 10",
        "does a role's event reach the hub from us-east-1?",
        "it arrives",
        _forwarded_iam,
        "changes of trust policies wait for sweeps; with a hub in an opt-in region, docs/deploy.md has to refuse it",
    ),
    Probe(
        "13.5, 6",
        "does the line of a finished sweep become a metric?",
        "a metric",
        _metric,
        "the alarm ecr-warden-no-sweep fires although sweeps finish",
    ),
    Probe(
        "13.5, 9",
        "may a member read a trail of its organization?",
        "readable",
        _organization_trail,
        "doctor calls the trail unread in every member: docs/deploy.md has to say that the hub's account reads it",
    ),
    *(
        Probe("13.5, 2", f"does deploy name and revert {one.what}?", "named, reverted", one.ask, _BY_HAND)
        for one in _DRIFTS
    ),
    Probe(
        "13.5, 4",
        "does an event reach a bus that takes those of an organization?",
        "it arrives",
        _of_organization,
        "a hub of an organization hears of nothing: its bus has to name accounts",
    ),
    Probe(
        "13.5, 1",
        "do the deployer's policies remove all of it?",
        "nothing is left",
        _removes,
        "a right is missing from stacks/deployer-policy*.json, or something keeps a stack: AWS's words name it",
    ),
)

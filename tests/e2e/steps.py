"""Named steps of the product, each by the least that shows it, and the statement of ours that each needs."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ecr_warden.core.job import Queue
from local.demo import edits
from local.demo.operator import OPERATOR, Terminal, terminal_of
from local.demo.places import ADMINISTRATOR, CI, PULL_USER, PUSHER, REGION, REGISTRY, REPOSITORY
from local.demo.tampers import OUTSIDER, PULL, lets_in
from tests.cli.command import unfolded
from tests.e2e.house import SEED, House, Moment
from tests.e2e.roles import HUB, Statement, refresh, unseen

type Works = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Step:
    """`do` begins it and says by what it is seen to have come to its end.

    `anew`: a function that must start before; `hidden`: a change before, which no event reports.
    """

    name: str
    do: Callable[[House, Moment], Works]
    anew: str = ""
    hidden: Callable[[House], None] | None = None

    def begin(self, house: House) -> tuple[Moment, Works]:
        """Begin, and say since when."""
        if self.anew:
            refresh(house, self.anew)
        if self.hidden:
            with unseen(house):
                self.hidden(house)
        since = house.now()
        return since, self.do(house, since)


def _repository(house: House, since: Moment) -> Works:
    house.begin_tamper()
    return house.is_right


def _trust(house: House, since: Moment) -> Works:
    edits.edit_trust(house.stage.people.registry_admin, lets_in(OUTSIDER))
    return house.is_right


def _attached(house: House, since: Moment) -> Works:
    iam = house.stage.people.registry_admin.client("iam")
    iam.attach_role_policy(RoleName=PUSHER, PolicyArn=ADMINISTRATOR)
    return house.is_right


def _delete_role(house: House) -> None:
    edits.delete_role(house.stage.people.registry_admin)


def _tamper_user(house: House) -> None:
    house.stage.people.ci_admin.client("iam").delete_user_policy(UserName=PULL_USER, PolicyName=PULL)


def _user(house: House, since: Moment) -> Works:
    _tamper_user(house)
    return house.is_right


def _sweep(house: House, since: Moment) -> Works:
    house.stage.fire_sweep()
    return house.is_right


def _leave_over(house: House) -> None:
    """A role as ecr-warden made it for a version of the spec that nobody remembers."""
    trust = {"Effect": "Allow", "Principal": {"AWS": OUTSIDER}, "Action": "sts:AssumeRole"}
    house.stage.aws.client(REGISTRY, "iam").create_role(
        RoleName=_LEFT_OVER,
        Path="/ecr-warden/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        PermissionsBoundary=f"arn:aws:iam::{REGISTRY}:policy/ecr-warden/ecr-warden-boundary",
        Tags=[{"Key": "ecr-warden", "Value": "managed"}],
    )


def _left_over(house: House, since: Moment) -> Works:
    _sweep(house, since)
    roles = house.stage.aws.client(REGISTRY, "iam").list_roles
    return lambda: all(role["RoleName"] != _LEFT_OVER for role in roles(PathPrefix="/ecr-warden/")["Roles"])


def _watched(house: House, since: Moment) -> Works:
    began = time.time()
    _sweep(house, since)

    def is_seen() -> bool:
        records = house.watched()
        looked = all(datetime.fromisoformat(record["at"]).timestamp() >= began for record in records)
        return looked and not any(wire["state"] == "unreadable" for record in records for wire in record["wires"])

    return is_seen


def _spec(house: House, since: Moment) -> Works:
    version = house.put(SEED)
    return lambda: house.accepted() == version


def _roll_out(house: House, since: Moment) -> Works:
    house.put(SEED)
    return lambda: [
        call
        for call in house.stage.aws.calls(since.mark)
        if (call.service, call.action) == ("sqs", "SendMessage")
        and "-accept/" in call.principal
        and "audit-access" in str(call.parameters)
        and not call.error
    ]


def _accepted(house: House, since: Moment) -> Works:
    house.put(SEED)
    return lambda: house.messages(since, "spec accepted")


def _first_audit(house: House, since: Moment) -> Works:
    """The record of the last audit is lost, so that the next one says all that it finds."""
    house.stage.aws.client(CI, "s3").delete_object(Bucket=house.stage.hub["StateBucket"], Key="audit/last.json.gz")
    house.put(SEED)
    return lambda: house.messages(since, "first audit of access")


def _progress(house: House, since: Moment) -> Works:
    """In a container that has not noted anything within the last minute."""
    began = time.time()
    house.put(SEED)
    client, key = house.stage.aws.client(CI, "dynamodb", REGION), {"pk": {"S": "QUEUE#audit"}, "sk": {"S": "FINISHED"}}

    def is_noted() -> bool:
        item = client.get_item(TableName=house.stage.hub["Table"], Key=key, ConsistentRead=True).get("Item")
        return item is not None and datetime.fromisoformat(item["at"]["S"]).timestamp() >= began

    return is_noted


def _switched(house: House, since: Moment) -> Works:
    """What differed while nothing was written is repaired without a sweep of the schedule."""
    house.writes("enabled")
    return house.is_right


def _differ_while_stopped(house: House) -> None:
    house.writes("stopped")
    _tamper_user(house)


def _chat(house: House, since: Moment) -> Works:
    began = time.time()
    house.begin_tamper()
    # By its run: the message about an earlier one may have been collected and come only now.
    return lambda: [run for run in house.runs(began) if run.applied and house.messages(since, run.id)]


def _collected(house: House, since: Moment) -> Works:
    house.put(SEED)
    return lambda: [
        call
        for call in house.stage.aws.calls(since.mark)
        if (call.service, call.action) == ("sqs", "SendMessage") and "-alert/" in call.principal and not call.error
    ]


def _mail(house: House, since: Moment) -> Works:
    house.begin_tamper()
    calls = house.stage.aws.calls
    return lambda: [call for call in calls(since.mark) if call.action == "Publish" and not call.error]


def _exhausted(house: House, since: Moment) -> Works:
    """A job that failed for good; it is kept where operators look, and dropped from there once it was seen."""
    sqs, marked = house.stage.aws.client(CI, "sqs", REGION), f'{{"schema": 99, "mark": {since.mark}}}'

    def url(name: str) -> str:
        return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])

    sqs.send_message(QueueUrl=url(Queue.REPAIR.exhausted), MessageBody=marked)

    def is_kept() -> bool:
        kept = url("ecr-warden-jobs-dlq")
        for message in sqs.receive_message(QueueUrl=kept, MaxNumberOfMessages=10).get("Messages", []):
            if message["Body"] == marked:
                sqs.delete_message(QueueUrl=kept, ReceiptHandle=message["ReceiptHandle"])
                return True
        return False

    return is_kept


def _operator(house: House) -> Terminal:
    """One person for all commands: making users takes longer than the steps."""
    url = house.stage.aws.endpoint_url
    if url not in _operators:
        _operators[url] = terminal_of(house.stage, "erin", OPERATOR)
    return _operators[url]


def _commands(*lines: tuple[str, ...]) -> Callable[[House, Moment], Works]:
    def do(house: House, since: Moment) -> Works:
        answers = [_answered(_operator(house).run(*line)) for line in lines]
        return lambda: all(answers)

    return do


def _answered(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether a command came to its end, and no part of the answer is missing."""
    return done.returncode == 0 and not any(words in unfolded(done.stdout + done.stderr) for words in _WRONG)


# Said beside an answer that came in spite of it.
_WRONG = ("not authorized", "stopped by the switch", "is not known")
_LEFT_OVER = "ecr-left-over"
_RESUME = ("resume", "all")
_APPLY = ("reconcile", "--wait", "10")
_operators: dict[str, Terminal] = {}
_PAUSE = ("pause", REPOSITORY, "--for", "1h", "--reason", "a try")
REPOSITORY_STEP = Step("a tampered repository policy is repaired", _repository)
TRUST_STEP = Step("a tampered trust policy is repaired", _trust)
ATTACHED_STEP = Step("an attached policy is taken off", _attached)
ROLE_STEP = Step("a deleted push role is recreated", _sweep, hidden=_delete_role)
USER_STEP = Step("a user's deleted policy is repaired", _user)
WATCH_STEP = Step("a sweep sees all of the wiring", _watched)
SWEEP_STEP = Step("the sweep finds what no event reported", _sweep, hidden=_tamper_user)
LEFT_OVER_STEP = Step("the sweep finds a role of ours that the spec does not name", _left_over, hidden=_leave_over)
SPEC_STEP = Step("a new version of the file is accepted", _spec)
CHAT_STEP = Step("a repair is reported in the chat", _chat)
COLLECTED_STEP = Step("an alert that can wait is collected for its message", _collected)
EXHAUSTED_STEP = Step("a job that failed for good is reported and kept", _exhausted)
FRESH_CHAT_STEP = Step("a function that has just started reports in the chat", _chat, anew="alert")
MAIL_STEP = Step("a repair is reported on the topic", _mail)
ROLL_OUT_STEP = Step("an accepted version is rolled out and audited", _roll_out)
ACCEPTED_STEP = Step("an accepted version is announced", _accepted)
PROOF_STEP = Step("access is audited and what was found is reported", _first_audit, anew="audit")
PROGRESS_STEP = Step("a function notes that it did a job", _progress, anew="audit")
SWITCH_STEP = Step("what differs is repaired once writes are on again", _switched, hidden=_differ_while_stopped)
FRESH_SWEEP_STEP = Step("a function that has just started sweeps", _sweep, anew="collect", hidden=_tamper_user)
FRESH_STEP = Step("a function that has just started puts a repository policy right", _repository, anew="reconcile")

STATUS_STEP = Step("somebody asks how it stands", _commands(("status",)))
GRANTS_STEP = Step("somebody asks who is let in", _commands(("grants",)), anew="answer")
FRESH_APPLY_STEP = Step("somebody has it applied and it is read anew", _commands(_APPLY), anew="answer")
FRESH_PAUSE_STEP = Step("somebody pauses and the spec is read anew", _commands(_PAUSE, _RESUME), anew="control")
PAUSE_STEP = Step("somebody pauses a repository and resumes", _commands(_PAUSE, _RESUME))

STEPS: Mapping[Statement, Step] = {
    Statement("dispatch", "SendJobs"): REPOSITORY_STEP,
    Statement("reconcile", "SendJobs"): SWITCH_STEP,
    Statement("reconcile", "EnterMemberAccounts"): REPOSITORY_STEP,
    Statement("reconcile", "NameOwnRun"): REPOSITORY_STEP,
    Statement("reconcile", "ReadCompiledSpecs"): FRESH_STEP,
    Statement("reconcile", "ReadState"): REPOSITORY_STEP,
    Statement("reconcile", "KeepState"): REPOSITORY_STEP,
    Statement("reconcile", "ReadStopSwitch"): REPOSITORY_STEP,
    Statement("reconcile", "SayOutcomes"): CHAT_STEP,
    Statement("accept", "SendJobs"): ROLL_OUT_STEP,
    Statement("accept", "ReadSpec"): SPEC_STEP,
    Statement("accept", "KeepCompiledSpecs"): SPEC_STEP,
    Statement("accept", "ReadState"): SPEC_STEP,
    Statement("accept", "KeepVersions"): SPEC_STEP,
    Statement("accept", "SayOutcomes"): ACCEPTED_STEP,
    Statement("collect", "SendJobs"): SWEEP_STEP,
    Statement("collect", "ReadMemberAccounts"): FRESH_SWEEP_STEP,
    Statement("collect", "ReadCompiledSpecs"): FRESH_SWEEP_STEP,
    Statement("collect", "KeepEstate"): WATCH_STEP,
    Statement("collect", "ReadState"): SWEEP_STEP,
    Statement("collect", "KeepRecords"): WATCH_STEP,
    Statement("collect", "SeeWiring"): WATCH_STEP,
    Statement("collect", "SeeMappings"): WATCH_STEP,
    Statement("collect", "SeeSubscriptions"): WATCH_STEP,
    Statement("audit", "ReadEstate"): PROOF_STEP,
    Statement("audit", "KeepAudits"): PROOF_STEP,
    Statement("audit", "ReadState"): PROOF_STEP,
    Statement("audit", "NoteProgress"): PROGRESS_STEP,
    Statement("audit", "SayOutcomes"): PROOF_STEP,
    Statement("alert", "KeepIncidents"): COLLECTED_STEP,
    Statement("alert", "GatherOutcomes"): COLLECTED_STEP,
    Statement("alert", "KeepExhaustedJobs"): EXHAUSTED_STEP,
    Statement("alert", "Publish"): MAIL_STEP,
    Statement("alert", "ReadWebhookParameter"): FRESH_CHAT_STEP,
    Statement("answer", "ReadMemberAccounts"): FRESH_APPLY_STEP,
    Statement("answer", "ReadState"): STATUS_STEP,
    Statement("answer", "ReadCompiledSpecs"): GRANTS_STEP,
    Statement("answer", "ReadAcceptedSpec"): GRANTS_STEP,
    Statement("answer", "ReadCurrentSpec"): STATUS_STEP,
    Statement("answer", "SeeWiring"): STATUS_STEP,
    Statement("answer", "SeeMappings"): STATUS_STEP,
    Statement("answer", "SeeSubscriptions"): STATUS_STEP,
    Statement("answer", "SeeQueues"): STATUS_STEP,
    Statement("answer", "ReadStopSwitch"): STATUS_STEP,
    Statement("control", "ReadState"): PAUSE_STEP,
    Statement("control", "RecordCommands"): PAUSE_STEP,
    Statement("control", "SetPauses"): PAUSE_STEP,
    Statement("control", "ReadPauses"): PAUSE_STEP,
    Statement("control", "ReadCompiledSpecs"): FRESH_PAUSE_STEP,
    Statement("control", "SendJobs"): PAUSE_STEP,
    Statement("control", "SayWhoPauses"): PAUSE_STEP,
    Statement("read", "Repositories"): REPOSITORY_STEP,
    Statement("read", "Roles"): TRUST_STEP,
    Statement("read", "Users"): USER_STEP,
    # What the spec names is read singly where an account gives no list; what it does not name, the list alone shows.
    Statement("read", "WholeAccount"): LEFT_OVER_STEP,
    Statement("read", "SeeWiring"): WATCH_STEP,
    Statement("read", "HubFunctions", trust=True): FRESH_STEP,
    Statement("write", "RepositoryPolicies"): REPOSITORY_STEP,
    Statement("write", "ReadOwnRoles"): TRUST_STEP,
    Statement("write", "OwnRolesUnderTheBoundary"): ROLE_STEP,
    Statement("write", "TagOwnRoles"): ROLE_STEP,
    Statement("write", "TakeAwayFromOwnRoles"): ATTACHED_STEP,
    Statement("write", "OwnersInlinePolicies", managed="ecr-warden-owners"): USER_STEP,
    Statement("write", "Reconcile", trust=True): REPOSITORY_STEP,
    Statement("write", "ReconcileNamesItsRun", trust=True): REPOSITORY_STEP,
}

# What is tried in another test, and where.
ELSEWHERE: Mapping[Statement, str] = {
    Statement("forward", "HubBuses"): "tests/e2e/test_statements.py",
    Statement("write", "NeverItself"): "tests/e2e/test_statements.py",
    Statement("boundary", "LogIn"): "tests/e2e/test_statements.py",
    Statement("boundary", "PushAndPull"): "tests/e2e/test_statements.py",
    # These stand if a parameter names somebody.
    Statement("write", "OwnersInlinePolicies2", managed="ecr-warden-owners-2"): "tests/template/test_write_scope.py",
    Statement("write", "OwnersInlinePolicies3", managed="ecr-warden-owners-3"): "tests/template/test_write_scope.py",
    Statement("write", "NamedRoles", managed="ecr-warden-roles"): "tests/template/test_write_scope.py",
    Statement("reader", "Ask"): "tests/e2e/test_people.py",
    Statement("operator", "AskAndCommand"): "tests/e2e/test_people.py",
    Statement("collect", "SayOutcomes"): "tests/e2e/test_watch.py",
    Statement("collect", "NoteReported"): "tests/functions/test_bad_input.py",
    Statement("audit", "SendJobs"): "tests/e2e/test_holds.py",
    Statement("read", "TextsOfAwsPolicies"): "tests/e2e/test_estate.py",
}
# What the emulator does not ask for: docs/supported.md names it, tests/template/test_unasked.py reads it.
UNASKED = frozenset(
    {
        *(Statement(role, "WriteOwnLog") for role in HUB),
        *(
            Statement(role, "TakeJobs") for role in ("reconcile", "accept", "collect", "audit")
        ),  # their poller asks nobody
        *(Statement(role, "ReportOwnFailure") for role in ("dispatch", "alert")),
        Statement("alert", "EncryptForTopic"),
        Statement("alert", "TakeExhaustedJobs"),  # its poller asks nobody
        Statement("alert", "ReadWebhookSecret"),  # it stands for references to the other service
        *(Statement(role, "TellAbsentFromDenied") for role in ("reconcile", "accept", "collect", "audit", "answer")),
    }
)

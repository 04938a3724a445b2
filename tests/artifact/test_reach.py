"""How many lines of ours a built function loads: one container each, after all kinds of its work in turn.

Counted are the files of `iam_access` and `ecr_warden` in `sys.modules`, whole. A ceiling is what was measured, rounded
up to the next 500: a change that needs a higher one says what for.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials

from bench.counting import D1, ROLE, USER
from ecr_warden.core.job import (
    AcceptSpec,
    Actor,
    AuditAccess,
    Cause,
    CauseKind,
    FollowClock,
    FollowSwitch,
    Job,
    JudgeVersion,
    Misplaced,
    NoteHeartbeat,
    Queue,
    ReadForVersion,
    ReconcileTarget,
    ReportCall,
    ReportOwnChange,
    SweepAll,
    job_to_json,
)
from ecr_warden.core.target import parse_target
from ecr_warden.hub.aws_callers import make_proof
from ecr_warden.hub.request import (
    AskCall,
    AskCheck,
    AskEstate,
    AskHeld,
    AskHistory,
    AskPlan,
    AskPushed,
    AskRun,
    AskScopes,
    AskStatus,
    AskVersions,
    request_to_text,
)
from ecr_warden.notify.aws_incidents import Flush, flush_to_json
from ecr_warden.state.commands import Accept, PauseUntil, ReconcileTargets, Resume
from local.aws.faults import Fail, Fault
from local.testing.accepting import accept_version
from local.testing.installed import HUB, MEMBER, PUSH_ROLE, REGION, REPOSITORY, SPEC, USERS, Installed
from local.testing.messages import Message, batch
from local.testing.runtime_api import BuiltFunction
from tests.artifact.probe import lines_of_ours, probed

CEILINGS = {
    "accept": 19_000,
    "reconcile": 14_500,
    "alert": 8_800,
    "dispatch": 3_500,
    "collect": 17_900,
    "audit": 28_000,
    "images": 11_500,
    "answer": 21_400,
    "control": 12_200,
}
NOBODYS = "0" * 12
"""The ID of no hold."""
LOCAL = f"arn:aws:lambda:{REGION}:{HUB}:function:local"
EVENTS = Path(__file__).parents[2] / "events"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
MALLORY = Actor("IAMUser", arn=f"arn:aws:iam::{MEMBER}:user/mallory", account=MEMBER, session_name="mallory")
GHOST = Fail("InvalidParameterException", "Invalid parameter at 'PolicyText': Principal not found")
SEED = SPEC.read_text()
LOOKING_ON = SEED.replace("mode: enforce", "mode: observe")


class Container:
    """A probed function, and what is loaded after its last event."""

    def __init__(self, function: BuiltFunction) -> None:
        self._function = function
        self.modules: dict[str, Any] = {}

    def handles(self, event: Any) -> Any:
        """Its answer."""
        found = self._function.invoke(event)
        assert not found.failed, f"{found} {self._function.log()}"
        self.modules = found.value["modules"]
        return found.value["answer"]

    def does(self, job: Job) -> bool:
        """Whether the job was done."""
        answer = self.handles(batch(Message(json.dumps(job_to_json(job)), job.group)))
        return bool(answer == {"batchItemFailures": []})


def cause(action: str) -> Cause:
    """An event of this moment."""
    now = datetime.now(UTC).isoformat()
    return Cause(CauseKind.EVENT, f"e-{now}", action, now, actor=MALLORY)


def allowing(action: str, **more: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


def tampers(installed: Installed) -> Iterator[tuple[str, Callable[[], object]]]:
    """One with each kind of document, and one that comes again until it is a fight."""
    ecr, iam, users = (installed.aws.client(*at) for at in ((MEMBER, "ecr"), (MEMBER, "iam"), (HUB, "iam")))
    role, repository, everybody = {"RoleName": PUSH_ROLE}, {"repositoryName": REPOSITORY}, {"Principal": {"AWS": "*"}}
    inline, trust = allowing("ecr:*", Resource="*"), allowing("sts:AssumeRole", **everybody)
    [policy] = users.list_user_policies(UserName=USERS[0])["PolicyNames"]
    yield D1, lambda: ecr.delete_repository_policy(**repository)
    yield ROLE, lambda: iam.update_assume_role_policy(**role, PolicyDocument=trust)
    yield ROLE, lambda: iam.put_role_policy(**role, PolicyName="more", PolicyDocument=inline)
    yield ROLE, lambda: iam.attach_role_policy(**role, PolicyArn=ADMINISTRATOR)
    yield ROLE, lambda: iam.update_role(**role, MaxSessionDuration=43_200)
    yield USER, lambda: users.put_user_policy(UserName=USERS[0], PolicyName=policy, PolicyDocument=inline)
    for _ in range(4):
        yield D1, lambda: ecr.set_repository_policy(**repository, policyText=allowing("ecr:*", **everybody))


def repair(installed: Installed, reconcile: Container) -> None:
    """The roll-out, each tamper, one whose repair AWS refuses at first, and each other kind of job."""

    def repairs(target: str) -> bool:
        return reconcile.does(ReconcileTarget(cause("ecr:SetRepositoryPolicy"), parse_target(target)))

    while jobs := taken(installed, (Queue.REPAIR,)):
        for _, body in jobs:
            reconcile.handles(batch(Message(body)))
    for target, tamper in tampers(installed):
        tamper()
        assert repairs(target)
    other = allowing("ecr:Get*", Principal={"AWS": "*"})
    installed.aws.client(MEMBER, "ecr").set_repository_policy(repositoryName=REPOSITORY, policyText=other)
    installed.aws.add_fault(Fault("ecr", "SetRepositoryPolicy", GHOST, times=9))
    assert not repairs(D1)
    installed.aws.clear_faults()
    assert repairs(D1)
    for job in (
        FollowSwitch(cause("ssm:PutParameter")),
        FollowClock(cause("schedule")),
        ReportOwnChange(cause("iam:PutRolePolicy"), MEMBER, "role ecr-warden-read"),
        ReportCall(cause("ecr:PutReplicationConfiguration"), parse_target(D1)),
    ):
        assert reconcile.does(job)


def accept(installed: Installed, container: Container) -> None:
    """A file that is none, one in another place, one that is judged and that a person accepts, and the seed again."""
    aws, bucket = installed.aws, installed.stack.outputs["SpecBucket"]

    def put(text: str) -> str:
        answer = aws.client(HUB, "s3").put_object(Bucket=bucket, Key="access.yaml", Body=text.encode())
        assert container.does(AcceptSpec(cause("s3:PutObject")))
        return str(answer["VersionId"])

    with installed.function("collect") as collect, installed.function("audit") as audit:
        others = {Queue.COLLECT: collect, Queue.AUDIT: audit}

        def settle() -> None:
            while jobs := taken(installed, (Queue.ACCEPT, *others)):
                for queue, body in jobs:
                    event = batch(Message(body))
                    others[queue].invoke(event) if queue in others else container.handles(event)

        put("accounts: [")
        assert container.does(AcceptSpec(cause("s3:PutObject"), Misplaced("acces.yaml")))
        for text in (LOOKING_ON, SEED):
            version = put(text)
            settle()
            accept_version(aws, HUB, REGION, version)  # the second need not wait for a person
            settle()
            key = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}
            found = aws.client(HUB, "dynamodb").get_item(TableName=installed.stack.outputs["Table"], Key=key)
            assert found["Item"]["version"]["S"] == version


def taken(installed: Installed, queues: tuple[Queue, ...]) -> list[tuple[Queue, str]]:
    """The bodies of the jobs in these queues, which are taken from there."""
    sqs, jobs = installed.aws.client(HUB, "sqs"), list[tuple[Queue, str]]()
    for queue in queues:
        url = installed.stack.outputs["JobsQueueUrl"].replace(Queue.REPAIR.sqs_name, queue.sqs_name)
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            jobs.append((queue, message["Body"]))
    return jobs


def alert(installed: Installed, container: Container, mark: int) -> set[str]:
    """All that was announced since then, a job that was given up, and an incident that is due; the kinds."""
    calls = [call for call in installed.aws.calls(mark) if call.action == "PutEvents" and not call.error]
    published = [json.loads(entry["detail"]) for call in calls for entry in call.parameters["entries"]]
    for detail in published:
        container.handles({"source": "ecr-warden", "time": "2026-11-24T10:00:00Z", "detail": detail})
    given_up = json.dumps(job_to_json(ReconcileTarget(cause("iam:PutRolePolicy"), parse_target(ROLE))))
    flush = json.dumps(flush_to_json(Flush(f"event/{published[0]['cause']['id']}")))
    for message in (Message(given_up, queue=Queue.REPAIR.exhausted), Message(flush, queue="incidents")):
        assert container.handles(batch(message)) == {"batchItemFailures": []}
    return {detail["kind"] for detail in published}


def dispatch(installed: Installed, container: Container) -> None:
    """Each event becomes jobs."""
    for file in sorted(EVENTS.glob("*.json")):
        mark = installed.aws.mark()
        container.handles(json.loads(file.read_text()))
        sent = [call.action for call in installed.aws.calls(mark) if call.service == "sqs" and not call.error]
        assert {*sent} == {"SendMessage"}, file.name


def collect(installed: Installed, container: Container) -> None:
    """A sweep with all of its parts, a heartbeat, and what is read for a version that nobody asks of any more."""
    assert container.does(SweepAll(cause("schedule")))
    while jobs := taken(installed, (Queue.COLLECT,)):
        for _, body in jobs:
            container.handles(batch(Message(body)))
    assert container.does(NoteHeartbeat(cause("schedule"), HUB, REGION))
    assert container.does(ReadForVersion(cause("schedule"), NOBODYS))


def images(installed: Installed, container: Container) -> None:
    """An outsider's push, what CloudTrail may yet say who did, and what is no event."""
    pushed: Any = json.loads((EVENTS / "ecr-SetRepositoryPolicy.json").read_text())
    _, account, region, name = D1.split("/", 3)
    pushed["detail"] |= {
        "eventName": "PutImage",
        "userIdentity": {"type": "IAMUser", "accountId": NOBODYS, "arn": f"arn:aws:iam::{NOBODYS}:user/m"},
        "awsRegion": region,
        "requestParameters": {"registryId": account, "repositoryName": name, "imageTag": "v1"},
        "responseElements": {"image": {"imageId": {"imageDigest": f"sha256:{'0' * 64}", "imageTag": "v1"}}},
    }
    done: Any = {
        "result": "SUCCESS",
        "action-type": "PUSH",
        "repository-name": name,
        "image-digest": f"sha256:{'1' * 64}",
    }
    young: Any = {**pushed, "detail-type": "ECR Image Action", "time": datetime.now(UTC).isoformat(), "detail": done}
    bodies: tuple[Any, ...] = (pushed, young, [])
    messages = (Message(json.dumps(one), queue="ecr-warden-images") for one in bodies)
    mark = installed.aws.mark()
    answer = container.handles(batch(*messages))
    assert answer == {"batchItemFailures": [{"itemIdentifier": name} for name in ("m1", "m2")]}
    assert "PutEvents" in [call.action for call in installed.aws.calls(mark) if not call.error]


def audit(container: Container) -> None:
    """An audit, and the verdict on a version that nobody asks of any more."""
    assert container.does(AuditAccess(cause("schedule")))
    assert container.does(JudgeVersion(cause("schedule"), NOBODYS))


def answer(container: Container) -> None:
    """Each question."""
    for question in (
        AskStatus(),
        AskPlan(),
        AskCheck(),
        AskHistory(),
        AskPushed(parse_target(D1), datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC)),
        AskEstate(HUB),
        AskHeld(),
        AskVersions(),
        AskScopes((HUB,)),
        AskCall("command-1"),
    ):
        reply = container.handles({"request": request_to_text(question)})
        assert "error" not in reply, reply
    assert "error" in container.handles({"request": request_to_text(AskRun("20261124"))})


def control(container: Container) -> None:
    """A pause, its end, and a decision on nothing."""
    now, named = datetime.now(UTC), (parse_target(D1),)
    for command, code in (
        (PauseUntil("command-1", named, "a try", now + timedelta(hours=1)), ""),
        (Resume("command-2", named), ""),
        (ReconcileTargets("command-3", named), ""),
        (Accept("command-4", NOBODYS), "no-such-hold"),
    ):
        text = request_to_text(command)
        proof = make_proof(Credentials(HUB, "test"), region=REGION, hub=LOCAL, request=text)
        reply = container.handles({"request": text, "proof": dict(proof)})
        assert reply.get("error", {}).get("code", "") == code, reply


def test_no_function_loads_more_than_it_is_known_to_need(
    installed: Installed, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    mark = installed.aws.mark()
    kinds: set[str] = set()
    work: Mapping[str, Callable[[Container], object]] = {
        "accept": lambda container: accept(installed, container),
        "reconcile": lambda container: repair(installed, container),
        "alert": lambda container: kinds.update(alert(installed, container, mark)),
        "dispatch": lambda container: dispatch(installed, container),
        "collect": lambda container: collect(installed, container),
        "audit": audit,
        "images": lambda container: images(installed, container),
        "answer": answer,
        "control": control,
    }
    lines = {}
    for name, does in work.items():
        with probed(installed, name, tmp_path) as function:
            container = Container(function)
            does(container)
        lines[name] = lines_of_ours(container.modules)
        tell(f"lines of ours that {name} loads: {lines[name]:,}")
    assert kinds >= {"spec-refused", "held", "spec-accepted", "run", "fight", "own-changed", "harmful-call"}
    assert {name: count for name, count in lines.items() if count > CEILINGS[name]} == {}

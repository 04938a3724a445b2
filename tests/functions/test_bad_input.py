"""tests/cases/bad_input.yaml, row by row: named, reported, stopping nothing else, and losing nothing."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from msgspec import structs

from ecr_warden.aws.redelivery import ATTEMPTS
from ecr_warden.bootstrap import control
from ecr_warden.core.target import parse_target
from ecr_warden.hub.request import AskHistory, AskPushed, AskStatus, request_to_text
from ecr_warden.state.commands import PauseUntil, Resume
from local.aws.behaviour.of_aws import PUBLISHED
from tests import tables
from tests.cli.command import Command
from tests.contracts.aws import Call
from tests.contracts.webhook import answer, served, silent
from tests.functions.conftest import DEAD, ROOT, Deployed
from tests.functions.running import CI, HOME, OTHER_SPEC, SPEC, Running, key_of
from tests.receives import FLUSH_RECEIVES
from tests.template.adapter_calls import ACTIONS, operations_called
from tests.usecases.hub import HUB, Callers

type Row = dict[str, Any]
ROWS: dict[str, list[Row]] = tables.load((ROOT / "tests" / "cases" / "bad_input.yaml").read_text())
SIBLINGS = {
    "shop/checkout": "shop/cart",
    "ecr-pusher": "cart-pusher",
    "pull-user-1": "pull-user-2",
    "old-ci": "pull-user-2",
}


def lacks(text: str, row: Row) -> list[str]:
    """The words of a row that a text does not hold; a mail breaks no word."""
    return [word for word in row.get("says", ()) if word not in text]


def content(row: Row) -> bytes:
    text: str = row["file"] + "".join(row.get("append", "").format(number) for number in range(row.get("times", 0)))
    return text.encode(row.get("encoding", "utf-8"))


@pytest.mark.thorough
def test_a_bad_spec_is_refused_and_the_accepted_one_stays_in_force(running: Running, subtests: pytest.Subtests) -> None:
    running.begin()
    for number, row in enumerate(ROWS["file"]):
        with subtests.test(row["name"]):
            running.calm()
            running.upload(content(row))
            running.tamper("shop/checkout")
            running.settle()
            reported = running.heard()
            if row.get("ends") == "accepted":
                assert "spec accepted" in reported
            else:
                assert "spec refused" in reported
                assert lacks(reported, row) == []
                assert running.differing() == []
                assert running.put_away(DEAD) == []
            running.upload(f"{SPEC}# {number}\n".encode())
            running.settle()
            assert "spec accepted" in running.heard()
            assert running.differing() == []


@pytest.mark.parametrize("row", ROWS["file"], ids=lambda row: row["name"])
def test_validate_reports_the_same_problems_and_exits_with_1(row: Row) -> None:
    ran = Command()("validate", "-", stdin=content(row))
    assert ran.code == (0 if row.get("ends") == "accepted" else 1)
    assert lacks(ran.out.replace("<stdin>", "access.yaml"), row) == []


def refusing(target: str, *error: Any) -> Callable[[Call], tuple[str, str, int] | None]:
    """AWS's answer to calls about a target; to all writes in its account where the account is what refuses."""
    account = key_of(target).split("/")[1]

    def refuse(call: Call) -> tuple[str, str, int] | None:
        texts = [str(value) for value in call.parameters.values()]
        if target in texts or any(text.endswith(f":{account}:role/ecr-warden/ecr-warden-write") for text in texts):
            code, message, status = error
            return code, message, status
        return None

    return refuse


@pytest.mark.thorough
def test_a_refused_call_is_reported_stops_no_sibling_and_is_repeated_later(
    running: Running, subtests: pytest.Subtests
) -> None:
    running.begin()
    for row in ROWS["call"]:
        with subtests.test(row["name"]):
            running.calm()
            target = row["target"]
            sibling = row.get("sibling", SIBLINGS[target])
            error = row["code"], row["message"], row.get("status", 400)
            running.wire.faults[row["action"]] = refusing(target, *error)
            running.tamper(target, sibling)
            running.deliver()
            assert target in running.differing()
            assert sibling not in running.differing()
            reported = running.heard()
            assert (target not in reported) is row.get("retried", False)
            running.settle()
            reported += running.heard()
            assert lacks(reported, row) == []
            assert "failed" in running.journalled(target) or "unknown" in running.journalled(target)
            assert running.put_away(DEAD) == []
            running.wire.faults.clear()
            running.sweep()
            running.settle()
            assert running.differing() == []
            running.sweep()  # its audit sees what the last one repaired
            running.settle()
            running.be_quiet()
            reported = running.heard()
            assert "closed after" in reported
            assert target in reported


def denied(row: Row) -> tuple[str, str, int]:
    """What AWS says when a role of ours lacks a permission."""
    account, role = (CI, "ecr-warden-function") if row["granted"] == "template.yaml" else (HOME, "ecr-warden-role")
    if row["when"] in SIBLINGS:
        account = key_of(row["when"]).split("/")[1]
    [action, *_] = sorted(ACTIONS.get(row["call"], {row["call"]}))
    message = (
        f"User: arn:aws:sts::{account}:assumed-role/{role}/session is not authorized to perform: {action} on resource: "
        f"arn:aws:x:eu-central-1:{account}:thing"
    )
    if action != "sts:AssumeRole":  # AWS does not explain why a role of another account refuses the caller
        message += f" because no identity-based policy allows the {action} action"
    return "AccessDeniedException" if action.startswith(("ecr", "dynamodb", "events")) else "AccessDenied", message, 403


_OF_AWS = iter([*PUBLISHED][8:])


def befall(running: Running, when: str, sibling: str | None) -> None:
    """What needs the call."""
    match when, sibling:
        case _, str():
            running.tamper(when, sibling)
        case "sweep", _:
            running.sweep()
        case "a policy of AWS", _:
            iam, name = running.somebody(HOME, "iam"), str(uuid4())
            iam.create_user(UserName=name)
            iam.attach_user_policy(UserName=name, PolicyArn=next(_OF_AWS))
            running.sweep()
        case "roll-out", _:
            running.upload(OTHER_SPEC.encode())
            running.settle()
            running.upload(SPEC.encode())
        case "deletion", _:
            running.upload(None)
        case "asking", _:
            since, now = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC)
            pushed = AskPushed(parse_target(key_of("shop/checkout")), since, now)
            asked = AskStatus(), AskHistory(since=since), pushed
            running.errors += [json.dumps(running.ask(question)) for question in asked]
        case "pausing", _:
            commands = structs.replace(control.commands(control.ControlAdapters()), callers=Callers())
            target, until = parse_target(key_of("shop/checkout")), datetime.now(UTC) + timedelta(hours=1)
            paused = PauseUntil(str(uuid4()), (target,), "a migration", until)
            commands.carry_out(request_to_text(paused), "alice", HUB)
            commands.carry_out(request_to_text(Resume(str(uuid4()), (target,))), "alice", HUB)
        case "throttling", _:
            running.wire.faults["ecr:SetRepositoryPolicy"] = refusing(
                "shop/checkout", "Throttling", "Rate exceeded", 400
            )
            running.tamper("shop/checkout")
        case _:
            running.tamper("shop/checkout")


def test_the_walk_denies_every_call_that_the_adapters_make() -> None:
    walked = [row["call"] for row in ROWS["denied"]]
    assert len(walked) == len(set(walked))
    assert {*walked, *(row["call"] for row in ROWS["secret"])} == operations_called()


@pytest.mark.thorough
def test_a_denied_call_is_reported_with_the_policy_that_should_allow_it_and_nothing_is_lost(
    running: Running, subtests: pytest.Subtests
) -> None:
    iam = running.somebody(HOME, "iam")
    iam.create_open_id_connect_provider(Url="https://gitlab.example.com", ThumbprintList=["0" * 40])
    running.begin()
    for row in ROWS["denied"]:
        with subtests.test(row["call"]):
            running.calm()
            error, member = denied(row), row["when"] in SIBLINGS
            sibling = row.get("sibling", SIBLINGS.get(row["when"]))
            refuse = refusing(row["when"], *error) if member else lambda _, error=error: error
            answers = running.wire.answers.copy()
            running.wire.answers.pop(row["call"], None)
            running.wire.faults[row["call"]] = refuse
            befall(running, row["when"], sibling)
            running.settle()
            assert row["call"] in running.wire.actions, "a fault that is never reached proves nothing"
            assert sibling not in running.differing()
            reported = running.heard() + json.dumps(running.logged()) + "\n".join(running.errors)
            action = error[1].split("perform: ")[1].split(" ")[0]
            if not row.get("untold"):
                assert [
                    word for word in (action, "ecr-warden deploy", error[1].split("::")[1][:12]) if word not in reported
                ] == []
            running.wire.faults.clear()
            running.wire.answers.update(answers)
            running.redrive()
            if row["when"] == "deletion":
                running.upload(SPEC.encode())
            running.sweep()
            running.settle()
            assert running.differing() == []
            running.redrive()  # what had failed for the last time was put away when it would have come again
            running.settle()
            assert running.put_away(DEAD) == running.put_away("lost") == []


@pytest.mark.thorough
def test_a_missing_target_is_reported_once_and_converges_when_it_returns(
    running: Running, subtests: pytest.Subtests
) -> None:
    running.begin()
    for row in ROWS["missing"]:
        with subtests.test(row["name"]):
            running.calm()
            target, sibling = row["target"], SIBLINGS[row["target"]]
            running.remove(target)
            running.report(target)
            running.tamper(sibling)
            running.settle()
            assert lacks(running.heard(), row) == []
            assert sibling not in running.differing()
            running.sweep()
            running.settle()
            assert "ecr-warden history" not in running.heard(), "the run is reported once, whatever a proof finds now"
            running.sweep()
            running.settle()
            assert running.heard() == "", "and so is what the proof finds"
            assert target in running.differing()
            running.make(target)
            running.sweep()
            running.settle()
            assert running.differing() == []


@pytest.mark.thorough
def test_a_message_that_is_not_a_job_ends_in_the_failure_queue_and_the_next_one_runs(
    running: Running, subtests: pytest.Subtests
) -> None:
    running.begin()
    for row in ROWS["message"]:
        with subtests.test(row["name"]):
            running.calm()
            running.send(row["body"], key_of("pull-user-1"))
            running.tamper("pull-user-2", "shop/checkout")
            running.deliver()
            assert running.differing() == []
            running.settle()
            assert running.put_away(DEAD) == [row["body"]]
            failures = [line for line in running.logged() if line["message"] == "failed"]
            assert [line["attempt"] for line in failures] == [*range(1, ATTEMPTS + 1)]
            assert all(lacks(line["error"], row) == [] for line in failures)
            assert all("Dead letters" in line["error"] for line in failures)
            running.tamper("pull-user-1")
            running.settle()
            assert running.differing() == [], "the target of a message that is put away is not blocked"


WELL = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
WAYS = {
    "slow": silent,
    "redirecting": answer(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\n\r\n"),
    "failing": answer(b"HTTP/1.1 500 Internal Server Error\r\n\r\n"),
    "gone": answer(b"HTTP/1.1 404 Not Found\r\n\r\n"),
}


def repairs(text: str) -> int:
    """How many messages say that shop/checkout was repaired."""
    title = r"^\W*WARNING closed after .+: ci:user/pull-user-1 could not pull from shop/checkout$"
    return len(re.findall(title, text, re.MULTILINE))


@pytest.fixture
def chat(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> int:
    """The port of the webhook, where nothing listens yet."""
    with served(WELL) as server:
        deployed.ssm.put_parameter(Name="/webhook", Type="SecureString", Value=server.url)
        monkeypatch.setenv("WARDEN_WEBHOOK", "ssm:/webhook")
        return server.port


def served_as(way: str, port: int) -> AbstractContextManager[object]:
    return nullcontext() if way == "down" else served(WAYS[way], port)


@pytest.mark.thorough
def test_a_failing_chat_gets_the_message_later_and_the_mail_goes_out_once(
    chat: int, running: Running, subtests: pytest.Subtests
) -> None:
    with served(WELL, chat):
        running.begin()
    for row in ROWS["webhook"]:
        with subtests.test(row["name"]):
            running.calm()
            with served_as(row["behaves"], chat):
                running.tamper("shop/checkout")
                running.deliver()
            assert running.differing() == [], "a failing channel does not affect the repair"
            assert repairs(running.heard()) == 1
            assert any(lacks(line.get("error", ""), row) == [] for line in running.logged())
            with served(WELL, chat) as server:
                running.settle()
                [posted] = server.requests
            assert repairs(json.loads(posted.rpartition(b"\r\n")[2])["text"]) == 1
            assert running.heard() == ""


@pytest.mark.thorough
def test_a_message_the_chat_refuses_for_long_stays_stands_in_status_and_is_sent_once_it_takes_messages(
    chat: int, running: Running
) -> None:
    with served(WELL, chat):
        running.begin()
    running.tamper("shop/checkout")
    for _ in range(FLUSH_RECEIVES + 1):
        running.deliver()
        running.flush_again_soon()
    assert running.put_away("lost") == [], "a digest that fails is asked for anew"
    assert "1 message for chat: waiting since" in json.dumps(running.ask(AskStatus()))
    with served(WELL, chat) as server:
        running.settle()
        [posted] = server.requests
    assert repairs(json.loads(posted.rpartition(b"\r\n")[2])["text"]) == 1
    assert repairs(running.heard()) == 1
    assert "messages-wait" not in json.dumps(running.ask(AskStatus()))


@pytest.mark.thorough
@pytest.mark.parametrize("row", ROWS["secret"], ids=lambda row: row["call"])
def test_an_unreadable_secret_is_reported_with_the_policy_to_fix_and_the_chat_hears_later(
    row: Row, chat: int, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = running.deployed.ssm.get_parameter(Name="/webhook", WithDecryption=True)["Parameter"]["Value"]
    boto3.client("secretsmanager").create_secret(Name="webhook", SecretString=url)
    monkeypatch.setenv("WARDEN_WEBHOOK", row["reference"])
    with served(WELL, chat):
        running.begin()
    error = denied(row | {"when": "reporting"})
    secret = row["reference"].partition(":")[2]
    running.wire.faults[row["call"]] = lambda call: error if secret in map(str, call.parameters.values()) else None
    running.deployed.containers.clear()  # a new container, which has not read the secret yet
    running.tamper("shop/checkout")
    running.deliver()
    assert running.differing() == []
    assert repairs(running.heard()) == 1
    logged = json.dumps(running.logged())
    assert [word for word in (row["call"], "ecr-warden deploy", row["reference"]) if word not in logged] == []
    assert url not in logged
    running.wire.faults.clear()
    with served(WELL, chat) as server:
        running.settle()
        [posted] = server.requests
    assert repairs(json.loads(posted.rpartition(b"\r\n")[2])["text"]) == 1

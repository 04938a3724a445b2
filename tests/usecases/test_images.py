"""Foreign images are named, none else, whatever order, number and delay their events come with."""

import json
import random
from copy import replace
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from ecr_warden.core.clock import CLOCKS
from ecr_warden.core.desired import Mode
from ecr_warden.core.result import Severity
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import Sessions
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.events.trigger import TriggerError
from ecr_warden.images.alerts import ImagesPushed
from ecr_warden.images.note import NoteImages
from ecr_warden.images.parse import image_events
from ecr_warden.images.push import COMPLETE, FIRST, MOST, Day, ImageEvent, Right
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import MessageState
from ecr_warden.state.state import TargetRecord
from local.testing.memory.hub import ManualClock, MemoryAlertBus, MemorySpecs
from local.testing.memory.images import MemoryImageRecords
from local.testing.memory.state import MemoryState
from local.testing.seed import ACCEPTED, CHECKOUT, CI, HOME, NOW, OUTSIDER, PUSHER, SPEC_FILE, compiled

ROLE = f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher"
ISSUED = NOW - timedelta(minutes=20)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def session(role: str, account: str = HOME, *, name: str = "ci") -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{name}",
        "accountId": account,
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": role, "accountId": account},
            "attributes": {"creationDate": f"{ISSUED:%Y-%m-%dT%H:%M:%SZ}"},
        },
    }


PIPELINE = session(ROLE)
ADMIN = session(f"arn:aws:iam::{HOME}:role/Administrator", name="mallory")
MALLORY = {"type": "IAMUser", "arn": f"arn:aws:iam::{OUTSIDER}:user/mallory", "accountId": OUTSIDER}
STRANGE = {"type": "AWSAccount", "accountId": OUTSIDER, "principalId": "AIDAEXAMPLE"}
"""As the repository's account sees a user of another one."""


def called(
    name: str, by: object, sent: dict[str, Any], answered: dict[str, Any] | None, at: datetime, event_id: str
) -> dict[str, Any]:
    detail = {
        "eventVersion": "1.11",
        "userIdentity": by,
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "ecr.amazonaws.com",
        "eventName": name,
        "awsRegion": CHECKOUT.region,
        "requestParameters": {"repositoryName": CHECKOUT.name, "registryId": HOME, **sent},
        "responseElements": answered,
        "eventID": event_id,
        "recipientAccountId": HOME,
    }
    envelope = {"version": "0", "id": event_id, "source": "aws.ecr", "account": HOME, "region": CHECKOUT.region}
    return {**envelope, "detail-type": "AWS API Call via CloudTrail", "detail": detail}


def push(number: int, by: object, at: datetime = NOW, *, tag: str = "v1", event_id: str = "") -> dict[str, Any]:
    answered = {"image": {"imageId": {"imageDigest": digest(number), "imageTag": tag}}}
    return called("PutImage", by, {"imageTag": tag}, answered, at, event_id or f"push-{number}-{tag}-{at:%H%M%S}")


def delete(number: int, by: object, at: datetime, *, tag: str = "") -> dict[str, Any]:
    one = {"imageDigest": digest(number), "imageTag": tag or "v1"}
    sent = {"imageIds": [{"imageTag": tag} if tag else {"imageDigest": digest(number)}]}
    return called("BatchDeleteImage", by, sent, {"imageIds": [one], "failures": []}, at, f"delete-{number}-{tag}")


def store(number: int, by: object, at: datetime, where: str = "ARCHIVE") -> dict[str, Any]:
    one = {"imageId": {"imageDigest": digest(number)}, "targetStorageClass": where}
    return called("UpdateImageStorageClass", by, one, one, at, f"{where}-{number}")


def witness(number: int, at: datetime, action: str = "PUSH", tag: str = "v1") -> dict[str, Any]:
    detail = {
        "result": "SUCCESS",
        "repository-name": CHECKOUT.name,
        "image-digest": digest(number),
        "action-type": action,
        "image-tag": tag,
    }
    envelope = {"version": "0", "id": f"w-{number}", "source": "aws.ecr", "account": HOME, "region": CHECKOUT.region}
    return {**envelope, "detail-type": "ECR Image Action", "time": f"{at:%Y-%m-%dT%H:%M:%SZ}", "detail": detail}


@dataclass
class Noting:
    """The use case in memory."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    specs: MemorySpecs = field(default_factory=lambda: MemorySpecs(compiled=ACCEPTED))
    state: MemoryState = field(init=False)
    records: MemoryImageRecords = field(default_factory=MemoryImageRecords)
    alerts: MemoryAlertBus = field(default_factory=MemoryAlertBus)

    def __post_init__(self) -> None:
        self.state = MemoryState(self.clock)

    def hears(self, *events: dict[str, Any], is_first: bool = True) -> list[ImagesPushed]:
        """What is announced by a batch of events."""
        before = len(self.alerts.published)
        note = NoteImages(self.specs, self.state, self.records, self.alerts, self.clock)
        found: dict[RepositoryTarget, list[ImageEvent]] = {}
        for event in events:
            for repository, one in image_events(json.loads(json.dumps(event))):
                found.setdefault(repository, []).append(one)
        for repository, seen in found.items():
            note.note(repository, seen, is_first=is_first)
        return [one for one in self.alerts.published[before:] if isinstance(one, ImagesPushed)]

    @property
    def pushes(self) -> list[ImageEvent]:
        return [one for day in self.records.days(CHECKOUT, FIRST).values() for one in day.pushes]

    @property
    def named(self) -> dict[str, Right]:
        return {one.digest: one.right for one in self.pushes if one.right is not Right.YES}


WHO = {
    "a session of the push role": (PIPELINE, Right.YES),
    "an administrator of the repository's account": (ADMIN, Right.NO),
    "the root user of an account of ours": (
        {"type": "Root", "arn": f"arn:aws:iam::{CI}:root", "accountId": CI},
        Right.NO,
    ),
    "somebody who may assume the role and did not": (
        {"type": "IAMUser", "arn": f"arn:aws:iam::{CI}:user/push-user", "accountId": CI},
        Right.NO,
    ),
    "a user of another account": (MALLORY, Right.OUTSIDE),
    "a user of another account, as the repository's sees it": (STRANGE, Right.OUTSIDE),
    "a role of the same name elsewhere": (session(ROLE.replace(HOME, OUTSIDER), OUTSIDER), Right.OUTSIDE),
    "an AWS service": ({"type": "AWSService", "invokedBy": "ecr.amazonaws.com"}, Right.UNKNOWN),
    "nobody": (None, Right.UNKNOWN),
}


@pytest.mark.parametrize("who", WHO)
def test_whoever_is_not_given_a_push_by_the_spec_pushed_a_foreign_image(who: str) -> None:
    by, right = WHO[who]
    noting = Noting()
    alerts = noting.hears(push(1, by))
    assert noting.named == ({} if right is Right.YES else {digest(1): right})
    assert [alert.images[0].right for alert in alerts] == ([] if right is Right.YES else [right])
    grave = Severity.CRITICAL if right is Right.OUTSIDE else Severity.WARNING
    assert [message_of([alert]).severity for alert in alerts] == [grave] * len(alerts)


ALSO = SPEC_FILE.read_text() + "also_allowed:\n  - {principals: ['ARN'], access: [push], reason: release}\n"


def test_what_the_spec_also_allows_is_no_foreign_push() -> None:
    admin = ADMIN["sessionContext"]["sessionIssuer"]["arn"]
    noting = Noting(specs=MemorySpecs(compiled=compiled(ALSO.replace("ARN", admin))))
    assert noting.hears(push(1, ADMIN)) == []
    assert len(noting.hears(push(2, MALLORY))) == 1


def test_a_late_event_is_judged_by_the_version_that_was_in_force() -> None:
    noting, at = Noting(), NOW - timedelta(minutes=10)
    gone = replace(ACCEPTED, version="v2", targets={k: v for k, v in ACCEPTED.targets.items() if k != PUSHER.key})
    noting.specs.accept(gone, over=noting.specs.standing(), at=at)
    assert noting.hears(push(1, PIPELINE, at - timedelta(minutes=1))) == []
    [alert] = noting.hears(push(2, PIPELINE, at + timedelta(minutes=1)))
    assert alert.images[0].right is Right.NO


def test_a_session_that_was_opened_while_the_door_was_open_is_named_once_that_is_known() -> None:
    noting = Noting()
    assert noting.hears(push(1, PIPELINE)) == []
    window = Sessions(ISSUED + timedelta(minutes=1), ISSUED - timedelta(minutes=1))
    noting.state.remembered[PUSHER.key] = TargetRecord(debts=Debts(sessions=window))
    [alert] = noting.hears(push(1, PIPELINE), is_first=False)
    message = message_of([alert])
    assert (message.severity, alert.images[0].right) == (Severity.CRITICAL, Right.DOOR)
    assert any("AssumeRole" in line for line in message.lines)
    assert noting.hears(push(1, PIPELINE), is_first=False) == []


def test_a_push_that_cloudtrail_does_not_report_is_named_by_ecrs_own_event() -> None:
    noting = Noting()
    noting.hears(push(1, PIPELINE))
    assert noting.hears(witness(1, NOW), is_first=False) == []
    [alert] = noting.hears(witness(2, NOW), is_first=False)
    assert (alert.images[0].right, message_of([alert]).severity) == (Right.UNKNOWN, Severity.WARNING)
    [late] = noting.hears(push(2, PIPELINE))
    assert message_of([late]).severity is Severity.INFO


def test_both_accounts_report_a_call_across_accounts_and_the_one_that_names_the_caller_counts() -> None:
    noting = Noting()
    events = [push(1, by, event_id=f"e-{index}") for index, by in enumerate((STRANGE, MALLORY))]
    for event in events:
        event["detail"]["sharedEventID"] = "shared"
    first, second = noting.hears(*events), noting.hears(*events, is_first=False)
    assert (len(first), second) == (1, [])
    assert [one.by and one.by.arn for one in noting.pushes] == [MALLORY["arn"]]


def test_a_deletion_alone_ends_it_whoever_deletes() -> None:
    noting = Noting()
    later = [NOW + timedelta(minutes=number) for number in range(9)]
    [opened] = noting.hears(push(1, MALLORY))
    assert message_of([opened]).state is MessageState.OPEN
    assert noting.hears(store(1, MALLORY, later[1]), store(1, PIPELINE, later[2], "STANDARD")) == []
    assert noting.hears(store(1, ADMIN, later[3])) == []
    [kept] = noting.pushes
    assert kept.last is not None and kept.last.act == "archived"
    [gone] = noting.hears(delete(1, ADMIN, later[4]))
    message = message_of([gone])
    assert (message.state, message.severity) == (MessageState.CLOSED, Severity.INFO)
    assert message.title.endswith("pushed by an outsider, deleted since")
    [again] = noting.hears(push(1, MALLORY, later[5]))
    assert again.images[0].is_left


def test_what_is_pushed_and_deleted_before_anybody_looks_is_as_grave() -> None:
    noting = Noting()
    [alert] = noting.hears(push(1, MALLORY), delete(1, MALLORY, NOW + timedelta(seconds=1)))
    message = message_of([alert])
    assert (message.state, message.severity) == (MessageState.CLOSED, Severity.CRITICAL)
    assert "lookup-events" in next(field.text for field in message.fields if field.label == "Command")


def test_a_deletion_of_one_of_two_tags_leaves_the_image() -> None:
    noting = Noting()
    noting.hears(push(1, MALLORY, tag="v1"), push(1, MALLORY, NOW + timedelta(seconds=1), tag="v2"))
    assert noting.hears(delete(1, ADMIN, NOW + timedelta(minutes=1), tag="v1")) == []
    [gone] = noting.hears(delete(1, ADMIN, NOW + timedelta(minutes=2), tag="v2"))
    assert not gone.images[0].is_left


def test_a_deletion_that_comes_before_its_push_counts_when_it_is_looked_at_again() -> None:
    noting = Noting()
    gone = delete(1, MALLORY, NOW + timedelta(minutes=1))
    assert noting.hears(gone) == []
    [_] = noting.hears(push(1, MALLORY))
    [ended] = noting.hears(gone, is_first=False)
    assert not ended.images[0].is_left


def test_a_tag_moved_twice_in_a_window_names_what_the_outsider_pushed_alone() -> None:
    noting = Noting()
    minutes = [NOW + timedelta(minutes=number) for number in range(3)]
    noting.hears(push(1, PIPELINE, minutes[0]), push(2, MALLORY, minutes[1]), push(3, PIPELINE, minutes[2]))
    assert noting.named == {digest(2): Right.OUTSIDE}


def test_the_deletion_that_a_message_names_takes_the_foreign_tag_of_an_image_of_ours_and_nothing_else() -> None:
    noting = Noting()
    noting.hears(push(1, PIPELINE))
    [alert] = noting.hears(push(1, MALLORY, NOW + timedelta(minutes=1), tag="stable"))
    command = next(field.text for field in message_of([alert]).fields if field.label == "Command")
    assert command.endswith(f"--image-ids imageDigest={digest(1)},imageTag=stable")


def test_while_the_repository_is_only_observed_outsiders_alone_are_announced() -> None:
    target = replace(ACCEPTED.targets[CHECKOUT.key], mode=Mode.OBSERVE)
    noting = Noting(specs=MemorySpecs(compiled=replace(ACCEPTED, targets={**ACCEPTED.targets, CHECKOUT.key: target})))
    assert noting.hears(push(1, ADMIN)) == []
    assert len(noting.hears(push(2, MALLORY))) == 1
    assert noting.named.keys() == {digest(1), digest(2)}


def test_of_100_pushes_a_second_a_bounded_number_is_kept_and_the_rest_is_counted() -> None:
    noting = Noting()
    noting.hears(*(push(number, MALLORY, NOW + timedelta(milliseconds=10 * number)) for number in range(1000)))
    noting.hears(push(2000, PIPELINE))
    [day] = noting.records.days(CHECKOUT, FIRST).values()
    assert (len(day.pushes), day.left_out) == (MOST + 1, 1000 - MOST)
    noting.hears(push(999, MALLORY, NOW + timedelta(milliseconds=9990)), is_first=False)
    [day] = noting.records.days(CHECKOUT, FIRST).values()
    assert day.left_out == 1000 - MOST, "a second look counts nothing"


def test_what_another_notes_at_the_same_time_is_kept_too() -> None:
    noting = Noting()
    [(_, other)] = image_events(push(7, PIPELINE))
    noting.records.meanwhile = [Day((other,), revision=1)]
    noting.hears(push(1, MALLORY))
    assert {one.digest for one in noting.pushes} == {digest(7), digest(1)}


UNREAD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a failed call": (push(1, MALLORY), {"errorCode": "ImageAlreadyExistsException"}),
    "another call": (push(1, MALLORY), {"eventName": "InitiateLayerUpload"}),
    "a name that no repository has": (push(1, MALLORY), {"requestParameters": {"repositoryName": "../../x\u202e"}}),
    "a deletion of nothing": (delete(1, MALLORY, NOW), {"responseElements": None}),
    "a digest that is none": (store(1, MALLORY, NOW), {"responseElements": {"imageId": {"imageDigest": "sha256:x"}}}),
}


@pytest.mark.parametrize("what", UNREAD)
def test_what_says_nothing_of_images_is_ignored(what: str) -> None:
    event, wrong = UNREAD[what]
    detail = {**event["detail"], **wrong}
    if wrong.get("responseElements", 0) == 0 and "requestParameters" in wrong:
        detail["responseElements"] = None
    assert [*image_events({**event, "detail": detail})] == []
    assert [*image_events({**witness(1, NOW), "detail": {"result": "FAILURE", "action-type": "PUSH"}})] == []
    assert [*image_events({**witness(1, NOW), "source": "shop"})] == []


def test_an_event_without_a_time_is_an_error() -> None:
    wrong: list[Any] = [{**witness(1, NOW), "time": "soon"}, {}, [], None]
    for bad in wrong:
        with pytest.raises(TriggerError):
            [*image_events(bad)]


def test_hostile_names_reach_no_key_and_a_push_whose_parameters_are_left_out_is_kept() -> None:
    hostile = push(1, {**MALLORY, "userName": "<!channel>\u202e" * 9000}, tag="v1\n<b>")
    hostile["detail"]["userAgent"] = "<!channel>" * 100_000
    hostile["detail"]["eventID"] = "e"
    [(_, seen)] = image_events(hostile)
    assert (seen.tag, len(str(seen)) < 2_000) == ("", True)
    event = push(1, MALLORY)
    event["detail"] |= {"requestParameters": None, "responseElements": None}
    event["detail"]["resources"] = [{"ARN": f"arn:aws:ecr:{CHECKOUT.region}:{HOME}:repository/{CHECKOUT.name}"}]
    noting = Noting()
    [alert] = noting.hears(event)
    assert (alert.images[0].digest, alert.images[0].right) == ("", Right.OUTSIDE)
    assert "describe-images" in str(message_of([alert]).fields)
    other = push(1, MALLORY)
    other["detail"]["requestParameters"]["repositoryName"] = "none/of/ours"
    assert noting.hears(other) == []
    assert noting.records.days(RepositoryTarget(HOME, CHECKOUT.region, "none/of/ours"), FIRST) == {}


def test_a_push_at_midnight_and_ecrs_own_event_on_it_are_one() -> None:
    midnight = NOW.replace(hour=0, minute=0, second=0)
    noting = Noting(clock=ManualClock(midnight))
    noting.hears(push(1, PIPELINE, midnight - timedelta(seconds=1)))
    assert noting.hears(witness(1, midnight), is_first=False) == []


ENDS = ("archived", "deleted")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (1, 2))])
def test_of_10_000_events_50_foreign_pushes_are_named_and_none_more(seed: int) -> None:
    """Spread over 60 days: 5 archived, 5 deleted, 10 late; all come twice, in batches, a tenth out of order."""
    chance, noting = random.Random(seed), Noting()
    foreign = sorted(chance.sample(range(4990), 50))
    archived, deleted, late = {*foreign[:5]}, {*foreign[5:10]}, {*foreign[10:20]}
    heard: list[tuple[datetime, dict[str, Any], bool]] = []
    for number in range(4990):
        at = NOW - timedelta(days=60) + timedelta(minutes=16 * number)
        by = chance.choice((MALLORY, STRANGE, ADMIN)) if number in foreign else PIPELINE
        events = [(at, push(number, by, at, tag=f"t{number % 7}"))]
        minute = at + timedelta(minutes=1)
        events += [(minute, store(number, by, minute))] if number in archived else []
        events += [(minute, delete(number, by, minute))] if number in deleted else []
        for called_at, event in events:
            delay = COMPLETE if number in late else timedelta(seconds=chance.choice((1, 5, 90, 600)))
            heard += [(called_at + delay, event, True), (called_at + delay + COMPLETE, event, False)]
        heard.append((at + COMPLETE + CLOCKS, witness(number, at, tag=f"t{number % 7}"), False))
    assert len(heard) >= 10_000
    heard.sort(key=lambda one: one[0])
    for start in range(0, len(heard), 20):
        for is_first in (True, False):
            noting.clock.time = heard[start][0]
            noting.hears(
                *(event for _, event, first in heard[start : start + 20] if first is is_first), is_first=is_first
            )
    oracle = {digest(number) for number in foreign}
    assert {*noting.named} == oracle
    announced = [image for one in noting.alerts.published if isinstance(one, ImagesPushed) for image in one.images]
    assert {image.digest for image in announced} == oracle
    ended = {act: {one.digest for one in noting.pushes if one.last and one.last.act == act} for act in ENDS}
    assert ended == {"archived": {*map(digest, archived)}, "deleted": {*map(digest, deleted)}}

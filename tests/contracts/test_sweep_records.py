"""What the sweeps looked at, the audit log, the switch's own history, and the hub's rules and notification."""

from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from ecr_warden.adapters.aws.event_sources import DEFAULT_BUS, RULES, AwsEventSources
from ecr_warden.adapters.aws.items import packed
from ecr_warden.adapters.aws.records import DynamoSweepRecords
from ecr_warden.model.codec.base import dumps
from ecr_warden.model.job import Actor
from ecr_warden.model.request import OF_COMMANDS, OF_SPECS, AuditEntry, AuditKind
from ecr_warden.model.sessions import TrustLook
from ecr_warden.model.watch import SourceState, SweepRecord

from tests.contracts.aws import Call, moto
from tests.contracts.hubs import OWNER, SPEC_BUCKET, TABLE, Hub, MotoHub

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
ROLE, USER = "role/111111111111/a", "user/111111111111/b"
TRUSTS = {ROLE: TrustLook(NOON, "a" * 64), "role/111111111111/z": TrustLook(NOON - timedelta(hours=1), "b" * 64)}
RECORD = SweepRecord("111111111111", NOON, "v1", frozenset((ROLE,)), frozenset((USER,)), TRUSTS)


def test_the_last_sweep_of_each_part_is_remembered(hub: Hub) -> None:
    assert hub.sweep_records.all() == []
    other = SweepRecord("222222222222/eu-central-1", NOON, "v1")
    for record in (RECORD, other, replace(RECORD, at=NOON + SECOND, version="v2")):
        hub.sweep_records.note(record)
    assert {record.part: record for record in hub.sweep_records.all()} == {
        "111111111111": replace(RECORD, at=NOON + SECOND, version="v2"),
        "222222222222/eu-central-1": other,
    }


def test_a_parts_last_record_is_found_by_the_part(hub: Hub) -> None:
    assert hub.sweep_records.of(RECORD.part) is None
    hub.sweep_records.note(replace(RECORD, version="v0"))
    hub.sweep_records.note(RECORD)
    assert hub.sweep_records.of(RECORD.part) == RECORD
    assert hub.sweep_records.of("222222222222") is None


def test_what_an_earlier_version_wrote_says_nothing_of_trust_policies(moto_hub: MotoHub) -> None:
    moto_hub.sweep_records.note(RECORD)
    written = packed(dumps({"fine": [ROLE], "due": [USER]}))
    item = {"pk": {"S": "SWEEP"}, "sk": {"S": f"PART#{RECORD.part}"}, "at": {"S": NOON.isoformat()}}
    moto_hub.client("dynamodb").put_item(TableName=TABLE, Item=item | {"version": {"S": "v1"}, "targets": written})
    assert moto_hub.sweep_records.of(RECORD.part) == replace(RECORD, trusts={})


@pytest.mark.parametrize("trusts", [{ROLE: "soon"}, {ROLE: {"at": "soon", "digest": "a"}}, [ROLE]], ids=str)
def test_a_record_that_this_version_cannot_read_is_none(moto_hub: MotoHub, trusts: object) -> None:
    moto_hub.sweep_records.note(RECORD)
    written = packed(dumps({"fine": [ROLE], "due": [USER], "trusts": trusts}))
    item = {"pk": {"S": "SWEEP"}, "sk": {"S": f"PART#{RECORD.part}"}, "at": {"S": NOON.isoformat()}}
    moto_hub.client("dynamodb").put_item(TableName=TABLE, Item=item | {"version": {"S": "v1"}, "targets": written})
    assert moto_hub.sweep_records.of(RECORD.part) is None


def test_a_sweep_record_is_one_write(moto_hub: MotoHub) -> None:
    moto_hub.sweep_records.note(RECORD)
    assert [action for action in moto_hub.wire.actions if action != "dynamodb:CreateTable"] == ["dynamodb:PutItem"]


@pytest.mark.parametrize(("count", "kept"), [(10_000, True), (100_000, False)])
def test_too_many_targets_are_not_stored_with_a_sweep_record(moto_hub: MotoHub, count: int, kept: bool) -> None:
    # Names without a pattern: the worst there is to pack.
    scattered = (number * 2654435761 % 2**32 for number in range(count))
    names = frozenset(f"repository/222222222222/eu-central-1/{name:08x}" for name in scattered)
    moto_hub.sweep_records.note(replace(RECORD, fine=names, due=frozenset(), trusts={}))
    [found] = DynamoSweepRecords(moto_hub.client("dynamodb"), TABLE).all()
    assert found == replace(RECORD, fine=names if kept else frozenset(), due=frozenset(), trusts={})


ENTRIES = [
    AuditEntry(AuditKind.SPEC_ACCEPTED, NOON, "v1", None, "the first"),
    AuditEntry(AuditKind.PAUSED, NOON + SECOND, "c1", ALICE, "a migration", (ROLE, USER)),
    AuditEntry(AuditKind.SPEC_REFUSED, NOON + 2 * SECOND, "v2", ALICE, "E104 access.yaml:3:1"),
    AuditEntry(AuditKind.RESUMED, NOON + 3 * SECOND, "c2", ALICE, "", (ROLE,)),
]


def test_audit_entries_are_listed_newest_first_within_a_time_and_of_a_kind(hub: Hub) -> None:
    for entry in (*ENTRIES, ENTRIES[1]):
        hub.audit.record(entry)
    newest = ENTRIES[::-1]
    assert [*hub.audit.entries(NOON, NOON + 3 * SECOND)] == newest
    assert [*hub.audit.entries(NOON + SECOND, NOON + 2 * SECOND)] == newest[1:3]
    assert [*hub.audit.entries(NOON, NOON + 9 * SECOND, OF_SPECS)] == [ENTRIES[2], ENTRIES[0]]
    assert [*hub.audit.entries(NOON, NOON + 9 * SECOND, OF_COMMANDS)] == [ENTRIES[3], ENTRIES[1]]
    assert [*hub.audit.entries(NOON, NOON + 9 * SECOND, {AuditKind.PAUSED})] == [ENTRIES[1]]
    assert [*hub.audit.entries(NOON + 4 * SECOND, NOON + 9 * SECOND)] == []


def test_a_parameter_records_who_set_the_switch_and_when(moto_hub: MotoHub) -> None:
    for position in ("enabled", "stopped", "enabled"):
        moto_hub.throw(position)
    kinds = {entry.id: (entry.kind, entry.by is not None) for entry in moto_hub.switch.changes()}
    # The first is the stack's.
    assert kinds == {"2": (AuditKind.WRITES_STOPPED, True), "3": (AuditKind.WRITES_ENABLED, True)}


def test_all_pages_of_the_switchs_history_are_read(moto_hub: MotoHub) -> None:
    moto_hub.throw("enabled")

    def page(call: Call) -> dict[str, object]:
        first = 1 if "NextToken" in call.parameters else 3
        versions = [
            {"Version": number, "Value": "stopped", "LastModifiedDate": NOON + number * SECOND}
            for number in (first, first + 1)
        ]
        return {"Parameters": versions, **({} if first == 1 else {"NextToken": "more"})}

    moto_hub.wire.answer("ssm:GetParameterHistory", page)
    assert [entry.id for entry in moto_hub.switch.changes()] == ["4", "3", "2"]
    assert {entry.by for entry in moto_hub.switch.changes()} == {None}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoHub]:
    """A hub with the rules and the notification of its stack."""
    with moto(monkeypatch):
        hub = MotoHub()
        events = hub.client("events")
        for rule in RULES:
            if rule.bus != DEFAULT_BUS:
                events.create_event_bus(Name=rule.bus)
            what = {"ScheduleExpression": "rate(15 minutes)"} if "sweep" in rule.name else {"EventPattern": "{}"}
            events.put_rule(Name=rule.name, EventBusName=rule.bus, **what)
            arn = f"arn:aws:lambda:eu-central-1:{OWNER}:function:{rule.function}"
            events.put_targets(Rule=rule.name, EventBusName=rule.bus, Targets=[{"Id": "1", "Arn": arn}])
        # As S3 answers; moto forgets it.
        hub.wire.answer("s3:GetBucketNotificationConfiguration", lambda _: {"EventBridgeConfiguration": {}})
        yield hub


def states(hub: MotoHub) -> list[SourceState]:
    event_sources = AwsEventSources(hub.client("events"), hub.s3, SPEC_BUCKET, OWNER)
    return [source.state for source in event_sources.sources()]


def test_rules_and_notification_as_the_stack_makes_them_are_on(deployed: MotoHub) -> None:
    assert states(deployed) == [SourceState.ON] * 5
    event_sources = AwsEventSources(deployed.client("events"), deployed.s3, SPEC_BUCKET, OWNER)
    assert [source.schedule for source in event_sources.sources() if source.schedule] == ["rate(15 minutes)"]


@pytest.mark.parametrize("index", range(4), ids=[rule.name for rule in RULES])
@pytest.mark.parametrize("state", [SourceState.MISSING, SourceState.DISABLED, SourceState.TARGETLESS])
def test_a_removed_rule_is_reported_and_the_others_are_on(deployed: MotoHub, index: int, state: SourceState) -> None:
    events, rule = deployed.client("events"), RULES[index]
    where = {"EventBusName": rule.bus}
    if state is SourceState.DISABLED:
        events.disable_rule(Name=rule.name, **where)
    else:
        events.remove_targets(Rule=rule.name, Ids=["1"], **where)
        if state is SourceState.MISSING:
            events.delete_rule(Name=rule.name, **where)
    wanted = [SourceState.ON] * 5
    wanted[index] = state
    assert states(deployed) == wanted


def test_a_rule_that_leads_to_something_else_leads_nowhere(deployed: MotoHub) -> None:
    arn = f"arn:aws:lambda:eu-central-1:{OWNER}:function:mine"
    deployed.client("events").put_targets(Rule="ecr-warden-sweep", Targets=[{"Id": "1", "Arn": arn}])
    assert states(deployed)[2] is SourceState.TARGETLESS


def test_a_removed_notification_is_reported(deployed: MotoHub) -> None:
    deployed.wire.answers.clear()
    assert states(deployed)[4] is SourceState.MISSING


def test_what_may_not_be_read_is_unknown(deployed: MotoHub) -> None:
    deployed.wire.answers.clear()
    deployed.wire.fail("events:DescribeRule", "AccessDeniedException", "no")
    deployed.wire.fail("s3:GetBucketNotificationConfiguration", "AccessDenied", "no", 403)
    assert states(deployed) == [SourceState.UNREADABLE] * 5

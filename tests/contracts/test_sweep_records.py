"""What the sweeps looked at, what is known of the wiring, the history log, and the switch's own history."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_warden.aws.table import packed
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.collect.wiring import Heartbeat, WatchRecord
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.job import Actor
from ecr_warden.core.sessions import TrustLook
from ecr_warden.state.aws_sweeps import DynamoSweepRecords
from ecr_warden.state.history import OF_COMMANDS, OF_SPECS, HistoryEntry, HistoryKind
from ecr_warden.state.sweeps import Awaited, SweepRecord
from tests.contracts.aws import Call
from tests.contracts.hubs import TABLE, Hub, MotoHub

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
ROLE, USER = "role/111111111111/a", "user/111111111111/b"
TRUSTS = {ROLE: TrustLook(NOON, "a" * 64), "role/111111111111/z": TrustLook(NOON - timedelta(hours=1), "b" * 64)}
AWAITED = {USER: Awaited(NOON, NOON - timedelta(hours=1), ("PutUserPolicy",))}
RECORD = SweepRecord(
    "111111111111",
    NOON,
    "v1",
    frozenset((ROLE,)),
    frozenset((USER,)),
    TRUSTS,
    AWAITED,
    over=1,
    due_since={USER: NOON - timedelta(hours=1)},
)
UNNAMED = SweepRecord("222222222222/us-east-1", NOON, "v1", cleared=frozenset(("x v0", "y v0")))


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


def test_what_the_spec_no_longer_names_is_remembered(hub: Hub) -> None:
    hub.sweep_records.note(UNNAMED)
    assert hub.sweep_records.of(UNNAMED.part) == UNNAMED
    hub.sweep_records.note(replace(UNNAMED, cleared=frozenset()))
    assert hub.sweep_records.of(UNNAMED.part) == SweepRecord(UNNAMED.part, NOON, "v1")


@pytest.mark.parametrize("trusts", [{ROLE: "soon"}, {ROLE: {"at": "soon", "digest": "a"}}, [ROLE]], ids=str)
def test_a_record_that_this_version_cannot_read_is_none(moto_hub: MotoHub, trusts: object) -> None:
    moto_hub.sweep_records.note(RECORD)
    written = packed(dumps({"fine": [ROLE], "due": [USER], "trusts": trusts, "awaited": {}}))
    item: dict[str, Any] = {
        "pk": {"S": "SWEEP"},
        "sk": {"S": f"PART#{RECORD.part}"},
        "schema": {"N": "1"},
        "at": {"S": NOON.isoformat()},
        "version": {"S": "v1"},
        "targets": written,
    }
    moto_hub.client("dynamodb").put_item(TableName=TABLE, Item=item)
    assert moto_hub.sweep_records.of(RECORD.part) is None
    assert moto_hub.sweep_records.all() == []


def test_a_sweep_record_is_one_write(moto_hub: MotoHub) -> None:
    moto_hub.sweep_records.note(RECORD)
    assert [action for action in moto_hub.wire.actions if action != "dynamodb:CreateTable"] == ["dynamodb:PutItem"]


def test_a_record_of_the_version_before_says_of_no_target_since_when_it_is_due(moto_hub: MotoHub) -> None:
    moto_hub.sweep_records.note(RECORD)
    written = packed(dumps({"fine": [ROLE], "due": [USER], "trusts": {}, "awaited": {}}))
    moto_hub.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": "SWEEP"}, "sk": {"S": f"PART#{RECORD.part}"}},
        UpdateExpression="SET targets = :targets",
        ExpressionAttributeValues={":targets": written},
    )
    assert moto_hub.sweep_records.of(RECORD.part) == replace(RECORD, trusts={}, awaited={}, due_since={})


@pytest.mark.parametrize(("count", "kept"), [(10_000, True), (100_000, False)])
def test_too_many_targets_are_not_stored_with_a_sweep_record(moto_hub: MotoHub, count: int, kept: bool) -> None:
    # Names without a pattern: the worst there is to pack.
    scattered = (number * 2654435761 % 2**32 for number in range(count))
    names = frozenset(f"repository/222222222222/eu-central-1/{name:08x}" for name in scattered)
    record = replace(RECORD, due=frozenset(), trusts={}, awaited={}, due_since={})
    moto_hub.sweep_records.note(replace(record, fine=names))
    [found] = DynamoSweepRecords(moto_hub.table).all()
    assert found == replace(record, fine=names if kept else frozenset())


OFF = Wire("rule a of 2 in r", "events", WireState.CHANGED, why="pattern", mark="changed pattern")
WATCHED = WatchRecord("222222222222/eu-central-1", NOON, "sweep-1", (OFF,))
OF_HUB = WatchRecord("hub", NOON, "sweep-1", (), ("222222222222/us-east-1",))


def test_the_last_look_at_the_wiring_of_each_part_is_remembered(hub: Hub) -> None:
    assert hub.watch_records.all() == {}
    for record in (WATCHED, OF_HUB, replace(WATCHED, sweep="sweep-2", wires=())):
        hub.watch_records.note(record)
    assert hub.watch_records.all() == {"hub": OF_HUB, WATCHED.part: replace(WATCHED, sweep="sweep-2", wires=())}
    assert [hub.watch_records.of(part) for part in ("hub", "elsewhere")] == [OF_HUB, None]


@pytest.mark.parametrize("knowing", range(3))
def test_a_sweep_has_finished_once_all_its_parts_were_looked_at_whichever_was_the_last(hub: Hub, knowing: int) -> None:
    """The hub's own part alone knows how many there are."""
    found = [hub.watch_records.looked("sweep-1", 3 if turn == knowing else 0) for turn in range(3)]
    assert found == [False, False, True]
    assert hub.watch_records.looked("sweep-2", 0) is False


def test_a_record_of_the_wiring_that_this_version_cannot_read_is_left_out(moto_hub: MotoHub) -> None:
    moto_hub.watch_records.note(WATCHED)
    item = {
        "pk": {"S": "WATCH"},
        "sk": {"S": "PART#hub"},
        "record": packed(dumps({"schema": 1, "part": "hub", "at": "soon"})),
    }
    moto_hub.client("dynamodb").put_item(TableName=TABLE, Item=item)
    assert (moto_hub.watch_records.all(), moto_hub.watch_records.of("hub")) == ({WATCHED.part: WATCHED}, None)


def test_the_latest_heartbeat_of_each_region_is_kept_whatever_the_order(hub: Hub) -> None:
    first, other = Heartbeat("2/r", NOON), Heartbeat("3/r", NOON, heard=False)
    for beat in (other, replace(first, at=NOON + SECOND), first, replace(first, at=NOON + SECOND)):
        hub.watch_records.beat(beat)
    assert hub.watch_records.beats() == {"2/r": replace(first, at=NOON + SECOND), "3/r": other}


def test_a_region_is_awaited_anew_once_it_is_back(hub: Hub) -> None:
    hub.watch_records.beat(Heartbeat("2/r", NOON))
    hub.watch_records.beat(Heartbeat("2/r", NOON + SECOND, heard=False))
    assert hub.watch_records.beats() == {"2/r": Heartbeat("2/r", NOON + SECOND, heard=False)}


ENTRIES = [
    HistoryEntry(HistoryKind.SPEC_ACCEPTED, NOON, "v1", None, "the first"),
    HistoryEntry(HistoryKind.PAUSED, NOON + SECOND, "c1", ALICE, "a migration", (ROLE, USER)),
    HistoryEntry(HistoryKind.SPEC_REFUSED, NOON + 2 * SECOND, "v2", ALICE, "E104 access.yaml:3:1"),
    HistoryEntry(HistoryKind.RESUMED, NOON + 3 * SECOND, "c2", ALICE, "", (ROLE,)),
]


def test_what_people_heard_is_listed_with_the_rest(hub: Hub) -> None:
    found = HistoryEntry(HistoryKind.FINDING_ENDED, NOON, "f1", None, "x can push", (ROLE,), since=NOON - SECOND)
    for entry in (ENTRIES[0], found):
        hub.log.record(entry)
    assert {*hub.log.entries(NOON, NOON)} == {ENTRIES[0], found}


def test_entries_are_listed_newest_first_within_a_time_and_of_a_kind(hub: Hub) -> None:
    for entry in (*ENTRIES, ENTRIES[1]):
        hub.log.record(entry)
    newest = ENTRIES[::-1]
    assert [*hub.log.entries(NOON, NOON + 3 * SECOND)] == newest
    assert [*hub.log.entries(NOON + SECOND, NOON + 2 * SECOND)] == newest[1:3]
    assert [*hub.log.entries(NOON, NOON + 9 * SECOND, OF_SPECS)] == [ENTRIES[2], ENTRIES[0]]
    assert [*hub.log.entries(NOON, NOON + 9 * SECOND, OF_COMMANDS)] == [ENTRIES[3], ENTRIES[1]]
    assert [*hub.log.entries(NOON, NOON + 9 * SECOND, {HistoryKind.PAUSED})] == [ENTRIES[1]]
    assert [*hub.log.entries(NOON + 4 * SECOND, NOON + 9 * SECOND)] == []


def test_a_parameter_records_who_set_the_switch_and_when(moto_hub: MotoHub) -> None:
    for position in ("enabled", "stopped", "enabled"):
        moto_hub.throw(position)
    kinds = {entry.id: (entry.kind, entry.by is not None) for entry in moto_hub.switch.changes()}
    # The first is that of a new hub.
    assert kinds == {"2": (HistoryKind.WRITES_STOPPED, True), "3": (HistoryKind.WRITES_ENABLED, True)}


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
    # The first is of a switch that was made stopped, where the hub had none.
    assert [entry.id for entry in moto_hub.switch.changes()] == ["4", "3", "2", "1"]
    assert {entry.by for entry in moto_hub.switch.changes()} == {None}


def test_the_parts_of_a_sweep_share_what_it_may_ask_for(hub: Hub) -> None:
    records = hub.sweep_records
    wanted = {"a": 4, "b": 5, "c": 3, "d": 2}
    assert [records.take("s1", part, number, 10) for part, number in wanted.items()] == [4, 5, 1, 0]
    assert [records.take("s1", part, wanted[part], 10) for part in "bac"] == [5, 4, 1], "killed, and begun again"
    assert records.take("s1", "e", 1, 10) == 0, "what was taken again counts once"
    assert records.take("s2", "a", 12, 10) == 10, "another sweep has its own"
    assert records.all() == []

"""The one JSON form of the model: what is written is read back, and nothing else is read."""

import json
from collections.abc import Callable
from copy import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecr_warden.audit.finding import AuditRecord, audit_from_json, audit_to_json
from ecr_warden.core.alert import Alert, alert_to_json
from ecr_warden.core.codec.access import MAX_PERMISSIONS, access_from_json, access_to_json
from ecr_warden.core.codec.base import CodecError, Json, dumps, loads
from ecr_warden.core.codec.runs import open_run_from_json, open_run_to_json, run_report_from_json
from ecr_warden.core.codec.values import to_json
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.ecr import REPOSITORY_POLICY_QUOTA
from ecr_warden.core.job import Actor, Cause, CauseKind, Job, ReconcileTarget, job_from_json, job_to_json
from ecr_warden.core.plan import Plan
from ecr_warden.core.run import OpenRun
from ecr_warden.core.target import RoleTarget
from ecr_warden.notify.kinds import alert_from_json
from ecr_warden.state.codec_spec import ENTRIES, manifest_to_json, spec_from_json
from ecr_warden.state.tree_writer import KeptSpecs
from ecr_warden.versions.alerts import SpecAccepted
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import parse_document
from local.testing.memory.hub import MemoryObjects
from tests import examples
from tests.plans import plan_from_json
from tests.tables import load
from tests.unit.core import values

READERS: dict[str, Callable[[Json], object]] = {
    "job": job_from_json,
    "run": open_run_from_json,
    "alert": alert_from_json,
    "report": run_report_from_json,
    "spec": spec_from_json,
    "audit": audit_from_json,
}
slow = settings(examples.of(60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@slow
@given(values.jobs)
def test_a_job_is_read_back_as_it_was_written(job: Job) -> None:
    assert job_from_json(loads(dumps(job_to_json(job)))) == job


@slow
@given(values.open_runs)
def test_a_journalled_run_is_read_back_as_it_was_written(run: OpenRun) -> None:
    assert open_run_from_json(loads(dumps(open_run_to_json(run)))) == run


@slow
@given(values.alerts)
def test_an_announcement_is_read_back_as_it_was_written(alert: Alert) -> None:
    assert alert_from_json(loads(dumps(alert_to_json(alert)))) == alert


@slow
@given(values.compiled_specs)
def test_a_compiled_spec_is_read_back_as_it_was_written(spec: CompiledSpec) -> None:
    tree = KeptSpecs(MemoryObjects())
    assert tree.read(tree.keep(spec), spec.version).whole == spec


@slow
@given(values.compiled_specs)
def test_a_compiled_spec_with_the_fields_of_settings_that_are_gone_is_read_without_them(spec: CompiledSpec) -> None:
    target, pattern = {"exact": True, "revokeOnRemove": False}, {"exact": True, "revokeOnRemove": True}
    for key, one in spec.targets.items():
        stored = loads(dumps({key: ENTRIES["targets"].write(one)}))[key]
        assert ENTRIES["targets"].read(stored | target) == one
    manifest = loads(dumps(manifest_to_json(spec)))
    manifest |= {
        "endSessions": "all",
        "limits": {"widening": "approve"},
        "released": [{"address": "anything", "since": "v1"}],
    }
    manifest["patterns"] = [one | pattern for one in manifest["patterns"]]
    lists: dict[str, dict[str, Any]] = {"targets": {}, "removed": {}, "takenOver": {}, "literal": {}}
    assert spec_from_json(manifest | lists) == replace(spec, targets={}, removed={}, taken_over={}, literal={})


def test_an_announcement_of_a_version_that_counts_what_it_released_is_read_without_that() -> None:
    cause = Cause(CauseKind.EVENT, "e-1")
    accepted = SpecAccepted(cause, "v2", "v1", ("a",), ("W501 ..",), (7, 9))
    sent = alert_to_json(accepted) | {"released": ["b"], "leftOut": [7, 8, 9]}
    found = alert_from_json(loads(dumps(sent)))
    assert isinstance(found, SpecAccepted)
    assert (found.changed, found.warnings, found.left_out[0], found.left_out[-1]) == (("a",), ("W501 ..",), 7, 9)


@slow
@given(values.audit_records)
def test_an_audit_is_read_back_as_it_was_written(record: AuditRecord) -> None:
    assert audit_from_json(loads(dumps(audit_to_json(record)))) == record


@slow
@given(values.plans)
def test_a_plan_is_read_back_as_it_was_written(plan: Plan) -> None:
    assert plan_from_json(loads(dumps(to_json(plan)))) == plan


def test_a_job_on_the_queue_has_a_stable_form() -> None:
    actor = Actor("IAMUser", arn="arn:aws:iam::222222222222:user/mallory")
    cause = Cause(CauseKind.EVENT, "e-1", action="iam:DeleteRole", actor=actor)
    assert job_to_json(ReconcileTarget(cause, RoleTarget("222222222222", "ECR-pusher"))) == {
        "schema": 1,
        "kind": "reconcile-target",
        "cause": {
            "kind": "event",
            "id": "e-1",
            "action": "iam:DeleteRole",
            "actor": {"type": "IAMUser", "arn": "arn:aws:iam::222222222222:user/mallory"},
        },
        "target": "role/222222222222/ECR-pusher",
    }


def test_an_actor_is_read_as_it_is_written() -> None:
    given = {
        "type": "AssumedRole",
        "sessionName": "a",
        "invokedBy": "b",
        "sourceIdentity": "c",
        "sourceIp": "d",
        "userAgent": "e",
    }
    job = job_from_json({**_JOB, "cause": {**_CAUSE, "actor": given}})
    actor = Actor("AssumedRole", session_name="a", invoked_by="b", source_identity="c", source_ip="d", user_agent="e")
    assert job.cause.actor == actor
    assert job_to_json(job)["cause"]["actor"] == given


_CAUSE = {"kind": "sweep", "id": "s"}
_JOB = {"schema": 1, "kind": "reconcile-target", "cause": _CAUSE, "target": "user/111111111111/u"}
_PART = {"schema": 1, "kind": "sweep-identities", "cause": _CAUSE, "account": "111111111111"}
_PLAN = {"target": "user/111111111111/u", "specVersion": "v", "drifts": [], "changes": [], "held": []}
_RUN = {
    "schema": 1,
    "kind": "run",
    "runId": "r",
    "cause": _CAUSE,
    "mode": "enforce",
    "result": "in-sync",
    "plan": _PLAN,
    "outcomes": [],
    "startedAt": "2026-01-01T00:00:00+00:00",
    "finishedAt": "2026-01-01T00:00:00+00:00",
    "accounts": [],
    "attempt": 1,
    "final": True,
    "intruder": False,
}
_CHANGE = {
    "operation": "delete",
    "address": {"kind": "identity-policy", "target": "user/111111111111/u", "name": "x"},
    "before": None,
    "expect": None,
    "after": None,
    "access": None,
    "why": "",
}
_ENTRIES: Json = {"targets": {}, "removed": {}, "takenOver": {}, "literal": {}}
_SPEC = manifest_to_json(CompiledSpec("v", Mode.ENFORCE, (), {})) | _ENTRIES
_TARGET_SPEC = {
    "target": "user/111111111111/u",
    "extent": "ours",
    "documents": [],
    "widenAfter": [],
    "dependents": [],
    "principals": {},
}


_ALERT = {"schema": 1, "kind": "spec-refused", "cause": _CAUSE, "version": "v", "enforced": None, "problems": []}
RIGHT: dict[str, tuple[Callable[[Json], object], Json]] = {
    "job": (job_from_json, _JOB),
    "part": (job_from_json, _PART),
    "run": (run_report_from_json, _RUN),
    "alert": (alert_from_json, _ALERT),
    "spec": (spec_from_json, _SPEC),
    "target": (ENTRIES["targets"].read, _TARGET_SPEC),
}
MALFORMED: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/malformed.yaml").read_text())


def _with(right: Json, changed: Json) -> Json:
    """A right value with something changed; of a run, `change` is of its only change."""
    if "change" in changed:
        changed = dict(changed)
        changed["plan"] = _PLAN | {"changes": [_CHANGE | changed.pop("change")]}
    return right | changed


@pytest.mark.parametrize("name", MALFORMED["changed"])
def test_malformed_input_is_refused(name: str) -> None:
    [(of, changed)] = MALFORMED["changed"][name].items()
    read, right = RIGHT[of]
    with pytest.raises(CodecError):
        read(_with(right, changed))


@pytest.mark.parametrize("name", MALFORMED["whole"])
def test_what_is_no_job_is_refused(name: str) -> None:
    with pytest.raises(CodecError):
        job_from_json(MALFORMED["whole"][name])


@pytest.mark.parametrize("name", _SPEC)
def test_a_compiled_spec_that_lacks_a_field_is_refused(name: str) -> None:
    with pytest.raises(CodecError):
        spec_from_json({key: value for key, value in _SPEC.items() if key != name})


def test_the_valid_values_that_malformed_ones_are_derived_from_are_accepted() -> None:
    for read, right in RIGHT.values():
        read(right)
    run_report_from_json(_with(_RUN, {"change": {}, "outcomes": [{"change": 0, "outcome": "applied"}]}))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1", '"x"', "[" * 100_000, b"\xff"], ids=range(8))
def test_a_body_that_is_not_a_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(CodecError):
        loads(text)


@pytest.mark.parametrize("reader", READERS)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(_RUN)), inner, max_size=5),
        max_leaves=10,
    )
)
def test_any_json_is_read_or_refused(reader: str, value: Any) -> None:
    try:
        READERS[reader](value)
    except CodecError:
        return


@slow
@given(st.sampled_from(("job", "run", "alert", "spec")), st.data())
def test_one_spoiled_value_is_read_or_refused(reader: str, data: st.DataObject) -> None:
    written: Json = {
        "job": lambda: job_to_json(data.draw(values.jobs)),
        "run": lambda: open_run_to_json(data.draw(values.open_runs)),
        "alert": lambda: alert_to_json(data.draw(values.alerts)),
        "spec": lambda: manifest_to_json(data.draw(values.compiled_specs)) | _ENTRIES,
    }[reader]()
    value = json.loads(dumps(written))
    holder: Any = value
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
            holder = holder[key]
            continue
        holder[key] = data.draw(st.sampled_from((None, True, -1, float("nan"), "x", [], {}, ["x"], {"x": 1})))
        break
    try:
        READERS[reader](value)
    except CodecError:
        return


def test_at_most_so_many_permissions_of_a_side_are_written_and_the_others_counted() -> None:
    names = [f"arn:aws:iam::999999999999:user/u{number:03}" for number in range(900)]
    statement = {"Effect": "Allow", "Principal": {"AWS": names}, "Action": "ecr:PutImage"}
    access = gained_and_lost(None, parse_document({"Version": "2012-10-17", "Statement": statement}))
    written = access_to_json(access)
    assert written is not None
    assert (len(access.gained), len(written["gained"]), written["lost"]) == (900, MAX_PERMISSIONS, [])
    assert access_from_json(written).left_out == 900 - MAX_PERMISSIONS
    assert access_to_json(access_from_json(written)) == written


def test_nobody_hides_behind_the_permissions_of_others() -> None:
    """Many principals, each with many actions: each is written with one at least."""
    known = [f"arn:aws:iam::111111111111:user/u{number:03}" for number in range(213)]
    outsider = "arn:aws:iam::999999999999:user/mallory"
    actions = [f"ecr:Do{number}" for number in range(30)]
    statement = {"Effect": "Allow", "Principal": {"AWS": [*known, outsider]}, "Action": actions}
    access = gained_and_lost(None, parse_document({"Version": "2012-10-17", "Statement": statement}))
    written = access_to_json(access)
    assert written is not None
    assert {entry["principal"][1] for entry in written["gained"]} == {*known, outsider}


def test_nobody_is_left_out_of_a_policy_as_full_of_account_ids_as_aws_takes() -> None:
    def text(count: int) -> str:
        ids = [f"{111111111111 + number}" for number in range(count)]
        statement = {"Effect": "Allow", "Principal": {"AWS": ids}, "Action": ["ecr:*", "s3:*"]}
        return json.dumps({"Statement": statement}, separators=(",", ":"))

    most = next(count for count in range(1000, 0, -1) if len(text(count)) <= REPOSITORY_POLICY_QUOTA)
    written = access_to_json(gained_and_lost(None, parse_document(text(most))))
    assert written is not None
    assert len({entry["principal"][1] for entry in written["gained"]}) == most


def test_a_long_part_that_many_permissions_have_is_written_once() -> None:
    """What a document repeats once for each of its permissions would not fit into the journal, and stop the repair."""
    condition = {"StringEquals": {"aws:UserAgent": "".join(map(chr, range(0x20000, 0x20000 + 6000)))}}
    resources = [f"arn:aws:ecr:*:*:repository/{'x' * 200}{number}" for number in range(20)]
    actions = [f"ecr:Do{number}" for number in range(30)]
    statement = {"Effect": "Allow", "Resource": resources, "Action": actions, "Condition": condition}
    access = gained_and_lost(None, parse_document({"Version": "2012-10-17", "Statement": statement}))
    written = access_to_json(access)
    assert written is not None
    assert len(written["shared"]) == 1 + len(resources)
    assert len(json.dumps(written)) < 2 * len(json.dumps(statement))
    assert access_from_json(written) == access

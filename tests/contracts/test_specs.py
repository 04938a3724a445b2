"""Specs: the file, and the version of it that is accepted."""

import hashlib
from collections.abc import Callable
from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.core.address import repository_policy, role, trust_policy
from ecr_warden.core.desired import CompiledSpec, Extent, Mode, MustNotExist, TargetSpec
from ecr_warden.core.lazy_entries import entries_in, parts_in
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES, BaselineLost, SpecMissing, SpecTooLarge, SpecUnversioned
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.state.accepted import CompiledUnusable, SpecSuperseded
from ecr_warden.state.aws_aliases import ACCEPTED, accepted_aliases
from ecr_warden.state.specs import (
    KeptBaseline,
    SpecsInForce,
    SpecVersion,
)
from local.testing.seed import (
    CHECKOUT,
    CI,
    D3,
    HOME,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    SETTINGS,
    repository_document,
    trust_document,
)
from tests.contracts.hubs import OWNER, STATE_BUCKET, Hub, MotoHub


def compiled(version: str) -> CompiledSpec:
    specs = [
        TargetSpec(
            CHECKOUT,
            Extent.WHOLE,
            {repository_policy(CHECKOUT): repository_document()},
            dependents=(PUSH_USER,),
            principals={f"arn:aws:iam::{CI}:user/push-user": PUSH_USER},
        ),
        TargetSpec(
            PUSHER,
            Extent.WHOLE,
            {role(PUSHER): SETTINGS, trust_policy(PUSHER): trust_document(), D3: MustNotExist()},
            widen_after={D3: (PUSHER,)},
        ),
    ]
    targets = {spec.target.key: spec for spec in specs}
    return CompiledSpec(version, Mode.ENFORCE, (CI, HOME), targets, aliases={CI: "ci", HOME: "registry"})


def test_current_is_what_was_uploaded_last(hub: Hub) -> None:
    for data in (b"version: 1\n", "größer: 2\n".encode()):
        version = hub.upload(data)
        assert hub.specs.current() == SpecVersion(version, data)


def test_file_that_never_existed_is_missing(hub: Hub) -> None:
    with pytest.raises(SpecMissing):
        hub.specs.current()


def test_deleted_file_is_missing(hub: Hub) -> None:
    hub.upload(b"version: 1\n")
    hub.unload()
    with pytest.raises(SpecMissing):
        hub.specs.current()


def test_file_may_be_as_large_as_any_spec_and_no_larger(hub: Hub) -> None:
    hub.upload(b"#" * MAX_SPEC_BYTES)
    assert len(hub.specs.current().data) == MAX_SPEC_BYTES
    version = hub.upload(b"#" * (MAX_SPEC_BYTES + 1))
    with pytest.raises(SpecTooLarge, match=f"{MAX_SPEC_BYTES + 1}") as caught:
        hub.specs.current()
    assert caught.value.fingerprint == version


def test_file_under_another_key_is_named(hub: Hub) -> None:
    hub.misname("access.yml")
    with pytest.raises(SpecMissing, match=r"access\.yml") as caught:
        hub.specs.current()
    assert "only access.yaml is read" in caught.value.remedy


def test_file_in_a_bucket_without_versions_is_not_a_spec(hub: Hub) -> None:
    hub.unversion()
    hub.upload(b"version: 1\n")
    with pytest.raises(SpecUnversioned, match="no version"):
        hub.specs.current()


def test_nothing_is_accepted_at_first(hub: Hub) -> None:
    assert hub.specs.accepted() is None


def test_accepted_version_comes_back_as_it_was_compiled(hub: Hub) -> None:
    for version in ("v1", "v2"):
        hub.specs.accept(compiled(version), over=hub.specs.standing())
        assert hub.specs.accepted() == compiled(version)


def test_the_aliases_of_the_accepted_version_are_read_without_it(moto_hub: MotoHub) -> None:
    assert accepted_aliases(moto_hub.table) == {}
    moto_hub.specs.accept(compiled("v1"), over=moto_hub.specs.standing())
    assert accepted_aliases(moto_hub.table) == {CI: "ci", HOME: "registry"}


# name: of what stands, what a version is to replace: of the first, of the second version, or nothing
OTHERS: dict[str, Callable[[SpecsInForce, SpecsInForce], SpecsInForce]] = {
    "nothing": lambda _first, _second: SpecsInForce(),
    "the version before": lambda first, _second: first,
    "another baseline": lambda _first, second: replace(second, baseline="0" * 64),
    "no baseline": lambda _first, second: replace(second, baseline=""),
}


@pytest.mark.parametrize("case", OTHERS)
def test_version_that_replaces_another_than_what_stands_is_not_accepted(hub: Hub, case: str) -> None:
    hub.specs.accept(compiled("v1"), over=SpecsInForce(), text=b"one")
    first = hub.specs.standing()
    hub.specs.accept(compiled("v2"), over=first)
    with pytest.raises(SpecSuperseded) as caught:
        hub.specs.accept(compiled("v3"), over=OTHERS[case](first, hub.specs.standing()))
    assert caught.value.retryable
    assert hub.specs.accepted() == compiled("v2")


def test_what_a_version_replaced_and_when_is_known_until_another_replaces_it(hub: Hub) -> None:
    since = hub.clock.now()
    hub.specs.accept(compiled("v1"), over=hub.specs.standing(), at=since)
    assert hub.specs.replaced() is None, "the first replaces none"
    hub.clock.advance(timedelta(minutes=1))
    hub.specs.accept(compiled("v2"), over=hub.specs.standing(), at=hub.clock.now())
    # The same version, compiled by another release, or with other documents that it takes over.
    hub.specs.accept(replace(compiled("v2"), organizations=("o-a1b2c3d4e5",)), over=hub.specs.standing())
    replaced = hub.specs.replaced()
    assert replaced is not None
    assert (replaced.spec.whole, replaced.since, replaced.at) == (compiled("v1"), since, hub.clock.now())


def test_a_version_of_which_nobody_noted_since_when_it_was_in_force_was_so_for_no_time(hub: Hub) -> None:
    hub.specs.accept(compiled("v1"), over=hub.specs.standing())
    hub.specs.accept(compiled("v2"), over=hub.specs.standing(), at=hub.clock.now())
    replaced = hub.specs.replaced()
    assert replaced is not None
    assert (replaced.since, replaced.at) == (hub.clock.now(), hub.clock.now())


def test_first_version_replaces_none(hub: Hub) -> None:
    with pytest.raises(SpecSuperseded):
        hub.specs.accept(compiled("v1"), over=SpecsInForce(accepted="0" * 64))
    assert (hub.specs.accepted(), hub.specs.standing()) == (None, SpecsInForce())


def test_of_two_who_accept_at_once_one_wins(hub: Hub) -> None:
    stood = hub.specs.standing()
    hub.specs.accept(compiled("v1"), over=stood, text=b"one")
    with pytest.raises(SpecSuperseded):
        hub.specs.accept(compiled("v2"), over=stood, text=b"two")
    now = hub.specs.baseline()
    assert now == KeptBaseline("v1", b"one", compiled("v1"))


def test_a_version_that_takes_effect_by_itself_leaves_the_baseline(hub: Hub) -> None:
    assert hub.specs.baseline() is None
    hub.specs.accept(compiled("v1"), over=SpecsInForce())
    assert (hub.specs.baseline(), hub.specs.standing().baseline) == (None, "")
    hub.specs.accept(compiled("v2"), over=hub.specs.standing(), text=b"two")
    hub.specs.accept(compiled("v3"), over=hub.specs.standing())
    assert hub.specs.baseline() == KeptBaseline("v2", b"two", compiled("v2"))
    assert hub.specs.kept(hub.specs.standing().baseline) == compiled("v2")
    assert hub.specs.kept(hub.specs.standing().accepted) == compiled("v3")


@pytest.mark.parametrize("what", ["compiled", "text"])
@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_baseline_is_lost_whose_text_or_compiled_form_is_gone_or_changed(
    moto_hub: MotoHub, how: str, what: str
) -> None:
    moto_hub.specs.accept(compiled("v1"), over=SpecsInForce(), text=b"one")
    moto_hub.specs.accept(compiled("v2"), over=moto_hub.specs.standing())
    digest = moto_hub.specs.standing().baseline if what == "compiled" else hashlib.sha256(b"one").hexdigest()
    key = f"compiled/{digest}"
    if how == "gone":
        moto_hub.s3.delete_object(Bucket=STATE_BUCKET, Key=key)
    else:
        moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=key, Body=b"another")
    with pytest.raises(BaselineLost, match=key):
        moto_hub.specs_of_another_container().baseline()
    assert moto_hub.specs_of_another_container().accepted() == compiled("v2")


def test_a_baseline_that_another_ecr_warden_compiled_has_its_text(moto_hub: MotoHub) -> None:
    moto_hub.specs.accept(compiled("v1"), over=SpecsInForce(), text=b"one")
    body = b'{"schema": 1}'
    digest = hashlib.sha256(body).hexdigest()
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=f"compiled/{digest}", Body=body)
    moto_hub.table.update("a test", ACCEPTED, "SET baseline = :key", {":key": {"S": digest}})
    assert moto_hub.specs_of_another_container().baseline() == KeptBaseline("v1", b"one", None)


def test_what_is_kept_is_known_by_its_digest(hub: Hub) -> None:
    digest, text = hub.specs.keep(compiled("v1")), hub.specs.keep_text(b"one")
    assert (hub.specs.kept(digest), hub.specs.kept_text(text)) == (compiled("v1"), b"one")
    assert (hub.specs.kept("0" * 64), hub.specs.kept_text("0" * 64)) == (None, None)
    assert hub.specs.accepted() is None


def test_what_somebody_else_wrote_is_not_what_was_kept(moto_hub: MotoHub) -> None:
    digest, text = moto_hub.specs.keep(compiled("v1")), moto_hub.specs.keep_text(b"one")
    for stored in moto_hub.s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]:
        moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=stored["Key"], Body=b"{}")
    assert (moto_hub.specs.kept(digest), moto_hub.specs.kept_text(text)) == (None, None)


def test_which_version_was_refused_last_is_remembered(hub: Hub) -> None:
    assert hub.specs.refused() == ""
    for version in ("v1", "v2", ""):
        hub.specs.note_refused(version)
        assert hub.specs.refused() == version
    assert hub.specs.accepted() is None


@pytest.mark.parametrize(
    "item", [{"version": {"S": "v1"}}, {"noted": {"S": '{"schema":1,"kind":"begun","version":"v1"}'}}, {}]
)
def test_what_another_ecr_warden_noted_of_a_refused_version_stops_nothing(
    moto_hub: MotoHub, item: dict[str, Any]
) -> None:
    moto_hub.table.put("a test", {"pk": {"S": "SPEC"}, "sk": {"S": "REFUSED"}, **item})
    assert moto_hub.specs.refused() == item.get("version", {}).get("S", "")


def test_what_was_reported_of_a_place_is_remembered_by_its_name(hub: Hub) -> None:
    long = "k" * 1020 + ".yml"
    for key in ("acces.yaml", long):
        assert hub.specs.reported(key) is None
        for version in ("v1", "v2"):
            hub.specs.note_reported(key, version)
            assert hub.specs.reported(key) == version
    assert (hub.specs.reported("acces.yaml"), hub.specs.reported("other.yaml")) == ("v2", None)
    assert (hub.specs.refused(), hub.specs.accepted()) == ("", None)


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_no_part_of_a_compiled_spec_that_somebody_else_wrote_or_deleted_counts(moto_hub: MotoHub, how: str) -> None:
    moto_hub.specs.accept(compiled("v1"), over=SpecsInForce())
    kept = [one["Key"] for one in moto_hub.s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]]
    assert len(kept) == 4, "the manifest, a repository, a role, and who is named"
    for key in kept:
        text = moto_hub.s3.get_object(Bucket=STATE_BUCKET, Key=key)["Body"].read()
        if how == "gone":
            moto_hub.s3.delete_object(Bucket=STATE_BUCKET, Key=key)
        else:
            moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=key, Body=text + b" ")
        with pytest.raises(CompiledUnusable, match=key) as caught:
            moto_hub.specs_of_another_container().whole()
        assert (caught.value.place, caught.value.retryable) == (f"s3://{STATE_BUCKET}/{key}", False)
        moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=key, Body=text)
    assert moto_hub.specs_of_another_container().whole() == compiled("v1")


def large(version: str, *, more: str = "") -> CompiledSpec:
    """Repositories in two accounts, one user whom all of them name, and one who is named by `more`."""
    entries = {}
    for account in (CI, HOME):
        for number in range(200):
            target = RepositoryTarget(account, "eu-central-1", f"shop/{number}")
            named = {"arn": PUSH_USER} | ({"other": PULL_USER} if str(target) == more else {})
            documents = {repository_policy(target): repository_document()}
            entries[target.key] = TargetSpec(target, Extent.WHOLE, documents, principals=named)
    return CompiledSpec(version, Mode.ENFORCE, (CI, HOME), entries)


def reads(hub: MotoHub) -> int:
    """How many objects were read or written since the last look."""
    calls = [call for call in hub.wire.calls if call.action in ("s3:GetObject", "s3:PutObject")]
    hub.wire.calls.clear()
    return len(calls)


def test_one_entry_costs_two_readings_however_many_there_are_and_none_when_it_was_read(moto_hub: MotoHub) -> None:
    moto_hub.specs.accept(large("v1"), over=SpecsInForce())
    key = f"repository/{HOME}/eu-central-1/shop/7"
    specs = moto_hub.specs_of_another_container()
    reads(moto_hub)
    for number in (2, 0):
        accepted = specs.accepted()
        assert accepted is not None and accepted.targets[key] == large("v1").targets[key]
        assert (accepted.overall_mode, reads(moto_hub)) == (Mode.ENFORCE, number)


def test_who_names_an_identity_is_known_without_reading_the_others(moto_hub: MotoHub) -> None:
    named = f"repository/{HOME}/eu-central-1/shop/7"
    moto_hub.specs.accept(large("v1", more=named), over=SpecsInForce())
    reads(moto_hub)
    accepted = moto_hub.specs_of_another_container().accepted()
    assert accepted is not None and [one.target.key for one in accepted.naming(PULL_USER)] == [named]
    assert reads(moto_hub) == 3, "the manifest, the leaf of the names, that of the repository"
    assert len([*accepted.naming(PUSH_USER)]) == 400


def test_a_part_of_a_sweep_reads_no_leaf_of_another(moto_hub: MotoHub) -> None:
    moto_hub.specs.accept(large("v1"), over=SpecsInForce())
    reads(moto_hub)
    accepted = moto_hub.specs_of_another_container().accepted()
    assert accepted is not None and parts_in(accepted.targets) == {f"{CI}/eu-central-1", f"{HOME}/eu-central-1"}
    assert {one.target.account for one in entries_in(accepted.targets, f"{CI}/eu-central-1").values()} == {CI}
    assert reads(moto_hub) == 1 + 8


def test_a_version_that_changes_one_entry_writes_its_leaf_and_the_manifest(moto_hub: MotoHub) -> None:
    moto_hub.specs.accept(large("v1"), over=SpecsInForce())
    reads(moto_hub)
    more = f"repository/{HOME}/eu-central-1/shop/7"
    moto_hub.specs.accept(large("v2", more=more), over=moto_hub.specs.standing())
    assert reads(moto_hub) == 3, "the manifest, the leaf of the repository, and who is named"
    assert moto_hub.specs_of_another_container().whole() == large("v2", more=more)


def test_every_call_to_a_bucket_names_the_expected_owner(moto_hub: MotoHub) -> None:
    specs = moto_hub.specs
    with pytest.raises(SpecMissing):
        specs.current()
    version = moto_hub.upload(b"version: 1")
    moto_hub.wire.calls.clear()
    specs.current()
    specs.text(version)
    specs.accept(compiled("v1"), over=SpecsInForce())
    moto_hub.specs_of_another_container().accepted()
    calls = [call for call in moto_hub.wire.calls if call.action.startswith("s3:")]
    assert {call.action for call in calls} == {"s3:GetObject", "s3:PutObject"}
    assert {call.parameters.get("ExpectedBucketOwner") for call in calls} == {OWNER}


def test_an_older_version_can_be_read_until_it_is_no_longer_kept(hub: Hub) -> None:
    version = hub.upload(b"version: 1")
    assert hub.specs.text(version) == b"version: 1"
    with pytest.raises(SpecMissing, match="no longer kept"):
        hub.specs.text("gone")

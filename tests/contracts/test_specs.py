"""Specs: the file, and the version of it that is accepted."""

import pytest
from ecr_warden.model.address import repository_policy, role, trust_policy
from ecr_warden.model.desired import CompiledSpec, Extent, Mode, MustNotExist, TargetSpec
from ecr_warden.ports.errors import SpecMissing, SpecSuperseded, SpecTampered, SpecTooLarge, SpecUnversioned
from ecr_warden.ports.store import SpecVersion

from local.testing.seed import CHECKOUT, CI, D3, HOME, PUSH_USER, PUSHER, SETTINGS, repository_document, trust_document
from tests.contracts.hubs import OWNER, STATE_BUCKET, Hub, MotoHub

LIMIT = 1024 * 1024


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
    return CompiledSpec(version, Mode.ENFORCE, (CI, HOME), {spec.target.key: spec for spec in specs})


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
    hub.upload(b"#" * LIMIT)
    assert len(hub.specs.current().data) == LIMIT
    version = hub.upload(b"#" * (LIMIT + 1))
    with pytest.raises(SpecTooLarge, match=f"{LIMIT + 1}") as caught:
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
    for version, replaces in (("v1", None), ("v2", "v1")):
        hub.specs.accept(compiled(version), replaces=replaces)
        assert hub.specs.accepted() == compiled(version)


@pytest.mark.parametrize("replaces", [None, "v0", "v2"])
def test_version_that_replaces_another_than_the_accepted_one_is_not_accepted(hub: Hub, replaces: str | None) -> None:
    hub.specs.accept(compiled("v1"), replaces=None)
    with pytest.raises(SpecSuperseded) as caught:
        hub.specs.accept(compiled("v2"), replaces=replaces)
    assert caught.value.retryable
    assert hub.specs.accepted() == compiled("v1")


def test_first_version_replaces_none(hub: Hub) -> None:
    with pytest.raises(SpecSuperseded):
        hub.specs.accept(compiled("v1"), replaces="v0")
    assert hub.specs.accepted() is None


def test_version_refused_last_is_remembered(hub: Hub) -> None:
    assert hub.specs.refused() is None
    for version in ("v1", "v2"):
        hub.specs.refuse(version)
        assert hub.specs.refused() == version
    assert hub.specs.accepted() is None


def test_what_was_reported_of_objects_under_other_keys_is_remembered_by_key(hub: Hub) -> None:
    long = "k" * 1020 + ".yml"
    for key in ("acces.yaml", long):
        assert hub.specs.misplaced(key) is None
        for version in ("v1", "v2"):
            hub.specs.note_misplaced(key, version)
            assert hub.specs.misplaced(key) == version
    assert (hub.specs.misplaced("acces.yaml"), hub.specs.misplaced("other.yaml")) == ("v2", None)
    assert (hub.specs.refused(), hub.specs.accepted()) == (None, None)


def test_a_compiled_spec_that_somebody_else_wrote_does_not_count_as_accepted(moto_hub: MotoHub) -> None:
    moto_hub.specs.accept(compiled("v1"), replaces=None)
    [stored] = moto_hub.s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]
    text = moto_hub.s3.get_object(Bucket=STATE_BUCKET, Key=stored["Key"])["Body"].read()
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=stored["Key"], Body=text.replace(b"push-user", b"evil-user"))
    with pytest.raises(SpecTampered, match=stored["Key"]) as caught:
        moto_hub.specs_of_another_container().accepted()
    assert not caught.value.retryable
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=stored["Key"], Body=text)
    assert moto_hub.specs_of_another_container().accepted() == compiled("v1")


def test_every_call_to_a_bucket_names_the_expected_owner(moto_hub: MotoHub) -> None:
    specs = moto_hub.specs
    with pytest.raises(SpecMissing):
        specs.current()
    version = moto_hub.upload(b"version: 1")
    moto_hub.wire.calls.clear()
    specs.current()
    specs.text(version)
    specs.accept(compiled("v1"), replaces=None)
    moto_hub.specs_of_another_container().accepted()
    calls = [call for call in moto_hub.wire.calls if call.action.startswith("s3:")]
    assert [call.action for call in calls] == ["s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:GetObject"]
    assert [call.parameters.get("ExpectedBucketOwner") for call in calls] == [OWNER] * 4


def test_an_older_version_can_be_read_until_it_is_no_longer_kept(hub: Hub) -> None:
    version = hub.upload(b"version: 1")
    assert hub.specs.text(version) == b"version: 1"
    with pytest.raises(SpecMissing, match="no longer kept"):
        hub.specs.text("gone")

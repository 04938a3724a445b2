"""Specs: the file, and the version of it that is accepted."""

import hashlib
from collections.abc import Callable
from copy import replace

import pytest

from ecr_warden.core.address import repository_policy, role, trust_policy
from ecr_warden.core.desired import CompiledSpec, Extent, Mode, MustNotExist, TargetSpec
from ecr_warden.core.failures import (
    BaselineLost,
    SpecMissing,
    SpecSuperseded,
    SpecTampered,
    SpecTooLarge,
    SpecUnversioned,
)
from ecr_warden.state.aws_specs import _ACCEPTED
from ecr_warden.state.specs import KeptBaseline, SpecsInForce, SpecVersion
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
    for version in ("v1", "v2"):
        hub.specs.accept(compiled(version), over=hub.specs.standing())
        assert hub.specs.accepted() == compiled(version)


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


@pytest.mark.parametrize("suffix", ["json", "yaml"])
@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_baseline_is_lost_whose_text_or_compiled_form_is_gone_or_changed(
    moto_hub: MotoHub, how: str, suffix: str
) -> None:
    moto_hub.specs.accept(compiled("v1"), over=SpecsInForce(), text=b"one")
    moto_hub.specs.accept(compiled("v2"), over=moto_hub.specs.standing())
    key = f"compiled/{moto_hub.specs.standing().baseline}.json"
    if suffix == "yaml":
        key = f"compiled/{hashlib.sha256(b'one').hexdigest()}.yaml"
    if how == "gone":
        moto_hub.s3.delete_object(Bucket=STATE_BUCKET, Key=key)
    else:
        moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=key, Body=b"another")
    with pytest.raises(BaselineLost, match=key):
        moto_hub.specs_of_another_container().baseline()
    assert moto_hub.specs_of_another_container().accepted() == compiled("v2")


def test_a_baseline_that_another_ecr_warden_compiled_has_its_text(moto_hub: MotoHub) -> None:
    moto_hub.specs.accept(compiled("v1"), over=SpecsInForce(), text=b"one")
    body = b'{"schema": 2}'
    digest = hashlib.sha256(body).hexdigest()
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=f"compiled/{digest}.json", Body=body)
    moto_hub.table.update("a test", _ACCEPTED, "SET baseline = :key", {":key": {"S": f"compiled/{digest}.json"}})
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
    moto_hub.specs.accept(compiled("v1"), over=SpecsInForce())
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
    specs.accept(compiled("v1"), over=SpecsInForce())
    moto_hub.specs_of_another_container().accepted()
    calls = [call for call in moto_hub.wire.calls if call.action.startswith("s3:")]
    assert [call.action for call in calls] == ["s3:GetObject", "s3:GetObject", "s3:PutObject", "s3:GetObject"]
    assert [call.parameters.get("ExpectedBucketOwner") for call in calls] == [OWNER] * 4


def test_an_older_version_can_be_read_until_it_is_no_longer_kept(hub: Hub) -> None:
    version = hub.upload(b"version: 1")
    assert hub.specs.text(version) == b"version: 1"
    with pytest.raises(SpecMissing, match="no longer kept"):
        hub.specs.text("gone")

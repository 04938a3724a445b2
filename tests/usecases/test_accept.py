"""A new version of the spec: accepted, refused, or seen before."""

import json
from collections.abc import Callable
from copy import replace
from typing import Any

import pytest

from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.job import AcceptSpec, CauseKind
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from ecr_warden.events.dispatch import Dispatch
from ecr_warden.notify.kinds import message_of, severity
from ecr_warden.notify.message import Field
from ecr_warden.repair.alerts import COMPILED_SPEC, OwnChanged
from ecr_warden.state.accepted import SpecSuperseded
from ecr_warden.state.hold import Decision, Verdict
from ecr_warden.state.specs import SpecVersion
from ecr_warden.versions.alerts import HoldOpened, SpecAccepted, SpecRefused, SpecRestored
from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CI,
    D1,
    HOME,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    SPEC_FILE,
    allow,
    compiled,
    document,
)
from tests.template.cfn import ROOT
from tests.usecases.uploads import ALICE, JOB, TEXT, accept_of, enqueued, first, look, upload
from tests.usecases.world import Crash, World, bare_world, expect, present

PULL_USER_2 = f"user/{CI}/pull-user-2"


@pytest.mark.parametrize("how", ["deleted", "changed"])
def test_what_somebody_else_did_to_the_compiled_spec_is_reported_by_name_and_compiled_again(how: str) -> None:
    world = first()
    world.specs.standing()
    accepted, objects = world.specs.compiled, world.specs.objects.kept
    [lost] = [digest for digest, body in objects.items() if body.startswith(f'{{"{CHECKOUT.key}":{{"target"'.encode())]
    for number in (1, 2):
        objects[lost] = b"{}"
        if how == "deleted":
            del objects[lost]
        assert look(world) is None
        assert (world.specs.compiled, world.jobs.sent) == (accepted, [])
        assert len(world.alerts.published) == number, "what is changed again is news"
        alert = expect(OwnChanged, world.alerts.published[-1])
        assert (severity(alert), alert.thing) == (Severity.CRITICAL, f"{COMPILED_SPEC} compiled/{lost}")
        found = world.specs.accepted()
        assert found is not None and found.targets[CHECKOUT.key] == ACCEPTED.targets[CHECKOUT.key]


def test_a_version_that_would_be_refused_today_is_compiled_again() -> None:
    """No later rule may put a version out of force: here, that the spec makes nobody an administrator."""
    everything = '{Statement: {Effect: Allow, Action: "*", Resource: "*"}}'
    kept = f"{TEXT}documents: [{{kind: identity-policy, account: ci, user: x, name: all, document: {everything}}}]\n"
    world, data, spec = bare_world(), kept.encode(), compiled(kept, accepted=True)
    world.specs.file, world.specs.compiled = SpecVersion(spec.version, data), spec
    world.specs.base = world.specs.keep(spec), world.specs.keep_text(data), spec.version
    world.specs.standing()
    objects = world.specs.objects.kept
    for lost in [digest for digest, body in objects.items() if body.startswith(f'{{"{CHECKOUT.key}":'.encode())]:
        del objects[lost]
    assert look(world) is None
    found = present(world.specs.accepted())
    assert found.targets[CHECKOUT.key] == spec.targets[CHECKOUT.key]


def test_the_first_version_is_accepted_and_every_target_enqueued_registry_first() -> None:
    world = bare_world()
    world.specs.compiled = world.specs.base = None
    accepted = expect(SpecAccepted, upload(world, TEXT, "v1"))
    assert (accepted.version, accepted.replaces) == ("v1", None)
    assert enqueued(world) == [CHECKOUT.key, PUSHER.key, PULL_USER.key, PULL_USER_2, PUSH_USER.key]
    assert {(job.cause.kind, job.cause.id) for job in world.jobs.sent} == {(CauseKind.SPEC, "v1")}
    held, *rest = world.alerts.published
    assert isinstance(held, HoldOpened)
    assert rest == [accepted]


def test_an_invalid_version_is_refused_once_and_the_accepted_one_stays() -> None:
    world = first()
    old = world.specs.compiled
    refused = expect(SpecRefused, upload(world, TEXT.replace("[deployers]", "[deplyers]"), "v2"))
    assert (refused.version, refused.enforced) == ("v2", "v1")
    assert refused.problems[0].startswith('E104 access.yaml:11:12 unknown team "deplyers"')
    assert look(world) is None
    assert (world.specs.compiled, world.alerts.published, world.jobs.sent) == (old, [refused], [])
    assert isinstance(upload(world, TEXT, "v3"), SpecAccepted), "a valid one is accepted after it"


def test_that_the_accepted_version_is_back_is_said_once_and_only_after_a_refused_one() -> None:
    world = first()
    back = world.specs.file
    world.alerts.published.clear()
    look(world)
    assert world.alerts.published == []
    for gone in (None, SpecVersion("v2", b"")):
        world.specs.file = gone
        look(world)
        world.specs.file = back
        look(world)
        look(world)
    refused, restored, *again = world.alerts.published
    assert [type(refused), type(restored)] == [type(one) for one in again] == [SpecRefused, SpecRestored]
    assert isinstance(restored, SpecRestored) and restored.version == "v1"


def test_at_most_fifty_problems_are_reported() -> None:
    world = first()
    refused = expect(SpecRefused, upload(world, TEXT + "".join(f"unknown{n}: 1\n" for n in range(80)), "v2"))
    assert len(refused.problems) == 50


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 10_000, b"a: &a [*a]"], ids=range(4))
def test_whatever_is_uploaded_the_accepted_version_stays(data: bytes) -> None:
    world = first()
    world.specs.file = SpecVersion("v2", data)
    assert isinstance(look(world), SpecRefused)
    assert world.specs.compiled is not None and world.specs.compiled.version == "v1"


def test_a_deletion_is_reported_once_by_its_event_and_the_accepted_version_stays_in_force() -> None:
    world = first()
    world.specs.file = None
    event = json.loads((ROOT / "events/s3-ObjectDeleted.json").read_text())
    dispatch = Dispatch(world.jobs, "ecr-warden-spec-111111111111-eu-central-1", "access.yaml")
    for event_id in ("first", "second"):
        (job,) = [job for job in dispatch.dispatch(event | {"id": event_id}) if isinstance(job, AcceptSpec)]  # type: ignore[union-attr]
        accept_of(world).process(job)
    [refused] = world.alerts.published
    assert isinstance(refused, SpecRefused)
    assert (refused.version, refused.enforced, refused.cause.action) == ("spec-missing", "v1", "s3:DeleteObject")
    assert (
        Field("Deleted by", "an identity in account 111111111111, from 198.51.100.7 (S3 does not say which)")
        in message_of([refused]).fields
    )
    world.put(D1, document(allow("ecr:*", who="*")))
    assert world.run(CHECKOUT) is Result.CONVERGED


BUCKET = "ecr-warden-spec-111111111111-eu-central-1"


def stray(world: World, key: str, version: str | None, *, event_id: str) -> SpecRefused | None:
    """An object is put under another key, and its event arrives."""
    event = json.loads((ROOT / "events/s3-ObjectCreated.json").read_text()) | {"id": event_id}
    event["detail"]["object"] = {"key": key} | ({"version-id": version} if version else {})
    jobs = Dispatch(world.jobs, BUCKET, "access.yaml").dispatch(event)
    alerts = [accept_of(world).process(job) for job in accepts(jobs)]
    alert = alerts[0] if alerts else None
    assert not isinstance(alert, SpecAccepted | HoldOpened)
    return alert


def accepts(jobs: object) -> list[AcceptSpec]:
    return [job for job in jobs if isinstance(job, AcceptSpec)] if isinstance(jobs, tuple) else []


def test_a_spec_under_another_key_is_reported_once_per_version_and_the_accepted_one_stays() -> None:
    world = first()
    compiled = world.specs.compiled
    refusal = present(stray(world, "acces.yaml", "s1", event_id="e1"))
    assert (refusal.version, refusal.enforced, refusal.cause.action) == ("s1", "v1", "s3:PutObject")
    assert refusal.problems == ("'acces.yaml' is not read, only access.yaml is: upload the spec under that key",)
    assert stray(world, "acces.yaml", "s1", event_id="e1-again") is None
    assert look(world) is None  # nor does a sweep report it
    assert stray(world, "access.yml", "s1", event_id="e2") is not None
    assert stray(world, "acces.yaml", "s2", event_id="e3") is not None
    assert (len(world.alerts.published), world.specs.compiled, enqueued(world)) == (3, compiled, [])


def test_a_spec_under_another_key_is_reported_without_bucket_versioning_too() -> None:
    world = first()
    for event_id in ("e1", "e2"):
        assert stray(world, "acces.yaml", None, event_id=event_id) is not None
        assert stray(world, "acces.yaml", None, event_id=event_id) is None


def test_objects_that_do_not_look_like_a_spec_are_not_reported() -> None:
    world = first()
    for number, key in enumerate(("README.md", "docs/", "access.yaml.bak", "access")):
        assert stray(world, key, "s1", event_id=f"e{number}") is None
    assert world.alerts.published == []


def test_a_hostile_object_key_is_escaped_and_bounded() -> None:
    world = first()
    refusal = present(stray(world, "\x1b[31m<!channel>\n" + "x" * 990 + ".yaml", "s1", event_id="e1"))
    (problem,) = refusal.problems
    assert problem.isascii() and problem.isprintable()
    assert problem.startswith("'\\x1b[31m<!channel>\\nxxx")
    assert "xxx...' is not read, only access.yaml is" in problem
    assert len(problem) < 200


def unload(world: World) -> None:
    world.specs.file = None


def misname(world: World) -> None:
    world.specs.file, world.specs.strays = None, ("access.yml", "old/access.yaml")


def unversion(world: World) -> None:
    world.specs.file, world.specs.versioned = SpecVersion("null", TEXT.encode()), False


def overfill(world: World) -> None:
    world.specs.file = SpecVersion("v2", b"#" * (10 * 1024 * 1024))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (unload, "there is no access.yaml; upload the spec there; the accepted one stays in force"),
        (
            misname,
            "there is no access.yaml, but 'access.yml', 'old/access.yaml'; "
            "only access.yaml is read: upload the spec under that key; the accepted one stays in force",
        ),
        (unversion, "the file has no version; turn on versioning of the bucket"),
        (
            overfill,
            f"the file has 10485760 bytes; a spec has at most {MAX_SPEC_BYTES} bytes: "
            "use teams and patterns instead of long lists",
        ),
    ],
    ids=["deleted", "under another key", "in a bucket without versions", "of 10 MB"],
)
def test_an_unusable_spec_is_reported_once_with_a_remedy_and_the_accepted_one_stays(
    spoil: Callable[[World], None], problem: str
) -> None:
    world = first()
    spoil(world)
    refused = expect(SpecRefused, look(world))
    assert (refused.enforced, refused.problems) == ("v1", (problem,))
    assert look(world) is None
    assert world.specs.compiled is not None and world.specs.compiled.version == "v1"
    world.put(D1, document(allow("ecr:*", who="*")))
    assert world.run(CHECKOUT) is Result.CONVERGED


def test_each_problem_with_the_file_is_reported_after_another_one_was() -> None:
    world = first()
    for spoil in (unload, unversion, overfill, unload):
        world.specs.versioned = True
        spoil(world)
        assert isinstance(look(world), SpecRefused)
    upload(world, "#" * (MAX_SPEC_BYTES + 1), "v3")
    assert [alert.version for alert in world.alerts.published if isinstance(alert, SpecRefused)] == [
        "spec-missing",
        "spec-unversioned",
        "v2",
        "spec-missing",
        "v3",
    ]


def test_a_version_accepted_in_the_meantime_is_not_replaced() -> None:
    world = first()
    accept = accept_of(world, Overtaken(world))
    world.specs.file = SpecVersion("v2", TEXT.replace("enforce", "observe").encode())
    decide_unjudged(world)
    world.forget()
    with pytest.raises(SpecSuperseded):
        accept.process(JOB)
    assert (enqueued(world), world.alerts.published) == ([], [])
    assert world.specs.compiled is not None and world.specs.compiled.version == "v3"


def accepted_in_silence(text: str) -> World:
    """The version v2 was accepted by a process that died before it enqueued and announced anything."""
    world = first()
    world.specs.older = (SpecVersion("v1", TEXT.encode()),)
    world.specs.file = SpecVersion("v2", text.encode())

    class Dying:
        def __getattr__(self, name: str) -> object:
            return getattr(world.specs, name)

        def accept(self, spec: CompiledSpec, **more: Any) -> None:
            world.specs.accept(spec, **more)
            raise Crash

    decide_unjudged(world)
    world.forget()
    with pytest.raises(Crash):
        accept_of(world, Dying()).process(JOB)
    assert (enqueued(world), world.alerts.published) == ([], [])
    return world


def decide_unjudged(world: World) -> None:
    """A person accepts the current version before it is judged, and the hub has not acted on it."""
    assert accept_of(world).process(JOB) is None
    [hold] = world.holds.waiting()
    world.holds.decide(hold, Decision("command-1", Verdict.ACCEPT, ALICE, world.clock.now()))


FEWER = TEXT.replace(", ci:user/pull-user-2]", "]")


def test_what_was_accepted_in_silence_is_enqueued_and_announced_by_the_next_delivery_once() -> None:
    world = accepted_in_silence(FEWER)
    announced = expect(SpecAccepted, look(world))
    assert (announced.version, announced.replaces) == ("v2", "v1")
    assert enqueued(world) == [*announced.changed] == [CHECKOUT.key, PULL_USER_2]
    assert [entry.id for entry in world.log.kept.values()][-1] == "v2"
    assert look(world) is None
    assert world.alerts.published == [announced]


def test_what_was_accepted_in_silence_is_announced_before_a_newer_version() -> None:
    world = accepted_in_silence(FEWER)
    upload(world, FEWER + "# again", "v3")
    versions = [(one.replaces, one.version) for one in world.alerts.published if isinstance(one, SpecAccepted)]
    assert versions == [("v1", "v2"), ("v2", "v3")]


def test_if_the_version_that_was_replaced_is_gone_everything_that_is_named_counts_as_changed() -> None:
    world = accepted_in_silence(FEWER)
    [hold] = world.holds.waiting()
    del world.specs.objects.kept[hold.ground.digests[1]]
    assert isinstance(look(world), SpecAccepted)
    assert enqueued(world) == [CHECKOUT.key, PUSHER.key, PULL_USER.key, PUSH_USER.key]


class Overtaken:
    """Specs whose accepted version is replaced just after it was read."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> object:
        return getattr(self._world.specs, name)

    def accepted(self) -> object:
        found = present(self._world.specs.accepted())
        self._world.specs.compiled = replace(found, version="v3")
        return found


def test_a_change_of_mode_enqueues_every_target_and_the_removed_ones() -> None:
    world = first(TEXT.replace("enforce", "observe"))
    upload(world, TEXT.replace(", ci:user/pull-user-2]", "]"), "v2")
    assert enqueued(world) == [CHECKOUT.key, PUSHER.key, PULL_USER.key, PULL_USER_2, PUSH_USER.key]
    assert world.specs.compiled is not None and world.specs.compiled.mode is Mode.ENFORCE


def test_warnings_are_reported_with_the_acceptance() -> None:
    world = bare_world()
    world.specs.compiled = world.specs.base = None
    accepted = expect(SpecAccepted, upload(world, (SPEC_FILE.parent / "literal.yaml").read_text(), "v1"))
    assert any("GetAuthorizationToken" in warning for warning in accepted.warnings)


BASKET = f"repository/{HOME}/eu-central-1/shop/basket"
ONE_ACCOUNT = 'version: 1\naccounts: {registry: {id: "222222222222", regions: [eu-central-1]}}\n'

CHANGES = {
    "a remark": (TEXT, TEXT + "\n# a remark\n", []),
    "a user leaves a team": (TEXT, FEWER, [CHECKOUT.key, PULL_USER_2]),
    "a user is swapped for another": (
        TEXT,
        TEXT.replace("ci:user/pull-user-2", "ci:user/pull-user-3"),
        [CHECKOUT.key, PULL_USER_2, f"user/{CI}/pull-user-3"],
    ),
    "the right to push goes": (
        TEXT,
        TEXT[: TEXT.index("    push:")] + "settings: {mode: enforce}\n",
        [PUSHER.key, PUSH_USER.key],
    ),
    "a role changes, and not the user that needs it": (
        TEXT,
        TEXT.replace("role: ecr-pusher", "role: ecr-pusher\n        max_session_duration: 7200"),
        [PUSHER.key],
    ),
    "a repository is removed": (
        TEXT,
        TEXT.replace("shop/checkout", "shop/basket"),
        [BASKET, CHECKOUT.key, PUSHER.key, PULL_USER.key, PULL_USER_2],
    ),
    "an account is removed": (TEXT, ONE_ACCOUNT, [CHECKOUT.key, PUSHER.key, PULL_USER.key, PULL_USER_2, PUSH_USER.key]),
}
"""A version and the next one, and the targets that are enqueued for it."""


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_new_version_changes_is_enqueued_alone(change: str) -> None:
    before, after, targets = CHANGES[change]
    world = first(before)
    accepted = expect(SpecAccepted, upload(world, after, "v2"))
    assert (accepted.version, accepted.replaces) == ("v2", "v1")
    assert (enqueued(world), sorted(accepted.changed)) == (targets, sorted(targets))

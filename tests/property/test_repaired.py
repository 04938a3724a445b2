"""Which documents may count as repaired: the rule, slowly, over random specs, estates, records, modes and clocks."""

from collections.abc import Iterator, Mapping
from copy import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from ecr_warden.audit.known_repairs import Remembered, known_targets
from ecr_warden.audit.repaired import Waits, all_repaired, as_repaired, none_repaired
from ecr_warden.collect.estate import StoredPiece
from ecr_warden.core.desired import (
    CompiledSpec,
    Mode,
    MustNotExist,
    Removed,
    RemovedPattern,
    RepositoryPattern,
)
from ecr_warden.core.estate import EcrAccount, Estate, Registry, Repository, target_of
from ecr_warden.core.part import part_of
from ecr_warden.core.pause import PatternPause, Pause
from ecr_warden.core.result import Result
from ecr_warden.core.run import LastSeen
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget, target_arn
from ecr_warden.state.state import TargetRecord
from ecr_warden.state.sweeps import SweepRecord
from iam_access.document.document import Document
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Identity, Policy, PolicyPlace
from local.testing.seed import (
    ACCEPTED,
    CHECKOUT,
    CI,
    EVERYTHING,
    HOME,
    NOW,
    OUTSIDER,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    allow,
    document,
)
from tests.usecases.hub import ALICE

MINUTE = timedelta(minutes=1)
INTERVAL = 15 * MINUTE
REGISTRY = f"{HOME}/{CHECKOUT.region}"
LIVE = document(allow("ecr:*", who=OUTSIDER))
GIVEN = document(allow("ecr:BatchGetImage", who=CI))
TRUST = document(allow("sts:AssumeRole", who=OUTSIDER))


def repository(name: str) -> RepositoryTarget:
    return RepositoryTarget(HOME, CHECKOUT.region, name)


REPOSITORIES = RETIRED, LEFT, FITTING, UNNAMED = tuple(
    repository(name) for name in ("shop/old", "app/a", "web/a", "never/named")
)
ORPHANS = (RoleTarget(HOME, "old-pusher"), UserTarget(CI, "gone"), RoleTarget(HOME, "fresh"))
OTHERS = (RoleTarget(HOME, "app"), RoleTarget(HOME, "ecr-warden-write"))
PUSHER_TEXT = str(PUSHER)
NAMED: tuple[Target, ...] = (CHECKOUT, PUSHER, PUSH_USER, PULL_USER)
EVERY: tuple[Target, ...] = (*NAMED, RETIRED, LEFT, FITTING, UNNAMED, *ORPHANS, *OTHERS)


class Case(Struct, frozen=True):
    """A world; `read`: by part, and by the key of a repository."""

    spec: CompiledSpec
    estate: Estate
    records: Mapping[str, TargetRecord]
    pauses: tuple[PatternPause, ...]
    sweeps: Mapping[str, SweepRecord]
    kept: Mapping[str, StoredPiece]
    read: Mapping[str, datetime]


def time_of(random: Random) -> datetime:
    return NOW + random.choice((-40, -30, -16, -15, -14, -5, -1, 0, 1, 30)) * MINUTE


def spec_of(random: Random) -> CompiledSpec:
    def modes() -> Mode | None:
        return random.choice([None, None, Mode.OBSERVE, Mode.ENFORCE])

    targets = {key: replace(spec, mode=modes()) for key, spec in ACCEPTED.targets.items()}
    pattern = RepositoryPattern(HOME, CHECKOUT.region, "web/*", (), GIVEN, mode=modes())
    retired = Removed(RETIRED, "v1", modes(), given=random.choice((GIVEN, LIVE, MustNotExist())))
    left = replace(pattern, name="app/*", policy=random.choice((GIVEN, LIVE, MustNotExist())), mode=modes())
    return replace(
        ACCEPTED,
        mode=random.choice([*Mode]),
        targets=targets,
        patterns=(pattern,),
        removed={RETIRED.key: retired},
        removed_patterns=(RemovedPattern(left, "v1"),),
        account_modes={HOME: random.choice([*Mode])} if random.random() < 0.5 else {},
    )


def pause_of(random: Random) -> Pause:
    begins = random.choice((-30, -20, -10, 60)) * MINUTE
    return Pause("p", ALICE, "why", NOW + begins, NOW + begins + random.choice((0, 5, 120, 60 * 24 * 30)) * MINUTE)


def record_of(random: Random) -> TargetRecord:
    result = random.choice((None, Result.IN_SYNC, Result.CONVERGED, Result.CONVERGED, *Result))
    return TargetRecord(
        last=None if random.random() < 0.3 else LastSeen(time_of(random), "r", result),
        settled_at=None if random.random() < 0.3 else time_of(random),
        revoked=random.choice((None, "v0", "v1")),
        pause=pause_of(random) if random.random() < 0.2 else None,
        open_run=random.choice((None, "r")),
    )


def sweeps_of(random: Random, spec: CompiledSpec) -> Iterator[SweepRecord]:
    for part in (CI, HOME, REGISTRY):
        here = [one.key for one in EVERY if part_of(one) == part and one.name != "fresh"]
        due = frozenset(key for key in here if random.random() < 0.4)
        fine = frozenset(here) - due
        waiting = {key: time_of(random) for key in due if random.random() < 0.8}
        cleared = frozenset(one.key for one in spec.removed_patterns if random.random() < 0.5)
        kept = random.random() > 0.1  # or there were too many to store
        over = random.randrange(3)
        yield SweepRecord(
            part,
            time_of(random),
            "v1",
            fine if kept else frozenset(),
            due if kept else frozenset(),
            cleared=cleared,
            over=over,
            due_since=waiting if kept else {},
        )


def estate_of(random: Random) -> Estate:
    repositories = {
        one.name: Repository(one, Policy("p", random.choice((LIVE, GIVEN)))) for one in (CHECKOUT, *REPOSITORIES)
    }
    accounts = {}
    for account in (CI, HOME):
        people = [one for one in EVERY if not isinstance(one, RepositoryTarget) and one.account == account]
        there = [identity_of(random, one) for one in people if one in ORPHANS or random.random() < 0.9]
        registries = {CHECKOUT.region: Registry(CHECKOUT.region, repositories)} if account == HOME else {}
        accounts[account] = EcrAccount(account, {one.arn: one for one in there}, registries=registries)
    return Estate(NOW, accounts)


def identity_of(random: Random, target: RoleTarget | UserTarget) -> Identity:
    is_role = isinstance(target, RoleTarget)
    path = random.choice(("/", "/ecr-warden/")) if is_role else "/"
    names = ("ecr-warden-x", "work", "ecr-warden-pull") if target not in OTHERS[:1] else ("work",)
    return Identity(
        target_arn(target, path=path),
        target.account,
        IdentityKind.ROLE if is_role else IdentityKind.USER,
        target.name,
        "ID",
        tuple(Policy.at(PolicyPlace(inline=name), EVERYTHING) for name in names),
        trust=Policy("trust", TRUST) if is_role else None,
        tags={"ecr-warden": "managed"} if random.random() < 0.5 else {},
    )


def case_of(random: Random) -> Case:
    spec = spec_of(random)
    parts = [part for part in (CI, HOME, REGISTRY) if random.random() < 0.95]
    policies = {one.key: time_of(random) for one in (CHECKOUT, *REPOSITORIES) if random.random() < 0.3}
    texts = random.choices(("shop/*", PUSHER_TEXT, "all"), k=random.randrange(3))
    pauses = [PatternPause((text,), pause_of(random)) for text in texts]
    return Case(
        spec,
        estate_of(random),
        {one.key: record_of(random) for one in EVERY if random.random() < 0.8},
        tuple(pauses) if random.random() < 0.4 else (),
        {one.part: one for one in sweeps_of(random, spec) if random.random() < 0.95},
        {part: StoredPiece("tag", time_of(random)) for part in parts},
        {part: time_of(random) for part in (CI, HOME, REGISTRY) if random.random() < 0.95} | policies,
    )


# ---------------------------------------------------------------- the rule, slowly


def may_count(case: Case, target: Target) -> bool:
    """Enforced, not paused, not held, its last run ended well, and a run began since, or it was read lately."""
    record = case.records.get(target.key, TargetRecord())
    return (
        is_ours(case, target)
        and is_enforced(case.spec, target)
        and not is_paused(case, target, record)
        and (record.last is None or record.last.result in (Result.IN_SYNC, Result.CONVERGED))
        and (ran_since(case, target, record) or may_come(case, target, record))
    )


def is_ours(case: Case, target: Target) -> bool:
    """Named by the spec, also by a pattern, removed from it, or seen by the last sweep of its part."""
    named = {FITTING.key, RETIRED.key, *(spec.target.key for spec in case.spec.targets.values())}
    seen = {key for sweep in case.sweeps.values() for key in (*sweep.fine, *sweep.due)}
    return target.key in named | seen


def is_enforced(spec: CompiledSpec, target: Target) -> bool:
    every = [spec.mode, spec.patterns[0].mode, *(one.mode for one in spec.targets.values())]
    whole = Mode.ENFORCE if Mode.ENFORCE in every else Mode.OBSERVE
    unnamed = spec.account_modes.get(target.account, whole)
    if target in NAMED:
        return (spec.targets[target.key].mode or spec.mode) is Mode.ENFORCE
    if target == FITTING:
        return (spec.patterns[0].mode or spec.mode) is Mode.ENFORCE
    if target == RETIRED:
        return (spec.removed[RETIRED.key].mode or unnamed) is Mode.ENFORCE
    if target == LEFT:
        return (spec.removed_patterns[0].pattern.mode or unnamed) is Mode.ENFORCE
    return unnamed is Mode.ENFORCE


def is_paused(case: Case, target: Target, record: TargetRecord) -> bool:
    """The latest pause that has begun, if it ends later and no later than a pause can."""
    concerning = [record.pause] if record.pause is not None else []
    for one in case.pauses:
        [pattern] = one.patterns
        is_shop = isinstance(target, RepositoryTarget) and target.name.startswith("shop/")
        if pattern == "all" or (pattern == PUSHER_TEXT and target == PUSHER) or (pattern == "shop/*" and is_shop):
            concerning.append(one.pause)
    begun = [pause for pause in concerning if pause.at <= NOW + 5 * MINUTE]
    if not begun:
        return False
    ends = max(begun, key=lambda pause: pause.at).until
    return NOW < ends <= NOW + timedelta(days=7) + 5 * MINUTE


def ran_since(case: Case, target: Target, record: TargetRecord) -> bool:
    """A run began after its part was kept, and not in the future."""
    kept, began = case.kept.get(part_of(target)), record.settled_at
    return kept is not None and began is not None and kept.at + timedelta(seconds=1) <= began <= NOW


def may_come(case: Case, target: Target, record: TargetRecord) -> bool:
    """Read within an interval and not in the future, neither retired since nor waiting for longer than a sweep.

    Or a run began since the reading of its part began, though maybe before the document was read. In either case a
    sweep read all of its part within two intervals, and could keep what it found.
    """
    read = case.read.get(target.key, case.read.get(part_of(target)))
    if read is None:
        return False
    began_since = record.settled_at is not None and read <= record.settled_at <= NOW
    if not began_since and (read > NOW or read <= NOW - INTERVAL):
        return False
    sweep = case.sweeps.get(part_of(target))
    if target == RETIRED and record.revoked == "v1" and (record.last is None or record.last.at <= read):
        return False
    if target == LEFT and sweep is not None and sweep.cleared and (record.last is None or record.last.at <= read):
        return False
    if sweep is None or sweep.at <= NOW - 2 * INTERVAL or (sweep.over and not sweep.due):
        return False
    found = sweep.due_since.get(target.key)
    if found is None or (record.settled_at is not None and found <= record.settled_at <= NOW):
        return True
    return NOW - INTERVAL < found <= NOW


def live_of(case: Case) -> Mapping[str, Waits | None]:
    targets = known_targets(case.spec, case.sweeps.values())
    records = {key: one for key, one in case.records.items() if key in targets}
    known = Remembered(case.spec, targets, records, case.pauses, case.sweeps, case.kept, INTERVAL, NOW)
    listed = [one.target for one in case.estate.repositories()]
    known = known.with_made(listed, lambda made: {one.key: case.records.get(one.key, TargetRecord()) for one in made})
    why = known.live(case.read)
    return {target.key: why(target.key) for target in EVERY}


@given(st.integers(0, 2**32))
def test_what_counts_as_repaired_is_what_the_rule_says(seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        case = case_of(random)
        found = {key for key, why in live_of(case).items() if why is None}
        assert found == {target.key for target in EVERY if may_count(case, target)}


@given(st.integers(0, 2**32))
def test_what_is_not_known_to_be_repaired_lies_there_as_it_was_read(seed: int) -> None:
    random, changed = Random(seed), set[str]()
    for _ in range(50):
        case = case_of(random)
        live = live_of(case)
        seen = as_repaired(case.estate, case.spec, live.__getitem__)
        for account in case.estate.accounts.values():
            after = seen.accounts[account.id]
            for identity in account.identities.values():
                key = target_of(identity).key
                changed |= {key} if after.identities[identity.arn] != identity else set()
                assert live[key] is None or after.identities[identity.arn] == identity
            made = after.identities.keys() - account.identities.keys()
            assert made <= {arn for arn in made if live[PUSHER.key] is None}
            for region, registry in account.registries.items():
                for name, one in registry.repositories.items():
                    key, policy = one.target.key, after.registries[region].repositories[name].policy
                    changed |= {key} if policy != one.policy else set()
                    assert live[key] is None or policy == one.policy
        nobody = as_repaired(case.estate, case.spec, none_repaired)
        assert nobody == case.estate
    assert not changed & {target.key for target in (UNNAMED, *OTHERS)}


def test_the_cases_tell_every_reason_apart() -> None:
    random = Random(7)
    reasons = [why for _ in range(200) for why in live_of(case_of(random)).values()]
    assert {*reasons} == {None, *Waits} - {Waits.NOBODY}
    assert all_repaired(CHECKOUT.key) is None
    assert isinstance(LIVE, Document)

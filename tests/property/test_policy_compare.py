"""What holds for every comparison, checked by trying requests one by one against an oracle of the tests' own."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from ecr_warden.core.ecr import ECR
from iam_access.compare import Comparison, Relation, Witness, compare
from iam_access.compare.witnesses import can_be_made
from iam_access.document.condition import OPERATORS
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import equivalent
from iam_access.evaluate.request import default_context
from iam_access.evaluate.request_principal import CallerKind
from tests import examples
from tests.property import corners, universe
from tests.property.comparisons import pairs, requests, statements
from tests.property.policy_documents import documents, parsed, rewritten
from tests.property.policy_oracle import Request, allowed

KINDS = {"repository": DocumentKind.RESOURCE, "trust": DocumentKind.TRUST, "identity": DocumentKind.IDENTITY}
MORE, LESS, DIFFERENT = Relation.MORE, Relation.LESS, Relation.DIFFERENT
EQUAL, UNDECIDED = Relation.EQUAL, Relation.UNDECIDED
_MIRRORED = {MORE: LESS, LESS: MORE}

type Pair = tuple[str, dict[str, Any], dict[str, Any]]


def _compare(kind: str, live: dict[str, Any], desired: dict[str, Any]) -> Comparison:
    return compare(parsed(live), parsed(desired), service=ECR, kind=KINDS[kind])


@examples.of(50, 125)
@given(pairs())
def test_the_relation_is_the_one_that_all_requests_show(pair: Pair) -> None:
    kind, live, desired = pair
    found = _compare(kind, live, desired)
    more = less = False
    for ask in requests(kind, live, desired):
        mine, theirs = allowed(live, ask), allowed(desired, ask)
        more |= mine and not theirs
        less |= theirs and not mine
    assert not (more and found.relation in (EQUAL, LESS))
    assert not (less and found.relation in (EQUAL, MORE))
    if more and less:
        assert found.relation in (DIFFERENT, UNDECIDED)


@pytest.mark.thorough
def test_random_pairs_are_decided(tell: Callable[[str], None]) -> None:
    """The same pairs in every run, so that the share can be followed from one run to the next."""
    relations: Counter[Relation] = Counter()

    @settings(max_examples=400, database=None, derandomize=True, phases=[Phase.generate])
    @given(pairs())
    def count(pair: Pair) -> None:
        relations[_compare(*pair).relation] += 1

    count()
    share = relations[UNDECIDED] / relations.total()
    tell(f"undecided: {share:.2%} of {relations.total()} random pairs")
    assert share <= 0.01


@pytest.mark.thorough
def test_pairs_are_of_every_relation_and_requests_show_it() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=200, database=None, derandomize=True, phases=[Phase.generate])
    @given(pairs())
    def ask(pair: Pair) -> None:
        kind, live, desired = pair
        found = _compare(*pair)
        asked = [(allowed(live, ask), allowed(desired, ask)) for ask in requests(kind, live, desired)]
        seen[f"is {found.relation}"] += 1
        seen["allowed by both"] += (True, True) in asked
        seen["allowed by one"] += (True, False) in asked
        seen["allowed by the other"] += (False, True) in asked
        seen["equivalent"] += equivalent(parsed(live), parsed(desired), kind=KINDS[kind])
        seen["a list"] += any(
            isinstance(one.get("Action"), list) and len(one["Action"]) > 1 for one in live["Statement"]
        )

    ask()
    assert min(seen[f"is {relation}"] for relation in (EQUAL, MORE, LESS, DIFFERENT)) > 5, seen
    assert min(seen[name] for name in ("allowed by both", "allowed by one", "allowed by the other")) > 20, seen
    assert min(seen["equivalent"], seen["a list"]) > 20, seen


@examples.of(50, 125)
@given(pairs())
def test_each_witness_is_one(pair: Pair) -> None:
    kind, live, desired = pair
    found = _compare(kind, live, desired)
    assert bool(found.gained) >= (found.relation in (MORE, DIFFERENT))
    assert bool(found.lost) >= (found.relation in (LESS, DIFFERENT))
    for witnesses, one, other in ((found.gained, live, desired), (found.lost, desired, live)):
        assert len(witnesses) <= 5
        assert len({witness.group for witness in witnesses}) == len(witnesses)
        for witness in witnesses:
            ask = _request_of(witness)
            assert allowed(one, ask), witness
            assert not allowed(other, ask), witness


def _request_of(witness: Witness) -> Request:
    request = witness.request
    # The oracle knows sessions, the engine lets a role stand for any session of it.
    who = f"{request.principal.issuer} {_session(request.principal.text)}".strip()
    return Request(who, request.action, request.resource, dict(request.context))


def _session(principal: str) -> str:
    head, slash, name = principal.partition(":role/")
    return f"{head.replace(':iam:', ':sts:')}:assumed-role/{name}/any" if slash else principal


@examples.of(40, 100)
@given(pairs())
def test_the_other_way_round_everything_is_mirrored(pair: Pair) -> None:
    kind, live, desired = pair
    there, back = _compare(kind, live, desired), _compare(kind, desired, live)
    assert back.relation is _MIRRORED.get(there.relation, there.relation)
    assert [w.request.action for w in there.gained] == [w.request.action for w in back.lost]


@examples.of(40, 100)
@given(pairs(), st.randoms(use_true_random=False))
def test_the_same_document_written_differently_is_equal(pair: Pair, chance: Any) -> None:
    kind, live, _ = pair
    other = parsed(rewritten(live, chance))
    assert compare(parsed(live), other, service=ECR, kind=KINDS[kind]).relation is EQUAL


@examples.of(40, 100)
@given(pairs())
def test_equivalent_documents_are_equal(pair: Pair) -> None:
    kind, live, desired = pair
    if equivalent(parsed(live), parsed(desired), kind=KINDS[kind]):
        assert _compare(kind, live, desired).relation is EQUAL


@examples.of(30, 75)
@given(pairs())
def test_splitting_a_list_into_statements_changes_nothing(pair: Pair) -> None:
    kind, live, _ = pair
    split = [
        {**statement, name: value}
        for statement in live["Statement"]
        for name in ("Action", "Resource")
        if isinstance(statement.get(name), list)
        for value in statement[name]
    ]
    kept = [one for one in live["Statement"] if not any(isinstance(one.get(n), list) for n in ("Action", "Resource"))]
    found = _compare(kind, {**live, "Statement": [*kept, *split]}, live)
    assert found.relation is EQUAL, found


@examples.of(30, 75)
@given(pairs(), st.data())
def test_another_allow_never_gives_less_and_another_deny_never_more(pair: Pair, data: st.DataObject) -> None:
    kind, live, _ = pair
    added = data.draw(statements(kind))
    found = _compare(kind, {**live, "Statement": [*live["Statement"], added]}, live)
    wrong = {"Allow": (LESS, DIFFERENT), "Deny": (MORE, DIFFERENT)}[added["Effect"]]
    assert found.relation not in wrong
    assert not (found.lost if added["Effect"] == "Allow" else found.gained)


@examples.of(40, 100)
@given(documents(), documents(), st.sampled_from(DocumentKind))
def test_any_two_documents_are_answered(live: dict[str, Any], desired: dict[str, Any], kind: DocumentKind) -> None:
    there = compare(parsed(live), parsed(desired), service=ECR, kind=kind, account="222222222222")
    back = compare(parsed(desired), parsed(live), service=ECR, kind=kind, account="222222222222")
    assert back.relation is _MIRRORED.get(there.relation, there.relation)
    assert there.summary.isascii()


_SEEDS = st.integers(0, 2**64)
_ASKED = 60


UNIVERSES = pytest.mark.parametrize("world", [universe, corners], ids=["universe", "corners"])


@UNIVERSES
@examples.of(40, 100)
@given(_SEEDS)
def test_the_relation_of_any_operators_on_any_keys_is_the_one_that_requests_show(world: Any, seed: int) -> None:
    kind, live, desired = world.pair(seed)
    found = _compare(kind, live, desired)
    for ask in world.requests(seed, kind, live, desired, _ASKED):
        mine, theirs = allowed(live, ask), allowed(desired, ask)
        if mine and not theirs:
            assert found.relation not in (EQUAL, LESS), ask
        if theirs and not mine:
            assert found.relation not in (EQUAL, MORE), ask


def _is_of_its_caller(witness: Witness) -> bool:
    """Nobody has another's name or account, and without credentials nobody has tags."""
    principal, context = witness.request.principal, witness.request.context
    own = default_context(principal, None)
    tags = principal.kind is CallerKind.ANONYMOUS and context.get("aws:principaltag/t")
    return not tags and all(context[key] == own[key] for key in ("aws:username", "aws:principalaccount") if key in own)


@UNIVERSES
@examples.of(40, 100)
@given(_SEEDS)
def test_each_witness_of_any_operators_on_any_keys_is_a_request_that_can_exist(world: Any, seed: int) -> None:
    kind, live, desired = world.pair(seed)
    found = _compare(kind, live, desired)
    for witnesses, one, other in ((found.gained, live, desired), (found.lost, desired, live)):
        for witness in witnesses:
            assert allowed(one, _request_of(witness)), witness
            assert not allowed(other, _request_of(witness)), witness
            assert can_be_made(witness.request), witness
            assert _is_of_its_caller(witness), witness
    back = _compare(kind, desired, live)
    assert back.relation is _MIRRORED.get(found.relation, found.relation)


@UNIVERSES
def test_the_universe_is_wide_and_its_requests_tell_documents_apart(world: Any) -> None:
    """Else the two above would prove nothing."""
    kinds: Counter[str] = Counter()
    distinguished, operators = 0, set[str]()
    for seed in range(400):
        kind, live, desired = world.pair(seed)
        kinds[kind] += 1
        operators.update(name for one in live["Statement"] for name in one.get("Condition", {}))
        requests = world.requests(seed, kind, live, desired, 30)
        distinguished += any(allowed(live, request) != allowed(desired, request) for request in requests)
    assert min(kinds.values()) >= 40
    assert distinguished >= 100
    assert len(operators) >= len(OPERATORS) // 2


@examples.of(60, 150)
@given(_SEEDS, _SEEDS)
def test_one_more_of_anything_positive_never_gives_less(seed: int, other: int) -> None:
    """A principal, an action, a resource or an Allow statement; conditions and Not-elements are another matter."""
    kind, before, _ = universe.pair(seed)
    _, donor, _ = universe.pair(other)
    after = universe.extended(before, donor, other)
    assume(after is not None)
    assert after is not None
    found = _compare(kind, after, before)
    assert found.relation in (EQUAL, MORE, UNDECIDED), found
    assert not found.lost

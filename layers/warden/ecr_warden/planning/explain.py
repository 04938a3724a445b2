"""What a changed document gives and lacks, in exact sentences with examples: for people, and never for a decision.

A plan is decided and carried out by structure alone. This comes after, and whatever happens to it happens to a
sentence.
"""

from collections.abc import Mapping
from dataclasses import replace

from ecr_warden.model.address import Address
from ecr_warden.model.desired import DesiredValue, TargetSpec
from ecr_warden.model.drift import Compared, Drift, DriftKind
from ecr_warden.model.observed import Observation, Observed, Present
from ecr_warden.model.plan import Plan
from ecr_warden.planning.fallback import decided
from ecr_warden.planning.foreign import with_foreign
from ecr_warden.policy.document import Document
from ecr_warden.policy.relation import Relation


def explained(plan: Plan, spec: TargetSpec, observation: Observation) -> Plan:
    """The plan with the engine's examples at each changed document; `observation`: the one it was made from.

    Raises nothing: what cannot be explained is said to be so.
    """
    if not any(drift.kind is DriftKind.CHANGED for drift in plan.drifts):
        return plan
    desired = decided(lambda seen: with_foreign(spec, seen), observation).documents
    return replace(plan, drifts=tuple(_explained(drift, desired, observation.documents) for drift in plan.drifts))


def _explained(drift: Drift, desired: Mapping[Address, DesiredValue], observed: Mapping[Address, Observed]) -> Drift:
    match drift.kind, desired.get(drift.address), observed.get(drift.address):
        case DriftKind.CHANGED, Document() as wanted, Present(Document() as live):
            return explained_drift(drift, wanted, live)
        case _:
            return drift


def explained_drift(drift: Drift, desired: Document, live: Document) -> Drift:
    """The drift of two documents with what the engine says of them; raises nothing."""
    # Large, and most runs explain nothing.
    from ecr_warden.policy.compare import compare  # noqa: PLC0415
    from ecr_warden.policy.compare.others import phrase_of  # noqa: PLC0415

    kind, target = drift.address.document_kind, drift.address.target
    assert kind is not None
    try:
        found = compare(live, desired, kind=kind, account=target.account, subject=target.name)
        gained = tuple(phrase_of(witness, live, desired, kind=kind) for witness in found.gained)
        lost = tuple(phrase_of(witness, desired, live, kind=kind) for witness in found.lost)
        said = Compared(found.relation, gained, lost, found.undecided)
    except Exception as error:
        reason = f"ecr-warden failed to compare the documents ({type(error).__name__}); look at both of them"
        said = Compared(Relation.UNDECIDED, undecided=(reason,))
    return replace(drift, compared=said)

"""Whether somebody lacks what the spec gives because ecr-warden may not write it."""

from collections.abc import Sequence
from contextlib import suppress
from copy import replace

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access.missing import Edit
from ecr_warden.access_spec import Valid
from ecr_warden.audit.advice import Advice
from ecr_warden.audit.spec_access import desired_estate
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.estate import target_of
from ecr_warden.core.failures import PortError
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.repair.write_scope import scope_gap, scope_of
from ecr_warden_cli.asking.access import can_i, question
from ecr_warden_cli.asking.asked_access import Asking
from ecr_warden_cli.asking.estate_input import OpenedEstate
from ecr_warden_cli.hub.plan_text import scope_remedy
from iam_access.who_can.decide import Answer


def outside_owners(asked: OpenedEstate, spec: Valid, asking: Asking, edits: Sequence[Edit]) -> Advice | None:
    """What to add to ecr-warden.yaml, where the spec gives it and all that is missing is outside the write scope."""
    identity, target, compiled = asking.subject.identity, asking.target, spec.compiled
    if identity is None or target is None or compiled.mode_of(target) is Mode.OBSERVE:
        return None
    named = {key: compiled.targets[key] for key in [target_of(identity).key] if key in compiled.targets}
    alone = replace(compiled, targets=named, patterns=())
    with suppress(PortError):
        gap = scope_gap(alone, (), identity.account, scope_of(asked.estate.accounts[identity.account]))
        if (
            gap.has_stack
            and {edit.holder for edit in edits} <= {*gap.uncovered}
            and _gives(asked, compiled, asking, target)
        ):
            remedy = " ".join(map(str.strip, scope_remedy(gap)))
            return Advice(f"{remedy}; its member stack does not cover {identity.arn}")
    return None


def _gives(asked: OpenedEstate, compiled: CompiledSpec, asking: Asking, target: RepositoryTarget) -> bool:
    """Whether it would be so if all documents were as the spec says."""
    graph = RepositoryGraph(desired_estate(compiled, asked.estate, [target]))
    wanted = question(graph, asking.what, f"{target.account}/{target.region}/{target.name}")
    found = can_i(graph, graph.subject(asking.subject.arn), wanted, seeks_change=False)
    return found.answer in (Answer.YES, Answer.CONDITIONAL)

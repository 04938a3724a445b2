"""Whether docker can do what somebody can do by API: it makes more calls than the access requires (core.actions)."""

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.core.actions import FOR_DOCKER, TOKEN, Access
from ecr_warden.core.estate import Repository
from iam_access.evaluate.request_principal import CallerKind
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath, rank


class ByDocker(Struct, frozen=True):
    """The answer for docker; the actions that it lacks, and for conditional what has to hold.

    Without ecr:GetAuthorizationToken alone it is unknown: signin:CreateBearerToken may make up for it, or not.
    """

    answer: Answer
    lacking: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """`no, ecr:UploadLayerPart is missing`."""
        more = f"{' and '.join(self.lacking)} {'is' if len(self.lacking) == 1 else 'are'} missing"
        needs = f"if {' and '.join(self.conditions)}" if self.conditions else ""
        return ", ".join(filter(None, (self.answer.value, more if self.lacking else needs)))


def by_docker(graph: RepositoryGraph, path: AccessPath, what: str, repository: Repository) -> ByDocker | None:
    """Can docker do what a path shows, in this way or another? None for what docker does not do, and for services."""
    if what not in FOR_DOCKER or path.subject.principal.kind is CallerKind.SERVICE:
        return None
    needed, last = graph.permissions(what, repository, by_docker=True), path.steps[-1]
    lacks_token_alone = FOR_DOCKER[Access(what)] == (TOKEN,) and last.decision.answer is not Answer.UNKNOWN
    if lacks_token_alone and graph.signs_in(last.subject, repository):
        decision = last.decision  # what nothing keeps them from adds no condition
    else:
        decision = graph.decide(last.subject, needed)
    best = max((*(step.decision.answer for step in path.steps[:-1]), decision.answer), key=rank)
    if rank(best) > rank(path.answer):
        other = graph.can(path.subject, needed)
        if isinstance(other, AccessPath) and rank(other.answer) < rank(best):
            return ByDocker(other.answer, conditions=other.conditions)
    lacking = dict.fromkeys(missing.permission.action for missing in decision.missing)
    # A session that a policy names may have by its name what others of its role lack.
    others = tuple(action for action in lacking if action not in {one.action for one in last.permissions})
    missing = others or tuple(lacking)
    return ByDocker(Answer.UNKNOWN if missing == (TOKEN,) else best, missing, decision.conditions)

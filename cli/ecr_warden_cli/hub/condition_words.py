"""A repository's conditions as people read them; JSON has each by its name."""

from collections.abc import Mapping

from ecr_warden.audit.finding import ConditionStatus

CONDITION_WORDS: tuple[Mapping[ConditionStatus, str], ...] = (
    {
        ConditionStatus.TRUE: "as the spec says",
        ConditionStatus.FALSE: "differs from the spec",
        ConditionStatus.UNKNOWN: "not compared",
    },
    {
        ConditionStatus.TRUE: "access as the spec says",
        ConditionStatus.FALSE: "access differs",
        ConditionStatus.UNKNOWN: "access not known",
    },
    {
        ConditionStatus.TRUE: "read lately",
        ConditionStatus.FALSE: "read long ago",
        ConditionStatus.UNKNOWN: "never read in full",
    },
)
"""Of each field of RepositoryHealth, in their order."""

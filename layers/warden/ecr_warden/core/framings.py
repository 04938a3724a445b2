"""How a difference between a live document and the spec's is worded: by where the reader stands."""

from copy import replace

from iam_access.delta.phrases import Framing

DRIFT = Framing(
    "{who} can {does}{detail}, and the spec does not allow it",
    "{who} cannot {does}{detail}, and the spec allows it",
    "{who} is not denied {has}{detail}, and the spec denies it",
    "{who} is denied {has}{detail}, and the spec does not deny it",
)
"""What the live document allows, against the spec."""
PLAN = Framing(
    "{who} will lose {has}{detail}",
    "{who} will gain {has}{detail}",
    "{who} will be denied {has}{detail}",
    "{who} will no longer be denied {has}{detail}",
)
"""What applying the spec will change."""
ROLLED_OUT = Framing(
    "{who} lost {has}{detail}",
    "{who} gained {has}{detail}",
    "{who} is denied {has}{detail} from now on",
    "{who} is no longer denied {has}{detail} from now on",
)
"""What applying a version of the spec has changed."""
VERSIONS = Framing(
    "{who} gains {has}{detail}",
    "{who} loses {has}{detail}",
    "{who} is no longer denied {has}{detail}",
    "{who} is denied {has}{detail}",
)
VERSIONS_OF_MANY = replace(VERSIONS, gained="{who} gain {has}{detail}", lost="{who} lose {has}{detail}")
"""What one version of the spec gives against another one, to one and to several."""
GIVEN = Framing(
    "{who} can {does}{detail}",
    "{who} cannot {does}{detail}",
    "{who} is not denied {has}{detail}",
    "{who} is denied {has}{detail}",
)
"""What a document gives, whatever another one gives; and what is open."""
WAS_OPEN = Framing(
    "{who} could {does}{detail}",
    "{who} could not {does}{detail}",
    "{who} was not denied {has}{detail}",
    "{who} was denied {has}{detail}",
)
"""What was possible, and is over."""


def incident(lasted: str) -> Framing:
    """What was possible until it was repaired; `lasted`: `for 41 s`, or `until it was repaired`."""
    return Framing(
        f"{WAS_OPEN.gained} {lasted}",
        f"{WAS_OPEN.lost} {lasted}",
        f"{WAS_OPEN.denial_gained} {lasted}",
        f"{WAS_OPEN.denial_lost} {lasted}",
    )

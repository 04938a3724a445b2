"""The named error of everything that is not a request."""

from ecr_warden.errors import WardenError
from ecr_warden.policy.shown import shown


class RequestError(WardenError):
    """The request cannot be evaluated: `code` is stable, `place` the part that is wrong."""

    def __init__(self, code: str, place: str, what: str, *, remedy: str) -> None:
        place = shown(place, 120)
        super().__init__(f"{place}: {what}" if place else what, remedy=remedy)
        self.code = code
        self.place = place

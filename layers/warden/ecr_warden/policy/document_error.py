"""The named error of everything that is not a policy document."""

from ecr_warden.errors import WardenError
from ecr_warden.policy.shown import shown


class DocumentError(WardenError):
    """The text is not a policy document: `code` is stable, `place` a JSON path such as `Statement[1].Action`."""

    def __init__(self, code: str, place: str, what: str, *, remedy: str) -> None:
        place = shown(place, 120)
        super().__init__(f"{place}: {what}" if place else what, remedy=remedy)
        self.code = code
        self.place = place

"""Named steps of the product, each by the least that shows it."""

from collections.abc import Callable
from dataclasses import dataclass

from local.demo import edits
from local.demo.places import PULL_USER
from local.demo.tampers import OUTSIDER, PULL, lets_in
from tests.e2e.house import House, Moment
from tests.e2e.roles import unseen


@dataclass(frozen=True, slots=True)
class Step:
    """`do` begins it; `hidden`: a change before, which no event reports."""

    name: str
    do: Callable[[House], None]
    hidden: Callable[[House], None] | None = None

    def begin(self, house: House) -> Moment:
        """Begin, and say since when."""
        if self.hidden:
            with unseen(house):
                self.hidden(house)
        since = house.now()
        self.do(house)
        return since


def _trust(house: House) -> None:
    edits.edit_trust(house.stage.people.registry_admin, lets_in(OUTSIDER))


def _tamper_user(house: House) -> None:
    house.stage.people.ci_admin.client("iam").delete_user_policy(UserName=PULL_USER, PolicyName=PULL)


REPOSITORY_STEP = Step("a tampered repository policy is repaired", House.begin_tamper)
TRUST_STEP = Step("a tampered trust policy is repaired", _trust)
USER_STEP = Step("a user's deleted policy is repaired", _tamper_user)
SWEEP_STEP = Step("the sweep finds what no event reported", lambda house: house.stage.fire_sweep(), hidden=_tamper_user)

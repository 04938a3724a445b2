"""What disturbs a deployment: eight cases by name, each with the one sentence that is said, and what ends it.

In each an organization is deployed and all its stacks are to be changed. Whatever happens, what stood stands, no change
set is left, and the same command, run again, brings all to its end. What CloudFormation's own words mean is in
tests/contracts/test_stacks.py, single calls that fail are in tests/cli/test_deploy.py.
"""

import json
from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecr_warden_cli.deployment.ports import Instance, StackFailed, StackPlace
from ecr_warden_cli.deployment.remedies import remedy_for
from ecr_warden_cli.deployment.stacks import NAMES
from ecr_warden_cli.terminal.context import Failure
from tests.cli.command import Ran
from tests.cli.test_deploy import (
    CI,
    EVENTS,
    FILE,
    HUB,
    MEMBERS,
    OF_UNITS,
    QUEUE,
    REGION,
    TEMPLATES,
    UNITS,
    Expiring,
    Site,
    template,
)

ALL = [*MEMBERS, HUB, *EVENTS, OF_UNITS]
OLD = {**TEMPLATES, "organization": template("organization", "OwnStacks", Set=QUEUE)}
AT_HUB = StackPlace(CI, REGION, NAMES["hub"])
SIGN_IN = "sign in again (aws sso login), then run the same command again: it goes on where it stands"
SOMEBODY = "somebody else, or an earlier run of this command, deploys this stack now: wait until CloudFormation is done"
AGAIN = "then run the same command again"

type Do = Callable[[Site], object]


@dataclass(frozen=True, slots=True)
class Disturbed:
    """What happens, what is said of it with the place and what to do, and the stacks that were to be begun.

    `ended`: what whoever reads it does before the same command. `lasts`: whether it is said each time until then.
    """

    happens: Do
    says: tuple[str, ...]
    begun: list[str]
    code: int = 1
    ended: Do = lambda site: site.cloud.refusing.clear()
    lasts: bool = False


def refused(call: str, words: str) -> Do:
    """CloudFormation refuses a call, in its words."""
    return lambda site: site.cloud.refusing.update({call: Failure(words, remedy=remedy_for(words))})


def ends_session(after: int) -> Do:
    """The person's session ends after so many calls."""
    return lambda site: setattr(site.cloud, "refusing", Expiring(after))


def signs_in(site: Site) -> None:
    site.cloud.refusing = {}


def newer(version: str) -> Do:
    """Somebody has deployed another version of the hub."""

    def do(site: Site) -> None:
        live = site.cloud.stacks[AT_HUB]
        site.cloud.stacks[AT_HUB] = replace(live, outputs={**live.outputs, "Version": version})

    return do


def edits(site: Site) -> None:
    """Whoever deploys saves another file, as soon as the first stack is done."""
    file, outputs = site.folder / "ecr-warden.yaml", site.outputs

    def saved(*given: object) -> Mapping[str, str]:
        file.write_text(f"{FILE.replace('team@', 'others@')}{UNITS}")
        return outputs(*given)  # type: ignore[arg-type]

    site.cloud.outputs = saved


def has_edited(site: Site) -> None:
    hub = site.cloud.stacks[AT_HUB]
    assert hub.parameters["AlertEmail"] == "team@example.com", "what was shown was done"
    assert "AlertEmail becomes others@example.com, is team@example.com\n" in site("--plan").out


def fails(site: Site) -> None:
    reason = "ResourceLogicalId:ReadRole: Role with name ecr-warden-read already exists."
    site.cloud.instances = [Instance("ecr-warden-member", "444444444444", "us-east-1", "FAILED", reason)]


def denies_drift(site: Site) -> None:
    """These credentials may not read what the hub's change set compares."""
    words = f"{HUB} failed: the change set: User: x is not authorized to perform: lambda:GetFunction"
    site.cloud.refusing[f"changes {HUB}"] = StackFailed(words, remedy=remedy_for(words))


def nothing_left(site: Site) -> None:
    """Somebody else has done it all."""
    assert site("--yes").code == 0


CASES: Mapping[str, Disturbed] = {
    "two people who deploy at once: the other one is under way": Disturbed(
        refused(
            f"propose {HUB}", f"create change set in {CI}/{REGION}: Stack ecr-warden is in UPDATE_IN_PROGRESS state"
        ),
        (f"create change set in {CI}/{REGION}", SOMEBODY, AGAIN),
        [],
    ),
    "two people who deploy at once: the other one was first": Disturbed(
        refused(f"execute {HUB}", f"execute change set in {CI}/{REGION}: InvalidChangeSetStatus: it is [OBSOLETE]"),
        (f"execute change set in {CI}/{REGION}", SOMEBODY, AGAIN),
        [*MEMBERS, HUB],
    ),
    "two people who deploy at once: the other one took the change set along": Disturbed(
        refused(f"execute {HUB}", f"execute change set in {CI}/{REGION}: ChangeSetNotFound: it does not exist"),
        (f"execute change set in {CI}/{REGION}", SOMEBODY, AGAIN),
        [*MEMBERS, HUB],
    ),
    "two people who deploy at once: the other one took the stack along": Disturbed(
        refused(f"finished {MEMBERS[1]}", "describe stacks in 2/us-east-1: Stack with id x does not exist"),
        ("describe stacks in 2/us-east-1", SOMEBODY, AGAIN),
        MEMBERS,
    ),
    "Ctrl-C between stacks": Disturbed(
        lambda site: site.cloud.refusing.update({f"execute {HUB}": KeyboardInterrupt()}),
        ("interrupted; CloudFormation ends what it has begun: run the same command again: it goes on where it stands",),
        [*MEMBERS, HUB],
        code=130,
    ),
    "an expired session in the middle of an organization's roll-out": Disturbed(
        ends_session(38), (f"execute {HUB}: ExpiredToken", SIGN_IN), [*MEMBERS, HUB], ended=signs_in
    ),
    "a hub newer than the command": Disturbed(
        newer("0.10.0"),
        (f"{HUB} is of version 0.10.0, newer than this command, 0.2.0; pipx upgrade ecr-warden",),
        [],
        ended=newer("0.2.0"),
        lasts=True,
    ),
    "ecr-warden.yaml edited during a deployment": Disturbed(
        edits,
        ("ecr-warden.yaml was changed meanwhile: what it says now counts in the next ecr-warden deploy",),
        ALL,
        code=0,
        ended=has_edited,
    ),
    "an instance that fails for ever": Disturbed(
        fails,
        ("ecr-warden-member is FAILED in 444444444444, us-east-1: ResourceLogicalId:ReadRole: Role with name",),
        ALL,
        code=2,
        ended=lambda site: site.cloud.instances.clear(),
        lasts=True,
    ),
    "a change set that finds nothing": Disturbed(
        nothing_left,
        ("there is nothing to do: all stacks are as",),
        [],
        code=0,
        lasts=True,
    ),
    "drift detection that is refused": Disturbed(
        denies_drift,
        (
            f"{HUB} failed: the change set: User: x is not authorized",
            "give these credentials both deployer-policy*.json",
        ),
        [],
        lasts=True,
    ),
    "drift detection that is refused for one resource": Disturbed(
        lambda site: site.cloud.unseen.add(AT_HUB),
        (f"whether somebody changed {HUB}: Queue is not known: CloudFormation could not read it with",),
        ALL,
        code=0,
        ended=lambda site: site.cloud.unseen.clear(),
        lasts=True,
    ),
}


@pytest.fixture
def standing(tmp_path: Path) -> Site:
    """An organization is deployed, and a version that changes all of its stacks is at hand."""
    site = Site(tmp_path)
    site.release(OLD)
    (site.folder / "ecr-warden.yaml").write_text(FILE + UNITS)
    assert site("--yes").code == 0
    old = {name: json.loads(text) for name, text in OLD.items()}
    new = {name: {**text, "Resources": {**text["Resources"], "New": QUEUE}} for name, text in old.items()}
    site.release({name: json.dumps(text) for name, text in new.items()})
    return site


def said(ran: Ran) -> str:
    return " ".join(f"{ran.out} {ran.err}".split())


@pytest.mark.parametrize("case", CASES)
def test_it_is_said_in_a_sentence_nothing_is_lost_and_the_same_command_ends_it(standing: Site, case: str) -> None:
    row, site = CASES[case], standing
    stood, spec, switch = {*site.cloud.stacks}, site.hub.world.specs.file, site.cloud.switch
    row.happens(site)
    for begun in (row.begun, []) if row.lasts else (row.begun,):
        ran = site("--yes")
        assert (ran.code, sorted(site.begun)) == (row.code, sorted(begun)), said(ran)
        assert [words for words in row.says if words not in said(ran)] == [], said(ran)
        assert row.code in (0, 2) or f"\n{ran.err}".count("\necr-warden: ") == 1, "one sentence"
        assert site.cloud.pending == {}
        assert {*site.cloud.stacks} >= stood
        assert (site.hub.world.specs.file, site.cloud.switch) == (spec, switch)
    row.ended(site)
    assert site("--yes").code == 0
    again = site()
    assert (again.code, site.begun, again.out.startswith("there is nothing to do")) == (0, [], True)


def test_all_eight_are_there() -> None:
    eight = (
        "two people who deploy at once",
        "Ctrl-C between stacks",
        "an expired session in the middle of an organization's roll-out",
        "a hub newer than the command",
        "ecr-warden.yaml edited during a deployment",
        "an instance that fails for ever",
        "a change set that finds nothing",
        "drift detection that is refused",
    )
    assert [one for one in eight if not any(case.startswith(one) for case in CASES)] == []

"""`doctor` on a deployment by the command: each breakage is named, and ended by what doctor prints.

One deployment serves all rows, each of which leaves it as it was. CloudTrail is late for all of them, so that nothing
but doctor, and a sweep where a row asks for one, finds anything. Rows that rest on how the embedded AWS reads what
CloudFormation says of REVERT_DRIFT, which no account has shown yet, have that in their name.
"""

from collections.abc import Iterator

import pytest

from local.aws.faults import EventLate, Fault
from local.demo.places import CI, REGION
from local.demo.quiet import Quiet
from local.demo.stage import DEPLOYMENT, standing
from local.testing.accepting import accept_version
from local.testing.waiting import until
from tests.e2e.breakages import FUNCTIONS, ROWS
from tests.e2e.house import EMAIL, SEED, House
from tests.e2e.terminal import Terminal, found

FILE = DEPLOYMENT.replace("alerts: {", f"alerts: {{email: {EMAIL}, ")
LATE = Fault("*", "*", EventLate(24 * 3_600_000), times=10**9)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Two accounts to which the command has deployed, with the seed's file accepted."""
    with standing(lambda _: None, FILE) as stage:
        made = House(stage, Quiet.of(stage), {})
        made.upload(SEED)
        made.sweep()
        stage.aws.add_fault(LATE)
        yield made


@pytest.fixture(scope="module")
def terminal(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """In a folder with the deployment's file and the spec."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "ecr-warden.yaml").write_text(FILE)
    (folder / "access.yaml").write_text(SEED)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("AWS_ENDPOINT_URL", house.stage.aws.endpoint_url)
        yield Terminal.of(house.stage, folder)


def test_a_deployment_that_nobody_touched_is_as_released(terminal: Terminal) -> None:
    ran = terminal.runs("doctor")
    assert (ran.code, f"by change sets, and the code of {FUNCTIONS} functions" in ran.out) == (0, True), ran.out


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, id=f"{name} (REVERT_DRIFT)" if row.drift else name) for name, row in ROWS.items()],
)
def test_each_breakage_is_named_and_ended_by_what_doctor_prints(name: str, house: House, terminal: Terminal) -> None:
    row, mark = ROWS[name], house.now().mark
    row.do(terminal)
    _settled(house, mark, swept=row.swept)
    named = found(terminal.runs("doctor", "--json"))
    assert sorted(one["code"] for one in named) == sorted(row.codes), named
    said = dict.fromkeys(one["command"] or one["remedy"] for one in named)
    assert len(said) == len(row.ends), said
    assert all(any(one.startswith(begins) for one in said) for begins in row.ends), said
    for command in dict.fromkeys(one["command"] for one in named if one["command"]):
        terminal.types(command, row.account)
    if row.repaired is not None:
        row.repaired(terminal)
    _settled(house, mark, swept=row.swept)
    assert found(terminal.runs("doctor", "--json")) == []


def _settled(house: House, mark: int, *, swept: bool) -> None:
    """All is done that follows, and the messages of the rows before count no more."""
    if swept:
        house.sweep()
    else:
        house.quiet.wait(mark, events=False)
    house.forget_repairs()


def test_a_table_that_is_deleted_is_recreated_and_the_spec_is_accepted_by_a_person(
    house: House, terminal: Terminal
) -> None:
    """The last one: all that the hub remembers is lost."""
    house.stage.aws.client(CI, "dynamodb").delete_table(TableName="ecr-warden")
    named = found(terminal.runs("doctor", "--json"))
    assert {one["command"] for one in named if one["command"]} == {"ecr-warden deploy"}
    terminal.types("ecr-warden deploy")
    [left] = found(terminal.runs("doctor", "--json"))
    assert (left["code"], left["command"]) == ("nothing-accepted", "ecr-warden apply access.yaml")
    terminal.types(left["command"])
    files = house.stage.aws.client(CI, "s3").list_object_versions(Bucket=house.stage.hub["SpecBucket"])["Versions"]
    [version] = [one["VersionId"] for one in files if one["IsLatest"]]
    until(lambda: accept_version(house.stage.aws, CI, REGION, version), what="what waits for a person")
    until(lambda: house.accepted() == version, what="the spec in force")
    mark = house.now().mark
    house.sweep()
    _settled(house, mark, swept=True)
    assert found(terminal.runs("doctor", "--json")) == []

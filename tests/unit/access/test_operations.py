"""Every operation of ECR, IAM and STS that the locked botocore has is classed, and the product takes it for that."""

from collections import Counter
from pathlib import Path

import botocore.session
import pytest

from ecr_warden.core.actions import REQUIRED, UPLOADS, Access
from ecr_warden.core.administering import administering, distinct_actions
from ecr_warden.core.ecr import DELETE
from iam_access import catalogue
from iam_access.document.document import Patterns
from iam_access.who_can.powers import CHANGES
from tests import tables

TABLE: dict[str, dict[str, str]] = tables.load(Path("tests/cases/aws/operations.yaml").read_text())
CLASSED = {
    service: {name: [f"{service}:{one}" for one in names.split()] for name, names in classes.items()}
    for service, classes in TABLE.items()
}
OPERATIONS = {
    service: {f"{service}:{one}" for one in botocore.session.get_session().get_service_model(service).operation_names}
    for service in TABLE
}


@pytest.mark.parametrize("service", TABLE)
def test_every_operation_is_classed_once(service: str) -> None:
    classed = Counter(one for names in CLASSED[service].values() for one in names)
    assert OPERATIONS[service] - classed.keys() == set(), "class these in tests/cases/aws/operations.yaml"
    assert classed.keys() - OPERATIONS[service] == set()
    assert [one for one, times in classed.items() if times > 1] == []


@pytest.mark.parametrize("service", TABLE)
def test_the_catalogue_has_every_operation(service: str) -> None:
    known = {action.name for action in catalogue.actions(service).values()}
    assert OPERATIONS[service] - known == set(), "add these to NEWER in tools/make_catalogue.py"


def test_the_product_takes_an_operation_of_ecr_for_what_it_is() -> None:
    ecr = {name: {*names} for name, names in CLASSED["ecr"].items()}
    assert ecr["pull"] == {*REQUIRED[Access.PULL]}
    assert ecr["push"] == {*REQUIRED[Access.PUSH], *UPLOADS}
    assert ecr["delete"] == {*DELETE.actions}
    assert ecr["administers"] == {*administering()} & OPERATIONS["ecr"] - ecr["delete"]
    assert all(_reads(one) for one in ecr["reads"] | ecr["pull"])


def test_the_product_takes_an_operation_of_iam_for_what_it_is() -> None:
    iam = {name: {*names} for name, names in CLASSED["iam"].items()}
    assert {*CHANGES} & OPERATIONS["iam"] - iam["administers"] == set()
    assert all(_reads(one) is (one in iam["reads"]) for one in OPERATIONS["iam"])


def _reads(action: str) -> bool:
    return catalogue.actions(action.partition(":")[0])[action.lower()].level in ("Read", "List")


def test_an_action_that_nobody_knows_yet_administers() -> None:
    assert "ecr:StartSomethingNew" not in administering()
    assert "ecr:StartSomethingNew" in distinct_actions([Patterns(False, ("ecr:StartSomethingNew",))], lambda _: None)

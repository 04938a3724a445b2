"""The statement that would give what is missing."""

import pytest

from ecr_warden.access.missing import Edit, Side


@pytest.mark.parametrize(
    ("principal", "kind"),
    [
        ("arn:aws:iam::111111111111:user/ann", "AWS"),
        ("111111111111", "AWS"),
        ("lambda.amazonaws.com", "Service"),
    ],
)
def test_a_statement_names_its_principal_as_aws_wants_it(principal: str, kind: str) -> None:
    edit = Edit(Side.REPOSITORY, "arn:aws:ecr:eu-central-1:222222222222:repository/shop", principal=principal)
    assert edit.statement["Principal"] == {kind: principal}

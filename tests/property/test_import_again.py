"""Whatever grants a spec has: once they are in force, an import says the same again."""

from hypothesis import given

from ecr_warden_cli.importing.effects import ImportEffect
from tests import examples
from tests.property.grants import CI, HOME, REGION, Drawn, specs
from tests.property.test_grants import loaded
from tests.unit.importing.imports import EVERYBODY, Json, enforced, imported


def _snapshot() -> Json:
    """Users, roles and repositories without a policy."""
    people = {CI: ("user/ann", "role/build"), HOME: ("user/carl",)}
    accounts: Json = {}
    for account, resources in people.items():
        iam = {
            f"{kind}DetailList": [
                {"Arn": f"arn:aws:iam::{account}:{one}", f"{kind}Id": ""}
                for one in resources
                if one.startswith(kind.lower())
            ]
            for kind in ("User", "Role")
        }
        accounts[account] = {"iam": iam}
    names = [{"repositoryName": name, "policy": None} for name in ("shop/a", "shop/b")]
    accounts[HOME]["ecr"] = {REGION: {"repositories": names}}
    return {"schema": 1, "accounts": accounts}


@examples.of(20)
@given(specs())
def test_grants_that_are_in_force_are_imported_as_they_are(drawn: Drawn) -> None:
    # Nothing that is there shows a pattern, what is only observed may not be there, and a role serves one entry.
    several = ("shared", "shop/b")
    grants = tuple(one for one in drawn.grants if "*" not in one.repository and (one.role, one.repository) != several)
    spec = loaded(drawn._replace(grants=grants, mode="enforce", modes={}))
    again = imported(enforced(_snapshot(), spec.compiled), ours=EVERYBODY)
    assert {one.effect for one in again.outcomes} <= {ImportEffect.EQUAL}
    assert not again.left_out
    made = again.loaded.compiled.targets
    assert {key: made[key].documents for key in spec.compiled.targets} == {
        key: entry.documents for key, entry in spec.compiled.targets.items()
    }
    assert {end.until for end in again.loaded.compiled.ends} == {end.until for end in spec.compiled.ends}

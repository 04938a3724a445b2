"""`snapshot --from`: what the AWS CLI printed becomes a snapshot, and what it did not is unread."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ecr_warden.core.codec.snapshot import estate_from_text
from ecr_warden.core.estate import Estate
from ecr_warden_cli import dumps
from iam_access.inventory.inventory import Unread
from local.aws.behaviour.of_aws import PUBLISHED, Published
from local.testing.printed import complete_iam
from tests.cli.command import Command, Ran

AUDIT, POWER_USER, READ_ONLY = (
    PUBLISHED[f"arn:aws:iam::aws:policy/{name}"] for name in ("SecurityAudit", "PowerUserAccess", "ReadOnlyAccess")
)
CI, REGISTRY = "111111111111", "222222222222"
HOME, OTHER = "eu-central-1", "us-east-1"
BOT, NODE = f"arn:aws:iam::{CI}:user/bot", f"arn:aws:iam::{CI}:role/node"
POLICY = {"Statement": {"Effect": "Allow", "Principal": {"AWS": BOT}, "Action": "ecr:BatchGetImage"}}
PULL = {"Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}}
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}
AWS_OWN = {"Policies": [{"Arn": "arn:aws:iam::aws:policy/ReadOnly", "PolicyVersionList": []}]}
ABSENT = "the files have no account; give outputs of aws iam get-account-authorization-details"


def users(**more: Any) -> dict[str, Any]:
    policies = [{"PolicyName": "own", "PolicyDocument": PULL}]
    listed = [{"Arn": BOT, "UserId": "AIDABOT", "UserPolicyList": policies}]
    return {**complete_iam({"UserDetailList": listed}), **more}


def roles(**more: Any) -> dict[str, Any]:
    """As the API has them: the documents are percent-encoded."""
    trust = quote(json.dumps(TRUST))
    listed = [{"Arn": NODE, "RoleId": "AROANODE", "AssumeRolePolicyDocument": trust}]
    return {**complete_iam({"RoleDetailList": listed}), **more}


def repositories(*names: str, region: str = HOME, **more: Any) -> dict[str, Any]:
    arns = (f"arn:aws:ecr:{region}:{REGISTRY}:repository/{name}" for name in names)
    return {"repositories": [{"repositoryArn": arn, "registryId": REGISTRY} for arn in arns], **more}


def policy(name: str | None = "shop/app", document: object = POLICY) -> dict[str, Any]:
    named = {} if name is None else {"repositoryName": name}
    return {"registryId": REGISTRY, **named, "policyText": json.dumps(document)}


def error(code: str, operation: str, message: str) -> str:
    return f"\nAn error occurred ({code}) when calling the {operation} operation: {message}\n"


def no_policy(name: str) -> str:
    message = f"Repository policy does not exist for the repository with name '{name}' in the registry with id '"
    return error("RepositoryPolicyNotFoundException", "GetRepositoryPolicy", f"{message}{REGISTRY}'")


NO_REGISTRY_POLICY = error(
    "RegistryPolicyNotFoundException",
    "GetRegistryPolicy",
    f"Registry policy does not exist in the registry with id '{REGISTRY}'",
)


def write(folder: Path, files: dict[str, Any]) -> str:
    """The files, of which text is written as it is and a list one part after the other."""
    for name, content in files.items():
        path = folder / "dump" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = content if isinstance(content, list) else [content]
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one, indent=4) for one in parts))
    return str(folder / "dump")


def estate(folder: Path, files: dict[str, Any]) -> Estate:
    return estate_from_text(taken(folder, files).out, at=Command().clock.now())


def taken(folder: Path, files: dict[str, Any], *argv: str) -> Ran:
    return Command()("snapshot", "--from", write(folder, files), *argv)


WHOLE = {
    "iam-1.json": users(IsTruncated=True, Marker="x"),
    "iam-2.json": roles(IsTruncated=False),
    "iam-registry.json": complete_iam({"RoleDetailList": [{"Arn": f"arn:aws:iam::{REGISTRY}:role/x"}]}),
    "providers.json": {"OpenIDConnectProviderList": [{"Arn": f"arn:aws:iam::{REGISTRY}:oidc-provider/gitlab.com"}]},
    "repositories.json": [repositories("shop/app", nextToken="x"), repositories("shop/web")],
    "policies.txt": [policy(), no_policy("shop/web")],
    "registry.txt": NO_REGISTRY_POLICY,
}


def test_the_outputs_of_the_aws_cli_are_a_snapshot_in_which_nothing_is_unread(tmp_path: Path) -> None:
    ran = taken(tmp_path, WHOLE)
    assert (ran.code, ran.err) == (0, "")
    accounts = ran.json["accounts"]
    assert [one["Arn"] for one in accounts[CI]["iam"]["UserDetailList"]] == [BOT]
    assert [one["Arn"] for one in accounts[CI]["iam"]["RoleDetailList"]] == [NODE]
    assert accounts[REGISTRY]["ecr"] == {
        HOME: {
            "repositories": [
                {"repositoryName": "shop/app", "policy": json.dumps(POLICY)},
                {"repositoryName": "shop/web", "policy": None},
            ],
            "registryPolicy": None,
        }
    }
    assert accounts[REGISTRY]["oidcProviders"] == [f"arn:aws:iam::{REGISTRY}:oidc-provider/gitlab.com"]
    assert "unread" not in accounts[CI] | accounts[REGISTRY]


AS_SCRIPTS_KEEP_THEM: dict[str, dict[str, Any]] = {
    "a list of all outputs": {
        "iam.json": json.dumps([WHOLE["iam-1.json"], WHOLE["iam-2.json"], WHOLE["iam-registry.json"]]),
        "repositories.json": json.dumps(WHOLE["repositories.json"]),
    },
    "a list of lists": {"repositories.json": json.dumps([[one] for one in WHOLE["repositories.json"]])},
    "an empty list": {"none.json": "[]"},
    "a page twice": {"iam-2.txt": [WHOLE["iam-2.json"], WHOLE["iam-2.json"]]},
    "a policy that is no text any more": {
        "policies.txt": [policy() | {"policyText": POLICY}, no_policy("shop/web")],
    },
}


@pytest.mark.parametrize("case", AS_SCRIPTS_KEEP_THEM)
def test_outputs_are_read_as_scripts_keep_them(tmp_path: Path, case: str) -> None:
    ran = taken(tmp_path, WHOLE | AS_SCRIPTS_KEEP_THEM[case])
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["accounts"] == taken(tmp_path / "whole", WHOLE).json["accounts"]


def test_the_snapshot_can_be_imported_and_asked(tmp_path: Path) -> None:
    text = taken(tmp_path, WHOLE).out.encode()
    asked = Command()("can-i", BOT, "pull", "shop/app", "--snapshot", "-", stdin=text)
    assert asked.out.startswith("no")
    imported = Command()("import", "--snapshot", "-", stdin=text)
    assert imported.code == 0
    assert "- name: shop/web" in imported.out


UNREAD: dict[str, tuple[dict[str, Any], dict[tuple[str, str], str]]] = {
    "a policy that no file has": (
        WHOLE | {"policies.txt": policy()},
        {("ecr:GetRepositoryPolicy", HOME): "not in the files"},
    ),
    "a policy that could not be read": (
        WHOLE
        | {
            "policies.txt": [
                policy(),
                error(
                    "AccessDeniedException",
                    "GetRepositoryPolicy",
                    f"User: {BOT} is not authorized to perform: ecr:GetRepositoryPolicy on resource: "
                    f"arn:aws:ecr:{HOME}:{REGISTRY}:repository/shop/web because no policy allows it",
                ),
            ]
        },
        {("ecr:GetRepositoryPolicy", HOME): "AccessDeniedException"},
    ),
    "an empty file for a policy": (
        WHOLE | {"policies.txt": policy(), "web.json": ""},
        {("ecr:GetRepositoryPolicy", HOME): "not in the files"},
    ),
    "a registry policy that no file has": (
        {name: one for name, one in WHOLE.items() if name != "registry.txt"},
        {("ecr:GetRegistryPolicy", HOME): "not in the files"},
    ),
    "the scope of a registry policy, of which no file has the account's setting": (
        WHOLE | {"registry.txt": {"registryId": REGISTRY, "policyText": json.dumps(POLICY)}},
        {("ecr:GetAccountSetting", HOME): "not in the files"},
    ),
    "users without their last page": (
        WHOLE | {"iam-2.json": AWS_OWN | {"IsTruncated": True}},
        {("iam:GetAccountAuthorizationDetails", ""): "the last page is not in the files"},
    ),
    "users whose output says that there is more": (
        WHOLE | {"iam-1.json": users(NextToken="x"), "iam-2.json": ""},
        {("iam:GetAccountAuthorizationDetails", ""): "the last page is not in the files"},
    ),
    "roles of which no output has the list": (
        WHOLE | {"iam-1.json": {"UserDetailList": users()["UserDetailList"]}, "iam-2.json": ""},
        {},
    ),
    "users of an account of which only the repositories are there": (
        {name: one for name, one in WHOLE.items() if name != "iam-registry.json"},
        {("iam:GetAccountAuthorizationDetails", ""): "not in the files"},
    ),
    "users who could not be read": (
        {name: one for name, one in WHOLE.items() if name != "iam-registry.json"}
        | {
            "error.txt": error(
                "AccessDenied",
                "GetAccountAuthorizationDetails",
                f"User: arn:aws:iam::{REGISTRY}:user/me is not authorized to perform: "
                "iam:GetAccountAuthorizationDetails on resource: *",
            )
        },
        {("iam:GetAccountAuthorizationDetails", ""): "AccessDenied"},
    ),
    "repositories without their last page": (
        WHOLE | {"repositories.json": repositories("shop/app", "shop/web", nextToken="x")},
        {("ecr:DescribeRepositories", HOME): "the last page is not in the files"},
    ),
    "repositories of which only policies are there": (
        {name: one for name, one in WHOLE.items() if name != "repositories.json"},
        {("ecr:DescribeRepositories", HOME): "not in the files"},
    ),
}


@pytest.mark.parametrize("case", UNREAD)
def test_what_no_file_answers_is_unread(tmp_path: Path, case: str) -> None:
    files, unread = UNREAD[case]
    ran = taken(tmp_path, files, "--region", HOME)
    assert ran.code == 0, ran.err
    found = {
        (one["what"], one.get("region", "")): one["code"]
        for entry in ran.json["accounts"].values()
        for one in entry.get("unread", ())
    }
    assert found == unread
    estate = estate_from_text(ran.out, at=Command().clock.now())
    assert any(account.unread for account in estate.accounts.values())


def test_the_scope_of_a_registry_policy_is_of_the_account_that_the_file_is_named_after(tmp_path: Path) -> None:
    scope = {"name": "REGISTRY_POLICY_SCOPE", "value": "V1"}
    policy = {"registryId": REGISTRY, "policyText": json.dumps(POLICY)}
    ran = taken(tmp_path, WHOLE | {"registry.txt": policy, f"scope-{REGISTRY}.json": scope})
    entry = ran.json["accounts"][REGISTRY]
    assert entry["ecr"][HOME]["accountSettings"] == {"REGISTRY_POLICY_SCOPE": "V1"}
    assert "unread" not in entry
    assert "name the file after its account" in taken(tmp_path, {"scope.json": scope}).err


REGIONS: dict[str, tuple[dict[str, Any], tuple[str, ...], dict[str, str]]] = {
    "the one that has the repository": (
        {"a.json": repositories("shop/app"), "b.json": repositories("shop/web", region=OTHER), "p.json": policy()},
        (),
        {HOME: "shop/app"},
    ),
    "the one that the folder is named after": (
        {"a.json": repositories("shop/app"), f"{OTHER}/x/p.json": policy()},
        (),
        {OTHER: "shop/app"},
    ),
    "the one that the file is named after": ({f"{HOME}/{OTHER}.json": policy()}, (), {OTHER: "shop/app"}),
    "the one that is given, where no file says it": ({"p.json": policy()}, ("--region", OTHER), {OTHER: "shop/app"}),
}


@pytest.mark.parametrize("case", REGIONS)
def test_a_policy_is_of_the_region(tmp_path: Path, case: str) -> None:
    files, argv, wanted = REGIONS[case]
    ran = taken(tmp_path, files, *argv)
    assert ran.code == 0, ran.err
    registries = ran.json["accounts"][REGISTRY]["ecr"]
    found = {
        region: one["repositoryName"]
        for region, registry in registries.items()
        for one in registry["repositories"]
        if one.get("policy")
    }
    assert found == wanted


def of_aws(policy: Published, version: str | None = None) -> dict[str, Any]:
    """What the command of docs/who-can.md prints of a policy."""
    version = version or policy.default
    listed = [{"VersionId": version, "IsDefaultVersion": True, "Document": json.loads(policy.text(version))}]
    return {"Arn": policy.arn, "DefaultVersionId": version, "PolicyVersionList": listed}


def using(policy: Published, boundary: Published = POWER_USER) -> dict[str, Any]:
    [user] = users()["UserDetailList"]
    bounded = {"PermissionsBoundary": {"PermissionsBoundaryArn": boundary.arn}}
    return users(UserDetailList=[user | bounded | {"AttachedManagedPolicies": [{"PolicyArn": policy.arn}]}])


def test_policies_of_aws_that_were_read_apart_are_in_the_accounts_that_use_them(tmp_path: Path) -> None:
    files = {
        "a-iam.json": using(AUDIT) | {"RoleDetailList": roles()["RoleDetailList"]},
        "b-iam.json": WHOLE["iam-registry.json"],
        "policies-a.json": [of_aws(AUDIT, "v93"), of_aws(POWER_USER)],
        "policies-b.json": [of_aws(AUDIT), of_aws(AUDIT, "v92"), of_aws(READ_ONLY)],
    }
    accounts = taken(tmp_path, files).json["accounts"]
    policies = {account: accounts[account]["iam"]["Policies"] for account in accounts}
    found = {one["Arn"]: one["DefaultVersionId"] for one in policies[CI]}
    assert found == {AUDIT.arn: "v94", POWER_USER.arn: "v8"}
    assert policies[REGISTRY] == []
    [user] = (one for one in estate(tmp_path, files).identities() if one.arn == BOT)
    assert [len(one.statements) for one in user.policies[-1:]] == [1]
    assert user.boundary is not None
    assert user.boundary.statements


def test_a_policy_of_aws_that_no_file_has_is_unread(tmp_path: Path) -> None:
    [user] = estate(tmp_path, {"iam.json": using(AUDIT)}).identities()
    assert isinstance(user.policies[-1].document, Unread)


def test_of_outputs_without_a_filter_the_versions_that_nobody_can_set_are_dropped(tmp_path: Path) -> None:
    versions = [
        {"VersionId": version, "IsDefaultVersion": version == "v94", "Document": json.loads(text)}
        for version, text in AUDIT.texts()
    ]
    own = {"Arn": f"arn:aws:iam::{CI}:policy/own", "DefaultVersionId": "v94", "PolicyVersionList": versions[:2]}
    unused = own | {"Arn": f"arn:aws:iam::{CI}:policy/new", "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 0}
    listed = [{"Arn": AUDIT.arn, "DefaultVersionId": "v94", "PolicyVersionList": versions}, own, unused]
    files = {"iam.json": using(AUDIT) | {"Policies": listed}}
    ran = taken(tmp_path, files)
    found = ran.json["accounts"][CI]["iam"]["Policies"]
    assert [[one["VersionId"] for one in policy["PolicyVersionList"]] for policy in found] == [
        *(["v94"], ["v94", "v93"], ["v94"]),
    ]
    assert len(ran.out) < 700_000 < len(json.dumps(versions))


@pytest.mark.thorough
@pytest.mark.parametrize("argv", [("snapshot", "--from"), ("can-i", BOT, "pull", "app", "--snapshot")])
def test_a_file_of_200_mb_is_refused_before_it_is_parsed(tmp_path: Path, argv: tuple[str, ...]) -> None:
    path = tmp_path / "dump.json"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    ran = Command()(*argv, str(path))
    assert ran.code == 1
    assert "134217728" in ran.err


def test_a_snapshot_that_would_be_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "MAX_BYTES", 1000)
    files = {f"{account}.json": using(AUDIT) for account in "abcd"}
    ran = taken(tmp_path, files)
    assert ran.code == 1
    assert "a snapshot of more than 1000 bytes; make a snapshot for each group of accounts" in ran.err


def test_what_a_windows_shell_writes_is_read(tmp_path: Path) -> None:
    marked = b"\xef\xbb\xbf" + json.dumps(roles()).encode()
    ran = taken(tmp_path, {"a.json": json.dumps(users()).encode("utf-16"), "b.json": marked})
    assert list(ran.json["accounts"]) == [CI]


def test_hidden_files_are_not_read(tmp_path: Path) -> None:
    assert taken(tmp_path, {"a.json": users(), ".git/x": "?", ".DS_Store": b"\x00\xff"}).code == 0


def test_stdin_and_several_files_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a.json": repositories("shop/app")})
    both = json.dumps(users()) + json.dumps(policy())
    ran = Command()("snapshot", "--from", "-", f"{folder}/a.json", stdin=both.encode())
    assert [*ran.json["accounts"]] == [CI, REGISTRY]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another output": ({"x.json": {"imageDetails": []}}, "x.json: not an output that a snapshot is made of: it has im"),
    "an empty object": ({"x.json": {}}, "not an output that a snapshot is made of: it has nothing"),
    "a list of nothing": ({"x.json": "[]"}, ABSENT),
    "a list of texts": ({"x.json": '["users"]'}, "x.json: a list with what is no output: 'users'"),
    "half a list": ({"x.json": "[[["}, "x.json: not JSON at line 1 column 4"),
    "a list that is too deep": ({"x.json": "[" * 100_000}, "x.json: nested too deeply"),
    "a policy alone": ({"x.json": POLICY}, "not an output that a snapshot is made of: it has Statement"),
    "a snapshot": ({"x.json": {"schema": 1, "accounts": {}}}, "x.json: already a snapshot; give it to --snapshot"),
    "text": ({"x.txt": "users:\n- bot"}, "neither JSON nor an error message of the AWS CLI: users:"),
    "half an output": ({"x.json": '{"repositories": ['}, "x.json: not JSON at line 1 column 19"),
    "an output that is too deep": ({"x.json": '{"a":' * 100_000}, "x.json: nested too deeply"),
    "a key twice": ({"x.json": '{"policyText": "a", "policyText": "b"}'}, "x.json: the key 'policyText' occurs twice"),
    "bytes": ({"x.json": b"\xff\x00"}, "x.json is not text in UTF-8"),
    "nothing": ({"x.json": ""}, ABSENT),
    "an entry without an ARN": ({"x.json": {"repositories": [{}]}}, "x.json: an entry without a usable repositoryArn"),
    "a repository with the ARN of a user": ({"x.json": {"repositories": [{"repositoryArn": BOT}]}}, "not the ARN of a"),
    "lists of texts": ({"x.json": {"UserDetailList": ["x"]}}, "x.json: UserDetailList is not a list of objects"),
    "two accounts in one": (
        {"x.json": {"UserDetailList": [{"Arn": BOT}, {"Arn": f"arn:aws:iam::{REGISTRY}:user/x"}]}},
        "x.json: users and roles of 2 accounts in one output; give one for each account",
    ),
    "a page that names no account": ({"x.json": AWS_OWN}, "x.json: nothing in it says of which account it is"),
    "a name that is no text": ({"x.json": policy() | {"repositoryName": 1}}, "x.json: repositoryName is not text"),
    "a policy of no region": (
        {"x.json": policy()},
        f"x.json: in which region is the policy of shop/app of {REGISTRY}? no list of repositories has it; give the",
    ),
    "a policy of several regions": (
        {"a.json": [repositories("shop/app"), repositories("shop/app", region=OTHER)], "x.json": policy()},
        "x.json: in which region is the policy of shop/app of 222222222222? 2 regions have one",
    ),
    "a registry policy of no region": ({"x.txt": NO_REGISTRY_POLICY}, "in which region is the registry policy of"),
    "two policies of one repository": (
        {"a.json": repositories("shop/app"), "b.json": policy(), "c.txt": no_policy("shop/app")},
        "c.txt: another file has the policy of shop/app otherwise",
    ),
    "a user with policies, and without in an older file": (
        {"a.json": users(), "b-old.json": {"UserDetailList": [{"Arn": BOT, "UserId": "AIDABOT"}]}},
        f"b-old.json: another output has {BOT} otherwise",
    ),
    "a number that JSON has not": ({"x.json": '{"UserDetailList": [{"x": NaN}]}'}, "x.json: not JSON"),
    "a number without end": ({"x.json": '{"UserDetailList": [{"x": -1e999}]}'}, "x.json: not JSON"),
    "a number that is too long": ({"x.json": f'{{"UserDetailList": [{{"x": {"9" * 5000}}}]}}'}, "x.json: not JSON"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_output_is_a_named_error(tmp_path: Path, case: str) -> None:
    files, said = WRONG[case]
    ran = taken(tmp_path, files)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert taken(tmp_path, files, "--json").json["error"]["code"] == "dump-unusable"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--spec", "access.yaml", "--from", "x"), "--from with --spec; give the files of the AWS CLI alone"),
        (("--from", "x", "--region", "Frankfurt"), "--region Frankfurt; write it as AWS does"),
        (("--from", "no/such/file"), "there is no file no/such/file; give files that the AWS CLI wrote"),
    ],
)
def test_what_does_not_go_together_is_refused(argv: tuple[str, ...], said: str) -> None:
    ran = Command()("snapshot", *argv)
    assert ran.code == 1
    assert said in ran.err

"""Who may do what: read from the templates, because the emulator does not look at all of it."""

import json
import re

import pytest

from ecr_warden.collect.aws_estate_store import PREFIX, TEXTS
from ecr_warden.collect.wiring_verdicts import DEFAULT_BUS, HUB_RULES, QUEUES, known_of_hub
from ecr_warden.core.address import HUB_ROLES
from local.testing.memory.wiring import HUB as PLACE
from tests.template.cfn import ALL, EXPECTED, HUB, MEMBER, Node, Statement, Template, listed, say, says

READ_ARN = "arn:${AWS::Partition}:iam::*:role/ecr-warden/ecr-warden-read"
SWITCH_ARN = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/ecr-warden/writes"
WRITE_ARN = "arn:${AWS::Partition}:iam::*:role/ecr-warden/ecr-warden-write"
REPOSITORIES = "arn:${AWS::Partition}:ecr:*:${AWS::AccountId}:repository/*"
HUB_ROOT = "arn:${AWS::Partition}:iam::${HubAccount}:root"


# The managed policy of each list of owners, and the list.
OWNER_LISTS = {
    "OwnersPolicy": "ManagedOwners",
    "OwnersPolicy2": "ManagedOwners2",
    "OwnersPolicy3": "ManagedOwners3",
}


def _all_statements() -> list[Statement]:
    return [statement for template in ALL for statement in template.statements()]


def test_no_wildcard_is_granted_without_a_reason() -> None:
    found = {
        (statement.place, item)
        for statement in _all_statements()
        for item in (*statement.actions, *statement.resources)
        if "*" in item or "?" in item
    }
    assert found == {
        (place, item) for group in EXPECTED["wildcards"] for place, items in group["where"].items() for item in items
    }


def test_only_the_denial_of_plain_http_names_everybody_and_the_bus_those_of_the_organization() -> None:
    everybody = [s for s in _all_statements() if '"*"' in json.dumps(s.body.get("Principal"))]
    assert sorted(s.place for s in everybody if s.body["Effect"] == "Deny") == [
        "template.yaml CodeBucketPolicy RefusePlainHttp",
        "template.yaml SpecBucketPolicy RefusePlainHttp",
        "template.yaml StateBucketPolicy RefusePlainHttp",
    ]
    [bus] = [s for s in everybody if s.body["Effect"] == "Allow"]
    required = {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}
    assert bus.body["Principal"] == {"Fn::If": ["HasOrganization", "*", {"AWS": {"Ref": "MemberAccounts"}}]}
    assert bus.body["Condition"]["StringEquals"] == {"Fn::If": ["HasOrganization", required, {"Ref": "AWS::NoValue"}]}
    assert "PrincipalOrg" not in json.dumps(MEMBER.body), "no role is opened to it"


@pytest.mark.parametrize("template", [HUB, MEMBER])
def test_every_role_gets_the_boundary_that_a_company_demands(template: Template) -> None:
    boundary = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/${RoleBoundary}"
    given = {"Fn::If": ["HasRoleBoundary", {"Fn::Sub": boundary}, {"Ref": "AWS::NoValue"}]}
    roles = template.resources("AWS::IAM::Role").values()
    assert [role["Properties"].get("PermissionsBoundary") for role in roles] == [given] * len(roles)


def test_no_statement_is_written_by_exclusion() -> None:
    odd = {"NotAction", "NotResource", "NotPrincipal"}
    assert [s.place for s in _all_statements() if odd & set(s.body)] == []


def test_no_role_takes_a_managed_policy_of_aws() -> None:
    roles = [body for template in ALL for body in template.resources("AWS::IAM::Role").values()]
    assert len(roles) == 12
    taking = [role["Properties"] for role in roles if role["Properties"]["ManagedPolicyArns"]]
    assert [role["RoleName"] for role in taking] == ["ecr-warden-write"]
    given = [policy["Fn::If"][1]["Ref"] for policy in taking[0]["ManagedPolicyArns"]]
    assert given == [*OWNER_LISTS, "RolesPolicy"]
    assert {MEMBER.properties(name)["Path"] for name in given} == {"/ecr-warden/"}


@pytest.mark.parametrize("name", [role.removeprefix("ecr-warden-") for role in sorted(HUB_ROLES)])
def test_each_function_runs_as_its_own_role_on_the_root_path(name: str) -> None:
    function = HUB.properties(f"{name.capitalize()}Function")
    role = HUB.properties(f"{name.capitalize()}Role")
    assert say(function["Role"]) == f"${{{name.capitalize()}Role.Arn}}"
    assert (role["RoleName"], role["Path"]) == (f"ecr-warden-{name}", "/")
    assert [s["Principal"] for s in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "lambda.amazonaws.com"}
    ]


def test_only_reconcile_may_enter_member_accounts_to_write_and_collect_and_answer_to_read() -> None:
    entering = [s for s in _all_statements() if any(a.startswith("sts:") for a in s.actions) and "Resource" in s.body]
    assert [(s.place, s.actions, s.resources) for s in entering] == [
        (
            "template.yaml ReconcileRole EnterMemberAccounts",
            ["sts:AssumeRole"],
            [READ_ARN, WRITE_ARN],
        ),
        ("template.yaml ReconcileRole NameOwnRun", ["sts:SetSourceIdentity"], [WRITE_ARN]),
        ("template.yaml CollectRole ReadMemberAccounts", ["sts:AssumeRole"], [READ_ARN]),
        ("template.yaml AnswerRole ReadMemberAccounts", ["sts:AssumeRole"], [READ_ARN]),
    ]


@pytest.mark.parametrize("function", EXPECTED["actions"])
def test_dispatch_sends_jobs_and_answer_reads_and_both_write_their_own_logs(function: str) -> None:
    assert _actions(f"{function}Role") == {*EXPECTED["actions"][function]}


def test_no_hub_role_may_write_iam_ecr_or_the_spec_or_the_stop_switch() -> None:
    hub = [s for s in HUB.statements() if s.resource_type == "AWS::IAM::Role" and s.body["Effect"] == "Allow"]
    actions = {action for s in hub for action in s.actions}
    assert {a for a in actions if a.split(":")[0] in ("iam", "ecr", "lambda")} == {"lambda:ListEventSourceMappings"}
    assert not {"ssm:PutParameter", "sqs:PurgeQueue", "sqs:SetQueueAttributes"} & actions
    puts = [s.resources for s in hub if "s3:PutObject" in s.actions]
    assert puts == [
        ["${StateBucket.Arn}/compiled/*"],
        ["${StateBucket.Arn}/estate/*", "${StateBucket.Arn}/policies-of-aws/*"],
        ["${StateBucket.Arn}/audit/*"],
    ]


def test_work_flows_one_way_and_each_function_takes_from_its_own_queue_alone() -> None:
    """Nothing that may lag sends to an earlier queue: but collect repairs, and audit what accept decides on."""
    takes: dict[str, list[str]] = {}
    sends: dict[str, list[str]] = {}
    for statement in (s for s in HUB.statements() if s.resource_type == "AWS::IAM::Role"):
        role = statement.place.split()[1].removesuffix("Role")
        queues = [name.removeprefix("${").removesuffix(".Arn}") for name in statement.resources]
        if "sqs:ReceiveMessage" in statement.actions:
            takes.setdefault(role, []).extend(queues)
        if "sqs:SendMessage" in statement.actions:
            sends.setdefault(role, []).extend(queue for queue in queues if queue != "FailuresQueue")
    assert {"takes": takes, "sends": sends} == EXPECTED["queues"]


@pytest.mark.parametrize("role", EXPECTED["rows"])
def test_a_function_writes_its_own_rows_and_only_accept_the_accepted_version(role: str) -> None:
    writes = [s for s in HUB.policy(f"{role}Role") if "dynamodb:PutItem" in listed(s["Action"])]
    [keys] = [s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] for s in writes]
    assert listed(keys) == EXPECTED["rows"][role]
    deletes = {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:Scan"}
    assert [s for s in HUB.policy(f"{role}Role") if deletes & {*listed(s["Action"])}] == []


def test_of_a_targets_row_collect_writes_what_was_reported_alone() -> None:
    [note] = [s for s in HUB.policy("CollectRole") if s.get("Sid") == "NoteReported"]
    assert note["Action"] == "dynamodb:UpdateItem"
    assert note["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"] == ["pk", "sk", "reported"]


@pytest.mark.parametrize("role", ["AcceptRole", "AuditRole"])
def test_accept_and_audit_enter_no_account(role: str) -> None:
    assert not [action for action in _actions(role) if action.startswith(("sts:", "ssm:", "iam:"))]


def test_audit_reads_nothing_but_what_is_kept() -> None:
    reads = [says(s["Resource"]) for s in HUB.policy("AuditRole") if "s3:GetObject" in listed(s["Action"])]
    assert not [resource for resources in reads for resource in resources if "SpecBucket" in resource]


@pytest.mark.parametrize("role", ["CollectRole", "AuditRole"])
def test_pieces_of_the_estate_and_the_texts_that_they_name_go_together(role: str) -> None:
    reads = [says(s["Resource"]) for s in HUB.policy(role) if "s3:GetObject" in listed(s["Action"])]
    read = {resource for resources in reads for resource in resources}
    assert read >= {f"${{StateBucket.Arn}}/{prefix}*" for prefix in (PREFIX, TEXTS)}


def _actions(role: str) -> set[str]:
    return {action for statement in HUB.policy(role) for action in says(statement["Action"])}


@pytest.mark.parametrize("role", ["AnswerRole", "CollectRole"])
def test_what_is_seen_of_the_wiring_is_what_its_adapter_asks_for_and_nothing_else(role: str) -> None:
    seen = {s["Sid"]: s for s in HUB.policy(role) if s.get("Sid", "").startswith("See")}
    assert seen.keys() - {"SeeQueues"} == {"SeeWiring", "SeeMappings", "SeeSubscriptions"}
    rules = {f"${{{name}.Arn}}": body["Properties"] for name, body in HUB.resources("AWS::Events::Rule").items()}
    others = {"${AWS::StackId}", "${TrailBus.Arn}", "${SpecBucket.Arn}"}
    assert set(says(seen["SeeWiring"]["Resource"])) == rules.keys() | others
    assert {(rule["Name"], say(rule.get("EventBusName", DEFAULT_BUS))) for rule in rules.values()} == {
        (rule.name, rule.bus if rule.bus == DEFAULT_BUS else _bus(rule.bus)) for rule in HUB_RULES
    }


def test_what_the_hubs_wiring_is_compared_with_has_the_names_in_the_template() -> None:
    known = known_of_hub(PLACE)
    for name in ("DispatchFunction", "AlertFunction"):
        assert known[f"{name}.Arn"].endswith(f":function:{HUB.properties(name)['FunctionName']}")
    assert {known[bus] for bus in ("TrailBus", "OutcomesBus")} == {
        body["Properties"]["Name"] for body in HUB.resources("AWS::Events::EventBus").values()
    }
    polled = {
        (HUB.properties(name)["FunctionName"], HUB.properties(queue)["QueueName"])
        for name in HUB.resources("AWS::Serverless::Function")
        for event in HUB.properties(name).get("Events", {}).values()
        for queue in [say(event["Properties"]["Queue"]).removeprefix("${").removesuffix(".Arn}")]
    }
    assert {(function, queue) for function, queues in QUEUES.items() for queue in queues} == polled


def _bus(name: str) -> str:
    """The reference to a bus of the template."""
    buses = HUB.resources("AWS::Events::EventBus")
    return next(f"${{{logical}}}" for logical, body in buses.items() if body["Properties"]["Name"] == name)


def test_control_enters_no_account_and_writes_what_people_decide_into_the_table_alone() -> None:
    by_sid = {s["Sid"]: s for s in HUB.policy("ControlRole")}
    assert not [action for action in _actions("ControlRole") if action.startswith("sts:")]
    writes = [s for s in by_sid.values() if {"dynamodb:PutItem", "dynamodb:UpdateItem"} & {*says(s["Action"])}]
    assert [(s["Action"], s["Condition"]["ForAllValues:StringLike"]) for s in writes] == [
        (
            "dynamodb:PutItem",
            {"dynamodb:LeadingKeys": ["CALL#*", "HISTORY#COMMAND", "PAUSES", "DECISIONS", "ACKNOWLEDGED"]},
        ),
        ("dynamodb:UpdateItem", {"dynamodb:LeadingKeys": "TARGET#*"}),
    ]
    attributes = by_sid["SetPauses"]["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert attributes == ["pk", "sk", "paused"]
    assert not {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem"} & _actions("ControlRole")


def test_control_reads_what_commands_are_about_alone() -> None:
    by_sid = {s["Sid"]: s for s in HUB.policy("ControlRole")}
    assert by_sid["ReadState"]["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["SPEC", "TARGET#*", "CALL#*", "HOLDS", "DECISIONS"]}
    }
    queried = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["PAUSES", "INCIDENT#standing"]}}
    assert by_sid["ReadPausesAndIncidents"]["Condition"] == queried
    assert say(by_sid["ReadCompiledSpecs"]["Resource"]) == "${StateBucket.Arn}/compiled/*"
    assert {a for a in _actions("ControlRole") if a.startswith("s3:")} == {"s3:GetObject"}


def test_a_statement_that_reads_compiled_specs_reads_nothing_else() -> None:
    named = [s for s in HUB.statements() if s.body.get("Sid") == "ReadCompiledSpecs"]
    assert {one for statement in named for one in statement.resources} == {"${StateBucket.Arn}/compiled/*"}


def test_the_webhook_is_read_by_alert_alone() -> None:
    readers = {
        (s.place.split()[1], action)
        for s in _all_statements()
        for action in s.actions
        if action.startswith("secretsmanager:")
        or (action.startswith("ssm:") and "ecr-warden/writes" not in str(s.resources))
    }
    assert readers == {("AlertRole", "ssm:GetParameter"), ("AlertRole", "secretsmanager:GetSecretValue")}


def test_people_may_invoke_what_their_policy_names_and_nothing_else() -> None:
    policies = {
        body["Properties"]["ManagedPolicyName"]: body["Properties"]["PolicyDocument"]["Statement"]
        for body in HUB.resources("AWS::IAM::ManagedPolicy").values()
    }
    assert {name: [(says(s["Action"]), says(s["Resource"])) for s in body] for name, body in policies.items()} == {
        "ecr-warden-reader": [(["lambda:InvokeFunction"], ["${AnswerFunction.Arn}"])],
        "ecr-warden-operator": [
            (["lambda:InvokeFunction"], ["${AnswerFunction.Arn}", "${ControlFunction.Arn}", "${UploadAlias}"]),
            (["ssm:PutParameter"], [SWITCH_ARN]),
        ],
        "ecr-warden-publisher": [
            (["s3:PutObject"], ["${SpecBucket.Arn}/access.yaml"]),
            (["lambda:InvokeFunction"], ["${AnswerFunction.Arn}", "${UploadAlias}"]),
        ],
    }
    called = {say(p["Properties"]["FunctionName"]) for p in HUB.resources("AWS::Lambda::Permission").values()}
    assert not {"${AnswerFunction}", "${ControlFunction}"} & called
    assert not HUB.resources("AWS::Lambda::Url")


def test_alert_may_write_its_own_rows_only() -> None:
    rows, acknowledged, spec = [
        s for s in HUB.policy("AlertRole") if any(a.startswith("dynamodb:") for a in listed(s["Action"]))
    ]
    assert rows["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["INCIDENT#*", "HISTORY#ALERT"]}}
    assert [
        (one["Action"], one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
        for one in (acknowledged, spec)
    ] == [("dynamodb:Query", "ACKNOWLEDGED"), ("dynamodb:GetItem", "SPEC")]


def _trust(role: str) -> dict[str, Node]:
    statements = MEMBER.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    return {say(statement["Action"]): statement for statement in statements}


@pytest.mark.parametrize(
    ("role", "callers"),
    [
        ("ReadRole", [f"ecr-warden-{name}" for name in ("reconcile", "collect", "answer")]),
        ("WriteRole", ["ecr-warden-reconcile"]),
    ],
)
def test_a_member_role_trusts_the_hub_account_narrowed_to_named_roles(role: str, callers: list[str]) -> None:
    trust = _trust(role)
    for statement in trust.values():
        assert says(statement["Principal"]["AWS"]) == [HUB_ROOT]
        arns = says(statement["Condition"]["ArnEquals"]["aws:PrincipalArn"])
        assert arns == [f"arn:${{AWS::Partition}}:iam::${{HubAccount}}:role/{caller}" for caller in callers]
    assert trust["sts:AssumeRole"]["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}


def test_a_run_id_must_be_set_on_the_write_role_and_nobody_names_himself_on_the_read_role() -> None:
    own_name = {"sts:SourceIdentity": "ecrw-*"}
    assert set(_trust("ReadRole")) == {"sts:AssumeRole"}
    assert set(_trust("WriteRole")) == {"sts:AssumeRole", "sts:SetSourceIdentity"}
    assert _trust("WriteRole")["sts:SetSourceIdentity"]["Condition"]["StringLike"] == own_name
    assert _trust("WriteRole")["sts:AssumeRole"]["Condition"]["StringLike"] == own_name


def test_the_read_role_only_reads() -> None:
    actions = {action for statement in MEMBER.policy("ReadRole") for action in says(statement["Action"])}
    assert {a for a in actions if a.split(":")[1].startswith(("Get", "List", "Describe"))} == actions


def test_the_write_role_writes_what_the_product_writes_and_no_more() -> None:
    allowed = [s for s in MEMBER.policy("WriteRole") if s["Effect"] == "Allow"]
    actions = {action for statement in allowed for action in says(statement["Action"])}
    writes = {a for a in actions if not a.split(":")[1].startswith(("Get", "List", "Describe"))}
    assert writes == set(EXPECTED["writes"])


def test_whatever_may_add_access_on_a_push_role_requires_the_boundary() -> None:
    by_sid = {s["Sid"]: s for s in MEMBER.policy("WriteRole")}
    bounded = by_sid["OwnRolesUnderTheBoundary"]
    boundary = MEMBER.properties("Boundary")
    arn = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy{boundary['Path']}{boundary['ManagedPolicyName']}"
    assert bounded["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": {"Fn::Sub": arn}}}
    assert set(bounded["Action"]) == {
        "iam:CreateRole",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
    }
    free = [s for s in by_sid.values() if s.get("Resource") == bounded["Resource"] and "Condition" not in s]
    assert {s["Sid"] for s in free} == {"ReadOwnRoles", "TagOwnRoles", "TakeAwayFromOwnRoles"}
    assert not {a for s in free for a in listed(s["Action"]) if a.split(":")[1].startswith(("Put", "Update", "Create"))}


def test_the_write_role_can_never_change_its_own_access() -> None:
    [denial] = [s for s in MEMBER.policy("WriteRole") if s["Effect"] == "Deny"]
    assert "Condition" not in denial
    own = {say(item) for item in denial["Resource"]}
    prefix = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"
    names = {MEMBER.properties(name)["RoleName"] for name in MEMBER.resources("AWS::IAM::Role")}
    assert own == {f"{prefix}ecr-warden/{name}" for name in names} | {f"{prefix}ecr-warden-*"}


def test_the_hub_roles_that_a_member_lets_in_to_read_are_those_that_may_enter() -> None:
    entering = {s.place.split()[1] for s in _all_statements() if READ_ARN in s.resources}
    trusted = says(_trust("ReadRole")["sts:AssumeRole"]["Condition"]["ArnEquals"]["aws:PrincipalArn"])
    names = {HUB.properties(role)["RoleName"] for role in entering}
    assert names == {arn.rpartition("/")[2] for arn in trusted}


@pytest.mark.parametrize("parameter", EXPECTED["parameters"])
def test_an_entry_of_the_write_scope_is_one_arn_or_one_path(parameter: str) -> None:
    pattern = MEMBER.body["Parameters"][parameter]["AllowedPattern"]
    expected = EXPECTED["parameters"][parameter]
    assert [given for given in expected["takes"] if not re.fullmatch(pattern, given)] == []
    assert [given for given in expected["refuses"] if re.fullmatch(pattern, given)] == []


def _managed(name: str) -> list[Node]:
    statements: list[Node] = MEMBER.properties(name)["PolicyDocument"]["Statement"]
    return statements


def test_lists_of_identities_and_roles_are_exactly_the_parameters_and_may_be_empty() -> None:
    lists = OWNER_LISTS | {"RolesPolicy": "ManagedRoles"}
    for name, parameter in lists.items():
        [statement] = _managed(name)
        assert statement["Resource"] == {"Ref": parameter}
        resource, condition = MEMBER.body["Resources"][name], parameter.replace("Managed", "Has")
        assert resource["Condition"] == condition
        assert MEMBER.body["Conditions"][condition] == {
            "Fn::And": [
                {"Condition": "HasWrites"},
                {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]},
            ]
        }
    parameters = MEMBER.body["Parameters"]
    assert [parameters[p]["Default"] for p in (*lists.values(), "HubBusArns")] == [""] * 5


def test_every_list_of_identities_covers_the_same() -> None:
    opened = [_managed(name)[0]["Action"] for name in OWNER_LISTS]
    assert opened[0] == opened[1] == opened[2]
    patterns = {MEMBER.body["Parameters"][parameter]["AllowedPattern"] for parameter in OWNER_LISTS.values()}
    assert len(patterns) == 1


@pytest.mark.parametrize("arn", ["arn:aws:iam::111111111111:user/a", f"arn:aws:iam::111111111111:role/{'p' * 500}/r"])
def test_a_full_list_fits_into_its_managed_policy(arn: str) -> None:
    # IAM counts no white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    most = 4096 // (len(arn) + 1)
    for name in (*OWNER_LISTS, "RolesPolicy"):
        document = MEMBER.properties(name)["PolicyDocument"]
        [statement] = document["Statement"]
        full = {**document, "Statement": [{**statement, "Resource": [arn] * most}]}
        assert len(json.dumps(full, separators=(",", ":"))) <= 6144


def test_the_boundary_lets_a_push_role_push_and_pull_in_its_own_account_and_no_more() -> None:
    statements = MEMBER.properties("Boundary")["PolicyDocument"]["Statement"]
    assert [(s["Sid"], say(s["Resource"])) for s in statements] == [
        ("LogIn", "*"),
        ("PushAndPull", REPOSITORIES),
    ]
    assert statements[0]["Action"] == "ecr:GetAuthorizationToken"
    assert set(statements[1]["Action"]) == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    }


def test_events_alone_may_use_the_forward_role_for_its_own_account_and_only_to_the_hub() -> None:
    role = MEMBER.properties("ForwardRole")
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    [forward] = MEMBER.policy("ForwardRole")
    assert (forward["Action"], forward["Resource"]) == ("events:PutEvents", {"Ref": "HubBusArns"})


def test_names_in_member_accounts_are_those_that_the_hub_uses() -> None:
    roles = {body["Properties"]["RoleName"] for body in MEMBER.resources("AWS::IAM::Role").values()}
    paths = {body["Properties"]["Path"] for body in MEMBER.resources("AWS::IAM::Role").values()}
    boundary = MEMBER.properties("Boundary")
    assert roles == {"ecr-warden-read", "ecr-warden-write", "ecr-warden-forward"}
    assert paths == {"/ecr-warden/"}
    assert (boundary["ManagedPolicyName"], boundary["Path"]) == ("ecr-warden-boundary", "/ecr-warden/")

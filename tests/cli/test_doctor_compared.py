"""`doctor` with a release, in memory: what `deploy` would do, and what CloudFormation does not compare."""

import hashlib
from collections.abc import Callable, Mapping
from copy import replace
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.state.specs import SpecVersion
from ecr_warden_cli.deployment.compare import DEAD_LETTERS
from ecr_warden_cli.deployment.ports import LiveStack, RunningFunction, StackPlace
from ecr_warden_cli.deployment.stacks import NAMES
from ecr_warden_cli.terminal.context import Failure, NotEntered
from local.testing.seed import SPEC_FILE
from tests.cli.command import Ran
from tests.cli.test_deploy import CI, FILE, QUEUE, REGION, REGISTRY, TEMPLATES, Site, described, template
from tests.cli.test_doctor import counted
from tests.template.cfn import HUB, say

CODE = hashlib.sha256(b"code").hexdigest()
LAYER = hashlib.sha256(b"layer").hexdigest()


def at(digest: str) -> dict[str, Any]:
    """As a release says where code is."""
    return {"S3Key": {"Fn::Sub": f"${{CodePrefix}}{digest}.zip"}}


FUNCTION = {"FunctionName": "ecr-warden-answer", "Code": at(CODE)}
RELEASED = {
    **TEMPLATES,
    "organization": template("organization", Set=QUEUE),
    "hub": template(
        "hub",
        "ExternalId",
        Bucket=QUEUE,
        Answer={"Type": "AWS::Lambda::Function", "Properties": FUNCTION},
        Layer={"Type": "AWS::Lambda::LayerVersion", "Properties": {"LayerName": "ecr-warden", "Content": at(LAYER)}},
    ),
}
RUNS = RunningFunction(CODE, (LAYER,))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A deployment in which all is well."""
    made = Site(tmp_path)
    made.release(RELEASED)
    assert made("--yes").code == 0
    made.hub.world.specs.file = SpecVersion("v1", SPEC_FILE.read_bytes())
    made.cloud.functions["ecr-warden-answer"] = RUNS
    return made


def doctor(site: Site, *words: str) -> Ran:
    ran = site.command()("doctor", str(site.folder / "ecr-warden.yaml"), *words)
    assert "--json" in words or ran.last_line == counted(ran)
    return ran


def found(ran: Ran) -> list[dict[str, Any]]:
    return [one for group in ran.json["groups"] for one in group["diagnoses"]]


def place(account: str, region: str, name: str) -> StackPlace:
    return StackPlace(account, region, NAMES[name])


def running(**facts: Any) -> Callable[[Site], None]:
    given = {"code": CODE, "layers": (LAYER,), **facts}

    def change(site: Site) -> None:
        site.cloud.functions["ecr-warden-answer"] = RunningFunction(**given)

    return change


def drifted(account: str, region: str, name: str) -> Callable[[Site], None]:
    return lambda site: site.cloud.drifted.add(place(account, region, name))


def without_region(site: Site) -> None:
    (site.folder / "ecr-warden.yaml").write_text(FILE.replace(f"regions: [{REGION}], ", ""))


def both(*each: Callable[[Site], object]) -> Callable[[Site], object]:
    return lambda site: [one(site) for one in each]


def foreign(account: str, region: str, name: str) -> Callable[[Site], None]:
    def change(site: Site) -> None:
        site.cloud.stacks[place(account, region, name)] = LiveStack("CREATE_COMPLETE", description="the shop's")

    return change


def stands(account: str, region: str, name: str) -> Callable[[Site], None]:
    def change(site: Site) -> None:
        at = place(account, region, name)
        site.cloud.stacks[at] = LiveStack("CREATE_COMPLETE", description=described(name))
        site.cloud.templates[at] = RELEASED[name]

    return change


def with_letters(site: Site) -> None:
    site.cloud.letters["ecr-warden-dlq"] = 2


def denied(site: Site) -> None:
    why = "create change set: AccessDenied: not authorized to perform: cloudformation:CreateChangeSet on resource: x"
    site.cloud.refusing["propose"] = Failure(why)


def one_denied(site: Site) -> None:
    """And another one has drifted."""
    drifted(CI, REGION, "hub")(site)
    why = Failure("create change set: AccessDenied: not authorized to perform: cloudformation:CreateChangeSet")
    site.cloud.refusing[f"propose {place(REGISTRY, 'us-east-1', 'member')}"] = why


def one_closed(site: Site) -> None:
    site.cloud.refused[REGISTRY] = NotEntered("no credentials", "pass --profile registry=PROFILE")


def spoiled(site: Site) -> None:
    [key] = [one for one in site.cloud.objects if one.endswith(f"/{CODE}.zip")]
    site.cloud.objects[key] = b"theirs"


OTHER_CODE = {"stack-differs": "ecr-warden deploy", "code-differs": "ecr-warden deploy"}
ROWS: Mapping[str, tuple[Callable[[Site], object], dict[str, str], int]] = {
    "all is well": (lambda _: None, {}, 0),
    "what is in the hub": (drifted(CI, REGION, "hub"), {"stack-differs": "ecr-warden deploy"}, 2),
    "what is in a member": (drifted(REGISTRY, "us-east-1", "member"), {"stack-differs": "ecr-warden deploy"}, 2),
    "what forwards": (drifted(REGISTRY, REGION, "events"), {"stack-differs": "ecr-warden deploy"}, 2),
    "what CloudFormation could not read": (
        lambda site: site.cloud.unseen.add(place(REGISTRY, REGION, "events")),
        {"drift-unread": ""},
        1,
    ),
    "the code of a function": (running(code="0" * 64), OTHER_CODE, 2),
    "the layer of a function": (running(layers=("0" * 64,)), OTHER_CODE, 2),
    "a layer that nobody may read, or that is deleted": (running(layers=("",)), OTHER_CODE, 2),
    "a file of code in the bucket": (spoiled, {"code-differs": "ecr-warden deploy"}, 2),
    "a function that may not run": (running(reserved=0), {"function-limited": "aws lambda delete-function-conc"}, 2),
    "what nobody could process": (with_letters, {"letters-kept": ""}, 0),
    "a region that left the file": (
        without_region,
        {"not-in-file": "", "stack-left": f"aws cloudformation delete-stack --region {REGION} --stack-name "},
        0,
    ),
    "a region that left the file, with a stack that somebody changed": (
        both(without_region, drifted(REGISTRY, REGION, "events")),
        {"not-in-file": "", "stack-left": f"aws cloudformation delete-stack --region {REGION} --stack-name "},
        0,
    ),
    "a stack of somebody else's where one of ours may have been": (
        both(without_region, foreign(REGISTRY, REGION, "events")),
        {"not-compared": "", "not-in-file": ""},
        0,
    ),
    "the organization's stack that left the file": (
        stands(CI, REGION, "organization"),
        {"stack-left": f"aws cloudformation delete-stack --region {REGION} --stack-name ecr-warden-organization"},
        0,
    ),
    "one stack that refuses its change set": (
        one_denied,
        {"not-compared": "", "stack-differs": "ecr-warden deploy"},
        2,
    ),
    "an account that nobody enters, and that the hub looks at": (one_closed, {}, 0),
    "nobody may compare": (denied, {"not-compared": ""}, 0),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_differs_from_the_release_is_named_with_what_ends_it(site: Site, name: str) -> None:
    change, expected, code = ROWS[name]
    change(site)
    ran = doctor(site, "--json")
    assert [*expected] == [one["code"] for one in found(ran)]
    for one in found(ran):
        assert one["command"].startswith(expected[one["code"]])
        assert one["command"] or one["remedy"]
    assert (ran.code, site.cloud.pending) == (code, {}), "no change set is left"


def test_whoever_may_not_compare_is_not_asked_how_many_functions_may_run_at_once(site: Site) -> None:
    """Who reads a hub may ask neither, and has a warning in place of it."""
    denied(site)
    site.cloud.executions = Failure("AccessDenied: lambda:GetAccountSettings")
    assert [one["code"] for one in found(doctor(site, "--json"))] == ["not-compared"]


def test_what_somebody_changed_in_a_stack_that_left_the_file_is_said(site: Site) -> None:
    without_region(site)
    [_, left] = found(doctor(site, "--json"))
    assert left["message"].startswith(
        f"ecr-warden-events in {REGISTRY}/{REGION} is there, and ecr-warden.yaml has it no"
    )
    drifted(REGISTRY, REGION, "events")(site)
    [_, left] = found(doctor(site, "--json"))
    assert "is there, not as released (changes 1 SQS::Queue), and ecr-warden.yaml has it no longer" in left["message"]


def test_how_far_the_comparison_came_is_said(site: Site) -> None:
    assert "as released: 7 stacks, by change sets, and the code of 1 function" in doctor(site).out
    denied(site)
    ran = doctor(site)
    assert "the stacks were not compared with the release, but for what the hub looks at" in ran.out.replace("\n", " ")
    assert "cloudformation:CreateChangeSet" in ran.out.split("add this statement")[1]


def test_what_doctor_says_deploy_ends(site: Site) -> None:
    for one in ((CI, REGION, "hub"), (REGISTRY, "us-east-1", "member"), (REGISTRY, REGION, "events")):
        drifted(*one)(site)
    assert len(found(doctor(site, "--json"))) == 3
    assert site("--yes").code == 0
    assert found(doctor(site, "--json")) == []


def test_a_file_of_code_that_somebody_replaced_is_uploaded_again(site: Site) -> None:
    spoiled(site)
    ran = site("--plan")
    assert (ran.code, "uploads 1 file of code again, which somebody replaced" in ran.out) == (2, True)
    assert "uploaded 1 of 1 files of code" in site("--yes").out
    assert site.begun == []
    assert found(doctor(site, "--json")) == []


def test_code_that_somebody_replaced_is_uploaded_under_other_keys_and_taken_anew(site: Site) -> None:
    place_of_hub, before = place(CI, REGION, "hub"), {*site.cloud.objects}
    running(code="0" * 64)(site)
    ran = site("--yes")
    assert (site.begun, "uploaded 1 of 1 files of code" in ran.out) == ([str(place_of_hub)], True)
    prefix = site.cloud.stacks[place_of_hub].parameters["CodePrefix"]
    assert f"{prefix}{CODE}.zip" in {one.partition("/")[2] for one in {*site.cloud.objects} - before}
    site.cloud.functions["ecr-warden-answer"] = RUNS
    assert found(doctor(site, "--json")) == []
    assert (site("--yes").code, site.begun) == (0, [])
    assert site.cloud.stacks[place_of_hub].parameters["CodePrefix"] == prefix


def test_code_of_another_version_is_no_tampering(site: Site) -> None:
    running(code="0" * 64)(site)
    hub = place(CI, REGION, "hub")
    site.cloud.stacks[hub] = replace(
        site.cloud.stacks[hub], outputs={**site.cloud.stacks[hub].outputs, "Version": "0.1.0"}
    )
    assert "code-differs" not in [one["code"] for one in found(doctor(site, "--json"))]


def test_a_queue_that_nothing_polls_is_one_of_the_hubs(site: Site) -> None:
    queues = {say(body["Properties"]["QueueName"]) for body in HUB.resources("AWS::SQS::Queue").values()}
    assert {*DEAD_LETTERS} <= queues

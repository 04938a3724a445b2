"""Who can push, shown by real calls under the emulator's authorization."""

import hashlib
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_warden.access_spec.spec import POD_TAGS
from ecr_warden.core.address import identity_policy, trust_policy
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.target import RoleTarget, UserTarget
from iam_access.document.document import Document
from local.aws.launcher import EmulatedAws
from local.testing.seed import compiled
from local.testing.waiting import until
from tests.local.support import REGION, REPOSITORY, NewAccount, allow, policy, trust

PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]
MANIFEST = json.dumps({"schemaVersion": 2, "config": {}, "layers": []})


class Stage:
    """A registry with a push role, and a user elsewhere who may assume it as far as its own side goes."""

    def __init__(self, aws: EmulatedAws, new_account: NewAccount) -> None:
        self.aws, self.home, self.registry = aws, new_account(), new_account()
        self.user = self.make_user(self.home, "push-user")
        self.ecr = aws.client(self.registry, "ecr")
        self.iam = aws.client(self.registry, "iam")
        self.ecr.create_repository(repositoryName=REPOSITORY)
        self.role = self.iam.create_role(
            RoleName="ecr-pusher", Path="/ecr-warden/", AssumeRolePolicyDocument=policy(trust({"AWS": self.user}))
        )["Role"]["Arn"]
        repository = f"arn:aws:ecr:{REGION}:{self.registry}:repository/{REPOSITORY}"
        self.iam.put_role_policy(
            RoleName="ecr-pusher",
            PolicyName="push",
            PolicyDocument=policy(allow(PUSH, repository), allow("ecr:GetAuthorizationToken")),
        )

    def make_user(self, account: str, name: str) -> str:
        iam = self.aws.client(account, "iam")
        arn = str(iam.create_user(UserName=name)["User"]["Arn"])
        iam.put_user_policy(UserName=name, PolicyName="assume", PolicyDocument=policy(allow("sts:AssumeRole")))
        return arn

    def assume(self, account: str, user: str, **carried: Any) -> dict[str, Any]:
        sts = self.aws.user_client(account, user, "sts")
        answer = sts.assume_role(RoleArn=self.role, RoleSessionName="ci", **carried)
        return dict(answer["Credentials"])

    def compiled(self, by: object, **settings: str) -> CompiledSpec:
        """A spec that lets somebody push."""
        repository = {"name": REPOSITORY, "account": "registry", "push": [{"role": "ecr-pusher", "by": [by]}]}
        spec = {
            "version": 1,
            "accounts": {"ci": {"id": self.home}, "registry": {"id": self.registry, "regions": [REGION]}},
            "repositories": [repository],
            "settings": settings,
        }
        return compiled(json.dumps(spec))

    def write(self, sessions: str) -> None:
        """The documents of a spec that lets the user push, as ecr-warden renders them."""
        targets = self.compiled("ci:user/push-user", sessions=sessions).targets
        role, user = RoleTarget(self.registry, "ecr-pusher"), UserTarget(self.home, "push-user")
        own = targets[user.key].documents[identity_policy(user, "ecr-warden-assume")]
        trusting = targets[role.key].documents[trust_policy(role)]
        assert isinstance(own, Document) and isinstance(trusting, Document)
        self.iam.update_assume_role_policy(RoleName="ecr-pusher", PolicyDocument=trusting.text)
        iam = self.aws.client(self.home, "iam")
        iam.put_user_policy(UserName="push-user", PolicyName="assume", PolicyDocument=own.text)

    def push(self, credentials: dict[str, Any], tag: str) -> str:
        ecr = self.aws.assumed_client(credentials, "ecr")
        ecr.get_authorization_token()
        digest = "sha256:" + hashlib.sha256(b"layer").hexdigest()
        ecr.batch_check_layer_availability(repositoryName=REPOSITORY, layerDigests=[digest])
        upload = ecr.initiate_layer_upload(repositoryName=REPOSITORY)["uploadId"]
        ecr.upload_layer_part(
            repositoryName=REPOSITORY, uploadId=upload, partFirstByte=0, partLastByte=4, layerPartBlob=b"layer"
        )
        ecr.complete_layer_upload(repositoryName=REPOSITORY, uploadId=upload, layerDigests=[digest])
        image = ecr.put_image(repositoryName=REPOSITORY, imageManifest=MANIFEST, imageTag=tag)
        return str(image["image"]["imageId"]["imageTag"])


@pytest.fixture
def stage(aws: EmulatedAws, new_account: NewAccount) -> Stage:
    return Stage(aws, new_account)


def refused(error: pytest.ExceptionInfo[ClientError]) -> bool:
    return error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")


def test_a_user_of_another_account_pushes_through_the_role(stage: Stage) -> None:
    assert stage.push(stage.assume(stage.home, "push-user"), "v1") == "v1"
    assert stage.ecr.describe_images(repositoryName=REPOSITORY)["imageDetails"][0]["imageTags"] == ["v1"]


TAGS = [{"Key": "Repository", "Value": "acme/shop"}, {"Key": "Actor", "Value": "anna"}]


def test_a_push_as_configure_aws_credentials_makes_it_needs_tagged_sessions(stage: Stage) -> None:
    stage.write("tagged")
    assert stage.push(stage.assume(stage.home, "push-user", Tags=TAGS), "v1") == "v1"
    assert stage.push(stage.assume(stage.home, "push-user", SourceIdentity="anna"), "v2") == "v2"
    stage.write("plain")
    assert stage.push(stage.assume(stage.home, "push-user"), "v3") == "v3"
    for carried, action in (({"Tags": TAGS}, "sts:TagSession"), ({"SourceIdentity": "anna"}, "sts:SetSourceIdentity")):
        with pytest.raises(ClientError) as error:
            stage.assume(stage.home, "push-user", **carried)
        assert refused(error) and action in error.value.response["Error"]["Message"]


def test_of_pods_that_share_a_role_only_those_of_the_workload_push(stage: Stage) -> None:
    cluster = f"arn:aws:eks:{REGION}:{stage.home}:cluster/prod"
    pods = {"pods": {"cluster": cluster, "namespace": "ci", "serviceAccount": "builder"}}
    role = RoleTarget(stage.registry, "ecr-pusher")
    trusting = stage.compiled(pods).targets[role.key].documents[trust_policy(role)]
    assert isinstance(trusting, Document)
    stage.iam.update_assume_role_policy(RoleName="ecr-pusher", PolicyDocument=trusting.text)
    iam = stage.aws.client(stage.home, "iam")
    # The emulator has no EKS: somebody opens the sessions that EKS Pod Identity would open, with its tags.
    trusted = {**trust({"AWS": stage.user}), "Action": ["sts:AssumeRole", "sts:TagSession"]}
    shared = iam.create_role(RoleName="pods", AssumeRolePolicyDocument=policy(trusted))["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="pods", PolicyName="push", PolicyDocument=policy(allow(["sts:AssumeRole", "sts:TagSession"]))
    )
    iam.put_user_policy(
        UserName="push-user", PolicyName="assume", PolicyDocument=policy(allow(["sts:AssumeRole", "sts:TagSession"]))
    )

    def pod(service_account: str) -> Any:
        values = dict(zip(POD_TAGS, (cluster, "ci", service_account), strict=True))
        sts = stage.aws.user_client(stage.home, "push-user", "sts")
        session = sts.assume_role(
            RoleArn=shared,
            RoleSessionName=service_account,
            Tags=[{"Key": key, "Value": value} for key, value in values.items()],
            TransitiveTagKeys=[*POD_TAGS],
        )
        return stage.aws.assumed_client(dict(session["Credentials"]), "sts")

    opened = pod("builder").assume_role(RoleArn=stage.role, RoleSessionName="push")
    assert stage.push(dict(opened["Credentials"]), "v1") == "v1"
    with pytest.raises(ClientError) as error:
        pod("web").assume_role(RoleArn=stage.role, RoleSessionName="push")
    assert refused(error)


def test_a_session_outlives_the_trust_policy_until_older_sessions_are_denied(
    stage: Stage, new_account: NewAccount
) -> None:
    outsider = new_account()
    stage.make_user(outsider, "somebody")
    right = policy(trust({"AWS": stage.user}))
    opened = policy(trust({"AWS": [stage.user, f"arn:aws:iam::{outsider}:root"]}))
    stage.iam.update_assume_role_policy(RoleName="ecr-pusher", PolicyDocument=opened)
    session = stage.assume(outsider, "somebody")
    stage.push(session, "evil-1")
    stage.iam.update_assume_role_policy(RoleName="ecr-pusher", PolicyDocument=right)
    stage.push(session, "evil-2")  # the trust policy is read at AssumeRole only

    moment = int(time.time()) + 1
    cut = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    older = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": cut}},
    }
    stage.iam.put_role_policy(RoleName="ecr-pusher", PolicyName="older", PolicyDocument=policy(older))
    with pytest.raises(ClientError) as error:
        stage.push(session, "evil-3")
    assert refused(error)
    with pytest.raises(ClientError) as error:
        stage.assume(outsider, "somebody")
    assert refused(error)

    until(lambda: time.time() > moment, what="the cut")
    assert stage.push(stage.assume(stage.home, "push-user"), "v2") == "v2"

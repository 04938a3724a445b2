"""Services that run what somebody gives them as a role that they pass.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html and, for the calls,
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterator
from copy import replace

from iam_access.document.condition import CanonicalClause
from iam_access.document.principal import ROLES_ANYWHERE
from iam_access.escalation.become import Become
from iam_access.escalation.calls import CAN, Caller, Conditions
from iam_access.evaluate.request_principal import parse_request_principal
from iam_access.who_can.graph import Graph, may_trust
from iam_access.who_can.subject import Subject, outside_subject

# By the service that the role has to trust: what is needed, of each line one call.
_RUNS_AS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    (
        "lambda.amazonaws.com",
        (
            ("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"),
            ("lambda:CreateFunction", "lambda:UpdateFunctionCode"),
            ("lambda:InvokeFunction", "lambda:InvokeAsync", "lambda:AddPermission", "lambda:CreateEventSourceMapping"),
        ),
    ),
    ("ec2.amazonaws.com", (("ec2:RunInstances", "ec2:RequestSpotInstances"),)),
    ("ec2.amazonaws.com", (("autoscaling:CreateLaunchConfiguration",), ("autoscaling:CreateAutoScalingGroup",))),
    (
        "ecs-tasks.amazonaws.com",
        (("ecs:RegisterTaskDefinition",), ("ecs:RunTask", "ecs:StartTask", "ecs:CreateService", "ecs:UpdateService")),
    ),
    (
        "codebuild.amazonaws.com",
        (("codebuild:CreateProject", "codebuild:UpdateProject"), ("codebuild:StartBuild", "codebuild:StartBuildBatch")),
    ),
    ("codepipeline.amazonaws.com", (("codepipeline:CreatePipeline", "codepipeline:UpdatePipeline"),)),
    ("ecs-tasks.amazonaws.com", (("batch:RegisterJobDefinition",), ("batch:SubmitJob",))),
    ("cloudformation.amazonaws.com", (("cloudformation:CreateStack", "cloudformation:UpdateStack"),)),
    ("cloudformation.amazonaws.com", (("cloudformation:CreateChangeSet",), ("cloudformation:ExecuteChangeSet",))),
    ("glue.amazonaws.com", (("glue:CreateDevEndpoint",),)),
    ("glue.amazonaws.com", (("glue:CreateJob", "glue:UpdateJob"), ("glue:StartJobRun", "glue:CreateTrigger"))),
    ("glue.amazonaws.com", (("glue:CreateSession",), ("glue:RunStatement",))),
    ("sagemaker.amazonaws.com", (("sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob"),)),
    (
        "sagemaker.amazonaws.com",
        (("sagemaker:CreateNotebookInstance",), ("sagemaker:CreatePresignedNotebookInstanceUrl",)),
    ),
    (
        "sagemaker.amazonaws.com",
        (
            ("sagemaker:CreateDomain", "sagemaker:CreateUserProfile", "sagemaker:UpdateUserProfile"),
            ("sagemaker:CreatePresignedDomainUrl",),
        ),
    ),
    (
        "states.amazonaws.com",
        (
            ("states:CreateStateMachine", "states:UpdateStateMachine"),
            ("states:StartExecution", "states:StartSyncExecution"),
        ),
    ),
    ("scheduler.amazonaws.com", (("scheduler:CreateSchedule", "scheduler:UpdateSchedule"),)),
    ("ssm.amazonaws.com", (("ssm:StartAutomationExecution", "ssm:CreateActivation"),)),
    (
        "credentials.iot.amazonaws.com",
        (
            ("iot:CreateRoleAlias", "iot:UpdateRoleAlias"),
            ("iot:CreateKeysAndCertificate", "iot:CreateCertificateFromCsr", "iot:RegisterCertificateWithoutCA"),
            ("iot:AttachPolicy", "iot:AttachPrincipalPolicy"),
        ),
    ),
    ("pods.eks.amazonaws.com", (("eks:CreatePodIdentityAssociation", "eks:UpdatePodIdentityAssociation"),)),
    ("tasks.apprunner.amazonaws.com", (("apprunner:CreateService", "apprunner:UpdateService"),)),
    (
        "bedrock-agentcore.amazonaws.com",
        (
            ("bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:CreateCodeInterpreter"),
            ("bedrock-agentcore:InvokeAgentRuntime", "bedrock-agentcore:InvokeCodeInterpreter"),
        ),
    ),
    (
        "datapipeline.amazonaws.com",
        (
            ("datapipeline:CreatePipeline",),
            ("datapipeline:PutPipelineDefinition",),
            ("datapipeline:ActivatePipeline",),
        ),
    ),
    ("emr-serverless.amazonaws.com", (("emr-serverless:StartJobRun",),)),
    (
        ROLES_ANYWHERE,
        (
            ("rolesanywhere:CreateTrustAnchor", "rolesanywhere:UpdateTrustAnchor"),
            ("rolesanywhere:CreateProfile", "rolesanywhere:UpdateProfile"),
        ),
    ),
    ("elasticmapreduce.amazonaws.com", (("elasticmapreduce:RunJobFlow",),)),
    ("ec2.amazonaws.com", (("elasticmapreduce:RunJobFlow",),)),
)

PASSING = tuple(dict.fromkeys(call for _, needs in _RUNS_AS for calls in needs for call in calls))
"""The calls by which a role that was passed is used."""


def passing(caller: Caller, graph: Graph) -> Iterator[Become]:
    """The roles of the caller's account that it can pass to a service which it can have run something."""
    if not caller.resources("iam:PassRole"):
        return
    for name, needs in _runs_as(caller.subject.principal.partition):
        runs = [_first(caller, calls) for calls in needs]
        if not all(runs):
            continue
        service = _for_account(outside_subject(parse_request_principal(name), graph.inventory, is_class=False), caller)
        for role in graph.identities_of(caller.account):
            identity = role.identity
            if identity is None or not role.is_role or not may_trust(role, service):
                continue
            passes = caller.on(identity, "iam:PassRole", {"iam:passedtoservice": (name,)})
            if passes is None:
                continue
            trusts = graph.ask(service, graph.assuming(service, role))
            if trusts.answer in CAN:
                steps = (*passes[0], *(run[0] for run in runs if run))
                yield Become(role, steps, (*passes[1], *(one for run in runs if run for one in run[1])))


def _for_account(service: Subject, caller: Caller) -> Subject:
    """A service that acts for the caller's account; not every service says for whom it acts.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    account = caller.account
    always = (
        CanonicalClause("StringEqualsIfExists", "aws:sourceaccount", frozenset({account})),
        CanonicalClause("ArnLikeIfExists", "aws:sourcearn", frozenset({f"arn:*:*:*:{account}:*"})),
    )
    return replace(service, always=(*service.always, *always))


def _runs_as(partition: str) -> Iterator[tuple[str, tuple[tuple[str, ...], ...]]]:
    """In China some services have names of their own.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    for name, needs in _RUNS_AS:
        yield name, needs
        if partition == "aws-cn":
            yield f"{name}.cn", needs


def _first(caller: Caller, actions: tuple[str, ...]) -> tuple[str, Conditions] | None:
    """The first of the calls that is allowed somewhere."""
    for action in actions:
        conditions = caller.allows_somewhere(action)
        if conditions is not None:
            return action, conditions
    return None

"""What an error message says: who was denied what, on what and why; or that IAM denied nothing.

`FORMS` is all that is known of tools and services: a message that is not understood yet is another row. `CALLERS` says
whose credentials a tool uses.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from ecr_warden.core.actions import REQUIRED, TOKEN, UPLOADS, Access
from ecr_warden.core.target import RepositoryTarget
from iam_access.catalogue import matching_actions
from iam_access.text.printable import printable

PULL, PUSH = Access.PULL.value, Access.PUSH.value
LOGIN, ASSUME = "login", "assume"
NOT_DENIED, NO, ASKS = "not denied", "no", "asks"
_PARTS = {
    TOKEN: LOGIN,
    **dict.fromkeys(("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"), ASSUME),
    # What comes with an upload reads; by itself, too, it is a push.
    **dict.fromkeys((*UPLOADS, "ecr:PutImage", "ecr:BatchCheckLayerAvailability"), PUSH),
    **dict.fromkeys(REQUIRED[Access.PULL], PULL),
}
"""Which access a call is a part of."""
_GRAVITY = ("ecr:Put", "ecr:Set", "ecr:Delete", "ecr:BatchDelete", ASSUME, PUSH, PULL, LOGIN)
_NEAR = 300
"""Of what is said within so many characters, only the first row of the table counts: the rest is its context."""

_MASKED = r"(?<!\*)\*{3,40}"
_ACCOUNT = rf"(?P<account>[0-9]{{12}}|{_MASKED})"
_DOMAIN = r"(?:amazonaws\.com(?:\.cn)?|on\.aws)"
_HOST = rf"(?:{_ACCOUNT}\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+|{_MASKED})\.{_DOMAIN}|{_MASKED})"
_NAME = r"(?P<name>[a-z0-9](?:[a-z0-9._-]|/(?!(?:manifests|blobs|tags|referrers)/)){0,255})"
_URL = rf"\\*\"?https?://{_HOST}/v2/(?:{_NAME}|{_MASKED})/"
_PUSHES = r"\b(?:post|patch|put)(?: request to)? "
_PULLS = r"\b(?:head|get)(?: request to)? "
_PUSHING = r"(?:failed to push|failed to upload|pushing|publish|push refers to|checking push)\b(?:(?!#\d+ ).){0,200}?"
_UNTIL = r"(?:(?!\b40[13]\b|\bEOF\b|https?://).){0,240}"
_REGISTRY = re.compile(rf"[0-9]{{12}}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.{_DOMAIN}")
_IMAGE = re.compile(rf"{_HOST}/(?!v2/){_NAME}")
_REPOSITORY = re.compile(rf"arn:aws[a-z-]*:ecr:(?P<region>[a-z0-9-]+|{_MASKED}):{_ACCOUNT}:repository/{_NAME}")
_REASON = re.compile(
    r"\s*(?:because no (?P<lacks>[A-Za-z -]{1,40}) allows"
    r"|with an explicit deny(?: in (?:an? |the )?(?P<denies>[A-Za-z -]{1,40}(?:policy|boundary)))?)"
    r"(?:[^:]{0,160}: (?P<policy>arn:\S{1,400}))?"
)
_CONTROLS = re.compile(r"(?:\x1b|\^\[)(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]{0,200}\x07)")
_BOX = re.compile(r"^[ \t]*[│╷╵┃|][ \t]?", re.MULTILINE)
_ENDS = ".,;:\"'`)]}\\"


class Form(Struct, frozen=True):
    """One form of a message.

    In `says` and `do`, {groups} of the pattern, and {host} of the registry.
    """

    pattern: str
    tried: str = ""
    """Pull, push, login, assume or an action, where the pattern has no group `action`; "" where it says nothing of
    it."""
    says: str = ""
    """The answer by itself, whatever the policies say; "" where the policies answer."""
    do: str = ""
    """What to do then, or what to look for where the message leaves something open."""
    verdict: str = NOT_DENIED
    """The verdict that `says` is."""


SIGN_IN = "sign in, as whoever may pull or push:"
_WHOSE = "aws sts get-caller-identity shows whose credentials a client has"
_AWS_LOGIN = "refresh them (aws sso login, or the job's step that assumes the role); aws sts get-caller-identity shows whose they are"
FORMS = (
    Form(r"(?P<who>arn:[a-z-]{1,20}:(?:iam|sts)::[0-9*]{3,40}:\w[\w-]{0,40}/\S{1,600}) is not authorized to perform: ?sts:TagSession on resources?: (?P<resource>arn:\S{1,80}?:role/[\w+=,.@/-]{0,600}\w)", ASSUME, "{who} cannot assume {resource} with sts:TagSession, which tags the session", "allow sts:TagSession in the caller's policies and in the role's trust policy, or do not tag the session (configure-aws-credentials: role-skip-session-tagging: true)", NO),
    Form(r"(?P<who>arn:[a-z-]{1,20}:(?:iam|sts)::[0-9*]{3,40}:\w[\w-]{0,40}/\S{1,600}) is not authorized to perform: ?sts:SetSourceIdentity on resources?: (?P<resource>arn:\S{1,80}?:role/[\w+=,.@/-]{0,600}\w)", ASSUME, "{who} cannot assume {resource} with sts:SetSourceIdentity, which names its source", "allow sts:SetSourceIdentity in the caller's policies and in the role's trust policy, or do not set a source identity", NO),
    Form(r"is not authorized to perform: ?(?P<action>(?!ecr:|sts:)[a-z0-9-]+:[A-Za-z]+)", says="the message is about {action}, a call of another service", do="whoever owns the policies there can say: ecr-warden answers for ECR and for assuming roles", verdict=ASKS),
    # AWS's own words, which say all of it.
    Form(r"(?<!\S)(?P<who>\S{1,2048}) is not authorized to perform: ?(?P<action>[a-z0-9-]+:[A-Za-z]+)(?: on (?:the )?resources?: (?P<resource>\S+))?"),
    Form(r"\"principal\": ?\{[^{}]{0,400}\"arn\": ?\"(?P<who>[^\"]+)\"[^{}]{0,400}\}[^{}]{0,200}\"action\": ?\"(?P<action>[^\"]+)\", ?\"resource\": ?\"(?P<resource>[^\"]+)\""),
    Form(r"not authorized to perform sts:AssumeRoleWithWebIdentity", ASSUME),
    Form(r"credentials could not be used to assume '(?P<resource>arn:[^']{1,400})'", ASSUME, do=_WHOSE),
    Form(r"role '(?P<who>arn:[^']{1,400})' does not have \w{1,64} permission for the image", PULL),
    Form(r"does not grant [\w:, ]{1,200} permissions? to (?P<who>[a-z.-]{1,100}\.amazonaws\.com)", PULL),
    Form(r"ecr:ReplicateImage on (?P<resource>arn:\S+)", says="the destination's registry does not let images be replicated into it", do="let the policy of the registry of {resource} allow ecr:ReplicateImage to the account that replicates: whoever owns that registry decides", verdict=NO),
    Form(r"starport-layer-bucket\S{0,200}[^:]{0,40}: 403", PULL, "S3, which has ECR's layers, denied the download", "let the policy of the VPC endpoint of S3 allow s3:GetObject on arn:aws:s3:::prod-REGION-starport-layer-bucket/*: its owner can (aws ec2 describe-vpc-endpoints)", NO),
    Form(r"Encoded authorization failure message: (?P<encoded>[\w-]+)", says="AWS's reason is encoded", do="decode it, and give what it says: aws sts decode-authorization-message --encoded-message {encoded} --query DecodedMessage --output text", verdict=ASKS),
    # What is no denial of IAM.
    Form(r"authorization token has expired", says="docker's credentials for {host} have expired: they last 12 hours", do=SIGN_IN),
    Form(r"authorization token is invalid", says="docker's credentials are not of {host}", do=SIGN_IN),
    Form(r"login attempt to \S{1,200} failed with status: 40[01]", says="{host} does not take this user and password", do=SIGN_IN),
    Form(r"no basic auth credentials", says="docker has no credentials for {host}: it never asked AWS", do=SIGN_IN),
    Form(r"ExpiredToken|security token included in the request is expired|Token has expired and refresh failed", says="the AWS credentials have expired", do=_AWS_LOGIN),
    Form(r"security token included in the request is invalid|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch", says="AWS does not know the credentials", do=_AWS_LOGIN),
    Form(r"config profile \((?P<profile>[^()]{1,128})\) could not be found", says="there is no profile {profile} for AWS here", do="name one that aws configure list-profiles shows"),
    Form(r"error storing credentials|Error saving credentials", says="docker could not keep the credentials that it got: its credential store failed", do="correct credsStore in ~/.docker/config.json, or remove it, and sign in again"),
    Form(r"(?:docker daemon socket|cannot connect to the docker daemon|error during connect)", says="the client may not, or cannot, talk to the docker daemon: ECR was not asked", do="start docker, or run it as somebody of the group docker"),
    Form(r"An image does not exist locally with the tag", says="there is no such image on this machine to push", do="name it for the registry first: docker tag IMAGE ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG; docker images shows which there are"),
    Form(r"error parsing HTTP 40[0-9] response body: invalid character '<'", says="a proxy answered in place of ECR", do="have the client go around it, or its owner let the registry through"),
    Form(rf"{_PUSHES}{_URL}manifests/\S{{1,300}}: 400\b", says="ECR does not take a manifest of this form", do="if it is a cache of buildx, export it with image-manifest=true,oci-mediatypes=true; else look what the registry answered"),
    Form(r"could not (?:load|be loaded|find) credentials|unable to locate credentials|credentials could not be loaded", says="there are no AWS credentials", do="give some (a profile, a role of the job); aws sts get-caller-identity shows whose they are"),
    Form(r"authentication to the upstream registry failed|UpstreamAccessDenied", says="the upstream of the pull-through cache refused ECR's credentials", do="correct the secret of the rule: aws ecr describe-pull-through-cache-rules shows which it is"),
    Form(r"The repository with name '(?P<name>[^']{1,256})' does not exist(?: in the registry with id '(?P<account>[0-9]{12})')?", says="there is no repository {name}", do="correct its name, account or region, or create it"),
    Form(r"tag '(?P<tag>[^']{1,128})' already exists|repository is immutable|TAG_INVALID|ImageTagAlreadyExists", says="the repository keeps the tag that is there: its tags are immutable", do="push another tag"),
    Form(rf"manifest unknown|Requested image not found|ImageNotFoundException|{_HOST}/{_NAME}[:@][^\s\"]{{1,128}}: not found", says="there is no such tag or digest in the repository", do="look which there are: aws ecr describe-images --repository-name NAME"),
    Form(r"no matching manifest for (?P<platform>[\w/]+)|no match for platform", says="the image is not built for this platform", do="build it for this one: docker buildx build --platform linux/amd64,linux/arm64"),
    Form(r"reached your (?:unauthenticated )?pull rate limit", says="Docker Hub limits how often it is pulled from", do="sign in to Docker Hub, or pull its images by a pull-through cache of ECR"),
    Form(r"toomanyrequests|Rate exceeded|ThrottlingException|429 Too Many Requests", says="the rate of calls was too high", do="try again, more slowly"),
    Form(r"requested access to the resource is denied|docker\.io\S*: (?:denied|unauthorized)", says="Docker Hub denied it, not ECR: the name of the image has no registry of ECR", do="name the registry: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME"),
    Form(r"x509: |certificate (?:signed by|has expired|is not trusted)", says="the certificate that answered is not trusted", do="have the client trust the proxy between it and ECR, or go around it"),
    Form(r"i/o timeout|TLS handshake timeout|no such host|connection refused|request canceled|context deadline exceeded|network is unreachable|Client\.Timeout", says="the network: ECR was not reached", do="give the client a route to the registry: a NAT gateway, or the VPC endpoints ecr.api, ecr.dkr and S3"),
    Form(r"LimitExceededException|limit exceeded for", says="a quota of ECR is used up", do="delete images, or ask for more in Service Quotas"),
    Form(r"Source image \S+ is not valid", says="Lambda cannot use the image", do="give one in the function's region, by a tag that is there, built for one platform without attestations (--provenance=false)"),
    # Requests of HTTP, by their method and path.
    Form(r"unauthorized: authentication required|\b401 Unauthorized|(?:=|status code:? )401\b", says="the client is not signed in at {host}", do=SIGN_IN),
    Form(rf"{_PUSHING}{_PULLS}{_URL}{_UNTIL}\b403\b", PUSH, do=_WHOSE),
    Form(rf"{_PUSHES}{_URL}{_UNTIL}(?:\b403\b|\bEOF\b)", PUSH, do=_WHOSE),
    Form(rf"{_PULLS}{_URL}tags/{_UNTIL}\b403\b", "ecr:ListImages", do=_WHOSE),
    Form(rf"{_PULLS}{_URL}{_UNTIL}\b403\b", PULL, do=_WHOSE),
    Form(r"\[(?:manifests|blobs) [^\]]{1,128}\]: 403", PULL, do=_WHOSE),
    Form(rf"failed open: unexpected status code {_URL}{_UNTIL}\b403\b", PULL, do=_WHOSE),
    # Services and tools that say less.
    Form(r"Lambda does not have permission to access the ECR image", PULL, do="the function's image"),
    Form(r"pull access denied for|Failed to pull your application image|UNABLE_TO_PULL_IMAGE|CannotPull\w*Error", PULL, do=_WHOSE),
    Form(rf"push refers to repository \[{_HOST}/{_NAME}\].{{0,4000}}\b(?:EOF|denied|403)\b", PUSH, do=_WHOSE),
    Form(rf"failed to push {_HOST}/{_NAME}", PUSH, do=_WHOSE),
    Form(r"ImagePullBackOff|ErrImagePull|Back-off pulling image", says="the message does not say why the image was not pulled", do="give the event that does: kubectl describe pod NAME shows it as Failed to pull image", verdict=ASKS),
    Form(r"(?:403 Forbidden|HTTP 403)|\bdenied\b|AccessDenied"),
)  # fmt: skip
"""All forms of messages, the plainest first.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html,
https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html, and the threads in tests/cases/denials.
"""


class ToolCredentials(Struct, frozen=True):
    """Whose credentials a tool uses: `whose`, in words with what to look for, of a role that trusts one of `services`.

    Without `whose` it is the service itself.
    """

    pattern: str
    whose: str = ""
    services: tuple[str, ...] = ()


CALLERS = (
    ToolCredentials(r"Lambda does not have permission", services=("lambda.amazonaws.com",)),
    ToolCredentials(r"application image from ECR|apprunner", "the service's access role (AuthenticationConfiguration), not its instance role", ("build.apprunner.amazonaws.com",)),
    ToolCredentials(r"BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE|AWSCodeBuild", "the project's service role if imagePullCredentialsType is SERVICE_ROLE, else codebuild.amazonaws.com", ("codebuild.amazonaws.com",)),
    ToolCredentials(r"CannotPull\w*Error|ResourceInitializationError", "the task's execution role (executionRoleArn), not its task role", ("ecs-tasks.amazonaws.com", "ec2.amazonaws.com",)),
    ToolCredentials(r"kubelet|ErrImagePull|rpc error|failed to pull and unpack", "the node's role, not the pod's: aws eks describe-nodegroup shows it as nodeRole", ("ec2.amazonaws.com", "eks-fargate-pods.amazonaws.com", "eks.amazonaws.com",)),
    ToolCredentials(r"manager\.go|gitlab-runner|with specified policies", "the credentials of the runner's manager: DOCKER_AUTH_CONFIG, or its credential helper"),
    ToolCredentials(r"kaniko|checking push permission", "the role of the pod or job, not the node's", ("pods.eks.amazonaws.com",)),
    ToolCredentials(""),
)  # fmt: skip


class NamedPolicy(Struct, frozen=True):
    """What AWS names as the reason: the kind of policy in small letters ("": none), its ARN, and AWS's own words."""

    kind: str = ""
    text: str = ""
    policy: str = ""
    explicit: bool = False

    @property
    def is_lack(self) -> bool:
        """Whether a grant adds what none of these policies allows."""
        return not self.explicit and self.kind in ("", "identity-based policy", "resource-based policy")


class DeniedCall(Struct, frozen=True):
    """One denial: who tried what on which repository or role, and what AWS names as the reason; "" is not said."""

    form: Form
    tried: str = ""
    action: str = ""
    who: str = ""
    place: RepositoryTarget = RepositoryTarget("", "", "")
    role: str = ""
    named: NamedPolicy = NamedPolicy()
    host: str = ""
    groups: Mapping[str, str] = {}


def plain(text: str) -> str:
    """The message in one line: without colours, and without the frames and folds of terminals."""
    return " ".join(_BOX.sub("", _CONTROLS.sub("", text)).replace("\\n", " ").replace("[MASKED]", "***").split())


def caller_of(text: str) -> ToolCredentials:
    """Whose credentials were used, as far as the message shows which tool it is of."""
    return next((caller for caller in CALLERS if re.search(caller.pattern, text, re.IGNORECASE)), CALLERS[-1])


def denials(text: str) -> tuple[DeniedCall, ...]:
    """What a message, as `plain` makes it, says; each denial once, the gravest first."""
    image, said, taken = _IMAGE.search(text), list[DeniedCall](), bytearray(len(text) + 1)
    for form in FORMS:
        matches = [
            match
            for match in re.finditer(form.pattern, text, re.IGNORECASE)
            if 1 not in taken[match.start() : match.end()]
        ]
        said += (_denial(form, match, image) for match in matches)
        for match in matches:
            near = range(max(match.start() - _NEAR, 0), min(match.end() + _NEAR, len(text)))
            taken[near.start : near.stop] = b"\1" * len(near)
    # One that says what was tried says more than one that does not.
    plainer = [one for one in said if one.tried or one.form.says] or said
    once = {(one.who, one.tried, one.place, one.role, one.form.says): one for one in plainer}
    return tuple(sorted(once.values(), key=_gravity))


def _gravity(one: DeniedCall) -> tuple[bool, int]:
    names = (one.tried, one.action)
    return one.form.verdict == NOT_DENIED and bool(one.form.says), next(
        at for at, start in enumerate((*_GRAVITY, "")) if any(name.startswith(start) for name in names)
    )


def _denial(form: Form, match: re.Match[str], image: re.Match[str] | None) -> DeniedCall:
    groups = {name: value or "" for name, value in match.groupdict().items()}
    who, resource, action = (
        groups.get("who", ""),
        groups.get("resource", "").rstrip(_ENDS).lstrip("\"'"),
        groups.get("action", ""),
    )
    if action.startswith("ecr:") and not matching_actions(action):
        action = ""  # cut off, or folded in the middle of a word
    named = _REPOSITORY.match(resource) or (match if groups.get("name") else image)
    reason = _REASON.match(match.string, match.end())
    host = _REGISTRY.search(match[0]) or _REGISTRY.search(match.string)
    return DeniedCall(
        form,
        form.tried or _PARTS.get(action, action),
        action,
        who[max(who.find("arn:"), 0) :].strip("\"'`()"),
        _place(named),
        resource if ":role/" in resource else "",
        NamedPolicy() if reason is None else _named(reason),
        "" if host is None else host[0],
        groups | {"resource": resource, "host": "the registry" if host is None else host[0]},
    )


def text_of(place: RepositoryTarget) -> str:
    """`ACCOUNT/REGION/NAME`, or the name where the rest is masked or not said."""
    return f"{place.account}/{place.region}/{place.name}" if place.account and place.region else place.name


def _place(named: re.Match[str] | None) -> RepositoryTarget:
    known = {} if named is None else named.groupdict()
    account, region, name = (
        "" if "*" in (text := known.get(key) or "") else text for key in ("account", "region", "name")
    )
    return RepositoryTarget(account, region, name.rstrip("._-/"))


def _named(reason: re.Match[str]) -> NamedPolicy:
    kind = (reason["lacks"] or reason["denies"] or "").lower()
    text = printable(reason[0].strip(), 400) + (" it" if reason["lacks"] else "")
    return NamedPolicy(kind, text, (reason["policy"] or "").rstrip(_ENDS), explicit=reason["lacks"] is None)

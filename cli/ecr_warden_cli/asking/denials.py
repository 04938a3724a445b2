"""What an error message says: who was denied what, on what and why; or that IAM denied nothing.

`FORMS` is all that is known of tools and services: a message that is not understood yet is another row. `CALLERS` says
whose credentials a tool uses.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Self

from msgspec import Struct

from ecr_warden.core.actions import FOR_DOCKER, REQUIRED, TOKEN, UPLOADS, Access
from ecr_warden.core.target import RepositoryTarget
from iam_access.catalogue import matching_actions
from iam_access.text.printable import printable

PULL, PUSH = Access.PULL.value, Access.PUSH.value
LOGIN, ASSUME = "login", "assume"
OIDC = ":oidc-provider/"
"""In the ARN of each identity provider of OpenID Connect, such as a cluster's, whose tokens pods have."""
NOT_DENIED, NO, ASKS = "not denied", "no", "asks"
WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
OF_SESSION = {"sts:TagSession": "tags the session", "sts:SetSourceIdentity": "names its source"}
"""What may be asked for beside a role, and what each does."""
_PARTS = {
    TOKEN: LOGIN,
    **dict.fromkeys(("sts:AssumeRole", WEB_IDENTITY, *OF_SESSION), ASSUME),
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
_OF_ECR = rf"{_ACCOUNT}\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+|{_MASKED})\.{_DOMAIN}"
_HOST = rf"(?:{_OF_ECR}|{_MASKED})"
_NAME = r"(?P<name>[a-z0-9](?:[a-z0-9._-]|/(?!(?:manifests|blobs|tags|referrers)/)){0,255})"
_URL = rf"\\*\"?https?://{_HOST}/v2/(?:{_NAME}|{_MASKED})/"
_PUSHES = r"\b(?:post|patch|put)(?: request to)? "
_PULLS = r"\b(?:head|get)(?: request to)? "
_DOING = re.compile(
    r"(?P<push>failed to (?:push|upload)|failed to perform \W{0,4}\w{1,9}\W{0,4} on destination|pushing|publish|push refers to"
    r"|checking push|\b(?:docker|podman|buildah|nerdctl|helm|crane|oras) push\b|at destination|uploading manifest"
    r"|writing (?:blob|manifest))|(?P<other>#\d+ |pull (?:access denied|image)|pulling|failed to pull|\b\w+ pull\b)",
    re.IGNORECASE,
)
"""What a client did before a call: a push asks for manifests and layers too; after # comes another step of a build."""
_BEFORE = 2000
_EACH = 200
"""So many of each form are read: no log that somebody reads has more."""
_READ_BY_PUSH = ("", *FOR_DOCKER[Access.PUSH])
_UNTIL = r"(?:(?!\b40[13]\b|\bEOF\b|https?://).){0,240}"
_REGISTRY = re.compile(rf"[0-9]{{12}}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.{_DOMAIN}")
_IMAGE = re.compile(rf"{_HOST}/(?!v2/){_NAME}")
_REPOSITORY = re.compile(rf"arn:aws[a-z-]*:ecr:(?P<region>[a-z0-9-]+|{_MASKED}):{_ACCOUNT}:repository/{_NAME}")
_REASON = re.compile(
    r"\s*(?:because no (?P<lacks>[A-Za-z -]{1,40}) allows"
    r"|with an explicit deny(?: in (?:an? |the )?(?P<denies>[A-Za-z -]{1,40}(?:policy|boundary)))?)"
    r"(?:[^:]{0,160}: (?P<policy>arn:\S{1,400}))?"
)
_CONTROLS = re.compile(
    r"(?:\x1b|\^\[|\\x1b|\\u001b|\\033)(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\))|\[[0-9;]{1,12}m"
    r"|[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]"
)
"""Colours and links of terminals, and what nobody sees: NULs, as of UTF-16, marks of direction, what is no text."""
_BOX = re.compile(
    r"^(?:[ \t]*(?:\d{1,7}(?:[ \t]*[│|]|\t|(?<![1-5]\d\d)(?::(?=\D|20\d\d-)|[ \t]*$))"
    r"|\[?20\d\d-\d\d-\d\d[T ][0-9:.,]{5,20}(?:Z|[+-]\d\d:?\d\d)?\]?(?: \d\d[OE]\+?)?(?=[ \t])"
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?(?=[ \t])|[│╷╵┃|>])){0,4}[ \t]?",
    re.MULTILINE,
)
"""What terminals and pages put before a line: its number (which is no status of HTTP), its time, a frame, a quote."""
_ROLE = re.compile(
    r"(?:role-to-assume|AWS_ROLE_ARN|role[_-]arn)\W{1,6}(arn:[a-z-]{3,20}:iam::[0-9*]{3,40}:role/[\w+=,.@/-]{1,600})",
    re.I,
)
_SUBJECT = re.compile(
    r"\bsub(?:ject)?(?: claim)?[\"']?\s?[:=]\s?[\"'`]?((?:[\w.-]{1,60}:)[^\s\"'`,}]{1,500})", re.IGNORECASE
)
_AUTHORIZATION = re.compile(r"authorization(?:-details/| id:? )([0-9A-Za-z]{8,256})", re.IGNORECASE)
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
    first: bool = False
    """Nobody is signed in after it: that a client says so follows from it."""
    weak: bool = False
    """It says only that something failed: whatever else the message says is why."""


NOT_THERE = "correct its name, account or region, or create it; for another account's: the registry's host for docker, --registry-id ACCOUNT for aws ecr"
SIGN_IN = "sign in, as whoever may pull or push:"
_WHOSE = "aws sts get-caller-identity shows whose credentials a client has"
_AWS_LOGIN = "refresh them (aws sso login, or the job's step that assumes the role); aws sts get-caller-identity shows whose they are"
_OF_PUBLIC = "sign in there (aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin public.ecr.aws), or pull without: docker logout public.ecr.aws"
_PUBLIC = "the message is about ECR Public, whose registry, rights and token are others than those of ECR"
FORMS = (
    Form(r"is not authorized to perform: ?ecr-public:[A-Za-z]+|public\.ecr\.aws/\S{1,300}(?:(?!dkr[.-]ecr).){0,200}?(?:\b40[013]\b|denied|has expired)", says=_PUBLIC, do=_OF_PUBLIC, verdict=ASKS),
    Form(r"secretsmanager:GetSecretValue on resource: \S{0,200}ecr-pullthroughcache/|SecretNotFoundException|UnableTo(?:AccessSecret|DecryptSecretValue|GetUpstreamImage|GetUpstreamLayer)Exception", says="the pull-through cache cannot use the secret of its rule", do="have the registry's owner correct the secret, whose name begins with ecr-pullthroughcache/: aws ecr validate-pull-through-cache-rule --ecr-repository-prefix PREFIX says what is wrong"),
    Form(r"is not authorized to perform: ?(?P<action>(?!ecr:|sts:)[a-z0-9-]+:[A-Za-z]+)", says="the message is about {action}, a call of another service", do="whoever owns the policies there can say: ecr-warden answers for ECR and for assuming roles", verdict=ASKS),
    Form(r"ECS was unable to assume the role '(?P<role>arn:[^']{1,400})|role defined for the function cannot be assumed by Lambda|CodeBuild is not authorized to perform: sts:AssumeRole on service role\.? ?(?:with ARN )?(?P<other>arn:\S{1,400})?", says="the service may not assume the role {role}{other}", do="let the role's trust policy name the service (ecs-tasks.amazonaws.com, lambda.amazonaws.com, codebuild.amazonaws.com), and whoever names the role there call iam:PassRole on it", first=True),
    # AWS's own words, which say all of it.
    Form(r"(?<!\S)(?P<who>\S{1,2048}) is not authorized to perform: ?(?P<action>[a-z0-9-]+:[A-Za-z]+)(?: on (?:the )?resources?: [\"'\\]{0,3}(?P<resource>[^\s\"'\\]+))?"),
    Form(r"\"principal\": ?\{[^{}]{0,400}\"arn\": ?\"(?P<who>[^\"]+)\"[^{}]{0,400}\}[^{}]{0,200}\"action\": ?\"(?P<action>[^\"]+)\", ?\"resource\": ?\"(?P<resource>[^\"]+)\""),
    Form(r"not authorized to perform:? ?(?P<action>sts:AssumeRoleWithWebIdentity)"),
    Form(r"credentials could not be used to assume '(?P<resource>arn:[^']{1,400})'", ASSUME, do=_WHOSE),
    Form(r"role '(?P<who>arn:[^']{1,400})' does not have \w{1,64} permission for the image", PULL),
    Form(r"does not grant [\w:, ]{1,200} permissions? to (?P<who>[a-z.-]{1,100}\.amazonaws\.com)", PULL),
    Form(r"ecr:ReplicateImage on (?P<resource>arn:\S+)", says="the destination's registry does not let images be replicated into it", do="let the policy of the registry of {resource} allow ecr:ReplicateImage to the account that replicates: whoever owns that registry decides", verdict=NO),
    Form(r"starport-layer-bucket\S{0,200}[^:]{0,40}: 403", PULL, "S3, which has ECR's layers, denied the download", "let the policy of the VPC endpoint of S3 allow s3:GetObject on arn:aws:s3:::prod-REGION-starport-layer-bucket/*: its owner can (aws ec2 describe-vpc-endpoints)", NO),
    Form(r"Encoded authorization failure message: (?P<encoded>[\w-]+)", says="AWS's reason is encoded", do="decode it, and give what it says: aws sts decode-authorization-message --encoded-message {encoded} --query DecodedMessage --output text", verdict=ASKS),
    # What keeps somebody from being signed in at AWS.
    Form(r"No OpenIDConnect provider found in your account for (?P<issuer>https?://[\w./-]{1,200})", says="the account of the role has no identity provider for {issuer}", do="correct the role's account (role-to-assume, AWS_ROLE_ARN), or have its owner create the provider: aws iam create-open-id-connect-provider --url {issuer} --client-id-list sts.amazonaws.com", first=True),
    Form(r"Incorrect token audience", says="the identity provider does not take a token for this audience", do="ask for one for sts.amazonaws.com (audience: of configure-aws-credentials, --audience), or have the provider's owner add the audience: aws iam add-client-id-to-open-id-connect-provider", first=True),
    Form(r"doesn't match configured thumbprint", says="the certificate of the identity provider is not the one whose thumbprint its account keeps", do="have the provider's owner keep the new one: aws iam update-open-id-connect-provider-thumbprint", first=True),
    Form(r"at 'webIdentityToken' failed to satisfy constraint", says="the token is empty", do="give the job one: id_tokens: in GitLab, permissions: {{id-token: write}} in GitHub, AWS_WEB_IDENTITY_TOKEN_FILE in a pod", first=True),
    Form(r"Request ARN is invalid|at 'roleArn' failed to satisfy constraint", says="what was given as the role is no ARN of a role", do="give all of it (role-to-assume, role_arn, AWS_ROLE_ARN): arn:aws:iam::ACCOUNT:role/NAME", first=True),
    Form(r"Roles may not be assumed by root accounts", says="the root user may assume no role, whatever the policies say", do="sign in as a user or role", first=True),
    Form(r"MultiFactorAuthentication failed", says="AWS does not take the code of MFA", do="give the next code of the device that mfa_serial, or --serial-number, names", first=True),
    Form(r"STS is not activated in this region|RegionDisabled", says="STS is not active in this region for the account", do="call it in another region (AWS_REGION), or have the account's administrator activate it", first=True),
    Form(r"Packed ?(?:size|policy)", says="the tags and policies of the session are too long together", do="tag less (configure-aws-credentials: role-skip-session-tagging: true), or give a shorter session policy", first=True),
    Form(r"Couldn't retrieve verification key from your identity provider|(?:web )?identity token provided could not be validated|IDPCommunicationError|IDPRejectedClaim", says="AWS could not check the token with the keys of its identity provider", do="try again; if it lasts, /.well-known/openid-configuration and the keys that it names have to be there for everybody", first=True),
    Form(r"ACTIONS_ID_TOKEN_REQUEST_(?:URL|TOKEN)|Did you mean to set the .{0,3}id-token.{0,3} permission", says="the job may not ask GitHub for a token", do="add to the job: permissions: {{id-token: write, contents: read}}", first=True),
    Form(r"exceeds the 1 hour session limit for roles assumed by role chaining", says="a role that is assumed from a role's session lasts an hour at most", do="ask for no more than 3600 seconds (duration_seconds, role-duration-seconds), or assume it as a user or with a token", first=True),
    Form(r"DurationSeconds exceeds the MaxSessionDuration", says="the role's sessions are shorter than what was asked for", do="ask for less (duration_seconds, role-duration-seconds: 3600), or have the role's owner allow more: aws iam update-role --role-name ROLE --max-session-duration SECONDS", first=True),
    Form(r"Not authorized to perform:? ?sts:AssumeRoleWithSAML", says="no role is opened for this SAML assertion", do="have the identity provider name the role together with a provider of SAML that the role's trust policy lets call sts:AssumeRoleWithSAML", first=True),
    Form(r"AssumeRoleWithSAML|invalid SAML response|Response signature invalid|SAML assertion (?:is|has) ", says="AWS does not take the SAML assertion", do="sign in at the identity provider again; if it lasts, have the provider's owner write its metadata again: aws iam update-saml-provider", first=True),
    Form(r"(?P<helper>docker-credential-[\w.-]{1,60}|ecr-credential-provider)\W{1,6}(?:executable file )?not found|(?P<other>docker-credential-[\w.-]{1,60}|ecr-credential-provider): no such file", says="the credential helper {helper}{other} is not on this machine, or not in its PATH", do="install it, or name none (credHelpers and credsStore in ~/.docker/config.json, --image-credential-provider-config of kubelet) and sign in", first=True),
    Form(r"only loopback hosts are allowed|is not a valid container metadata service hostname", says="the client does not know EKS Pod Identity, which gives the pod its credentials", do="take a newer version of the client, or give the pod its role by IRSA", first=True),
    Form(r"\bSSO (?:session|login|token)\b.{0,120}?(?:expired|invalid|does not exist)", says="the sign-in to IAM Identity Center is over, or was never made", do="sign in again: aws sso login, with the profile that the client uses", first=True),
    Form(r"Signature expired: |Signature not yet current|RequestExpired|RequestTimeTooSkewed", says="the clock of this machine is not AWS's", do="set the clock, which AWS lets be wrong by minutes", first=True),
    Form(r"ExpiredToken|security token included in the request is expired|Token has expired and refresh failed", says="the AWS credentials have expired", do=_AWS_LOGIN, first=True),
    Form(r"security token included in the request is invalid|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch", says="AWS does not know the credentials", do=_AWS_LOGIN, first=True),
    Form(r"config profile \((?P<profile>[^()]{1,128})\) could not be found", says="there is no profile {profile} for AWS here", do="name one that aws configure list-profiles shows", first=True),
    Form(r"(?:could not|couldn't|unable to|cannot) (?:load|locate|find)(?: \w+){0,2} credentials|credentials could not be loaded|no ?credentials? ?(?:providers?|error)|no (?:valid )?credential sources|no providers in chain|credentials?NotLoaded|unable to get IAM security credentials|partial credentials found|missing ?credentials|without credentials set|no EC2 IMDS role found", says="there are no AWS credentials", do="give some (a profile, a role of the job); aws sts get-caller-identity shows whose they are", first=True),
    # What is no denial of IAM.
    Form(r"authorization token has expired", says="docker's credentials for {host} have expired: they last 12 hours", do=SIGN_IN),
    Form(r"authorization token is invalid", says="docker's credentials are not of {host}", do=SIGN_IN),
    Form(r"login attempt to \S{1,200} failed with status: 40[01]", says="{host} does not take this user and password", do=SIGN_IN),
    Form(r"no basic auth credentials", says="docker has no credentials for {host}: it never asked AWS", do=SIGN_IN),
    Form(r"error storing credentials|Error saving credentials", says="docker could not keep the credentials that it got: its credential store failed", do="correct credsStore in ~/.docker/config.json, or remove it, and sign in again"),
    Form(r"(?:docker daemon socket|cannot connect to the docker daemon|error during connect)", says="the client may not, or cannot, talk to the docker daemon: ECR was not asked", do="start docker, or run it as somebody of the group docker", first=True),
    Form(r"An image does not exist locally with the tag", says="there is no such image on this machine to push", do="name it for the registry first: docker tag IMAGE ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG; docker images shows which there are"),
    Form(r"error parsing HTTP 40[0-9] response body: invalid character '<'", says="a proxy answered in place of ECR", do="have the client go around it, or its owner let the registry through"),
    Form(rf"{_PUSHES}{_URL}manifests/\S{{1,300}}: 400\b|failed commit on ref .{{0,3}}manifest-\S{{1,200}} unexpected status: 400\b", says="ECR does not take a manifest of this form", do="if it is a cache of buildx, export it with image-manifest=true,oci-mediatypes=true; else look what the registry answered"),
    Form(r"authentication to the upstream registry failed|UpstreamAccessDenied", says="the upstream of the pull-through cache refused ECR's credentials", do="correct the secret of the rule: aws ecr describe-pull-through-cache-rules shows which it is"),
    Form(r"(?:The repository with name|No ECR repository named) '(?P<name>[^']{1,256})' (?:does not exist in the registry with id '|in account )(?P<account>[0-9]{12})", says="there is no repository {name} in the registry that was asked, of account {account}", do=NOT_THERE),
    Form(r"The repository with name '(?P<name>[^']{1,256})' does not exist|RepositoryNotFoundException", says="there is no such repository in the registry that was asked", do=NOT_THERE),
    Form(r"tag '(?P<tag>[^']{1,128})' already exists|repository is immutable|TAG_INVALID|ImageTagAlreadyExists", says="the repository keeps the tag that is there: its tags are immutable", do="push another tag"),
    Form(rf"manifest unknown|Requested image not found|ImageNotFoundException|{_HOST}/{_NAME}[:@][^\s\"]{{1,128}}: not found", says="there is no such tag or digest in the repository", do="look which there are: aws ecr describe-images --repository-name NAME"),
    Form(r"no matching manifest for (?P<platform>[\w/]+)|no match for platform", says="the image is not built for this platform", do="build it for this one: docker buildx build --platform linux/amd64,linux/arm64"),
    Form(r"reached your (?:unauthenticated )?pull rate limit", says="Docker Hub limits how often it is pulled from", do="sign in to Docker Hub, or pull its images by a pull-through cache of ECR"),
    Form(r"toomanyrequests|Rate exceeded|ThrottlingException|429 Too Many Requests", says="the rate of calls was too high", do="try again, more slowly"),
    # The words of clients, where a registry of ECR gave none.
    Form(rf"/v2/{_NAME}/blobs/uploads/ in {_OF_ECR}: (?:denied: )?requested access", PUSH, do=_WHOSE),
    Form(rf"{_OF_ECR}/(?>{_NAME})(?:(?!docker\.io).){{0,200}}requested access to the resource is denied", PULL, do=_WHOSE),
    Form(r"requested access to the resource is denied|docker\.io\S*: (?:denied|unauthorized)|access token has insufficient scopes", says="Docker Hub denied it, not ECR: the name of the image has no registry of ECR", do="name the registry: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME"),
    Form(r"x509: |certificate (?:signed by|has expired|is not trusted)", says="the certificate that answered is not trusted", do="have the client trust the proxy between it and ECR, or go around it", first=True),
    Form(r"i/o timeout|TLS handshake timeout|no such host|no route to host|connection refused|connection (?:was )?reset|broken pipe|request canceled|context deadline exceeded|network is unreachable|name resolution|server misbehaving|proxyconnect tcp|Could not connect to the endpoint|Connect timeout on endpoint|Client\.Timeout", says="the network: ECR was not reached", do="give the client a route to the registry: a NAT gateway, or the VPC endpoints ecr.api, ecr.dkr and S3", first=True),
    Form(r"no space left on device|disk quota exceeded|not enough (?:disk )?space", says="the disk of this machine is full", do="make room (docker system df shows what takes it), and try again"),
    Form(r"exec format error|platform \(\S{1,60}\) does not match|image operating system \S{1,40} cannot be used", says="the image is not built for this machine's platform", do="build it for this one: docker buildx build --platform linux/amd64,linux/arm64"),
    Form(r"ScanNotFoundException|Image scan does not exist|UnsupportedImageTypeException|scan quota per image|Image scanning|This feature is disabled", says="the scan of an image, which is no access to it", do="aws ecr get-registry-scanning-configuration shows how images are scanned; a basic scan can be started once in 24 hours"),
    Form(r"Image repository must be in the same account", says="Lambda looks for the image in its own account", do="give an image of the function's region, and let the repository's policy name the function's account"),
    Form(r"LimitExceededException|limit exceeded for", says="a quota of ECR is used up", do="delete images, or ask for more in Service Quotas"),
    Form(r"Source image \S+ is not valid", says="Lambda cannot use the image", do="give one in the function's region, by a tag that is there, built for one platform without attestations (--provenance=false)"),
    # Requests of HTTP, by their method and path.
    Form(r"authentication required|\bunauthorized\b(?!.{0,400}\b403\b)|(?:=|status code:? )401\b", says="the client is not signed in at {host}", do=SIGN_IN),
    Form(rf"{_PUSHES}{_URL}{_UNTIL}\b403\b", PUSH, do=_WHOSE),
    Form(rf"\b403 Forbidden {_PUSHES}{_URL}", PUSH, do=_WHOSE),
    Form(rf"{_PULLS}{_URL}tags/{_UNTIL}\b403\b", "ecr:ListImages", do=_WHOSE),
    Form(rf"{_PULLS}{_URL}{_UNTIL}\b403\b", PULL, do=_WHOSE),
    Form(rf"\b403 Forbidden {_PULLS}{_URL}", PULL, do=_WHOSE),
    Form(r"\[(?:manifests|blobs) [^\]]{1,128}\]: 403", PULL, do=_WHOSE),
    Form(rf"failed open: unexpected status code {_URL}{_UNTIL}\b403\b", PULL, do=_WHOSE),
    # Services and tools that say less.
    Form(r"(?:Lambda|function) does not have permission to access the", PULL, do="the function's image"),
    Form(rf"{_PUSHES}{_URL}{_UNTIL}\bEOF\b", PUSH, do=_WHOSE, weak=True),
    Form(r"pull access denied for|Failed to pull your application image|UNABLE_TO_PULL_IMAGE|CannotPull\w*Error", PULL, do=_WHOSE, weak=True),
    Form(rf"push refers to repository \[{_HOST}/{_NAME}\].{{0,4000}}\b(?:EOF|denied|403)\b", PUSH, do=_WHOSE, weak=True),
    Form(rf"failed to push {_HOST}/{_NAME}", PUSH, do=_WHOSE, weak=True),
    Form(r"ImagePullBackOff|ErrImagePull|Back-off pulling image", says="the message does not say why the image was not pulled", do="give the event that does: kubectl describe pod NAME shows it as Failed to pull image", verdict=ASKS, weak=True),
    Form(r"Cannot perform an interactive login from a non TTY device", says="docker login got no password", do="give what aws ecr get-login-password prints, which comes before it", verdict=ASKS, weak=True),
    Form(r"#/authorization-details/(?P<id>[0-9A-Za-z]{8,256})", says="the message is where AWS says more of a decision", do="ask for it, for a day: aws iam-toolbox get-request-authorization-details --authorization-id {id}", verdict=ASKS, weak=True),
    Form(r"(?:403 Forbidden|HTTP 403)|\bdenied\b|AccessDenied", weak=True),
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
    keys: bool = False
    """People may give it a user's."""
    roles: bool = False
    """It may assume another role first."""

    @property
    def itself(self) -> str:
        """The service that calls by itself, "" where somebody's credentials are used."""
        return "" if self.whose else "".join(self.services)


CALLERS = (
    ToolCredentials(r"(?:Lambda|function) does not have permission", services=("lambda.amazonaws.com",)),
    ToolCredentials(r"application image from ECR|apprunner", "the service's access role (AuthenticationConfiguration), not its instance role", ("build.apprunner.amazonaws.com",)),
    ToolCredentials(r"UNABLE_TO_PULL_IMAGE", "the project's service role (imagePullCredentialsType: SERVICE_ROLE, which an image of another account takes; with CODEBUILD it is codebuild.amazonaws.com)", ("codebuild.amazonaws.com",)),
    ToolCredentials(r"AWSCodeBuild", "the project's service role", ("codebuild.amazonaws.com",), roles=True),
    ToolCredentials(r"CannotPull\w*Error|ResourceInitializationError", "the task's execution role (executionRoleArn), or where it has none the instance's, not its task role", ("ecs-tasks.amazonaws.com", "ec2.amazonaws.com")),
    ToolCredentials(r"manager\.go|gitlab-runner|with specified policies", "the credentials of the runner's manager: DOCKER_AUTH_CONFIG, or its credential helper"),
    ToolCredentials(r"fargate-ip-|fargate-scheduler|eks-fargate", "the pod execution role of the Fargate profile, neither a node's role nor the pod's: aws eks describe-fargate-profile shows it as podExecutionRoleArn", ("eks-fargate-pods.amazonaws.com",), keys=True),
    ToolCredentials(r"kubelet|Failed to pull image|ErrImagePull|ImagePullBackOff|rpc error: code = \w{1,20} desc = failed to pull|(?<!solve: )failed to pull and unpack", "the node's role (on Fargate the pod execution role), not the pod's: aws eks describe-nodegroup shows it as nodeRole", ("ec2.amazonaws.com", "eks-fargate-pods.amazonaws.com", "eks.amazonaws.com"), keys=True),
    ToolCredentials(r"kaniko|checking push permission", "the role of the pod or job, not the node's", ("pods.eks.amazonaws.com", OIDC), keys=True, roles=True),
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
    at: int = 0
    """Where in the message."""
    subject: str = ""
    """Of a call with a token, its sub."""
    authorization: str = ""
    """AWS's ID of the decision."""

    @property
    def is_cause(self) -> bool:
        """Whether nobody is signed in after it."""
        return self.form.first or self.tried in (ASSUME, LOGIN)

    def follows(self, other: "DeniedCall") -> bool:
        """Whether it is said only because of the other, or says less of the same."""
        vague, other_is = ((one.form.weak, not (one.tried or one.form.says)) for one in (self, other))
        is_same = bool(other.form.says) or self.tried in ("", other.tried)
        is_unsigned = self.form.do == SIGN_IN and other.is_cause and other.at < self.at
        return is_unsigned or (other_is < vague and is_same)


def plain(text: str) -> str:
    """The message in one line: without colours, and without the frames and folds of terminals."""
    return " ".join(_BOX.sub("", _CONTROLS.sub("", text)).replace("\\n", " ").replace("[MASKED]", "***").split())


def caller_of(text: str) -> ToolCredentials:
    """The owner of the credentials, as far as the message shows which tool it is of."""
    return next((caller for caller in CALLERS if re.search(caller.pattern, text, re.IGNORECASE)), CALLERS[-1])


def denials(text: str) -> tuple[DeniedCall, ...]:
    """The denials in a message, as `plain` makes it, each once: the first cause first, then the gravest."""
    known, once = _Text.of(text), dict[object, DeniedCall]()
    # What stands near another form's words is its context; what keeps somebody from signing in is a cause of its own.
    taken = {first: bytearray(len(text) + 1) for first in (False, True)}
    for form in FORMS:
        matches = [
            match
            for match in re.finditer(form.pattern, text, re.IGNORECASE)
            if 1 not in taken[form.first][match.start() : match.end()]
        ][:_EACH]
        for match in matches:
            one, near = known.denial(form, match), slice(max(match.start() - _NEAR, 0), match.end() + _NEAR)
            once.setdefault((one.who, one.tried, one.place, one.role, form.says), one)
            for first, span in ((False, near), (True, near if form.first else slice(*match.span()))):
                taken[first][span] = b"\1" * len(taken[first][span])
    found = [one for one in once.values() if not any(one.follows(other) for other in once.values())]
    begins = min((one.at for one in found), default=0)
    return tuple(sorted(found, key=lambda one: (one.at > begins or not one.is_cause, *_gravity(one), one.at)))


def unsaid(text: str) -> DeniedCall:
    """What a message is about in which nothing is denied."""
    return DeniedCall(FORMS[-1], place=_place(re.search(rf"{_HOST}/(?:v2/)?{_NAME}", text, re.IGNORECASE)))


def _gravity(one: DeniedCall) -> tuple[bool, int]:
    names = (one.tried, one.action)
    return one.form.verdict == NOT_DENIED and bool(one.form.says), next(
        at for at, start in enumerate((*_GRAVITY, "")) if any(name.startswith(start) for name in names)
    )


class _Text(Struct, frozen=True):
    """A message, with what it names anywhere: images, hosts of registries, roles that a token is to open, a sub."""

    text: str
    images: Sequence[re.Match[str]]
    hosts: Sequence[re.Match[str]]
    roles: Sequence[re.Match[str]]
    subject: str

    @classmethod
    def of(cls, text: str) -> Self:
        images, hosts, roles = ([*pattern.finditer(text)] for pattern in (_IMAGE, _REGISTRY, _ROLE))
        said = _SUBJECT.search(text)
        return cls(text, images, hosts, roles, "" if said is None else said[1])

    def denial(self, form: Form, match: re.Match[str]) -> DeniedCall:
        groups = {name: value or "" for name, value in match.groupdict().items()}
        who, resource, action = (
            groups.get("who", ""),
            groups.get("resource", "").rstrip(_ENDS).lstrip("\"'"),
            groups.get("action", ""),
        )
        if action.startswith("ecr:") and not matching_actions(action):
            action = ""  # cut off, or folded in the middle of a word
        named = _REPOSITORY.match(resource) or (match if groups.get("name") else _before(self.images, match.end()))
        reason, host = _REASON.match(self.text, match.end()), _before(self.hosts, match.end())
        role = _before(self.roles, match.end()) if action == WEB_IDENTITY else None
        decision = _AUTHORIZATION.search(self.text, match.end(), match.end() + _BEFORE)
        return DeniedCall(
            form,
            self._tried(form, action, match.start()),
            action,
            who[max(who.find("arn:"), 0) :].strip("\"'`()"),
            _place(named),
            role[1] if role is not None else resource if ":role/" in resource else "",
            NamedPolicy() if reason is None else _named(reason),
            "" if host is None else host[0],
            groups | {"resource": resource, "host": "the registry" if host is None else host[0]},
            match.start(),
            self.subject,
            "" if decision is None else decision[1],
        )

    def _tried(self, form: Form, action: str, at: int) -> str:
        """The attempt: what a push reads is a part of it."""
        tried = form.tried or _PARTS.get(action, action)
        if tried != PULL or action not in _READ_BY_PUSH:
            return tried
        doing = [*_DOING.finditer(self.text, max(at - _BEFORE, 0), at)]
        return PUSH if doing and doing[-1]["push"] else tried


def _before(found: Sequence[re.Match[str]], end: int) -> re.Match[str] | None:
    """The last that begins before a place, else the first of all."""
    at = bisect_left(found, end, key=lambda one: one.start())
    return found[max(at - 1, 0)] if found else None


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
    text = printable(reason[0].strip(" ."), 400) + (" it" if reason["lacks"] else "")
    return NamedPolicy(kind, text, (reason["policy"] or "").rstrip(_ENDS), explicit=reason["lacks"] is None)

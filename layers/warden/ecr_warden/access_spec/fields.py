"""Every field of the spec: what fits it, and whether it is required; `make schema` lists them in docs/schema."""

from collections.abc import Mapping

from ecr_warden.access_spec.problems import Code
from ecr_warden.access_spec.shapes import (
    AccountId,
    Choice,
    Either,
    Flag,
    ListOf,
    MapOf,
    Moment,
    Raw,
    Record,
    SpecField,
    TextShape,
    Whole,
)
from ecr_warden.access_spec.spec import (
    FORMAT_VERSION,
    MAX_SESSION_DURATION,
    MIN_SESSION_DURATION,
    PullScope,
)
from ecr_warden.core.address import DOCUMENT_KINDS, AddressKind
from ecr_warden.core.desired import ForeignStatement, Mode

_REGIONS = ListOf(TextShape("a region"))
_MODE = TextShape("a mode", tuple(Mode))
_NO_SESSIONS = "remove it: sessions of push roles may always have tags and a source identity"
_UNTIL = SpecField("until", Moment(), "When the grant ends: a condition in its documents.")
_SOURCE_IP = SpecField(
    "source_ip",
    ListOf(TextShape("a network"), nonempty=True),
    "Networks, such as 203.0.113.0/24, from which alone the grant gives access: a condition in its documents.",
)
_UPSTREAM = SpecField(
    "upstream",
    Flag(),
    "true: their pulls may make a pull-through cache fetch the image first; false by default.",
)
_READS = SpecField(
    "reads",
    ListOf(TextShape("an action that only reads"), nonempty=True),
    "Actions that only read, such as ecr:DescribeImages, which the repository's policy allows beside pulling.",
)
_PULLING = (_UPSTREAM, _READS, _UNTIL, _SOURCE_IP)
_SSO = SpecField(
    "sso",
    Record(
        "permission set",
        (
            SpecField("permission_set", TextShape("a permission set"), "The permission set's name.", required=True),
            SpecField("account", TextShape("an account's alias"), "The account in which it is used.", required=True),
        ),
    ),
    "A permission set of IAM Identity Center; its own policy is written by hand, as ecr-warden render prints it.",
    required=True,
)
_PODS = SpecField(
    "pods",
    Record(
        "workload of a cluster",
        (
            SpecField(
                "cluster",
                TextShape("the ARN of an EKS cluster"),
                "The cluster's ARN, in an account under accounts:.",
                required=True,
            ),
            SpecField("namespace", TextShape("a namespace"), "The namespace of the pods.", required=True),
            SpecField("serviceAccount", TextShape("a service account"), "Their service account.", required=True),
        ),
    ),
    "The pods of one service account of an EKS cluster, by the session tags of EKS Pod Identity: what they call "
    "themselves, for the kubelet pulls their images with the node's role. The policy of their own role is written by "
    "hand, as ecr-warden render prints it.",
    required=True,
)
_NAME = TextShape("a team or a principal")
_WHOLE_ACCOUNT = SpecField(
    "account",
    TextShape("an account's alias"),
    "Everyone in the account whom the account itself allows to pull.",
    required=True,
)
_PULLER = Either(
    _NAME,
    {
        "by": Record(
            "pull grant",
            (
                SpecField(
                    "by",
                    ListOf(
                        Either(_NAME, {"account": Record("whole account among others", (_WHOLE_ACCOUNT,))}),
                        nonempty=True,
                    ),
                    "Who may pull: teams, principals and whole accounts.",
                    required=True,
                ),
                *_PULLING,
            ),
        ),
        "account": Record("whole account", (_WHOLE_ACCOUNT, *_PULLING)),
        "service": Record(
            "service",
            (
                SpecField(
                    "service",
                    TextShape("a service"),
                    "The AWS service, such as codebuild.amazonaws.com.",
                    required=True,
                ),
                SpecField(
                    "source",
                    TextShape("an account's alias or an ARN"),
                    "The account or resource that it acts for; without it, anyone could make the service pull.",
                    required=True,
                ),
                SpecField("upstream", Flag(), needless="services do not pull through a cache"),
                _READS,
                _UNTIL,
                SpecField("source_ip", _SOURCE_IP.shape, needless="a service calls from addresses of AWS"),
            ),
        ),
        "organization": Record(
            "whole organization",
            (
                SpecField(
                    "organization",
                    TextShape("an organization's alias"),
                    "Everyone in the organization whom their own account allows to pull.",
                    required=True,
                ),
                *_PULLING,
            ),
        ),
        "sso": Record("permission set that pulls", (_SSO, *_PULLING)),
        "pods": Record("workload that pulls", (_PODS, *_PULLING)),
    },
)

ACCOUNT = Record(
    "account",
    (
        SpecField("id", AccountId(), "The 12 digits, in quotes.", required=True),
        SpecField("regions", _REGIONS, "The regions of the account's repositories; not needed without repositories."),
        SpecField(
            "mode",
            _MODE,
            "observe: nothing is written in the account, unless a repository in it says mode: enforce; enforce: drift "
            "in it is repaired. By default as under settings:.",
        ),
    ),
)
ORGANIZATION = Record(
    "organization", (SpecField("id", TextShape("an organization ID"), "Its ID, such as o-a1b2c3d4e5.", required=True),)
)
_ID = Whole(1, 10**15, what="an ID of {}")
_PUSHER = Either(
    _NAME,
    {
        "github": Record(
            "GitHub repository",
            (
                SpecField(
                    "github",
                    TextShape("OWNER/REPO"),
                    "The repository whose jobs may push, as OWNER/REPO.",
                    required=True,
                ),
                SpecField("owner_id", _ID, "The owner's ID, which outlasts a change of its name."),
                SpecField("repository_id", _ID, "The repository's ID, which outlasts a change of its name."),
                SpecField(
                    "branch", TextShape("a branch"), "Jobs of this branch without an environment; * matches any text."
                ),
                SpecField("tag", TextShape("a tag"), "Jobs of this tag without an environment; * matches any text."),
                SpecField(
                    "environment", TextShape("an environment"), "Jobs with this environment, whatever their branch."
                ),
                SpecField(
                    "pull_request",
                    Flag(),
                    needless="anybody who may open a pull request could push; name a branch, a tag or an environment",
                ),
            ),
        ),
        "oidc": Record(
            "OpenID Connect issuer",
            (
                SpecField(
                    "oidc", TextShape("an issuer"), "The issuer's host and path, such as gitlab.com.", required=True
                ),
                SpecField("audience", TextShape("an audience"), "The audience (aud) of the token.", required=True),
                SpecField(
                    "subject",
                    TextShape("a subject"),
                    "The subject (sub) of the token; * matches any text.",
                    required=True,
                ),
            ),
        ),
        "sso": Record("permission set that pushes", (_SSO,)),
        "pods": Record("workload that pushes", (_PODS,)),
    },
    otherwise=Code.WRONG_TYPE,
)
PUSH = Record(
    "push",
    (
        SpecField(
            "role",
            TextShape("a role's name"),
            "The push role, which is created in the repository's account under the path /ecr-warden/.",
            required=True,
        ),
        SpecField(
            "by",
            ListOf(_PUSHER, nonempty=True),
            "Who may assume the role: teams and principals.",
            required=True,
        ),
        SpecField(
            "pull",
            Flag(),
            "true: the role may also pull from the repository, for docker build --cache-from and mounted layers; false "
            "by default.",
        ),
        _UNTIL,
        _SOURCE_IP,
        SpecField(
            "max_session_duration",
            Whole(
                MIN_SESSION_DURATION,
                MAX_SESSION_DURATION,
                Code.SESSION_DURATION,
                "a session duration of {} seconds",
            ),
            "How long a session may last, from 3600 to 43200 seconds; 3600 by default.",
        ),
    ),
    {
        "shared_role": "remove it: give each its own role, or list those with the same grants under one name:",
        "sessions": _NO_SESSIONS,
    },
    gone_text="write {role: NAME, by: [...]} with a role of its own, or list the repository under the name: of the "
    "entry with the role's by:, if their grants are the same",
)
REPOSITORY = Record(
    "repository",
    (
        SpecField(
            "name",
            ListOf(TextShape("a repository's name or a pattern"), nonempty=True, or_one=True),
            "The repository's name in ECR, a list of names that the entry holds for alike, or a pattern: * matches any "
            "text, including /.",
            required=True,
        ),
        SpecField(
            "except",
            ListOf(TextShape("a repository's name or a pattern"), nonempty=True),
            "Names and patterns that the pattern excludes.",
        ),
        SpecField("account", TextShape("an account's alias"), "The alias of its account.", required=True),
        SpecField(
            "regions", ListOf(TextShape("a region"), nonempty=True), "Some of the account's regions; all by default."
        ),
        SpecField("pull", ListOf(_PULLER), "Who may pull: teams, principals, whole accounts, services, organizations."),
        SpecField(
            "push", ListOf(PUSH), "Who may push, each through a push role, whose repositories stand in one entry."
        ),
        SpecField(
            "pull_scope",
            TextShape("a pull scope", tuple(PullScope)),
            "repository, the default, names each repository in the policies of pulling identities; account names all "
            "of the account's repositories there, if single ones do not fit: the repository policy still decides.",
        ),
        SpecField(
            "foreign_statements",
            ListOf(TextShape("a foreign statement", tuple(ForeignStatement))),
            "Statements of AWS services that the repository policy may contain: lambda-image-retrieval.",
        ),
        SpecField(
            "beside",
            Raw(),
            "A policy document: what the repository policy says besides the grants, word for word.",
        ),
        SpecField(
            "mode",
            _MODE,
            "observe: its grants are reported and never written; enforce: they are also repaired. By default as at its "
            "account.",
        ),
    ),
    {
        "on_remove": "remove it: what was enforced loses its policy when it leaves the spec; to hand the policy over, "
        "set mode: observe in one version and remove the repository in a later one",
    },
)

_DOCUMENT = SpecField("document", Raw(), "The policy document, as AWS accepts it.", required=True)
_EXCLUSIVE = SpecField(
    "exclusive",
    Flag(),
    "true at each document of a user or role: its other inline and attached policies are drift; false by default.",
)
_NO_EXCLUSIVE = SpecField(
    "exclusive", Flag(), needless="a repository has only one policy, which is always kept as a whole"
)


def _literal(
    kind: AddressKind, *fields: SpecField, exclusive: SpecField = _EXCLUSIVE, gone: Mapping[str, str] = {}
) -> Record:
    return Record(
        f"{kind} document",
        (
            SpecField(
                "kind",
                TextShape("a kind of document", tuple(DOCUMENT_KINDS)),
                "The kind of the document.",
                required=True,
            ),
            SpecField("account", TextShape("an account's alias"), "The alias of its account.", required=True),
            *fields,
            _DOCUMENT,
            exclusive,
        ),
        gone,
    )


IDENTITY_FIELDS = ("role", "user")
"""Fields of an identity policy of which exactly one is given."""

LITERAL = Choice(
    "document",
    "kind",
    {
        AddressKind.REPOSITORY_POLICY.value: _literal(
            AddressKind.REPOSITORY_POLICY,
            SpecField("repository", TextShape("a repository's name"), "The repository's name in ECR.", required=True),
            SpecField(
                "regions",
                ListOf(TextShape("a region"), nonempty=True),
                "Some of the account's regions; all by default.",
            ),
            exclusive=_NO_EXCLUSIVE,
        ),
        AddressKind.TRUST_POLICY.value: _literal(
            AddressKind.TRUST_POLICY, SpecField("role", TextShape("a role's name"), "An existing role.", required=True)
        ),
        AddressKind.IDENTITY_POLICY.value: _literal(
            AddressKind.IDENTITY_POLICY,
            SpecField("role", TextShape("a role's name"), "The role with the inline policy; or give user."),
            SpecField("user", TextShape("a user's name"), "The user with the inline policy; or give role."),
            SpecField(
                "name",
                TextShape("a policy's name"),
                "The inline policy's name; ecr-warden-* is reserved.",
                required=True,
            ),
            gone={"allow_admin": "remove it: the spec makes nobody an administrator"},
        ),
    },
)
ALSO_ALLOWED = Record(
    "entry of also_allowed",
    (
        SpecField(
            "principals",
            ListOf(
                Either(
                    TextShape("a team, a principal or a pattern"),
                    {
                        "account": Record(
                            "account of also_allowed",
                            (
                                SpecField(
                                    "account",
                                    TextShape("an account's alias"),
                                    "Everybody in the account.",
                                    required=True,
                                ),
                            ),
                        )
                    },
                ),
                nonempty=True,
            ),
            "Who has access: teams, principals, patterns and whole accounts.",
            required=True,
        ),
        SpecField(
            "reason", TextShape("a reason"), "Why the access is intended, for whoever reads the spec.", required=True
        ),
        SpecField(
            "access",
            ListOf(TextShape("a kind of access", ("pull", "push")), nonempty=True),
            "pull, push or both; by default everything, also administering the account.",
        ),
        SpecField(
            "account", TextShape("an account's alias"), "The alias of the repositories' account; all by default."
        ),
        SpecField(
            "repositories",
            ListOf(TextShape("a repository's name or a pattern"), nonempty=True),
            "Names and patterns of repositories; all by default.",
        ),
        SpecField("until", Moment(), "When the access is no longer intended: from then on it is a finding again."),
    ),
)
SETTINGS = Record(
    "settings",
    (
        SpecField(
            "mode",
            _MODE,
            "observe, the default, reports drift; enforce also repairs it. Accounts and repositories may differ.",
        ),
    ),
    {
        "sessions": _NO_SESSIONS,
        "widening": "remove it: what lets in outsiders always waits for a person, and what gives access to yours does "
        "not",
        "max_removed": "remove it; the hub has the limit: in ecr-warden.yaml write parameters: {MaxRemoved: NUMBER}, "
        "and run ecr-warden deploy",
        "exact": "remove it: a document that is written differently and allows the same is never rewritten",
        "end_sessions": "remove it: once a trust policy is narrowed, sessions end that were issued since it was last "
        "read as the spec says",
    },
)
SPEC = Record(
    "spec",
    (
        SpecField(
            "version",
            Whole(FORMAT_VERSION, FORMAT_VERSION, Code.VERSION, 'version "{}" is not supported'),
            "The version of this format: 1.",
            required=True,
        ),
        SpecField("accounts", MapOf(ACCOUNT), "The accounts, each by an alias of your choice.", required=True),
        SpecField("teams", MapOf(ListOf(TextShape("a principal"), nonempty=True)), "Names for lists of principals."),
        SpecField("repositories", ListOf(REPOSITORY), "The repositories, and who may pull and push."),
        SpecField("documents", ListOf(LITERAL), "Literal policy documents."),
        SpecField("settings", SETTINGS, "How ecr-warden behaves."),
        SpecField(
            "also_allowed", ListOf(ALSO_ALLOWED), "Access that no grant gives and that is intended all the same."
        ),
        SpecField("organizations", MapOf(ORGANIZATION), "The AWS organizations, each by an alias of your choice."),
    ),
)

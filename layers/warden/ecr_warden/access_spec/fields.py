"""Every field of the spec; docs/spec.md shows these tables, and a test compares."""

from ecr_warden.access_spec.problems import Code
from ecr_warden.access_spec.shapes import (
    AccountId,
    Choice,
    Either,
    Field,
    Flag,
    ListOf,
    MapOf,
    Moment,
    Raw,
    Record,
    Shape,
    Text,
    Whole,
)
from ecr_warden.access_spec.spec import (
    FORMAT_VERSION,
    MAX_LIMIT,
    MAX_SESSION_DURATION,
    MIN_SESSION_DURATION,
    PullScope,
    Sessions,
)
from ecr_warden.core.desired import ForeignStatement, Mode
from iam_access.document.document import DocumentKind

_REGIONS = ListOf(Text("a region"))
_MODE = Text("a mode", tuple(Mode))
_SESSIONS = Text("a kind of sessions", tuple(Sessions))
_UNTIL = Field("until", Moment(), "When the grant ends: a condition in its documents.")
_SOURCE_IP = Field(
    "source_ip",
    ListOf(Text("a network"), nonempty=True),
    "Networks, such as 203.0.113.0/24, from which alone the grant gives access: a condition in its documents.",
)
_UPSTREAM = Field(
    "upstream",
    Flag(),
    "true: their pulls may make a pull-through cache fetch the image first; false by default.",
)
_READS = Field(
    "reads",
    ListOf(Text("an action that only reads"), nonempty=True),
    "Actions that only read, such as ecr:DescribeImages, which the repository's policy allows beside pulling.",
)
_PULLING = (_UPSTREAM, _READS, _UNTIL, _SOURCE_IP)
_SSO = Field(
    "sso",
    Record(
        "permission set",
        (
            Field("permission_set", Text("a permission set"), "The permission set's name.", required=True),
            Field("account", Text("an account's alias"), "The account in which it is used.", required=True),
        ),
    ),
    "A permission set of IAM Identity Center; its own policy is written by hand, as ecr-warden render prints it.",
    required=True,
)
_NAME = Text("a team or a principal")
_WHOLE_ACCOUNT = Field(
    "account",
    Text("an account's alias"),
    "Everyone in the account whom the account itself allows to pull.",
    required=True,
)
_PULLER = Either(
    _NAME,
    {
        "by": Record(
            "pull grant",
            (
                Field(
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
                Field("service", Text("a service"), "The AWS service, such as codebuild.amazonaws.com.", required=True),
                Field(
                    "source",
                    Text("an account's alias or an ARN"),
                    "The account or resource that it acts for; without it, anyone could make the service pull.",
                    required=True,
                ),
                Field("upstream", Flag(), needless="services do not pull through a cache"),
                _READS,
                _UNTIL,
                Field("source_ip", _SOURCE_IP.shape, needless="a service calls from addresses of AWS"),
            ),
        ),
        "organization": Record(
            "whole organization",
            (
                Field(
                    "organization",
                    Text("an organization's alias"),
                    "Everyone in the organization whom their own account allows to pull.",
                    required=True,
                ),
                *_PULLING,
            ),
        ),
        "sso": Record("permission set that pulls", (_SSO, *_PULLING)),
    },
)

ACCOUNT = Record(
    "account",
    (
        Field("id", AccountId(), "The 12 digits, in quotes.", required=True),
        Field("regions", _REGIONS, "The regions of the account's repositories; not needed without repositories."),
        Field(
            "mode",
            _MODE,
            "observe: nothing is written in the account, unless a repository in it says mode: enforce; enforce: drift "
            "in it is repaired. By default as under settings:.",
        ),
    ),
)
ORGANIZATION = Record(
    "organization", (Field("id", Text("an organization ID"), "Its ID, such as o-a1b2c3d4e5.", required=True),)
)
_ID = Whole(1, 10**15, what="an ID of {}")
_PUSHER = Either(
    _NAME,
    {
        "github": Record(
            "GitHub repository",
            (
                Field(
                    "github", Text("OWNER/REPO"), "The repository whose jobs may push, as OWNER/REPO.", required=True
                ),
                Field("owner_id", _ID, "The owner's ID, which outlasts a change of its name."),
                Field("repository_id", _ID, "The repository's ID, which outlasts a change of its name."),
                Field("branch", Text("a branch"), "Jobs of this branch without an environment; * matches any text."),
                Field("tag", Text("a tag"), "Jobs of this tag without an environment; * matches any text."),
                Field("environment", Text("an environment"), "Jobs with this environment, whatever their branch."),
                Field(
                    "pull_request",
                    Flag(),
                    needless="anybody who may open a pull request could push; name a branch, a tag or an environment",
                ),
            ),
        ),
        "oidc": Record(
            "OpenID Connect issuer",
            (
                Field("oidc", Text("an issuer"), "The issuer's host and path, such as gitlab.com.", required=True),
                Field("audience", Text("an audience"), "The audience (aud) of the token.", required=True),
                Field(
                    "subject", Text("a subject"), "The subject (sub) of the token; * matches any text.", required=True
                ),
            ),
        ),
        "sso": Record("permission set that pushes", (_SSO,)),
    },
    otherwise=Code.WRONG_TYPE,
)
PUSH = Record(
    "push",
    (
        Field(
            "role",
            Text("a role's name"),
            "The push role, which is created in the repository's account under the path /ecr-warden/.",
            required=True,
        ),
        Field(
            "by",
            ListOf(_PUSHER, nonempty=True),
            "Who may assume the role: teams and principals.",
            required=True,
        ),
        Field(
            "pull",
            Flag(),
            "true: the role may also pull from the repository, for docker build --cache-from and mounted layers; false "
            "by default.",
        ),
        _UNTIL,
        _SOURCE_IP,
        Field(
            "max_session_duration",
            Whole(
                MIN_SESSION_DURATION,
                MAX_SESSION_DURATION,
                Code.SESSION_DURATION,
                "a session duration of {} seconds",
            ),
            "How long a session may last, from 3600 to 43200 seconds; 3600 by default.",
        ),
        Field(
            "sessions",
            _SESSIONS,
            "tagged: whoever opens a session may give it tags and a source identity, as configure-aws-credentials and "
            "EKS Pod Identity do; plain: neither. By default as under settings:.",
        ),
        Field(
            "shared_role",
            Flag(),
            "true at each of its repositories: the role pushes to all of them, for everyone under any by.",
        ),
    ),
)
REPOSITORY = Record(
    "repository",
    (
        Field(
            "name",
            Text("a repository's name or a pattern"),
            "The repository's name in ECR, or a pattern: * matches any text, including /.",
            required=True,
        ),
        Field(
            "except",
            ListOf(Text("a repository's name or a pattern"), nonempty=True),
            "Names and patterns that the pattern excludes.",
        ),
        Field("account", Text("an account's alias"), "The alias of its account.", required=True),
        Field("regions", ListOf(Text("a region"), nonempty=True), "Some of the account's regions; all by default."),
        Field("pull", ListOf(_PULLER), "Who may pull: teams, principals, whole accounts, services, organizations."),
        Field("push", ListOf(PUSH), "Who may push, each through a push role."),
        Field(
            "pull_scope",
            Text("a pull scope", tuple(PullScope)),
            "repository, the default, names each repository in the policies of pulling identities; account names all "
            "of the account's repositories there, if single ones do not fit: the repository policy still decides.",
        ),
        Field(
            "foreign_statements",
            ListOf(Text("a foreign statement", tuple(ForeignStatement))),
            "Statements of AWS services that the repository policy may contain: lambda-image-retrieval.",
        ),
        Field(
            "beside",
            Raw(),
            "A policy document: what the repository policy says besides the grants, word for word.",
        ),
        Field(
            "on_remove",
            Text("a value of on_remove", ("release", "revoke")),
            "What happens to the repository policy when the repository is removed from the spec: revoke, the default, "
            "deletes it; release leaves it unchanged.",
        ),
        Field(
            "mode",
            _MODE,
            "observe: its grants are reported and never written; enforce: they are also repaired. By default as at its "
            "account.",
        ),
    ),
)

_DOCUMENT = Field("document", Raw(), "The policy document, as AWS accepts it.", required=True)
_EXCLUSIVE = Field(
    "exclusive",
    Flag(),
    "true at each document of a user or role: its other inline and attached policies are drift; false by default.",
)
_NO_EXCLUSIVE = Field("exclusive", Flag(), needless="a repository has only one policy, which is always kept as a whole")


def _literal(kind: DocumentKind, *fields: Field, exclusive: Field = _EXCLUSIVE) -> Record:
    return Record(
        f"{kind} document",
        (
            Field("kind", Text("a kind of document", tuple(DocumentKind)), "The kind of the document.", required=True),
            Field("account", Text("an account's alias"), "The alias of its account.", required=True),
            *fields,
            _DOCUMENT,
            exclusive,
        ),
    )


IDENTITY_FIELDS = ("role", "user")
"""Fields of an identity policy of which exactly one is given."""

LITERAL = Choice(
    "document",
    "kind",
    {
        DocumentKind.REPOSITORY.value: _literal(
            DocumentKind.REPOSITORY,
            Field("repository", Text("a repository's name"), "The repository's name in ECR.", required=True),
            Field("regions", ListOf(Text("a region"), nonempty=True), "Some of the account's regions; all by default."),
            exclusive=_NO_EXCLUSIVE,
        ),
        DocumentKind.TRUST.value: _literal(
            DocumentKind.TRUST, Field("role", Text("a role's name"), "An existing role.", required=True)
        ),
        DocumentKind.IDENTITY.value: _literal(
            DocumentKind.IDENTITY,
            Field("role", Text("a role's name"), "The role with the inline policy; or give user."),
            Field("user", Text("a user's name"), "The user with the inline policy; or give role."),
            Field(
                "name", Text("a policy's name"), "The inline policy's name; ecr-warden-* is reserved.", required=True
            ),
            Field(
                "allow_admin",
                Flag(),
                "true: the document may make its user or role an administrator of the account; false by default, which "
                "refuses such a document.",
            ),
        ),
    },
)
ALSO_ALLOWED = Record(
    "entry of also_allowed",
    (
        Field(
            "principals",
            ListOf(
                Either(
                    Text("a team, a principal or a pattern"),
                    {
                        "account": Record(
                            "account of also_allowed",
                            (Field("account", Text("an account's alias"), "Everybody in the account.", required=True),),
                        )
                    },
                ),
                nonempty=True,
            ),
            "Who has access: teams, principals, patterns and whole accounts.",
            required=True,
        ),
        Field("reason", Text("a reason"), "Why the access is intended, for whoever reads the spec.", required=True),
        Field(
            "access",
            ListOf(Text("a kind of access", ("pull", "push")), nonempty=True),
            "pull, push or both; by default everything, also administering the account.",
        ),
        Field("account", Text("an account's alias"), "The alias of the repositories' account; all by default."),
        Field(
            "repositories",
            ListOf(Text("a repository's name or a pattern"), nonempty=True),
            "Names and patterns of repositories; all by default.",
        ),
    ),
)
SETTINGS = Record(
    "settings",
    (
        Field(
            "mode",
            _MODE,
            "observe, the default, reports drift; enforce also repairs it. Accounts and repositories may differ.",
        ),
        Field(
            "exact",
            Flag(),
            "true: a document that is written differently but allows the same is drift too; false by default.",
        ),
        Field(
            "end_sessions",
            Text("a choice of sessions", ("since-in-sync", "all")),
            "Which sessions of a role end when its trust policy is narrowed. since-in-sync, the default: those issued "
            "since it was last read in sync; all: every older one.",
        ),
        Field(
            "sessions",
            _SESSIONS,
            "What sessions of push roles may carry: tagged, the default, tags and a source identity; plain, neither.",
        ),
        Field(
            "widening",
            Text("a choice of widening", ("free", "hold", "approve")),
            "Which gains of access wait until a person accepts them. hold, the default: a version that lets in "
            "outsiders; approve: every version that gives access; free: none.",
        ),
        Field(
            "max_removed",
            Whole(0, MAX_LIMIT, Code.LIMIT, "a limit of {}"),
            "How many grants versions may remove within 24 hours before one waits; by default 20 % of the accepted "
            "ones, and at least 5.",
        ),
    ),
)
SPEC = Record(
    "spec",
    (
        Field(
            "version",
            Whole(FORMAT_VERSION, FORMAT_VERSION, Code.VERSION, 'version "{}" is not supported'),
            "The version of this format: 1.",
            required=True,
        ),
        Field("accounts", MapOf(ACCOUNT), "The accounts, each by an alias of your choice.", required=True),
        Field("teams", MapOf(ListOf(Text("a principal"), nonempty=True)), "Names for lists of principals."),
        Field("repositories", ListOf(REPOSITORY), "The repositories, and who may pull and push."),
        Field("documents", ListOf(LITERAL), "Literal policy documents."),
        Field("settings", SETTINGS, "How ecr-warden behaves."),
        Field("also_allowed", ListOf(ALSO_ALLOWED), "Access that no grant gives and that is intended all the same."),
        Field("organizations", MapOf(ORGANIZATION), "The AWS organizations, each by an alias of your choice."),
    ),
)


def records(shape: Shape = SPEC) -> tuple[Record, ...]:
    """Every record that the shape reaches, outermost first."""
    match shape:
        case Record(fields=fields):
            return (shape, *(inner for entry in fields for inner in records(entry.shape)))
        case Choice(records=choices) | Either(records=choices):
            return tuple(inner for record in choices.values() for inner in records(record))
        case ListOf(item=inner) | MapOf(value=inner):
            return records(inner)
        case _:
            return ()

"""Every field of the spec, in one place; docs/spec.md shows these tables and a test compares."""

from ecr_warden.model.desired import ForeignStatement
from ecr_warden.policy.document import DocumentKind
from ecr_warden.spec.shapes import (
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
from ecr_warden.spec.spec import FORMAT_VERSION, MAX_SESSION_DURATION, MIN_SESSION_DURATION, PullScope

_REGIONS = ListOf(Text("a region"))
_UPSTREAM = Field(
    "upstream",
    Flag(),
    "true: a pull of theirs may have a pull-through cache fetch the image first; false when not given.",
)
_PULLER = Either(
    Text("a team or a principal"),
    {
        "by": Record(
            "pull grant",
            (
                Field(
                    "by",
                    ListOf(Text("a team or a principal"), nonempty=True),
                    "Who may pull: teams and principals.",
                    required=True,
                ),
                _UPSTREAM,
            ),
        ),
        "account": Record(
            "whole account",
            (
                Field(
                    "account",
                    Text("an account's alias"),
                    "Everybody of the account to whom the account itself gives the right to pull.",
                    required=True,
                ),
                _UPSTREAM,
            ),
        ),
        "service": Record(
            "service",
            (
                Field("service", Text("a service"), "The AWS service, such as codebuild.amazonaws.com.", required=True),
                Field(
                    "source",
                    Text("an account's alias or an ARN"),
                    "For whom it may act: without, anybody could have the service pull for them.",
                    required=True,
                ),
                Field("upstream", Flag(), needless="no service pulls through a cache"),
            ),
        ),
        "organization": Record(
            "whole organization",
            (
                Field(
                    "organization",
                    Text("an organization's alias"),
                    "Everybody of the organization to whom the own account gives the right to pull.",
                    required=True,
                ),
                _UPSTREAM,
            ),
        ),
    },
)

ACCOUNT = Record(
    "account",
    (
        Field("id", AccountId(), "The 12 digits, in quotes.", required=True),
        Field("regions", _REGIONS, "Where repositories of the account stand; not needed without repositories."),
    ),
)
ORGANIZATION = Record(
    "organization", (Field("id", Text("an organization's id"), "Its id, such as o-a1b2c3d4e5.", required=True),)
)
PUSH = Record(
    "push",
    (
        Field(
            "role",
            Text("a role's name"),
            "The push role: made in the repository's account under the path /ecr-warden/.",
            required=True,
        ),
        Field(
            "by",
            ListOf(Text("a team or a principal"), nonempty=True),
            "Who may assume the role: teams and principals.",
            required=True,
        ),
        Field(
            "pull",
            Flag(),
            "true: the role may pull from the repository too, for docker build --cache-from and mounted layers; false "
            "when not given.",
        ),
        Field("until", Moment(), "When it ends by itself: a condition in the trust policy."),
        Field(
            "max_session_duration",
            Whole(MIN_SESSION_DURATION, MAX_SESSION_DURATION),
            "Seconds a session may last, 3600 to 43200; 3600 when not given.",
        ),
        Field(
            "shared_role",
            Flag(),
            "true at each of its repositories: the role pushes to all of them, and so may everybody under any by.",
        ),
    ),
)
REPOSITORY = Record(
    "repository",
    (
        Field(
            "name",
            Text("a repository's name or a pattern"),
            "The repository's name in ECR, or a pattern: * is any text, / included.",
            required=True,
        ),
        Field(
            "except",
            ListOf(Text("a repository's name or a pattern"), nonempty=True),
            "Names and patterns that the pattern leaves out.",
        ),
        Field("account", Text("an account's alias"), "The alias of the account that it stands in.", required=True),
        Field("regions", ListOf(Text("a region"), nonempty=True), "Some of the account's regions; all when not given."),
        Field("pull", ListOf(_PULLER), "Who may pull: teams, principals, whole accounts, services, organizations."),
        Field("push", ListOf(PUSH), "Who may push, each through a push role."),
        Field(
            "pull_scope",
            Text("a pull scope", tuple(PullScope)),
            "repository, the default, names each repository in the policies of who pulls; account names all of the "
            "account's repositories there, for more than fit: the repository's policy still decides.",
        ),
        Field(
            "foreign_statements",
            ListOf(Text("a foreign statement", tuple(ForeignStatement))),
            "Statements of AWS services that may stand in the repository's policy: lambda-image-retrieval.",
        ),
        Field(
            "on_remove",
            Text("a value of on_remove", ("release", "revoke")),
            "What happens to the repository's policy when the repository leaves the spec: release, the default, leaves "
            "it as it is; revoke deletes it.",
        ),
    ),
)

_DOCUMENT = Field("document", Raw(), "The policy document, as AWS takes it.", required=True)
_EXCLUSIVE = Field(
    "exclusive",
    Flag(),
    "true at each document of a user or role: its other inline and attached policies are drift; false by default.",
)
_NEVER_SHARED = Field("exclusive", Flag(), needless="a repository has one policy, which is kept whole anyway")


def _literal(kind: DocumentKind, *fields: Field, exclusive: Field = _EXCLUSIVE) -> Record:
    return Record(
        f"{kind} document",
        (
            Field("kind", Text("a kind of document", tuple(DocumentKind)), "Which kind it is.", required=True),
            Field("account", Text("an account's alias"), "The alias of the account that it stands in.", required=True),
            *fields,
            _DOCUMENT,
            exclusive,
        ),
    )


IDENTITY_OWNERS = ("role", "user")
"""Fields of an identity policy of which exactly one is given."""

LITERAL = Choice(
    "document",
    "kind",
    {
        DocumentKind.REPOSITORY.value: _literal(
            DocumentKind.REPOSITORY,
            Field("repository", Text("a repository's name"), "The repository's name in ECR.", required=True),
            Field("regions", ListOf(Text("a region"), nonempty=True), "Some of the account's regions; all by default."),
            exclusive=_NEVER_SHARED,
        ),
        DocumentKind.TRUST.value: _literal(
            DocumentKind.TRUST, Field("role", Text("a role's name"), "A role that exists.", required=True)
        ),
        DocumentKind.IDENTITY.value: _literal(
            DocumentKind.IDENTITY,
            Field("role", Text("a role's name"), "The role that has the inline policy; or user."),
            Field("user", Text("a user's name"), "The user that has the inline policy; or role."),
            Field("name", Text("a policy's name"), "The inline policy's name, not ecr-warden-*.", required=True),
            Field(
                "allow_admin",
                Flag(),
                "true: the document is meant to make its user or role an administrator of the account; without, one "
                "that does is refused.",
            ),
        ),
    },
)
SETTINGS = Record(
    "settings",
    (
        Field(
            "mode",
            Text("a mode", ("observe", "enforce")),
            "observe, the default, reports drift; enforce repairs it too.",
        ),
        Field(
            "exact",
            Flag(),
            "true: a document that is written otherwise and allows the same is drift too; false when not given.",
        ),
    ),
)
SPEC = Record(
    "spec",
    (
        Field("version", Whole(FORMAT_VERSION, FORMAT_VERSION), "The version of this format: 1.", required=True),
        Field("accounts", MapOf(ACCOUNT), "The accounts, by an alias of your choice.", required=True),
        Field("teams", MapOf(ListOf(Text("a principal"), nonempty=True)), "Names for lists of principals."),
        Field("repositories", ListOf(REPOSITORY), "Repositories and who may pull and push."),
        Field("documents", ListOf(LITERAL), "Literal policy documents, kept as they stand."),
        Field("settings", SETTINGS, "How ecr-warden behaves."),
        Field("organizations", MapOf(ORGANIZATION), "The AWS organizations, by an alias of your choice."),
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

"""The findings that lint can make: one table of stable codes."""

from enum import Enum, StrEnum

from msgspec import Struct


class Level(StrEnum):
    """ERROR: AWS refuses it, or outsiders get access. WARNING: its effect is not what it seems."""

    ERROR = "error"
    WARNING = "warning"


_E, _W = Level.ERROR, Level.WARNING


class LintRule(Enum):
    """Every kind of finding: its level, title and remedy. Its code is its name, as in `sid-repeated`.

    Codes are stable, and never reused for another kind.
    """

    # The document.
    ELEMENT_OF_KIND = (_E, "an element that this kind of document must not have", "remove it")
    ELEMENT_MISSING = (_E, "an element that this kind of document needs is missing", "add it")
    RESOURCE_IN_RESOURCE_POLICY = (
        _E,
        "Resource in a policy whose service refuses the element",
        "remove it: the policy is attached to its resource",
    )
    EFFECT_CASE = (_E, "an Effect in another case than Allow or Deny, which AWS refuses", "write Allow or Deny")
    SID_CHARACTERS = (_E, "a Sid with characters that IAM refuses", "use letters and digits")
    SID_REPEATED = (
        _E,
        "the same Sid twice in one IAM policy, which IAM refuses",
        "give each statement its own, or none",
    )
    CHARACTERS = (_E, "characters that IAM refuses", "use characters up to U+00FF")
    SIZE_OVER = (_E, "a document over AWS's limit", "shorten it: fewer principals, patterns instead of lists")
    # Who.
    PRINCIPAL_ANYONE = (_E, "access for anyone", "name accounts, users or roles")
    PRINCIPAL_ANYONE_CONDITIONED = (
        _W,
        "access for anyone, under conditions that do not restrict the account or organization",
        "add a condition on aws:PrincipalOrgID, aws:PrincipalAccount or aws:PrincipalArn",
    )
    ALLOW_NOT_PRINCIPAL = (_E, "Allow with NotPrincipal: access for everyone else", "use Principal")
    PRINCIPAL_PATTERN = (
        _E,
        "a pattern in a principal, which AWS refuses",
        "name the account with a condition on aws:PrincipalArn",
    )
    PRINCIPAL_UNIQUE_ID = (
        _E,
        "the unique ID of a deleted user or role: it matches no one, and AWS no longer accepts it",
        "remove it, or name the user or role that exists now by its ARN",
    )
    PRINCIPAL_MALFORMED = (
        _E,
        "a principal that is not an account, user, role or session",
        "write 12 digits or the ARN of a user, role or session",
    )
    SERVICE_WITHOUT_SOURCE = (
        _E,
        "access for a service on behalf of any of its customers (confused deputy)",
        "add a condition on aws:SourceAccount, aws:SourceArn or aws:SourceOrgID",
    )
    FEDERATED_WITHOUT_SUBJECT = (
        _W,
        "a role that every identity of an OpenID Connect provider can assume",
        "add a condition on the provider's :sub",
    )
    # What.
    ACTION_MALFORMED = (_E, "not an action", 'write service:Name, or "*"')
    ACTION_OF_KIND = (_E, "an action that this kind of document must not have", "remove it")
    ACTION_UNKNOWN = (_W, "no such action", "correct the name")
    ACTION_WITHOUT_RESOURCE = (
        _W,
        "an action that no resource policy can allow: it does not act on the resource",
        "put it into the identity policies of those who need it, on *",
    )
    ACTION_NEEDS_ANY_RESOURCE = (
        _W,
        "an action without resource types on named resources, where it has no effect",
        'put it into a statement with Resource "*"',
    )
    ALLOW_NOT_ACTION = (
        _W,
        "Allow with NotAction: every other action, including those that AWS adds later",
        "name the actions",
    )
    ALLOW_EVERYTHING = (_W, "every action allowed", "name the actions that are needed")
    RESOURCE_MALFORMED = (_E, "a resource that is not an ARN", 'write an ARN, or "*"')
    # When.
    KEY_UNKNOWN = (_W, "no such condition key", "correct the key")
    VALUE_MALFORMED = (_W, "a value that never matches", "correct the value")
    VALUE_WILDCARD = (_W, "a wildcard in a value, where it is taken literally", "use StringLike, or StringNotLike")
    VALUE_SENSITIVE_WILDCARD = (
        _W,
        "a pattern for a key of accounts, organizations or networks: it may match an outsider's",
        "name them",
    )
    CONDITION_NEVER = (_W, "a condition that can never hold", "correct it, or remove the statement")
    FOR_ALL_VALUES = (
        _W,
        "ForAllValues in an Allow, which also holds if the key is missing",
        'add "Null": {KEY: "false"}',
    )

    def __init__(self, level: Level, title: str, remedy: str) -> None:
        self.level = level
        self.title = title
        self.remedy = remedy

    @property
    def code(self) -> str:
        return self.name.lower().replace("_", "-")


class LintFinding(Struct, frozen=True):
    """One finding: `place` is a JSON path such as `Statement[1].Action[0]`, empty for the document."""

    rule: LintRule
    place: str
    message: str

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def remedy(self) -> str:
        return self.rule.remedy

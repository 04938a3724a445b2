"""What can be wrong with a spec: the table of stable codes, and the report that collects problems at their places."""

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct, field

from ecr_warden.core.own_access import OWN_ACTIONS
from iam_access.text.nearest import did_you_mean, nearest
from iam_access.text.printable import look_alike, printable


class Code(Enum):
    """Every kind of problem: its stable code, title and default remedy.

    A code is never reused. `make schema` lists them in docs/schema/spec.md.
    """

    # The text.
    TOO_LARGE = ("E001", "the spec is too large", "use teams, patterns and lists of names; the spec is a single file")
    NOT_UTF8 = ("E002", "not UTF-8", "save it as UTF-8")
    NOT_YAML = ("E003", "not YAML", "correct the syntax; one error can hide others after it")
    EMPTY = ("E004", "empty", "begin with version: 1")
    MANY_DOCUMENTS = ("E005", "more than one YAML document", "keep one; remove the --- lines")
    ALIAS = ("E006", "an anchor, alias or merge key", "write the value out, or, in a spec, use a team")
    TOO_DEEP = ("E007", "nested too deeply", "no field needs that depth")
    TOO_MANY_NODES = ("E008", "too many values", "use teams, patterns and lists of names; the spec is a single file")
    DUPLICATE_KEY = ("E009", "a duplicate key", "keep one of them")
    TAG = ("E010", "a YAML tag", "remove it; put text in quotes")
    TAB = ("E011", "a tab", "use spaces")
    CONTROL_CHARACTER = ("E012", "a character that a spec must not contain", "remove it, or type a space in its place")
    NOT_TEXT_KEY = ("E013", "a key that is not text", "put the key in quotes")
    # The shape.
    WRONG_TYPE = ("E020", "a value of the wrong type", "")
    UNKNOWN_FIELD = ("E021", "an unknown field", "remove it")
    MISSING_FIELD = ("E022", "a missing required field", "")
    NOT_SUPPORTED = ("E023", "not supported in this version", "remove it")
    VERSION = ("E024", "a version other than 1", "write version: 1; a later one needs a newer ecr-warden")
    EMPTY_VALUE = ("E025", "an empty value", "")
    NOT_ONE_OF = ("E026", "a value other than those allowed", "")
    ONE_IDENTITY = ("E027", "an identity policy without exactly one of role and user", "give either role: or user:")
    AMBIGUOUS_SCALAR = (
        "E028",
        "a value that YAML parsers read differently",
        "put it in quotes, or write it as in JSON",
    )
    NEEDLESS_FIELD = ("E029", "a field that has no effect here", "remove it")
    GONE_FIELD = ("E030", "a field that earlier versions of ecr-warden had", "")
    # Names and references.
    UNQUOTED_ACCOUNT_ID = (
        "E101",
        "an account ID without quotes",
        "put the 12 digits in quotes: without them YAML drops leading zeros or reads an octal number",
    )
    ACCOUNT_ID = ("E102", "not an account ID", "write the 12 digits in quotes")
    UNKNOWN_ACCOUNT = ("E103", "an unknown account", "define it under accounts:")
    UNKNOWN_TEAM = ("E104", "an unknown team", "define it under teams:, or write ALIAS:user/NAME or ALIAS:role/NAME")
    PRINCIPAL = ("E105", "not a principal", "write ALIAS:user/NAME or ALIAS:role/NAME")
    ANYONE = ("E106", "a principal that matches anyone", "name users and roles")
    FOREIGN_PRINCIPAL = (
        "E107",
        "a principal in an account that is not under accounts:",
        "add the account under accounts:, here and in ecr-warden.yaml, or remove the principal",
    )
    ALIAS_NAME = (
        "E108",
        "an invalid name for an account, organization or team",
        "use letters, digits, - and _, at most 64 characters",
    )
    ACCOUNT_TWICE = ("E109", "one account ID under two aliases", "keep one alias")
    REGION = ("E110", "not a region", "write it as AWS does, for example eu-central-1")
    REPOSITORY_NAME = (
        "E111",
        "not a repository name",
        "use 2 to 256 lower-case letters and digits, separated by one of . _ __ - /",
    )
    IAM_NAME = ("E112", "an invalid name for a user, role or policy", "use letters, digits and _+=,.@-")
    NAME_TOO_LONG = ("E113", "a name longer than AWS allows", "shorten it")
    IAM_PATH = ("E114", "not an IAM path", "write it as in the ARN, without the leading slash: ALIAS:user/ci/bot")
    TWO_SPELLINGS = (
        "E115",
        "one user or role written in two ways",
        "IAM names are unique whatever their path and case: write it as in its ARN",
    )
    RESERVED_NAME = ("E116", "a name reserved for ecr-warden", "choose a name that does not begin with ecr-warden-")
    ORGANIZATION_ID = ("E117", "not an organization ID", "write it as AWS does, for example o-a1b2c3d4e5")
    UNKNOWN_ORGANIZATION = (
        "E118",
        "an unknown organization",
        "define it under organizations: as ALIAS: {id: ID}, and write the alias",
    )
    SERVICE = ("E119", "not an AWS service", "write it as AWS does, for example codebuild.amazonaws.com")
    SOURCE = (
        "E120",
        "a source that names no account",
        "write an account's alias, or an ARN with the account's 12 digits; the part after them may contain *",
    )
    NOT_WRITABLE = ("E121", "a role whose policies only AWS can write", "name a user or role of your own")
    ISSUER = (
        "E122",
        "not an OpenID Connect issuer",
        "write the host and path of its URL, in lower case, without https:// and without a / at the end",
    )
    AUDIENCE = (
        "E123",
        "an audience that is not one text",
        "write the audience that the job asks for, without wildcards",
    )
    SUBJECT = (
        "E124",
        "a subject that others than intended could have",
        "write it whole, or name at least its kind, owner and project before the first *, each up to its : or /",
    )
    GITHUB_REPOSITORY = (
        "E125",
        "not one GitHub repository",
        "write OWNER/REPO without wildcards: anybody can make a repository or organization whose name fits a pattern",
    )
    GITHUB_JOBS = (
        "E126",
        "a GitHub repository without exactly one of branch, tag and environment",
        "write one of them: without it, jobs of every branch and pull request could push; a job with an environment "
        "shows no branch",
    )
    GITHUB_REF = (
        "E127",
        "not a branch, tag or environment that a subject can name",
        "write its name, of letters, digits and ._/@+=,#-; a branch or tag may be a pattern that begins with text",
    )
    GITHUB_IDS = (
        "E128",
        "only one of owner_id and repository_id",
        "give both: gh api repos/OWNER/REPO --jq '.owner.id, .id'",
    )
    PERMISSION_SET = (
        "E129",
        "not a permission set of IAM Identity Center",
        "write its name, at most 32 letters, digits and _+=,.@-, without AWSReservedSSO_ and without the suffix",
    )
    SOURCE_IP = (
        "E130",
        "not a network, or one that is as good as everybody",
        "write it as 203.0.113.0/24 or 2001:db8::/32, at least /8 and for IPv6 /16",
    )
    READ_ACTION = (
        "E131",
        "not an action that only reads a repository",
        "write it as AWS does, for example ecr:DescribeImages; of patterns only ecr:BatchGet*, ecr:Describe*, ecr:Get* "
        "and ecr:List*",
    )
    PODS = (
        "E132",
        "not one workload of an EKS cluster",
        "write the cluster's ARN and the names of the namespace and the service account, each whole",
    )
    # What the entries say together.
    REPOSITORY_TWICE = (
        "E201",
        "a repository of one region in two entries",
        "merge them, or give each entry its own regions:",
    )
    NO_REGIONS = (
        "E202",
        "a repository in an account without regions",
        "add regions: [REGION] to the account, under accounts:",
    )
    REGION_NOT_OF_ACCOUNT = (
        "E203",
        "a region that is not one of the account's",
        "add it to the account's regions:, under accounts:",
    )
    SHARED_ROLE = (
        "E204",
        "one role for two repositories",
        "give each its own role, because everyone under either by: could push to both, or list those with the same "
        "grants under one name:",
    )
    ADDRESS_TWICE = (
        "E205",
        "one policy document described twice",
        "keep either the grant or the literal document; what no grant says goes under beside: of the repository",
    )
    RESERVED_POLICY = (
        "E206",
        "a literal identity policy with a name reserved for ecr-warden",
        "choose a name that does not begin with ecr-warden-",
    )
    LITERAL_ON_PUSH_ROLE = (
        "E207",
        "a literal document on the push role of a grant",
        "a push role has only the policies of its grants: use another role, or only literal documents",
    )
    UNTIL = (
        "E208",
        "not a day, nor a time with a time zone",
        "write it as 2027-03-31, through its end in UTC, or 2027-03-31T18:00:00Z",
    )
    SESSION_DURATION = ("E209", "a session duration outside AWS's limits", "use whole seconds from 3600 to 43200")
    DURATION_TWICE = ("E210", "two session durations for one role", "keep one of them")
    TWO_ENDS = ("E211", "two end times for one principal on one role", "the later one would win: keep one")
    PUSH_ROLE_AS_PRINCIPAL = (
        "E212",
        "a push role that is also named as a principal",
        "a push role has no other rights: name the users and roles that use it",
    )
    UNDER_PATTERN = (
        "E213",
        "a repository that a pattern also matches",
        "add it to the pattern's except: list, so that one entry alone says who may push and pull",
    )
    EXCEPT_WITHOUT_PATTERN = ("E214", "except: without a pattern", "remove it, or use * in the name")
    EXCEPT_OUTSIDE = ("E215", "an exception outside its pattern", "correct it: it excludes nothing")
    EXCLUSIVE_IN_PART = (
        "E216",
        "exclusive: true at only some documents of a user or role",
        "set it at all of them or at none",
    )
    PULL_IN_PART = (
        "E217",
        "pull: true at only some grants of a role at one repository",
        "the role pulls for everyone who assumes it: set it at all of them or at none",
    )
    TWO_LIMITS = (
        "E219",
        "two end times or lists of networks for one principal",
        "one statement would make the other needless: keep one",
    )
    ALLOWED_BEFORE = (
        "E221",
        "an entry of also_allowed whose end time is in the past",
        "its access is a finding again: remove the entry, or change the time",
    )
    TOO_MANY_PATTERNS = (
        "E222",
        "more patterns to compare than there is time for",
        "begin patterns with different texts instead of *, or let fewer of them take more names",
    )
    # Literal documents.
    DOCUMENT = ("E301", "a policy document that AWS would refuse or that cannot be parsed", "")
    RESOURCE_IN_REPOSITORY_POLICY = (
        "E302",
        "a Resource in a repository policy",
        "remove it: the policy belongs to its repository, and AWS refuses the element",
    )
    ELEMENT_OF_KIND = ("E303", "an element that this kind of document must not have, or one that it lacks", "")
    SERVICE_WITHOUT_SOURCE = (
        "E304",
        "a repository policy that lets a service act for any of its customers",
        "add a condition on aws:SourceAccount, aws:SourceArn or aws:SourceOrgID",
    )
    ADMIN = (
        "E305",
        "an identity policy that makes its user or role an administrator",
        "allow less, or give such a policy by other means: the spec makes nobody an administrator",
    )
    # What AWS would not store.
    REPOSITORY_POLICY_QUOTA = ("E401", "a repository policy over AWS's quota", "grant pull to fewer users and roles")
    USER_QUOTA = (
        "E402",
        "inline policies of a user over AWS's quota",
        "set pull_scope: account at the repositories, or use a role",
    )
    ROLE_QUOTA = ("E403", "inline policies of a role over AWS's quota", "set pull_scope: account at the repositories")
    TRUST_QUOTA = ("E404", "a trust policy over AWS's quota", "give the repository a second push role")
    # Warnings.
    NO_EFFECT_IN_REPOSITORY_POLICY = (
        "W501",
        "an action that has no effect in a repository policy, such as ecr:GetAuthorizationToken",
        "allow it in the identity policy of whoever needs it, on *",
    )
    UNTIL_PAST = ("W502", "an end time in the past", "the access has ended: remove the entry, or change the time")
    LISTED_TWICE = ("W503", "listed twice", "keep one of them")
    FOREIGN_IN_DOCUMENT = (
        "W504",
        "a literal document names a principal outside accounts:",
        "ecr-warden does not read that account: add it under accounts: if it is yours",
    )
    DOUBTFUL_DOCUMENT = (
        "W505",
        "a literal document does other than it seems to",
        "correct it",
    )
    UNKNOWN_REGION = ("W506", "a region that this version does not know", "correct it, unless the region is new")
    REGISTRY_IN_NAME = (
        "W507",
        "a repository name that begins like a registry address",
        "write what follows the registry's address, without a tag",
    )
    ALLOWED_ANYWHERE = (
        "W509",
        "an entry of also_allowed for principals in any account",
        "name the accounts, or users and roles in them",
    )
    OBSERVED_SIDE = (
        "W510",
        "an enforced grant for users or roles in an account with mode: observe",
        "write their policies by hand as ecr-warden render shows them, or set mode: enforce at the account",
    )
    GITHUB_BY_NAME = (
        "W511",
        "a GitHub repository by its name alone",
        "give owner_id and repository_id, as gh api repos/OWNER/REPO --jq '.owner.id, .id' prints them: without them "
        "whoever gets the name later could push, and renaming the repository stops its jobs",
    )
    NO_ENDPOINTS = (
        "W512",
        "source_ip, which no request through a VPC endpoint meets",
        "whoever reaches ECR or STS through a VPC endpoint is refused, because aws:SourceIp is absent there: give "
        "them a grant of their own without source_ip",
    )
    OTHERS_SESSIONS_END = (
        "W513",
        "an end time at which sessions of other grants end too",
        "give the grant a role of its own, or all grants of the role the same end, so that nobody else is interrupted",
    )
    OWN_CALLS_DENIED = (
        "W514",
        "a Deny that may keep ecr-warden from repairing the repository policy",
        "deny the actions that you mean instead of all, or all but its own calls: "
        f"NotAction: [{', '.join(OWN_ACTIONS)}]",
    )
    ONCE_VALID = ("W515", "what the accepted version may go on saying and a new one must not", "")

    def __init__(self, code: str, title: str, remedy: str) -> None:
        self.code = code
        self.title = title
        self.remedy = remedy


class Place(Struct, frozen=True, order=True):
    """A place in the spec; lines and columns count from 1, columns in characters."""

    line: int
    column: int


class Problem(Struct, frozen=True, order=True):
    """A problem at its place; problems are ordered by place. `code` is stable, `remedy` may be ""."""

    line: int
    column: int
    code: str
    message: str
    remedy: str = ""

    @property
    def is_error(self) -> bool:
        """An error refuses the spec; a warning does not."""
        return self.code.startswith("E")

    def at(self, file: str) -> str:
        """One line for people: code, place, what is wrong, what to do."""
        return self._line(f"{file}:{self.line}:{self.column}")

    def __str__(self) -> str:
        return self._line(f"{self.line}:{self.column}")

    def _line(self, place: str) -> str:
        return f"{self.code} {place} {self.message}" + (f"; {self.remedy}" if self.remedy else "")


def problem(code: Code, place: Place, message: str = "", *, remedy: str | None = None) -> Problem:
    """A problem at a place; its message and remedy are the code's unless given."""
    remedy = code.remedy if remedy is None else remedy
    return Problem(place.line, place.column, code.code, message or code.title, remedy)


def quote(text: str) -> str:
    """Text of the spec in a message: quoted, on one line, shortened; a letter that only looks Latin is named."""
    odd = look_alike(text)
    return f'"{bare(text)}"' + (f" with {odd}" if odd else "")


def bare(text: str) -> str:
    """As `quote`, without the quotes: for text that the reader is to write."""
    return printable(text, ascii_only=False)


_HINTS = 50
_SHORTEST_BEGINNING = 3


_ONCE_VALID = frozenset({Code.GONE_FIELD, Code.ADMIN, Code.SHARED_ROLE, Code.ALLOWED_BEFORE, Code.TOO_MANY_PATTERNS})
"""Errors that a spec may have had when it was accepted."""


class ProblemReport(Struct):
    """Collects problems.

    The number of hints is bounded, because each compares with every name.
    """

    accepted: bool = False
    """Of a version that was accepted, which no later rule may put out of force."""
    found: list[Problem] = field(default_factory=list)
    _hints: int = 0

    def add(self, code: Code, place: Place, message: str = "", *, remedy: str | None = None) -> None:
        if self.accepted and code in _ONCE_VALID:
            message, remedy = message or code.title, code.remedy if remedy is None else remedy
            code = Code.ONCE_VALID
        self.found.append(problem(code, place, message, remedy=remedy))

    def each_once[T](self, listed: Iterable[tuple[T, Place]]) -> tuple[T, ...]:
        """What a list names, each once; a second time is reported at its place."""
        found: dict[T, None] = {}
        for named, place in listed:
            if named in found:
                self.add(Code.LISTED_TWICE, place, f"{named} is listed twice")
            found[named] = None
        return tuple(found)

    def hint(self, text: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
        """` (did you mean "deployers"?)`, or ""."""
        near = self.nearest(text, names, cutoff=cutoff)
        return did_you_mean(near and quote(near))

    def nearest(self, text: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
        """The most similar name, or the only one that the text is the beginning of, or ""."""
        if self._hints >= _HINTS:
            return ""
        self._hints += 1
        candidates = list(names)
        near = nearest(text, candidates, cutoff=cutoff)
        begun = [name for name in candidates if len(text) >= _SHORTEST_BEGINNING and name.startswith(text[:-1])]
        return next(iter((*near, *(begun if len(begun) == 1 else ()))), "")

    @property
    def has_errors(self) -> bool:
        return any(entry.is_error for entry in self.found)

    def sorted(self) -> tuple[Problem, ...]:
        """The problems by place, without duplicates."""
        return tuple(sorted(set(self.found)))

"""What can be wrong with a spec: the table of stable codes, and the report that collects problems at their places."""

import difflib
from collections.abc import Iterable
from enum import Enum, StrEnum

from msgspec import Struct, field

from ecr_warden.policy.printable import printable

_SHOWN = 80


class Severity(StrEnum):
    """An error refuses the file; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Code(Enum):
    """Every kind of problem: its stable code, what it is called, and what to do unless the problem says better.

    A code is never given to another kind of problem; docs/spec.md lists them and a test compares.
    """

    # The text.
    TOO_LARGE = ("E001", "the file is too large", "use teams instead of long lists; a deployment reads one file")
    NOT_UTF8 = ("E002", "the file is not UTF-8", "save it as UTF-8")
    NOT_YAML = ("E003", "the file is not YAML", "correct the syntax; one mistake hides those after it")
    EMPTY = ("E004", "the file is empty", "begin with version: 1")
    MANY_DOCUMENTS = ("E005", "the file holds more than one YAML document", "keep one; remove the --- lines")
    ALIAS = ("E006", "an anchor, alias or merge key", "write it out, or use a team")
    TOO_DEEP = ("E007", "nested too deep", "nothing in a spec needs that depth")
    TOO_MANY_NODES = ("E008", "too many values", "use teams instead of long lists; a deployment reads one file")
    DUPLICATE_KEY = ("E009", "the same key twice", "keep one of them")
    TAG = ("E010", "a YAML tag", "remove it; write text in quotes")
    TAB = ("E011", "a tab", "write spaces")
    CONTROL_CHARACTER = ("E012", "a character that no spec may hold", "remove it")
    NOT_TEXT_KEY = ("E013", "a key that is not text", "put the key in quotes")
    # The shape.
    WRONG_TYPE = ("E020", "a value of the wrong type", "")
    UNKNOWN_FIELD = ("E021", "an unknown field", "remove it")
    MISSING_FIELD = ("E022", "a required field is missing", "")
    NOT_SUPPORTED = ("E023", "not supported in this version", "remove it")
    VERSION = ("E024", "a version other than 1", "write version: 1")
    EMPTY_VALUE = ("E025", "an empty value", "")
    NOT_ONE_OF = ("E026", "a value that is not one of the allowed", "")
    ONE_OWNER = ("E027", "an identity policy without exactly one of role and user", "give one of role: and user:")
    UNSURE_SCALAR = ("E028", "a value that YAML readers read differently", "put it in quotes, or write it as JSON does")
    NEEDLESS_FIELD = ("E029", "a field that says nothing there", "remove it")
    # Names and references.
    UNQUOTED_ACCOUNT_ID = (
        "E101",
        "an account id that lost its quotes",
        "put the 12 digits in quotes: without them YAML drops leading zeros, or reads an octal number",
    )
    ACCOUNT_ID = ("E102", "not an account id", "write the 12 digits in quotes")
    UNKNOWN_ACCOUNT = ("E103", "an unknown account", "define it under accounts:")
    UNKNOWN_TEAM = ("E104", "an unknown team", "define it under teams:, or write ALIAS:user/NAME or ALIAS:role/NAME")
    PRINCIPAL = ("E105", "not a principal", "write ALIAS:user/NAME or ALIAS:role/NAME")
    ANYBODY = ("E106", "a principal that is anybody", "name the users and roles")
    FOREIGN_PRINCIPAL = (
        "E107",
        "a principal of an account that is not under accounts",
        "define the account under accounts: and install the member stack in it, or remove the principal",
    )
    ALIAS_NAME = ("E108", "not a name for an account, organization or team", "use letters, digits, - and _, at most 64")
    ACCOUNT_TWICE = ("E109", "an account id under two aliases", "keep one alias")
    REGION = ("E110", "not a region", "write it as AWS does, such as eu-central-1")
    REPOSITORY_NAME = (
        "E111",
        "not a repository name",
        "use 2 to 256 lower-case letters and digits, separated by one of . _ __ - /",
    )
    IAM_NAME = ("E112", "not the name of a user, role or policy", "use letters, digits and _+=,.@-")
    NAME_TOO_LONG = ("E113", "a name longer than AWS allows", "shorten it")
    IAM_PATH = ("E114", "not an IAM path", "write it as in the ARN, without the leading slash: ALIAS:user/ci/bot")
    TWO_SPELLINGS = (
        "E115",
        "one user or role written in two ways",
        "AWS keeps names unique whatever their path and case: write the one in its ARN",
    )
    RESERVED_NAME = ("E116", "a name kept for ecr-warden itself", "choose a name that does not begin with ecr-warden-")
    ORGANIZATION_ID = ("E117", "not an organization's id", "write it as AWS does, such as o-a1b2c3d4e5")
    UNKNOWN_ORGANIZATION = (
        "E118",
        "an unknown organization",
        "define it under organizations:, as ALIAS: {id: ID}, and write the alias",
    )
    SERVICE = ("E119", "not an AWS service", "write it as AWS does, such as codebuild.amazonaws.com")
    SOURCE = (
        "E120",
        "a source that names no account",
        "write an account's alias, or an ARN with the account's 12 digits; what follows them may hold *",
    )
    NOT_WRITABLE = ("E121", "a role whose policies AWS alone writes", "name a user or role of yours")
    # What the grants say together.
    REPOSITORY_TWICE = ("E201", "a repository twice", "merge the two")
    NO_REGIONS = (
        "E202",
        "a repository in an account without regions",
        "add regions: [REGION] to the account, under accounts:",
    )
    REGION_NOT_OF_ACCOUNT = (
        "E203",
        "a region that the account does not have",
        "add it to regions: of the account, under accounts:",
    )
    SHARED_ROLE = (
        "E204",
        "one role for two repositories",
        "each by: would push to both: give each repository a role of its own, or say shared_role: true at each",
    )
    ADDRESS_TWICE = ("E205", "one policy document described twice", "keep the grant or the literal document")
    RESERVED_POLICY = (
        "E206",
        "a literal identity policy named like those that ecr-warden makes",
        "choose a name that does not begin with ecr-warden-",
    )
    LITERAL_ON_PUSH_ROLE = (
        "E207",
        "a literal document on the push role of a grant",
        "a push role has the policies of its grant and no other: use another role, or only literal documents",
    )
    UNTIL = ("E208", "not a time with a zone", "write it as 2027-03-31T18:00:00Z")
    SESSION_DURATION = ("E209", "a session duration outside AWS's limits", "give whole seconds from 3600 to 43200")
    DURATION_TWICE = ("E210", "two session durations for one role", "a role has one: keep one")
    TWO_ENDS = ("E211", "two ends for one principal on one role", "the later one would win: keep one")
    PUSH_ROLE_AS_PRINCIPAL = (
        "E212",
        "a push role that is itself named as a principal",
        "a push role has no other rights: name who uses it",
    )
    UNDER_PATTERN = (
        "E213",
        "a repository that a pattern takes in",
        "add it to the pattern's except: list, so that one entry alone says who may push and pull",
    )
    EXCEPT_WITHOUT_PATTERN = ("E214", "except: without a pattern", "remove it, or write a * into the name")
    EXCEPT_OUTSIDE = ("E215", "an exception outside its pattern", "correct it: it leaves nothing out")
    EXCLUSIVE_IN_PART = (
        "E216",
        "exclusive: true at some documents of a user or role only",
        "say it at each of them, or at none",
    )
    PULL_IN_PART = (
        "E217",
        "pull: true at some grants of one role at one repository only",
        "the role pulls for everybody who assumes it: say it at each of them, or at none",
    )
    # Literal documents.
    DOCUMENT = ("E301", "a policy document that AWS would refuse or that is not understood", "")
    RESOURCE_IN_REPOSITORY_POLICY = (
        "E302",
        "Resource in a repository policy",
        "remove it: the policy stands at its repository, and AWS refuses it",
    )
    ELEMENT_OF_KIND = ("E303", "an element that this kind of document may not hold, or one that it lacks", "")
    SERVICE_WITHOUT_SOURCE = (
        "E304",
        "a repository policy that lets a service act for any of its customers",
        "add a condition on aws:SourceAccount, aws:SourceArn or aws:SourceOrgID",
    )
    ADMIN = (
        "E305",
        "an identity policy that makes its user or role an administrator",
        "allow less, or say allow_admin: true at the document if that is meant",
    )
    # What AWS would not store.
    REPOSITORY_POLICY_QUOTA = ("E401", "a repository policy over AWS's limit", "grant pull to fewer users and roles")
    USER_QUOTA = (
        "E402",
        "the inline policies of a user over AWS's limit",
        "say pull_scope: account at the repositories, or use a role",
    )
    ROLE_QUOTA = (
        "E403",
        "the inline policies of a role over AWS's limit",
        "say pull_scope: account at the repositories",
    )
    TRUST_QUOTA = ("E404", "a trust policy over AWS's limit", "give the repository a second push role")
    # Warnings.
    NO_EFFECT_IN_REPOSITORY_POLICY = (
        "W501",
        "an action that does nothing in a repository policy, such as ecr:GetAuthorizationToken",
        "put it into the identity policy of who needs it, on *",
    )
    UNTIL_PAST = ("W502", "an end that is past", "the access has ended: remove the entry, or move the end")
    LISTED_TWICE = ("W503", "listed twice", "keep one of them")
    FOREIGN_IN_DOCUMENT = (
        "W504",
        "a literal document names a principal outside accounts",
        "its documents are not looked at: add the account under accounts: if it is yours",
    )
    DOUBTFUL_DOCUMENT = ("W505", "what policy lint warns of in a literal document", "see the code in policy-lint.md")
    UNKNOWN_REGION = ("W506", "a region that AWS did not have when this was made", "correct it, unless it is newer")
    REGISTRY_IN_NAME = (
        "W507",
        "a repository's name that begins like the address of a registry",
        "write what follows the registry's address, without a tag",
    )
    ADMIN_NOT_NEEDED = ("W508", "allow_admin: true at a document that makes nobody an administrator", "remove it")

    def __init__(self, code: str, title: str, remedy: str) -> None:
        self.code = code
        self.title = title
        self.remedy = remedy

    @property
    def severity(self) -> Severity:
        return Severity.ERROR if self.code.startswith("E") else Severity.WARNING


class Place(Struct, frozen=True, order=True):
    """Where something stands in the file; lines and columns count from 1, columns in characters."""

    line: int
    column: int


class Problem(Struct, frozen=True, order=True):
    """One thing that is wrong; ordered by place. `code` is stable, `remedy` may be empty."""

    line: int
    column: int
    code: str
    severity: Severity
    message: str
    remedy: str = ""

    def at(self, file: str) -> str:
        """One line for people: code, place, what is wrong, what to do."""
        return self._line(f"{file}:{self.line}:{self.column}")

    def __str__(self) -> str:
        return self._line(f"{self.line}:{self.column}")

    def _line(self, place: str) -> str:
        return f"{self.code} {place} {self.message}" + (f"; {self.remedy}" if self.remedy else "")


def problem(code: Code, place: Place, message: str = "", *, remedy: str | None = None) -> Problem:
    """A problem of the kind at the place; its message and remedy are the kind's own unless given."""
    return Problem(
        place.line,
        place.column,
        code.code,
        code.severity,
        message or code.title,
        code.remedy if remedy is None else remedy,
    )


def quote(text: str) -> str:
    """Text of the file as a message shows it: in quotes, on one line, cut, without control characters."""
    return f'"{bare(text)}"'


def bare(text: str) -> str:
    """As `quote` has it, without the quotes: for what is to be written so."""
    return printable(text, _SHOWN, ascii_only=False)


_HINTS = 50
_HINT_LENGTH = 64
_HINT_NAMES = 2000
_SHORTEST_BEGINNING = 3


class Report(Struct):
    """Collects problems; gives a bounded number of nearest-name hints, each of which compares with every name."""

    found: list[Problem] = field(default_factory=list)
    _hints: int = 0

    def add(self, code: Code, place: Place, message: str = "", *, remedy: str | None = None) -> None:
        self.found.append(problem(code, place, message, remedy=remedy))

    def hint(self, text: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
        """` (did you mean "deployers"?)`, or nothing."""
        near = self.nearest(text, names, cutoff=cutoff)
        return f" (did you mean {quote(near)}?)" if near else ""

    def nearest(self, text: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
        """The name that the text is nearest to, or begins; nothing when none is near."""
        if self._hints >= _HINTS or len(text) > _HINT_LENGTH:
            return ""
        self._hints += 1
        candidates = [name for name in names if len(name) <= _HINT_LENGTH][:_HINT_NAMES]
        near = difflib.get_close_matches(text, candidates, n=1, cutoff=cutoff)
        begun = [name for name in candidates if len(text) >= _SHORTEST_BEGINNING and name.startswith(text[:-1])]
        return next(iter((*near, *(begun if len(begun) == 1 else ()))), "")

    @property
    def failed(self) -> bool:
        return any(entry.severity is Severity.ERROR for entry in self.found)

    def sorted(self) -> tuple[Problem, ...]:
        """By place, each once."""
        return tuple(sorted(set(self.found)))

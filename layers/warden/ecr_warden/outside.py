"""The one way in for text that people or the platform keep outside: parameters, secrets, the function's environment.

Such text is edited by hand and written by editors, shells and `file://`: it ends in newlines and begins with byte order
marks. What it says is never in an error, a log or a message: it may be a secret.
"""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from ecr_warden.errors import WardenError

# SSM keeps 4,096 characters in a standard parameter; nothing that is read here needs more.
MOST_CHARACTERS = 4096
_MOST_SECONDS = 86_400
_MARK = "\ufeff"
# The marks of UTF-16, which Windows' shells write: https://www.unicode.org/faq/utf_bom.html
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class OutsideError(WardenError):
    """Text from outside is missing or of no use; the error names its place, never what stands there."""

    code = "outside"


def outside_text(value: object, place: str, *, remedy: str = "") -> str:
    """The text that stands at `place`, without a byte order mark and the white space around it.

    `value`: as it came, text or UTF-8 or UTF-16 bytes. Raises OutsideError for anything else, for text that is empty
    or longer than MOST_CHARACTERS, and for text with a control, invisible or undecodable character in it.
    """
    text = _decoded(value)
    if text is None:
        raise OutsideError(f"{place} holds no text", remedy=remedy)
    if len(text) > MOST_CHARACTERS:
        raise OutsideError(f"{place} is longer than {MOST_CHARACTERS:,} characters", remedy=remedy)
    text = _bare(text)
    if not text:
        raise OutsideError(f"{place} is empty", remedy=remedy)
    if not text.isprintable():
        raise OutsideError(f"{place} has a control or invisible character in it", remedy=remedy)
    return text


def _decoded(value: object) -> str | None:
    match value:
        case str():
            return value
        case bytes():
            # Four bytes a character at most; more need not be decoded to be too long.
            start = value[: 4 * MOST_CHARACTERS + 4]
            whole = len(start) == len(value)
            coding = "utf-16" if value.startswith(_UTF_16) else "utf-8"
            try:
                return start.decode(coding, "strict" if whole else "replace")
            except UnicodeDecodeError:
                return None
        case _:
            return None


def _bare(text: str) -> str:
    """Without white space and marks at the ends, in whatever order they stand there."""
    while (shorter := text.strip().strip(_MARK)) != text:
        text = shorter
    return text


class Environment(Struct, frozen=True):
    """The variables that template.yaml sets; each is asked for by who needs it."""

    variables: Mapping[str, str]

    def required(self, name: str) -> str:
        """The value of a variable; raises OutsideError if it is missing or of no use."""
        return outside_text(
            self.variables.get(name, ""),
            f"the function's variable {name}",
            remedy="deploy the function with template.yaml, which sets it",
        )

    def optional(self, name: str) -> str:
        """The value of a variable, empty if it is not set; raises OutsideError if it is of no use."""
        return self.required(name) if _bare(self.variables.get(name, "")) else ""

    def seconds(self, name: str) -> timedelta:
        """A whole number of seconds, a day at most; raises OutsideError."""
        value = self.required(name)
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(_MOST_SECONDS))):
            raise OutsideError(
                f"the function's variable {name} is no number of seconds", remedy="write digits alone, such as 60"
            )
        return timedelta(seconds=min(int(value), _MOST_SECONDS))

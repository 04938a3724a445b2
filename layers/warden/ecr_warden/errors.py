"""Errors that name what is wrong, where, and what to do about it."""


class WardenError(Exception):
    """An expected failure: `message` says what and where, `remedy` what to do (may be empty).

    `code` is stable and machine-readable; subclasses set it.
    """

    code = "error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message

"""Errors that name what is wrong, where, and what to do about it."""


class NamedError(Exception):
    """An expected failure: `message` says what and where, `remedy` what to do (may be empty).

    `code` is stable and machine-readable: given to the class, or where a failure needs no class of its own.
    """

    code = "error"

    def __init_subclass__(cls, *, code: str = "") -> None:
        super().__init_subclass__()
        cls.code = code or cls.code

    def __init__(self, message: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code or self.code

    def __str__(self) -> str:
        if not self.remedy:
            return self.message
        # What others say ends with a full stop, what was cut with an ellipsis.
        ended = self.message if self.message.endswith("..") else self.message.removesuffix(".")
        return f"{ended}; {self.remedy}"


def site_of(error: Exception) -> str:
    """The kind of an unexpected error and where it was raised: `ValueError in operators.py, line 12`.

    Never the error's own text: it may quote an attacker's document.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"{type(error).__name__} in {file}, line {trace.tb_lineno}"

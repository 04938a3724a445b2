"""One value or a list of them: IAM lets brackets go around a single value."""

from ecr_warden.policy.document_error import DocumentError


def strings(raw: object, place: str, element: str) -> tuple[str, ...]:
    """A string or a list of strings as a tuple; raises DocumentError."""
    if isinstance(raw, str):
        return (raw,)
    if not isinstance(raw, list):
        raise wrong_type(f"{place}.{element}", raw, "a string or a list of strings")
    for index, entry in enumerate(raw):
        if not isinstance(entry, str):
            raise wrong_type(f"{place}.{element}[{index}]", entry, "a string")
    return tuple(raw)


def wrong_type(place: str, raw: object, wanted: str) -> DocumentError:
    """The error of a value of the wrong JSON type."""
    return DocumentError("document-type", place, f"{json_type(raw)} instead of {wanted}", remedy=f"write {wanted}")


def json_type(raw: object) -> str:
    """What JSON calls a value."""
    match raw:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"

"""Writes the pages in docs/schema that show tables of the code: `make schema`. A test compares them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ecr_warden.access_spec.fields import SPEC
from ecr_warden.access_spec.problems import Code
from ecr_warden.access_spec.shapes import Record, records
from ecr_warden.events.calls import BLINDING_CALLS, CALLS, READS, WATCHED, Irrelevant
from ecr_warden.events.trigger import WatchedService

PAGES = Path(__file__).parents[1] / "docs" / "schema"
_SHORT = 40
"""A description of so many characters is not shorter for naming where it stands."""
MADE = "`make schema` writes this page from {}; a test compares them."


def written() -> dict[Path, str]:
    """The files' texts."""
    pages = {"spec": spec_page(), "calls": calls_page()}
    return {PAGES / f"{name}.md": "\n".join(lines) + "\n" for name, lines in pages.items()}


def spec_page() -> Iterator[str]:
    """Every field of the spec, record by record, and every problem."""
    yield from ("# The spec's fields and problems", "", MADE.format("`access_spec/fields.py` and `problems.py`"))
    yield from ("[The spec](../spec.md) says what they are for. Fields in bold are required.", "", "## Fields")
    described: dict[tuple[str, str], str] = {}
    for record in {record.name: record for record in records(SPEC)}.values():
        yield from ("", f"### {record.name}", "", *_fields(record, described))
    yield from ("", "## Problems", "", "An error (`E`) refuses the spec, a warning (`W`) does not.", "", "```")
    yield from (f"{code.code}  {code.title}" for code in Code)
    yield "```"


def _fields(record: Record, described: dict[tuple[str, str], str]) -> Iterator[str]:
    """A line for each field; `described`: the record that has the description of a field, which stands there alone."""
    elsewhere: Mapping[str, list[str]] = defaultdict(list)
    for entry in record.fields:
        name, field = f"**{entry.name}**" if entry.required else entry.name, (entry.name, entry.meaning)
        if entry.needless:
            yield f"- {entry.name}: refused: {entry.needless}"
        elif field in described and len(entry.meaning) > _SHORT:
            elsewhere[described[field]].append(name)
        else:
            described.setdefault(field, record.name)
            yield f"- {name}: {entry.meaning}"
    yield from (f"- {', '.join(names)}: as in {name}" for name, names in elsewhere.items())
    if record.gone:
        yield f"- {', '.join(record.gone)}: refused, of earlier versions; `validate` says what to write instead"


def calls_page() -> Iterator[str]:
    """Every call of ECR and IAM that writes, and those elsewhere that are watched."""
    yield from ("# Calls that are watched, and calls that are not", "", MADE.format("`events/calls.py`"))
    yield "[What triggers ecr-warden](../triggers.md) says what follows from each."
    yield f"Calls that only read begin with {', '.join(f'`{start}`' for start in READS)}."
    watched = ((row.names, f"{service}:{name}") for service in WatchedService for name, row in WATCHED[service].items())
    yield from ("", "## Watched", "", *_table("names", watched))
    for service in WatchedService:
        ignored = ((row.why, name) for name, row in CALLS[service].items() if isinstance(row, Irrelevant))
        yield from ("", f"## Ignored of {service.upper()}", "", *_table("why", ignored))
    blinding = (
        (row.effect, f"{service}:{name}") for service, calls in BLINDING_CALLS.items() for name, row in calls.items()
    )
    yield from ("", "## Calls that can blind or stop ecr-warden", "", *_table("what they can do", blinding))


def _table(head: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Calls by what is said of them."""
    said: Mapping[str, list[str]] = defaultdict(list)
    for reason, call in rows:
        said[reason].append(f"`{call}`")
    yield from (f"| {head} | calls |", "|---|---|")
    yield from (f"| {reason} | {', '.join(calls)} |" for reason, calls in said.items())


if __name__ == "__main__":
    for target, text in written().items():
        target.write_text(text, encoding="utf-8")

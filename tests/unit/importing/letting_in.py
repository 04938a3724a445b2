"""What a person does with an imported spec: take the lines that wait, and enforce it."""

import re
from copy import replace
from typing import Any

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.desired import CompiledSpec, Mode
from tests.unit.importing.imports import NOW, Json, enforced

_WAITS = re.compile(r"  # - (name|kind): ")


def loaded(text: str) -> CompiledSpec:
    """What the text says; it has to be valid."""
    read = load_spec(text.encode(), now=NOW)
    assert isinstance(read, Valid), (read, text)
    return read.compiled


def with_lines(text: str) -> str:
    """The spec with all lines that wait, where their comments say that they go."""
    lines, made, documents = text.splitlines(), list[str](), list[str]()
    while lines:
        line = lines.pop(0)
        if not _WAITS.match(line):
            made.append(line)
            continue
        said = [line, *_taken(lines, "  # ")]
        (documents if "kind" in line else made).extend(one.replace("  # ", "  ", 1) for one in said)
        if "kind" not in line:
            entry = [lines.pop(0), *_taken(lines, "    ")]
            assert entry[0].startswith("  - name: ")
            assert "    mode: observe" in entry
    head = ["documents:"] if documents and "documents:" not in made else []
    return "\n".join((*made, *head, *documents)) + "\n"


def _taken(lines: list[str], start: str) -> list[str]:
    """The first lines, as far as they begin so and are of one entry; they are taken out."""
    taken: list[str] = []
    while lines and lines[0].startswith(start) and not _WAITS.match(lines[0]):
        taken.append(lines.pop(0))
    return taken


def in_force(snapshot: Json, text: str) -> Json:
    """The snapshot once somebody has enforced the spec, and left what has a mode of its own as it is."""
    compiled = loaded(text.replace("\nsettings: {mode: observe}\n", "\nsettings: {mode: enforce}\n"))
    assert compiled.mode is Mode.ENFORCE
    targets: dict[str, Any] = {key: spec for key, spec in compiled.targets.items() if spec.mode is not Mode.OBSERVE}
    return enforced(snapshot, replace(compiled, targets=targets))

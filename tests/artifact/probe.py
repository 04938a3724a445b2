"""A built function that also says what it has loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.testing.installed import Installed
from local.testing.runtime_api import BuiltFunction, layers_in

# Stands beside the built app.py, as Lambda would load it.
_APP = """
import sys
import built as app
def handler(event, context):
    answer = app.handler(event, context)
    modules = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return {"answer": answer, "modules": modules}
"""


@contextmanager
def probed(installed: Installed, name: str, folder: Path) -> Iterator[BuiltFunction]:
    """A new container of a function; it answers `{"answer", "modules"}`, the modules with their files."""
    code = folder / name
    code.mkdir()
    (code / "app.py").write_text(_APP)
    (code / "built.py").write_text((installed.built / f"{name.capitalize()}Function" / "app.py").read_text())
    layers, environment = layers_in(installed.built), installed.environment(name)
    with BuiltFunction(f"ecr-warden-{name}", code=code, layers=layers, environment=environment) as function:
        yield function


def lines_of_ours(modules: dict[str, Any]) -> int:
    """The lines of what is loaded of iam_access and ecr_warden."""
    ours = (file for name, file in modules.items() if name.partition(".")[0] in ("iam_access", "ecr_warden"))
    return sum(Path(file).read_text().count("\n") for file in ours)

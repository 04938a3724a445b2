"""What the hub's table keeps for people: the audit log, the last sweep of each part, commands and their answers.

`AUDIT#SPEC` and `AUDIT#COMMAND` are two partitions because two functions write, each its own (template.yaml).
"""

from typing import Any

_NO_TARGETS: dict[str, Any] = {"fine": [], "due": [], "trusts": {}, "awaited": {}}

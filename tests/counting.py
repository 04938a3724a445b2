"""How much Python a call runs: a count that is the same on an idle machine and on a busy one."""

import sys
from collections.abc import Callable


def operations(call: Callable[[], object]) -> int:
    """The functions entered and the jumps taken, by Python code; what one call into C does is not counted."""
    monitoring, tool, count = sys.monitoring, sys.monitoring.PROFILER_ID, 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    events = (monitoring.events.PY_START, monitoring.events.JUMP)
    monitoring.use_tool_id(tool, "operations")
    try:
        for event in events:
            monitoring.register_callback(tool, event, counted)
        monitoring.set_events(tool, events[0] | events[1])
        call()
    finally:
        monitoring.set_events(tool, 0)
        for event in events:
            monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)
    return count

"""All calls in the order of their answers, kept in memory."""

from copy import replace

from local.aws.calls import Call


class Ledger:
    """Numbers calls from 1 on; the numbers go on after a reset."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self.sequence = 0

    def add(self, call: Call) -> Call:
        """Keep a call under the next number; returns it with that number."""
        self.sequence += 1
        numbered = replace(call, sequence=self.sequence)
        self._calls.append(numbered)
        return numbered

    def since(self, sequence: int) -> list[Call]:
        """The calls with a greater number."""
        if not self._calls or sequence >= self.sequence:
            return []
        return self._calls[max(0, sequence - self._calls[0].sequence + 1) :]

    def reset(self) -> None:
        """Forget all calls."""
        self._calls.clear()

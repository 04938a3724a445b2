"""How much thought one comparison may take: counted in steps, so that the same documents always get the same answer."""

from dataclasses import dataclass

DEFAULT_STEPS = 200_000
"""Edges of automata walked, about 3 microseconds each."""

DEFAULT_ATOMS = 4_096
"""Combinations of statement and element looked at."""


class OverBudget(Exception):
    """The question is too large; `reason` is said to people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Budget:
    """What is left of it."""

    steps: int = DEFAULT_STEPS
    atoms: int = DEFAULT_ATOMS

    def step(self, count: int = 1) -> None:
        """Walk edges; raises OverBudget."""
        self.steps -= count
        if self.steps < 0:
            raise OverBudget("the wildcards overlap in too many ways")

    def atom(self) -> None:
        """Look at one combination; raises OverBudget."""
        self.atoms -= 1
        if self.atoms < 0:
            raise OverBudget(f"the statements overlap in more than {DEFAULT_ATOMS} ways")

"""The list of this catalogue, and the decorator that adds to it."""

from types import FunctionType

from autograder.grading.diagnose.mistakes import Misconception, registering
from solutions.extras import extras

FUNCTIONS = tuple(
    name for name, value in vars(extras).items() if isinstance(value, FunctionType) and not name.startswith("_")
)
"""What can be wrong, in the order of the assignment."""

REGISTERED: list[Misconception] = []

misconception = registering(REGISTERED)

"""The error tree: drawn as it is, and each error says whose fault it is."""

import gc
import re
import weakref

import pytest

from autograder.core import errors
from autograder.core.errors import AutograderError, ConfigurationError, GraderFault, StudentError, Wrong, forget_frames


def tree(error=AutograderError):
    return [(error.__name__, error.__base__.__name__), *(line for sub in error.__subclasses__() for line in tree(sub))]


def test_the_drawing_is_the_tree():
    drawn, above = [], ["Exception"]
    for line in errors.__doc__.splitlines():
        match = re.fullmatch(r" {4}((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+)(?: +.*)?", line)
        if match:
            depth = (line.index(match[2]) - 4) // 4
            drawn.append((match[2], above[depth]))
            above[depth + 1 :] = [match[2]]
    assert drawn == tree()


@pytest.mark.parametrize("error", StudentError.__subclasses__())
def test_the_outcome_is_the_name_in_words(error):
    assert error.outcome == re.sub(r"(?<!^)(?=[A-Z])", " ", error.__name__).lower()


def test_a_failure_of_a_student_says_what_where_and_more_for_staff():
    error = Wrong("y is None", "double", {"kind": "type"})
    assert (str(error), error.message, error.function) == ("y is None", "y is None", "double")
    assert error.detail == {"kind": "type"}
    assert (Wrong("y is None").function, Wrong("y is None").detail) == (None, {})


def test_a_configuration_error_names_file_key_and_remedy():
    error = ConfigurationError("config.yaml", "limits.call_seconds", "got the text 'x'", "Write a plain number.")
    assert str(error) == "config.yaml: limits.call_seconds: got the text 'x'. Write a plain number."
    assert str(ConfigurationError("config.yaml", "", "is empty", "Restore it.")) == "config.yaml: is empty. Restore it."


def test_faults_are_told_apart():
    assert not issubclass(GraderFault, (StudentError, ConfigurationError))
    assert not issubclass(ConfigurationError, StudentError)


class Large:
    """Stands for an array."""


def fail(large):
    error = Wrong("it differs")
    raise error  # the frame holds the error, which holds the frame


def test_what_a_failure_held_is_freed_at_once():
    large = Large()
    alive = weakref.ref(large)
    gc.disable()
    try:
        try:
            fail(large)
        except Wrong as error:
            caught = RuntimeError("around it")
            caught.__cause__ = error
        del large
        assert alive() is not None
        forget_frames(caught)
        assert alive() is None
    finally:
        gc.enable()


def test_an_exception_that_is_its_own_cause_ends_too():
    error = Wrong("it differs")
    error.__cause__ = error
    forget_frames(error)
    assert error.__traceback__ is None

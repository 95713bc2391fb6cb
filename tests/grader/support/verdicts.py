"""What tests of verdicts on the toy homework share."""

ONE = "def test_double(student, check):\n    import numpy as np\n    x = np.array([1.0, 2.0])\n    "
"""How the hidden test begins where there is only one."""

HALVE = "def halve(x): return x / 2, x.shape\n"
DOUBLE = "def double(x): return 2 * x\n"


def ends(results):
    return {name: result.outcome for name, result in results.items()}


def said(result):
    return [(case.outcome, case.message, case.function) for case in result.cases]

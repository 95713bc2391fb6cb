"""Named wrong answers, each the smallest change to a right function, with the hint that a student would need.

A misconception is a plain function under a decorator. Its name, with hyphens, is the id, and its docstring is the
hint, word for word what a student reads::

    @misconception("im2col", hides_on="stride == 1")
    def columns_stride_ignored(x, kernel_size, stride=1, padding=0):
        \"\"\"The stride is ignored: there is a window at every pixel.

        From one window to the next it is stride pixels, down as well as to the right.
        \"\"\"
        return im2col(x, kernel_size, 1, padding)

A homework function that is called in there is the right one, of ``solutions.layers``. So most mistakes take one line:
the right answer, bent. The others are written out.

Who uses it
-----------
`source` makes a submission of one: the model answer with this one function wrong. ``make verify`` grades it, and it
must lose points in tests of that function, and in no others but those that `also_fails` or `fails_only` names. The
other functions of that submission keep calling the right one. Were they to call the wrong one, as a student's would, a
wrong im2col would take all of conv2d down, and that had to be declared. But declared losses prove nothing: a test of
conv2d that looked at the student's im2col behind our back would be among them. And that the tests of conv2d notice a
wrong convolution is for its own misconceptions to prove.

`assemble` and `geometry` are for the diagnosis of what a student returned. The first is the whole homework with one or
two mistakes in it, called as the student's was, to compare with. The second tells what axes are called and how long
they are, by right and by mistake. `produce` does the same as the first for a single call. `family` lists the small
inputs among which the smallest one is looked for that a student's mistake shows on. Class reports count ids.

The catalogue knows the model answer, its text included, and tests by their names. It must not know: points, processes,
what a test does.
"""

from autograder.grading.diagnose.mistakes import Misconception
from solutions.misconceptions import columns, contract, convolution, family, geometry, pooling, shortcuts, slips
from solutions.misconceptions.entry import FUNCTIONS, REGISTERED, assemble, misconception, produce, source

__all__ = [
    "CATALOGUE",
    "FUNCTIONS",
    "Misconception",
    "assemble",
    "columns",
    "contract",
    "convolution",
    "family",
    "geometry",
    "misconception",
    "pooling",
    "produce",
    "shortcuts",
    "slips",
    "source",
]

CATALOGUE: tuple[Misconception, ...] = tuple(sorted(REGISTERED, key=lambda entry: FUNCTIONS.index(entry.function)))
"""All of them, in the order of the assignment."""

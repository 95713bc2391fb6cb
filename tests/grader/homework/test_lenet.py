"""LeNet-5 of the handout: it learns digits with the model answer, and says what is missing without it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.grader.support import ROOT

ASSIGNMENT = ROOT / "assignment"
TRAIN = """
import json, sys, time
import layers, lenet
x, y = lenet.load()
start = time.process_time()
parameters, losses = lenet.train(layers, x[:4000], y[:4000], seed=int(sys.argv[1]))
seconds = time.process_time() - start
right = (lenet.classify(layers, parameters, x[4000:]).argmax(axis=1) == y[4000:]).mean()
slopes = lenet.nudge(layers, x[:2], y[:2])
by_heart = lenet.overfit(layers, x[:10], y[:10])
print(json.dumps({"first": float(losses[0]), "right": float(right), "seconds": seconds, "slopes": slopes,
                  "by_heart": float(by_heart[-1])}))
"""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **ONE_THREAD},
        check=False,
        timeout=300,
    )


@pytest.fixture
def solved(tmp_path):
    """The handout with the model answer in it."""
    for name in ("lenet.py", "digits.npz"):
        shutil.copy(ASSIGNMENT / name, tmp_path)
    shutil.copy(ROOT / "solutions" / "layers.py", tmp_path)
    return tmp_path


def test_the_digits_are_those_of_the_readme():
    content = (ASSIGNMENT / "digits.npz").read_bytes()
    readme = (ASSIGNMENT / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(content).hexdigest() in readme
    assert "CC BY-SA 3.0" in readme
    with np.load(ASSIGNMENT / "digits.npz") as file:
        assert file["images"].shape == (5000, 28, 28)
        assert file["images"].dtype == np.uint8
        assert file["labels"].tolist() == [*range(10)] * 500


def test_it_says_what_is_still_to_be_written():
    ran = run(ASSIGNMENT, "lenet.py")
    assert ran.stderr == "Not yet: conv2d_forward is not implemented yet. Write it in layers.py, then run this again.\n"
    assert ran.returncode == 1


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(5))
def test_it_learns(solved, seed):
    ran = run(solved, "-c", TRAIN, str(seed))
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["right"] >= 0.93
    assert told["seconds"] < 60
    assert abs(told["first"] - np.log(10)) < 0.1
    assert told["by_heart"] < 0.01
    for name, (says, measured) in told["slopes"].items():
        assert says == pytest.approx(measured, rel=1e-4), name


@pytest.mark.heavy
def test_without_a_notebook_it_comes_to_the_same_end(solved):
    ran = run(solved, "lenet.py")
    assert ran.returncode == 0, ran.stderr
    assert "digits that it has never seen" in ran.stdout
    pictures = {path.name for path in (solved / "digits").iterdir()}
    assert pictures == {f"{name}.png" for name in ("loss", "confusion", "mistakes", "filters", "maps", "saliency")}

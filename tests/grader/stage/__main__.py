"""``make rehearse``: set up the bundle as Gradescope does, hand in a few submissions, and look at what comes of them.

One line for each submission; what is wrong stands below its line. Exit status 1 if anything is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.authoring.bundle import pack
from autograder.core import config as configuration
from autograder.core.config import Config
from autograder.core.errors import AutograderError
from autograder.core.results import Results
from autograder.grading.grader import Grader
from autograder.sandbox import isolation
from tests.grader.stage import submissions
from tests.grader.stage.submissions import HandIn
from tests.grader.stage.world import Ran, World, choose

SETUP_SECONDS = 90
LINES = 30
"""Of what is said where something goes wrong."""
SEEN = ("number", "name", "score", "max_score", "status", "output", "visibility")


def main() -> int:
    """Rehearse; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="make rehearse", description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--image", help="rehearse with Docker, in this image")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("--keep", type=Path, default=cache / "conv-autograder", help="for the root file system")
    options = parser.parse_args()
    world = choose(options.image, options.keep.expanduser())
    if isinstance(world, str):
        print(f"Not rehearsed: {world}.")
        return 0
    with world, tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
        bundle = Path(scratch, "autograder.zip")
        packed = pack.pack(options.config, bundle)
        print(f"World: {world.name}. Bundle: {packed.size / 1024:.0f} KB.", flush=True)
        problems = set_up(world, bundle)
        if problems:
            return 1
        for hand_in in submissions.all_of_them(options.config):
            problems += rehearse(world, hand_in, configuration.load(options.config))
    print("All as it should be." if not problems else f"Problems: {problems}.")
    return 1 if problems else 0


def set_up(world: World, bundle: Path) -> int:
    """Build the image and say how that went; return how many problems there were."""
    try:
        world.make()
        started = time.monotonic()
        world.set_up(bundle)
    except subprocess.CalledProcessError as error:
        print(f"PROBLEM: {error.cmd} ended with status {error.returncode}:")
        print(quoted(error.output))
        return 1
    seconds = time.monotonic() - started
    slow = f"  PROBLEM: more than {SETUP_SECONDS} s" * (seconds > SETUP_SECONDS)
    print(f"setup.sh: {seconds:.0f} s{(slow and busy()) or slow}", flush=True)
    return int(bool(slow) and not busy())


def rehearse(world: World, hand_in: HandIn, config: Config) -> int:
    """Hand something in, print a line about it and what is wrong; return how many problems there were."""
    if hand_in.small and world.small:
        print(f"{hand_in.name:32} not rehearsed: {world.small}", flush=True)
        return 0
    ran = world.run(hand_in.files, hand_in.metadata, hand_in.replaced, hand_in.small)
    found = list(problems(hand_in, ran, config))
    excuse = busy() if ran.seconds > hand_in.seconds else ""
    score = "no grade" if ran.results is None else f"{ran.results['score']:g} of {float(config.total_points):g}"
    print(f"{hand_in.name:32} {score:>16} {ran.seconds:6.1f} s  {'PROBLEMS' if found else 'ok'}{excuse}", flush=True)
    for problem in found:
        print(f"    {problem}", flush=True)
    if found:
        print(quoted(ran.stdout), flush=True)
    return len(found)


def problems(hand_in: HandIn, ran: Ran, config: Config) -> Iterator[str]:
    """Say what is not as it should be."""
    yield from (f"left behind or open to others: {line}" for line in ran.left)
    if ran.seconds > hand_in.seconds and not busy():
        yield f"took {ran.seconds:.1f} s, but should take at most {hand_in.seconds:g} s"
    if (ran.status == 0) != hand_in.published:
        yield f"run_autograder ended with status {ran.status}"
    if (ran.results is not None) != hand_in.published:
        yield "there is no results.json" if hand_in.published else "there is a results.json"
    if ran.results is None or not hand_in.published:
        return
    try:
        Results.model_validate({**ran.results, "total_points": float(config.total_points)})
    except AutograderError as error:
        yield str(error)
    layers = ran.results["extra_data"]["isolation"]
    yield from (f"layer missing: {layer}" for layer in isolation.missing(layers) if layers)
    yield from (f"the student does not read {text!r}" for text in hand_in.says if text not in ran.results["output"])
    if hand_in.score is None:
        yield from differences(ran.results, at_home(hand_in, config))
    elif ran.results["score"] != hand_in.score:
        yield f"score is {ran.results['score']:g}, but should be {hand_in.score:g}: {ran.results['output']}"


def busy() -> str:
    """Say so if this machine has more to do than it has processors: what is too slow is no problem then."""
    load = os.getloadavg()[0]
    return f" (busy, load {load:.1f}: times are not judged here)" if load > (os.cpu_count() or 1) + 1 else ""


def quoted(said: str) -> str:
    """Return the last lines of what was said somewhere else."""
    return "\n".join(f"    | {line}" for line in said.splitlines()[-LINES:])


def at_home(hand_in: HandIn, config: Config) -> dict[str, Any]:
    """Grade it here, as `make grade` does."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
        folder = Path(scratch, "submission")
        for name, data in hand_in.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        graded = Grader(config).grade(folder, Path(scratch, "results", "results.json"))
        assert graded.score is not None, graded.remark
        return json.loads(Path(scratch, "results", "results.json").read_text())  # type: ignore[no-any-return]


def differences(got: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    """Say where two results are not the same to a student."""
    for field in ("score", "output"):
        if got[field] != expected[field]:
            yield f"{field} is {got[field]!r}, but at home it is {expected[field]!r}"
    for one, other in zip(got["tests"], expected["tests"], strict=True):
        for field in SEEN:
            if one[field] != other[field]:
                yield f"{field} of {other['name']} is {one[field]!r}, but at home it is {other[field]!r}"


if __name__ == "__main__":
    sys.exit(main())

"""A world like Gradescope's: a fresh Linux with the bundle in ``/autograder/source``, where everything runs as root.

With Docker that is a container of the platform's own image. Without, it is a root file system of this machine's
distribution, made by debootstrap once and kept in the user's cache, with namespaces for processes and mounts around it.
It must not know: what is handed in, what should come out.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.sandbox.slots import Slot

IMAGE = "gradescope/autograder-base:ubuntu-22.04"
PLATFORM_SECONDS = 600
STUDENT = 20000
"""Any user that student code could have become."""

SLOTS = Slot.FOLDER
"""Shared with this machine: a grading out here, too, kills whatever runs as the user that it has taken."""

# As the platform's own Dockerfile does.
SETUP = f"""
set -e
cp /autograder/source/run_autograder /autograder/run_autograder
chmod +x /autograder/run_autograder
apt-get update -q
bash /autograder/source/setup.sh
find /tmp /var/tmp -mindepth 1 ! -path '{SLOTS}*' -delete
"""

RUN = f"""
cd /autograder
./run_autograder >results/stdout 2>&1
echo "status $?"
for process in /proc/[0-9]*; do
    [ "$process" = "/proc/$$" ] || echo "process $(tr '\\0' ' ' <"$process/cmdline" 2>/dev/null)"
done
find /tmp /var/tmp /dev/shm -mindepth 1 ! -path '{SLOTS}*' 2>/dev/null | sed 's/^/file /'
setpriv --reuid {STUDENT} --regid {STUDENT} --clear-groups find /autograder -mindepth 2 -readable 2>/dev/null |
    sed 's/^/readable /'
"""


@dataclass(frozen=True)
class Ran:
    """What came of one run.

    Attributes
    ----------
    status : int
        Of ``run_autograder``.
    results : dict or None
        What stands in results.json; None if there is none.
    stdout : str
        For staff.
    left : list of str
        Processes and files that were left behind, and what others could read.
    """

    status: int
    seconds: float
    results: dict[str, Any] | None
    stdout: str
    left: list[str] = field(default_factory=list)


class World(ABC):
    """One world; a context manager, which removes it in the end."""

    name: str
    small: str
    """Why it cannot be made as small as the platform's smallest container; empty if it can."""

    @abstractmethod
    def make(self) -> None:
        """Make the world as it is without an autograder."""

    @abstractmethod
    def set_up(self, bundle: Path) -> str:
        """Build the image and return what was said; raises CalledProcessError with all of it."""

    @abstractmethod
    def _run(self, folder: Path, replaced: Mapping[str, bytes], small: bool) -> str:
        """Run RUN, with submission, results and metadata from `folder`; return what it says."""

    def run(
        self,
        hand_in: Mapping[str, bytes],
        metadata: Mapping[str, Any],
        replaced: Mapping[str, bytes],
        small: bool = False,
    ) -> Ran:
        """Grade one submission as the platform does; `replaced` are other contents for files of the source."""
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
            folder = Path(scratch)
            (folder / "results").mkdir()
            for name, data in hand_in.items():
                path = folder / "submission" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            (folder / "submission_metadata.json").write_text(json.dumps(metadata))
            started = time.monotonic()
            said = self._run(folder, replaced, small).splitlines()
            seconds = time.monotonic() - started
            path = folder / "results" / "results.json"
            results = json.loads(path.read_text()) if path.exists() else None
            stdout = (folder / "results" / "stdout").read_text(errors="replace")
        status = next((int(line.split()[1]) for line in said if line.startswith("status ")), -1)
        return Ran(status, seconds, results, stdout, [line for line in said if not line.startswith("status ")])

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Remove it."""


# --- Docker ----------------------------------------------------------------------------------------------------------


class Container(World):
    """A container of the platform's image."""

    small = ""

    def __init__(self, image: str) -> None:
        self.name = f"{image} in Docker"
        self._base, self._image = image, f"autograder-rehearsal-{os.getpid()}"

    def make(self) -> None:
        """Fetch the platform's image."""
        call(["docker", "pull", "--quiet", self._base])

    def set_up(self, bundle: Path) -> str:
        """Build the image as the platform does."""
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
            _unpack(bundle, Path(scratch, "source"))
            Path(scratch, "build.sh").write_text(SETUP)
            steps = [
                f"FROM {self._base}",
                "ADD source /autograder/source",
                "ADD build.sh /build.sh",
                "RUN sh /build.sh",
            ]
            Path(scratch, "Dockerfile").write_text("\n".join(steps) + "\n")
            return call(["docker", "build", "--network=host", "-t", self._image, scratch])

    def _run(self, folder: Path, replaced: Mapping[str, bytes], small: bool) -> str:
        command = ["docker", "run", "--rm", *(["--cpus=0.5", "--memory=768m"] if small else [])]
        SLOTS.mkdir(mode=0o700, exist_ok=True)
        command += ["-v", f"{SLOTS}:{SLOTS}"]
        for name in ("submission", "results", "submission_metadata.json"):
            command += ["-v", f"{folder / name}:/autograder/{name}"]
        for number, (name, data) in enumerate(replaced.items()):
            path = folder / f"replaced-{number}"
            path.write_bytes(data)
            command += ["-v", f"{path}:/autograder/source/{name}:ro"]
        return call([*command, self._image, "sh", "-c", RUN], timeout=PLATFORM_SECONDS)

    def close(self) -> None:
        """Remove the image."""
        subprocess.run(["docker", "rmi", "-f", self._image], capture_output=True, check=False)


# --- A root file system ----------------------------------------------------------------------------------------------


class Chroot(World):
    """A root file system of this machine's distribution."""

    def __init__(self, keep: Path) -> None:
        release = platform.freedesktop_os_release()
        self._suite = release.get("VERSION_CODENAME", "")
        self.name = f"{release.get('PRETTY_NAME', 'Linux')} in a root file system of its own"
        self._kept = keep / f"root-{self._suite}-{platform.machine()}"
        self._root = Path(tempfile.mkdtemp(prefix="rehearsal-root-"))
        self._group = _Group()
        self.small = self._group.problem

    def make(self) -> None:
        """Make the root file system, the first time from the distribution's packages."""
        if not self._kept.exists():
            print(f"Making a root file system in {self._kept}, once; this may take some minutes.", flush=True)
            fresh = self._kept.with_name(f"{self._kept.name}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.parent.mkdir(parents=True, exist_ok=True)
            call(["debootstrap", "--variant=minbase", "--include=ca-certificates", self._suite, str(fresh)])
            fresh.rename(self._kept)
        call(["cp", "-a", f"{self._kept}/.", str(self._root)])
        shutil.copy("/etc/resolv.conf", self._root / "etc/resolv.conf")
        for path in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
            shutil.copy(path, self._root / "etc/apt/apt.conf.d")

    def set_up(self, bundle: Path) -> str:
        """Build as the platform does."""
        _unpack(bundle, self._root / "autograder/source")
        environment, shared = pip_settings()
        return self._inside(SETUP, environment, shared)

    def _run(self, folder: Path, replaced: Mapping[str, bytes], small: bool) -> str:
        home = self._root / "autograder"
        names = ("submission", "results", "submission_metadata.json")
        for name in names:
            shutil.rmtree(home / name, ignore_errors=True)
            (home / name).unlink(missing_ok=True)
            if (folder / name).is_dir():
                shutil.copytree(folder / name, home / name)
            else:
                shutil.copy(folder / name, home / name)
        with self._replaced(replaced):
            said = self._inside(RUN, group=self._group if small else None)
        shutil.copytree(home / "results", folder / "results", dirs_exist_ok=True)
        return said

    @contextlib.contextmanager
    def _replaced(self, replaced: Mapping[str, bytes]) -> Iterator[None]:
        source = self._root / "autograder/source"
        before = {name: (source / name).read_bytes() for name in replaced}
        try:
            for name, data in replaced.items():
                (source / name).write_bytes(data)
            yield
        finally:
            for name, data in before.items():
                (source / name).write_bytes(data)

    def _inside(
        self,
        script: str,
        environment: Mapping[str, str] | None = None,
        shared: tuple[Path, ...] = (),
        group: _Group | None = None,
    ) -> str:
        """Run a shell script in there, as root, with processes of its own; nothing of it outlives it."""
        root = shlex.quote(str(self._root))
        steps = [f"mount -t proc proc {root}/proc"]
        SLOTS.mkdir(mode=0o700, exist_ok=True)
        for path in (*shared, SLOTS):
            inside = root + shlex.quote(str(path))
            make = f"mkdir -p {inside}" if path.is_dir() else f"mkdir -p $(dirname {inside}); touch {inside}"
            steps.append(f"{make}; mount --rbind {shlex.quote(str(path))} {inside}")
        known = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        words = [f"{name}={value}" for name, value in {**known, **(environment or {})}.items()]
        steps.append(f"exec chroot {root} env -i {shlex.join(words)} sh -c {shlex.quote(script)}")
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation", "private"]
        join = "".join(f"echo $$ >{shlex.quote(str(path))}; " for path in (group.paths if group else ()))
        launch = shlex.join([*alone, "sh", "-ec", "\n".join(steps)])
        return call(["sh", "-ec", f"{join}exec {launch}"], timeout=PLATFORM_SECONDS)

    def close(self) -> None:
        """Remove it."""
        self._group.close()
        shutil.rmtree(self._root, ignore_errors=True)


class _Group:
    """Control groups as small as the platform's smallest container: half a processor, 0.75 GB."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.problem = ""
        self._made: list[Path] = []
        try:
            self._make()
        except OSError as error:
            self.problem = f"no control group can be made here: {error.strerror} ({error.filename})"

    def _make(self) -> None:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        memory = str(768 << 20)
        for kind, settings in (
            ("cpu", {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}),
            ("memory", {"memory.limit_in_bytes": memory}),
        ):
            first = [Path(at) for _, at, type, options, *_ in mounts if type == "cgroup" and kind in options.split(",")]
            second = [Path(at) for _, at, type, *_ in mounts if type == "cgroup2"]
            if first:
                self._add(first[0], settings)
            elif second:
                (second[0] / "cgroup.subtree_control").write_text(f"+{kind}")
                self._add(second[0], {"cpu.max": "50000 100000"} if kind == "cpu" else {"memory.max": memory})
            else:
                self.problem = f"this machine has no control group for {kind}"

    def _add(self, parent: Path, settings: Mapping[str, str]) -> None:
        folder = parent / f"rehearsal-{os.getpid()}"
        folder.mkdir(exist_ok=True)
        if folder not in self._made:
            self._made.append(folder)
            self.paths.append(folder / "cgroup.procs")
        for name, value in settings.items():
            (folder / name).write_text(value)

    def close(self) -> None:
        for folder in self._made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def pip_settings() -> tuple[dict[str, str], tuple[Path, ...]]:
    """Return this machine's settings of pip as variables, and the files and folders that they name."""
    said = call([sys.executable, "-m", "pip", "config", "list"])
    settings = dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", said, re.M))
    found = []
    for value in settings.values():
        for url, path in re.findall(r"(file://)?(/[^\s\\']+)", value):
            place = Path(path).parent if url else Path(path)  # an index refers to files beside it
            found += [place] * place.exists()
    variables = {f"PIP_{name.replace('-', '_').upper()}": value.replace(r"\n", " ") for name, value in settings.items()}
    variables |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return variables, tuple(dict.fromkeys(found))


def _unpack(bundle: Path, folder: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            path.chmod(entry.external_attr >> 16 & 0o777)


def call(command: list[str], timeout: float | None = None) -> str:
    """Run a command and return what it says; raise CalledProcessError with that in `output`."""
    both: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    done = subprocess.run(command, **both, timeout=timeout, check=False)
    said: str = done.stdout
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command[0], said)
    return said


def choose(image: str | None, keep: Path) -> World | str:
    """Return a world that this machine can offer, or why it has none."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0:
        return Container(image or IMAGE)
    if image:
        return "Docker does not answer (docker info)"
    if sys.platform != "linux":
        return "it needs Docker, or Linux"
    if os.geteuid() != 0:
        return "it needs Docker, or root: sudo make rehearse"
    lacking = [name for name in ("debootstrap", "unshare", "chroot") if not shutil.which(name)]
    if lacking:
        return f"it needs Docker, or {' and '.join(lacking)}: apt-get install debootstrap util-linux"
    return Chroot(keep)

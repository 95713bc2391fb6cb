"""Deeds on files: the grader's, the neighbour's, one's own, and what everybody may write to.

The paths in `target` are of files made to be attacked.
"""

import ctypes
import fcntl
import os

MIB = 1024 * 1024


def write_results_json(target):
    """Give oneself full marks."""
    with open(target.results, "w") as file:
        file.write('{"score": 100}')


def replace_results_json(target):
    """The same by renaming, which needs no right on the file itself."""
    os.replace(target.scratchpad, target.results)


def unlink_grader_files(target):
    """Take the fixtures away."""
    os.unlink(target.fixtures)


def chmod_grader_files(target):
    """Open the fixtures to everybody."""
    os.chmod(target.fixtures, 0o777)


def touch_grader_files(target):
    """Make the fixtures look older than their cache."""
    os.utime(target.fixtures, (1, 1))


def label_grader_files(target):
    """Hang an attribute on the fixtures."""
    os.setxattr(target.fixtures, "user.attack", b"was here")


def lock_grader_files(target):
    """Hold the lock that the grader waits for. The descriptor stays open on purpose."""
    fcntl.flock(os.open(target.lock, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)


def link_grader_files(target):
    """Give results.json a second name, out of the private folder."""
    os.link(target.results, os.path.join(target.shared, "link"))


def poison_site_packages(target):
    """Plant a module where the next worker looks for NumPy."""
    os.symlink(__file__, os.path.join(target.modules, "poison.py"))


def plant_pycache(target):
    """Plant a folder for byte code beside one's own file, to run instead of it."""
    os.mkdir(os.path.join(os.path.dirname(__file__), "__pycache__"))


def rewrite_own_file(target):
    """Be somebody else in the next worker."""
    os.unlink(os.path.join(os.path.dirname(__file__), "model.py"))


def tamper_with_neighbour(target):
    """Take away the file of the submission that is graded beside this one."""
    os.unlink(target.neighbour)


def leave_state_file(target):
    """Leave word for the next worker, or the next student."""
    open(os.path.join(target.shared, "state"), "x").close()


def leave_state_directory(target):
    """The same; the message is the name."""
    os.mkdir(os.path.join(target.shared, "the answer is 42"))


def leave_state_fifo(target):
    """The same, for a partner to wait at."""
    os.mkfifo(os.path.join(target.shared, "fifo"))


def leave_state_in_shm(target):
    """The same, in memory."""
    open(target.shm_file, "x").close()


def leave_shared_memory(target):
    """The same, in a System V segment: no file, no descriptor, and it outlives the process."""
    create, everybody = 0o1000, 0o666
    if ctypes.CDLL(None).shmget(target.shm_key, 4096, create | everybody) < 0:
        raise PermissionError


def disk_bomb(target):
    """Fill the disk, through a file that everybody may write to."""
    with open(target.scratchpad, "ab", buffering=0) as file:
        for _ in range(16):
            file.write(bytes(MIB))

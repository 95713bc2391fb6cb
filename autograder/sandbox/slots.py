"""User ids for student code: each grading on this machine has two of its own."""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import stat
from pathlib import Path

from autograder.core.errors import GraderFault


class Slot:
    """Two user ids that nobody else on this machine uses while they are held: a student's, and the reference's.

    A sweep kills everything that runs as a user, so two graders must never share one. The lock goes with the process.
    """

    FIRST_UID = 22000
    COUNT = 1000
    FOLDER = Path("/run/autograder-slots" if Path("/run").is_dir() else "/var/run/autograder-slots")
    """The folder that all graders of this machine share, whatever their TMPDIR. Only root can write there."""

    def __init__(self, uid: int, lock: int) -> None:
        self.uid = uid
        self._lock = lock

    @classmethod
    def take(cls) -> Slot:
        """Take a free slot. The search begins anywhere: graders that share no ``FOLDER`` then hardly ever meet."""
        try:
            cls.FOLDER.mkdir(mode=0o700, exist_ok=True)
            status = cls.FOLDER.lstat()
            if not stat.S_ISDIR(status.st_mode):
                raise FileExistsError
        except FileExistsError as error:
            story = f"{cls.FOLDER} should be a directory of root's, and something else is there. Remove it"
            raise GraderFault(story) from error
        except OSError as error:
            story = f"{cls.FOLDER}, where graders agree on user ids, cannot be made: {error.strerror}"
            raise GraderFault(story) from error
        if status.st_uid != 0 or status.st_mode & 0o022:
            raise GraderFault(f"{cls.FOLDER} belongs to somebody else, or others can write to it. Remove it")
        first = secrets.randbelow(cls.COUNT)
        for number in range(first, first + cls.COUNT):
            uid = cls.FIRST_UID + 2 * (number % cls.COUNT)
            if _is_somebody(uid) or _is_somebody(uid + 1):
                continue
            lock = os.open(cls.FOLDER / str(uid), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return cls(uid, lock)
            except BlockingIOError:
                os.close(lock)
        raise GraderFault(f"all {cls.COUNT} user ids for student code are in use")

    def release(self) -> None:
        """Release the slot."""
        os.close(self._lock)


def _is_somebody(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True

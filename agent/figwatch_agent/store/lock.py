"""One agent per state: an exclusive lock that the operating system releases when its holder dies, however it dies."""

import contextlib
import fcntl
import os

from figwatch_agent.errors import StoreLocked, StoreUnavailable


class StateLock:
    """A locked file beside the database. The file stays; only the lock on it says anything."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock at once, or raise StoreLocked with the id of the process that has it."""
        # The real path, so that two agents cannot meet in one file through a symbolic link.
        file = os.path.realpath(self._path) + ".lock"
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreUnavailable(
                f"{file} cannot be opened ({error.strerror}): the folder of the state must exist and be writable"
            ) from error
        try:
            self._lock(descriptor, file)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; harmless where nothing is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lock(self, descriptor: int, file: str) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreLocked(
                f"{self._path} is in use by {_holder(descriptor)}: stop that agent, "
                "or give this one a state file of its own"
            ) from error
        except OSError as error:
            raise StoreUnavailable(
                f"{file} cannot be locked ({error.strerror}): put the state on a local file system"
            ) from error
        # The number only helps a person to find the holder, so a full disk must not keep the agent from starting.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return f"process {text}" if text.isdigit() else "another process"

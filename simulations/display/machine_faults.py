"""What the machine refuses, a full disk or a limit, in one sentence."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

FULL = "free some room, or name a folder elsewhere"
CLOSED = "name a folder that you may write"
WAYS_OUT = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: CLOSED,
    errno.EACCES: CLOSED,
    errno.EPERM: CLOSED,
    errno.EFBIG: "raise the limit on a file's size, `ulimit -f`",
    errno.EMFILE: "raise the limit on open files, `ulimit -n`",
    errno.ENFILE: "close other programs, which hold the machine's open files",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.ENOENT: "make it, or name another",
    errno.ENOTDIR: "name another: a part of the path is no folder",
    errno.EIO: "the disk fails: look after it, and run again elsewhere",
    errno.EPIPE: "whoever read it has ended",
    errno.ENOMEM: "lower simulation.workers or simulation.memory, or close other programs",
}
SHOWN = 120
"""Characters of a path in a sentence. An absurd one would be the whole terminal."""

OUT_OF = {
    "allocate memory": "memory",
    "out of memory": "memory",
    "start new thread": "processes and threads (`ulimit -u`)",
}
"""How libraries say, in the middle of a text of their own, what the machine has no more of."""


class MachineError(ValueError):
    """The machine refused something; one sentence, with the way out."""


@contextmanager
def told() -> Iterator[None]:
    """Tells what the machine refuses meanwhile as one sentence.

    Raises:
        MachineError: In the place of what said so.
    """
    try:
        yield
    except (OSError, MemoryError, RuntimeError) as failure:
        if said := sentence(failure):
            raise MachineError(said) from failure
        raise


def sentence(failure: BaseException) -> str:
    """Returns what was refused, of what, and the way out; empty where it is no such thing."""
    match failure:
        case OSError(errno=number, strerror=str(why)):
            way_out = WAYS_OUT.get(number or 0, "look after it, and run again")
            return f"{_name(failure)}: {why}; {way_out}."
        case MemoryError():
            return _no_more("memory")
        case RuntimeError():
            found = [what for text, what in OUT_OF.items() if text in str(failure).lower()]
            return _no_more(found[0]) if found else ""
    return ""


def unprinted() -> str:
    """Prints what is left to print; returns what is said where that fails, else nothing.

    Then Python, which tries again when it ends, finds an output that takes everything.
    """
    try:
        sys.stdout.flush()
    except OSError as failure:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return sentence(failure)
    return ""


def _no_more(what: str) -> str:
    return (
        f"the machine has no more {what}; lower simulation.memory, simulation.workers or "
        "server.cohort, or close other programs."
    )


def _name(failure: OSError) -> str:
    """The file, or where what has no name goes: every file of ours is written by its name."""
    if failure.filename is None:
        return "standard output"
    name = str(failure.filename)
    return name if len(name) <= SHOWN else f"{name[:SHOWN]}…"

"""What may have become of a file of a run's folder: each change is a function to do it."""

import shutil

LEDGERS = tuple(
    f"private/ledger/{unit}.{kind}"
    for unit in ("example", "device")
    for kind in ("jsonl", "head.json")
)
"""The files of a run of both units that grow, each with its head."""


def deleted(run, name, other):
    (run / name).unlink()


def emptied(run, name, other):
    (run / name).write_bytes(b"")


def cut(run, name, other):
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: len(content) // 2])


def edited(run, name, other):
    content = (run / name).read_bytes()
    place = len(content) // 2
    (run / name).write_bytes(
        content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    )


def spaced(run, name, other):
    (run / name).write_bytes((run / name).read_bytes() + b" ")


def of_another_run(run, name, other):
    shutil.copy(other / name, run / name)


def in_the_way(run, name, other):
    (run / name).unlink()
    (run / name).mkdir()


def dangling(run, name, other):
    (run / name).unlink()
    (run / name).symlink_to("nowhere")


def without(*names):
    """Takes files and folders away, whatever they are."""

    def change(run, other):
        for name in names:
            path = run / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change

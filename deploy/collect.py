"""Copy what students have in notebooks/exercises, as root:  python3 collect.py /home collected

A folder a student, as `make grade` reads it. Plain files of the student are taken and nothing else:
root would follow a link into the home of another, and wait for ever at a fifo.
"""

import os
import stat
import sys
from pathlib import Path

PLACE = ("notebooks", "exercises")  # in a student's home
MOST_BYTES = 20_000_000  # `make grade` reads no larger notebook
FOLDER = os.O_RDONLY | os.O_DIRECTORY
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def collect(homes, target):
    """Copy the notebooks of every home.

    Returns
    -------
    list of str: what was left out, and why.
    """
    homes, target, left_out = Path(homes), Path(target), []
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for home in sorted(path for path in homes.iterdir() if path.is_dir()):
        (target / home.name).mkdir(exist_ok=True)
        try:
            folder = open_exercises(home)
        except OSError as error:
            left_out.append(f"{home}: {'/'.join(PLACE)}: {error.strerror}")
            continue
        try:
            for name in sorted(name for name in os.listdir(folder) if name.endswith(".ipynb")):
                why = copy(folder, name, home.stat().st_uid, target / home.name / name)
                if why:
                    left_out.append(f"{home}: {name!r}: {why}")
        finally:
            os.close(folder)
    return left_out


def open_exercises(home):
    """Open a student's exercises, following no link: one that is looked at first may change."""
    folder = os.open(home, FOLDER)
    for name in PLACE:
        outer = folder
        try:
            folder = os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=outer)
        finally:
            os.close(outer)
    return folder


def copy(folder, name, owner, target):
    """Copy one notebook, or say why not."""
    try:
        file = os.open(name, FILE, dir_fd=folder)
    except OSError as error:
        return f"a link, or unreadable: {error.strerror}"
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            return "not a plain file"
        if found.st_uid != owner:  # a second name (a hard link) for what another wrote
            return "a file of another account"
        with open(file, "rb", closefd=False) as source:
            content = source.read(MOST_BYTES + 1)
    finally:
        os.close(file)
    if len(content) > MOST_BYTES:
        return f"larger than {MOST_BYTES // 10**6} MB"
    target.write_bytes(content)
    return ""


if __name__ == "__main__":
    for line in collect(*sys.argv[1:]):
        print(f"left out: {line}", file=sys.stderr)

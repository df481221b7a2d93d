"""Give a student the notebooks of the course, once: what is there already stays as it is.

python homes.py /srv/course/notebooks /home/student/notebooks

Solutions are not given. What is new in the course, or was deleted by the student, comes with the
next login; what the student changed stays as it is.
"""

import shutil
import sys
from pathlib import Path

LEFT_OUT = ("solutions", ".ipynb_checkpoints", "__pycache__")


def give_notebooks(source, target):
    """Copy what is not there yet.

    Returns
    -------
    list of Path: the folders and files that were made.
    """
    source, target, made = Path(source), Path(target), []
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if not path.is_file() or any(part in LEFT_OUT for part in relative.parts):
            continue
        copy = target / relative
        # A link that a student made could lead anywhere, and this may run as root.
        if any(parent.is_symlink() for parent in [copy, *copy.parents][: len(relative.parts) + 1]):
            continue
        if copy.exists():
            continue
        missing = [parent for parent in copy.parents if not parent.exists()]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        made += [*reversed(missing), copy]
    return made


if __name__ == "__main__":
    print(f"{len(give_notebooks(*sys.argv[1:]))} new files and folders")

"""Give points to a folder of submissions, each run without network, rights and right answers.

python -m tools.grade SUBMISSIONS --notebooks "01 02"

SUBMISSIONS holds a folder a student, with NN_*.ipynb in it, as they are or each in a folder of its
assignment, as nbgrader lays them. `build/grades.csv` gets the points; what was graded is kept in
`build/grades/` and not graded again until the submission or the course's exercises change.
"""

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

from tqdm import tqdm

from lecture_utils.exercises.registry import TOPICS
from tools.course import (
    NAME_PATTERN,
    ROOT,
    Parser,
    Refused,
    choose,
    claim,
    command,
)
from tools.isolation import LIMITS_ALONE, Isolation, best_isolation, free_users
from tools.kept import Kept, digest_of, write_whole
from tools.several import N_AT_ONCE, interrupts_noted, run_command, run_in_threads
from tools.submission import plain, why_not_read

COLUMNS = ("student", "lecture", "exercise", "points", "of", "why")
NOTHING = "nothing was handed in"
NOT_GRADED = "not graded"
STOPPED = f"{NOT_GRADED}: stopped before, the same command goes on"
PARTS = ("lecture_utils/**/*.py", "tools/channel.py", "tools/judging.py", "tools/worker.py")


@dataclass(frozen=True)
class Handed:
    """A notebook that a student handed in for a lecture; `lecture` is its name, as 01_name."""

    student: str
    lecture: str
    path: Path


@command("stopped: what was graded so far is kept, the same command goes on from there")
def main(arguments=None):
    """Grade what the command line names and return the exit status."""
    parser = Parser("grade", __doc__)
    parser.add_argument("submissions", help="a folder with a folder a student")
    parser.add_notebooks()
    parser.add_argument("--isolation", default="", choices=["", LIMITS_ALONE])
    parser.add_output()
    options = parser.parse_args(arguments)
    chosen = with_exercises(options.notebooks)
    students, handed = find(options.submissions, chosen)
    isolation = chosen_isolation(options.isolation)
    claim(options.output)
    kept = Kept(options.output / "grades")
    table = options.output / "grades.csv"
    try:
        results = grade_all(handed, isolation, kept)
    except KeyboardInterrupt:
        done = known(handed, kept, digest_of(*PARTS), isolation.kind)
        results = dict.fromkeys(handed, STOPPED) | done
        write(table, rows_of(students, lectures_of(handed, chosen, options.notebooks), results))
        raise
    rows = rows_of(students, lectures_of(handed, chosen, options.notebooks), results)
    write(table, rows)
    return report(rows, table)


def with_exercises(names):
    """Return the chosen lectures that have exercises, as names by number."""
    chosen = {path.stem[:2]: path.stem for path in choose(names) if path.stem[3:] in TOPICS}
    if not chosen:
        raise Refused(f"{names} has no exercises")
    return chosen


def find(text, chosen):
    """Return the students' names and what they handed in for the chosen lectures."""
    if not text.strip():
        raise Refused('say where the submissions are: `make grade SUBMISSIONS="folder"`')
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise Refused(f"there is no folder {folder}")
    if (folder / "submitted").is_dir():  # the folder of an nbgrader course
        folder = folder / "submitted"
    if any(folder.glob(NAME_PATTERN)):
        raise Refused(f"{folder} holds notebooks, not students: put them into folder/student/")
    students = folders_in(folder)
    handed = [
        Handed(student.name, chosen[path.name[:2]], path)
        for student in students
        for path in notebooks_of(student)
        if path.name[:2] in chosen
    ]
    warn_of_unread(folder, {one.path for one in handed})
    if not handed:
        raise Refused(f"{folder} has no notebooks folder/student/NN_*.ipynb of these lectures")
    return [student.name for student in students], handed


def folders_in(folder):
    """The folders in a folder, without links and hidden ones."""
    found = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.is_symlink()]
    return [path for path in found if not path.name.startswith(".")]


def notebooks_of(student):
    """The notebooks in a student's folder, and in the folders in it."""
    folders = [student, *folders_in(student)]
    return [path for folder in folders for path in sorted(folder.glob(NAME_PATTERN))]


def warn_of_unread(folder, read):
    """Say which notebooks are passed over, and why: they would cost points without a word."""
    for place, folders, names in os.walk(folder):  # follows no links
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(folders + [name for name in names if not name.startswith(".")]):
            path = Path(place, name)
            why = "" if path in read else why_unread(path, path.relative_to(folder).parts)
            if why:
                print(f"not read: {plain(str(path.relative_to(folder)))}: {why}", file=sys.stderr)


def why_unread(path, parts):
    """Why a file or folder that lies at `parts` below the submissions is passed over, or ""."""
    if path.is_dir():
        return "a link to a folder" if path.is_symlink() else ""
    if path.suffix.lower() != ".ipynb":
        return ""
    if len(parts) == 1:
        return "it lies in no student's folder"
    if not path.match(NAME_PATTERN):
        return "its name does not begin with the number of a lecture, as 01_name.ipynb does"
    if path.name[:2] not in with_exercises(""):
        return f"there is no lecture {path.name[:2]} with exercises"
    return f"it lies too deep: put it into {plain(parts[0])}/" if len(parts) > 3 else ""


def chosen_isolation(kind):
    if kind == LIMITS_ALONE:
        print(
            "warning: submissions run as you, with your files and your network: "
            "do this only with notebooks that you have read",
            file=sys.stderr,
        )
        return Isolation(kind)
    return best_isolation()


def grade_all(handed, isolation, kept):
    """Return {(student, lecture): {exercise: (points, why)}}, of several notebooks the best."""
    course = digest_of(*PARTS)
    results = known(handed, kept, course, isolation.kind)
    left = [one for one in handed if one not in results]
    users = Queue()  # one account for each that runs at the same time
    for _, user in zip(range(N_AT_ONCE), free_users(), strict=False):
        users.put(user)

    def grade(one):
        user = users.get()
        try:
            key = key_of(one, course, isolation.kind)  # before: the file may change meanwhile
            results[one] = judge_apart(one, isolation.kind, user, scratch)
            if not isinstance(results[one], str):
                kept.put(key, results[one])
        finally:
            users.put(user)

    with (
        # A judge that an interrupt kills leaves its temporary folders: they go with this one.
        TemporaryDirectory(prefix="course-grade-", ignore_cleanup_errors=True) as scratch,
        tqdm(total=len(handed), initial=len(results), unit="notebook") as bar,
        interrupts_noted() as interrupted,
    ):
        run_in_threads(grade, left, lambda n_done: bar.update(len(results) - bar.n), interrupted)
    return results


def judge_apart(one, kind, user, scratch):
    """Judge one notebook in a process of its own; a text says why that was not possible."""
    arguments = [str(one.path.absolute()), one.lecture[3:], kind, str(user)]
    done = subprocess.run(
        [sys.executable, "-m", "tools.judging", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": scratch},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return f"{NOT_GRADED}: the judge failed: {plain(last)}"


def known(handed, kept, course, kind):
    """Return what was graded before, by what was handed in."""
    results = {one: kept.get(key_of(one, course, kind)) for one in handed}
    return {one: result for one, result in results.items() if result is not None}


def key_of(one, course, kind):
    """What the points depend on: the file, the lecture, the exercises, how submissions ran."""
    fault = why_not_read(one.path)
    content = b"" if fault else one.path.read_bytes()
    return [hashlib.sha256(content).hexdigest(), fault, one.lecture, course, kind]


def lectures_of(handed, chosen, names):
    """The lectures that rows are about: those that were named, or that anyone handed in."""
    if names.strip():
        return sorted(chosen.values())
    return sorted({one.lecture for one in handed})


def rows_of(students, names, results):
    """Return the rows of the table, each a tuple of COLUMNS."""
    best = {}
    for one, result in results.items():
        for exercise in TOPICS[one.lecture[3:]]:
            said = (0, result) if isinstance(result, str) else tuple(result[exercise])
            key = one.student, one.lecture, exercise
            best[key] = max(best.get(key, said), said, key=order)
    return [
        (student, lecture, exercise, points, 1, why)
        for student in students
        for lecture in names
        for exercise in TOPICS[lecture[3:]]
        for points, why in [best.get((student, lecture, exercise), (0, NOTHING))]
    ]


def order(found):
    """The better answer counts; without a point, one that was not graded may still get it."""
    points, why = found
    return points, str(why).startswith(NOT_GRADED)


def write(path, rows):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([plain(row[0]), *row[1:]] for row in rows)
    write_whole(path, text.getvalue())


def report(rows, path):
    """Print the points by student and lecture; return 1 if something could not be graded."""
    names = sorted({row[1] for row in rows})
    points, of = {}, {}
    for student, lecture, _, got, most, _ in rows:
        points[student, lecture] = points.get((student, lecture), 0) + got
        of[student, lecture] = of.get((student, lecture), 0) + most
    students = list(dict.fromkeys(row[0] for row in rows))
    width = max(len("student"), *(len(plain(student)) for student in students))
    print(f"\n{'student':{width}}  {'  '.join(f'{name[:2]:>5}' for name in names)}    all")
    for student in students:
        cells = [f"{points[student, name]}/{of[student, name]}" for name in names]
        total = sum(points[student, name] for name in names)
        all_of = sum(of[student, name] for name in names)
        row = "  ".join(f"{cell:>5}" for cell in cells)
        print(f"{plain(student):{width}}  {row}  {f'{total}/{all_of}':>5}")
    faults = [row for row in rows if str(row[5]).startswith(NOT_GRADED)]
    for student, lecture, exercise, *_, why in faults:
        print(f"{plain(student)}, {lecture}, {exercise}: {why}", file=sys.stderr)
    print(f"\npoints and reasons: {path}")
    return 1 if faults else 0


if __name__ == "__main__":
    run_command(main)

#!/bin/sh
# Write the course as students may have it: without solutions, tests (they hold answers) and history.
#
#   deploy/for_students.sh FOLDER
#
# It holds what is committed. FOLDER may be the copy of an earlier version.
set -eu
[ $# = 1 ] || { echo "say where to: deploy/for_students.sh FOLDER" >&2; exit 2; }
for name in .git notebooks/solutions tests; do
    if [ -e "$1/$name" ]; then
        echo "refused: $1/$name is there already: choose a new folder" >&2
        exit 2
    fi
done

mkdir -p -m 755 "$1" # whatever root's umask is
git -C "$(dirname "$0")/.." archive HEAD . ':!notebooks/solutions' ':!tests' | tar -x -C "$1"

"""Results that outlive an interrupt: one small file each, found again by what it came from."""

import hashlib
import json
import os
import shutil
from pathlib import Path

from tools.course import ROOT


class Kept:
    """A folder with results as JSON; the key of one is everything that it depends on."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, key):
        content = json.dumps(key, sort_keys=True, default=str)
        return self.folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.json"

    def get(self, key):
        """Return what was kept for `key`, or None."""
        try:
            return json.loads(self.path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, key, result):
        path = self.path(key)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(result), encoding="utf-8")
        os.replace(partial, path)

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)


def digest_of(*patterns):
    """Fingerprint of the course's files that match the patterns: what was kept ends with them."""
    content = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)}):
        if path.is_file():
            content.update(path.relative_to(ROOT).as_posix().encode())
            content.update(path.read_bytes())
    return content.hexdigest()


def write_whole(path, text):
    """Write a file, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)

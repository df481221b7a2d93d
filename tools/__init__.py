"""What instructors and maintainers run: the course, its pages, its slides."""

import sys
from pathlib import Path

# This folder's lecture_utils, whatever PYTHONPATH or an installation in another folder offers.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

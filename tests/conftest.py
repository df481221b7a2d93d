"""What all tests share: where the course lies, one thread, no progress bars in outputs."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the tools are a folder of the course, not an installed package

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "COURSE_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("TQDM_DISABLE", "1")

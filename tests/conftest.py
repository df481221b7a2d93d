"""What all tests share: where the course lies, one thread, no progress bars in outputs."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the tools are a folder of the course, not an installed package

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "COURSE_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("TQDM_DISABLE", "1")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder with the website of the course, built once from the stored outputs."""
    from tools.build_site import build

    return build(ROOT / "notebooks", tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="module")
def browser():
    from browser import open_browser

    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """An empty page of a Chromium without a network, in which nothing may go wrong."""
    from browser import open_page

    with open_page(browser) as page:
        yield page
        assert page.troubles == []


@pytest.fixture
def phone(browser):
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()

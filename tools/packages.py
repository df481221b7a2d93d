"""Files of other packages that are built into pages and slides, so that these need no network."""

from functools import cache
from importlib import metadata, resources

REVEAL = ("sphinx-revealjs", "sphinx_revealjs", "_static/revealjs")
SANS = "dist/theme/fonts/source-sans-pro/source-sans-pro"
# The one place that names files of other packages: distribution, module and path inside the module.
PACKAGE_FILES = {
    "mathjax": ("django-static-mathjax", "mathjax", "static/mathjax/es5/tex-svg-full.js"),
    "reveal": (*REVEAL[:2], f"{REVEAL[2]}/dist/reveal.js"),
    "reveal_css": (*REVEAL[:2], f"{REVEAL[2]}/dist/reveal.css"),
    "reveal_notes": (*REVEAL[:2], f"{REVEAL[2]}/plugin/notes/notes.js"),
    "sans": (*REVEAL[:2], f"{REVEAL[2]}/{SANS}-regular.ttf"),
    "sans_italic": (*REVEAL[:2], f"{REVEAL[2]}/{SANS}-italic.ttf"),
    "sans_bold": (*REVEAL[:2], f"{REVEAL[2]}/{SANS}-semibold.ttf"),
    "mono": ("matplotlib", "matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono.ttf"),
    "mono_bold": ("matplotlib", "matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono-Bold.ttf"),
}


class BuildError(Exception):
    """What keeps pages or slides from being built, in one line."""


@cache
def package_bytes(name):
    """Return the contents of a file that another package brings."""
    distribution, module, path = PACKAGE_FILES[name]
    try:
        return resources.files(module).joinpath(path).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        try:
            found = f"version {metadata.version(distribution)} is installed"
        except metadata.PackageNotFoundError:
            found = "it is not installed"
        raise BuildError(
            f"the package {distribution} has no file {module}/{path} ({found}): "
            "install the version that requirements.txt names"
        ) from error


def package_file(name):
    """Return the text of a file that another package brings."""
    return package_bytes(name).decode("utf-8")

"""Files that other packages bring: scripts that pages and slides need to work without a network."""

from functools import cache
from importlib import metadata, resources

# The one place that names them: distribution, module and path inside the module.
PACKAGE_FILES = {
    "mathjax": ("django-static-mathjax", "mathjax", "static/mathjax/es5/tex-svg-full.js"),
    "reveal": ("sphinx-revealjs", "sphinx_revealjs", "_static/revealjs/dist/reveal.js"),
    "reveal_css": ("sphinx-revealjs", "sphinx_revealjs", "_static/revealjs/dist/reveal.css"),
    "reveal_notes": (
        "sphinx-revealjs",
        "sphinx_revealjs",
        "_static/revealjs/plugin/notes/notes.js",
    ),
}


class BuildError(Exception):
    """What keeps the website from being built, in one line."""


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

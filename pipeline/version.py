"""The version of the installed code, from pyproject.toml."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("dateline")
except PackageNotFoundError:  # the code runs from a directory that is not installed
    VERSION = "0+unknown"

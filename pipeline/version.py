"""The version of the running code, as it stands in pyproject.toml."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("dateline")
except PackageNotFoundError:  # run from a tree that is not installed
    VERSION = "0+unknown"

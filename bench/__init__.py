"""How fast, how late and how large the whole path is. Beside the package: measuring is not part of the service."""

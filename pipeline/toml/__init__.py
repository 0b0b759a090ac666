"""TOML files: read into records with errors that name their place (read.py), and edited by line (edit.py)."""

"""Atomic file writing with SHA-256 records, tables, the manifest and the command line of scripts."""

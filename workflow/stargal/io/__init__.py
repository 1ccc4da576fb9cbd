"""Files written whole with their SHA-256, tables, the manifest and the command line of scripts."""

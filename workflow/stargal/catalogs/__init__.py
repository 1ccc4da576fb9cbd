"""The catalogues that stargal makes: their columns, the catalogues of a field and of a sky, and their files."""

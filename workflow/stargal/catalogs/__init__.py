"""The catalogues that stargal makes: their columns, the catalogue of a field, and its files."""

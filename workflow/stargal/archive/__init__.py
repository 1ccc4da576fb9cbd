"""Download survey files and verify their contents."""

"""The end-to-end test: see ../README.md."""

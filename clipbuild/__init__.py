"""clipbuild: make for clips."""

__version__ = "0.1.0"

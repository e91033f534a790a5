"""digestbot keeps pinned container images fresh."""

__version__ = "0.1.0"

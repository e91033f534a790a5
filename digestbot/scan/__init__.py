"""The engine: from a tree of files to findings. Prints nothing."""

"""Org-wide rollouts: one digest to all repos that build on an image, in waves, with a way back."""

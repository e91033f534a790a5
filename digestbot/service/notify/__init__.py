"""Telling people what changed: the messages, the ways to send them, and who was told what."""

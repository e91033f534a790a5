"""Webhooks: somebody else says that something moved, and the service asks for itself."""

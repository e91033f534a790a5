"""Durable state: what repos, images and proposals were like, in SQLite or PostgreSQL."""

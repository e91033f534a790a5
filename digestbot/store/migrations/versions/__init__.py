"""The migrations, the first one first."""

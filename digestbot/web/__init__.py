"""The dashboard: what the state tells, as pages, JSON and CSV; and what is asked for there."""

"""The dashboard: what the state tells, as pages, as JSON, as CSV; and what may be asked for there."""

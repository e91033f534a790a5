"""The scheduled service: when something is done, what is done, and how its operators know."""

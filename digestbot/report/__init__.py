"""Reports: the outcome of a scan as text for people and for machines. Pure; prints nothing."""

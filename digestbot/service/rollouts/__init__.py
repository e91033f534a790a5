"""Rollouts under way: what is done about each, step by step, from the state and the forge."""

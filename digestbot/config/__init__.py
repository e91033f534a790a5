"""The configuration: its models, how it is loaded, its JSON Schema."""

"""Asking registries: what digest does this tag have now?"""

"""Realistic traffic, sent over HTTP."""

"""The process that sends made-up traffic, over HTTP only."""

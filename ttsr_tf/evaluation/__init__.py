"""Measuring a network on test sets, each number with its protocol."""

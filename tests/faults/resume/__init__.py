"""Interrupted runs, and going on with them"""

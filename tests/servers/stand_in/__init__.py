"""A program that can be started as any server of dialects.toml, and answers as that one does.

It has no model: it gives recorded answers, and to other prompts tokens made of the prompt's.
"""

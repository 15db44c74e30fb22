"""Stage 7: terminal tables, pictures, files. Draws what `analyse` computed.

`palette` holds the colours, `facts` and `load_facts` the words that stand under every figure;
`charts` draws, `terminal` lays out tables, `export` writes files. `of_run` tells which of
them a run has: a comparison and a load have reports of their own. Each is imported where
it is used: matplotlib and pandas should not slow down a command that needs neither.
"""

"""Stage 7: terminal tables, pictures, files. Draws what `analyse` computed.

`palette` holds the colours, `conditions` the words that stand under every figure;
`charts` draws, `terminal` lays out tables, `export` writes files. Each is imported where
it is used: matplotlib and pandas should not slow down a command that needs neither.
"""

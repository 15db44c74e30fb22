"""What goes wrong, done on purpose.

Every test here carries what it injects, what the user then sees and what is kept
(`fault.fault`); docs/reliability.md is made from that. After each test nothing may be left: no
process, no port, no temporary file (`conftest.py`). Tests marked `soak` take long and run by
`just soak` only; all others together take less than four minutes on two cores.
"""

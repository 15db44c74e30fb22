"""One file a client: `python -m …clients.NAME URL STREAMS TOKENS SPREAD_NS FILE`.

Each opens its connections, starts its clock, sends one request on each (spread evenly over
SPREAD_NS), and writes what it saw to FILE as JSON, as the floor does:

    {"cpu_ns": …, "started_ns": …, "requests": [{"id": …, "sent_ns": …, "ns": […], "reads": […]}]}
"""

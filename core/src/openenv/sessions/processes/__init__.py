"""Environments in processes of their own, one a session.

The server's side: `worker` takes built processes from `pool`, which has them started by `forks` or `spawns`; each is a
`process` that speaks `frames` over a socket and whose standard error is an `output`.

The other side: `fork_server` forks, `child` does the calls, within `limits`. What both know is the `handover`.
"""

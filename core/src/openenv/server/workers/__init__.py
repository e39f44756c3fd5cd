"""One server of several processes.

The parent owns the port, the slots and their queue. It looks at the head of what each connection says first, without taking
it, and passes the connection on: to the worker process that the session named in it lives in, else to the one with the least
to do, but plain HTTP that names no session to the first, where the default session lives. What a connection says later for a
session of another worker is forwarded there over a socket of this machine.
"""

"""A running station's door for programs of the same user on the same computer.

One JSON line a request, one an answer, in order; see `codec`. Whoever can open the socket is the
station's own user, who could read and write its database just as well.
"""

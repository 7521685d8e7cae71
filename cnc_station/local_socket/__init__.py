"""A running station's door for programs of the same user on the same computer.

Requests and answers are lines of JSON, in order; see `codec`. Only the station's own user can open
the socket, who can also read and write its database.
"""

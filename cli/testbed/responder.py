"""A TCP service inside a VM: greets every connection with the VM's name.

Run as a script with the standard library alone, once per service:
``responder.py NAME PORT``.
"""

import socket
import sys


def serve(name: str, port: int) -> None:
    with socket.create_server(
        ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64
    ) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    connection.sendall(f"hello from {name}\n".encode())
                except OSError as error:
                    # A client that goes away early is the client's business.
                    sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))

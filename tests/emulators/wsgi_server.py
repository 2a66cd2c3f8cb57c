"""A program: serve the `application` of a module by HTTPS. Arguments: module, port, certificate, key."""

import ssl
import sys
from importlib import import_module
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def address_string(self) -> str:
        return str(self.client_address[0])  # no name is looked up


def main(module: str, port: str, certificate: str, key: str) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    application = import_module(module).application
    with make_server("127.0.0.1", int(port), application, _Server, _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.base_environ["HTTPS"] = "on"
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

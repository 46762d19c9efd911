# SPDX-License-Identifier: MIT
"""Customers of server.py: python3 shoppers.py PORT FIRST COUNT. Each logs in, fills a cart and leaves."""
import socket
import sys


def shop(port, number):
    with socket.create_connection(('127.0.0.1', port)) as connection, connection.makefile('rw', encoding='utf-8') as lines:
        for line in ['login user-%d' % number] + ['add sku-%d' % (number * step % 399 + 1) for step in range(1, 6)]:
            lines.write(line + '\n')
            lines.flush()
            lines.readline()
        lines.write('logout\n')


def main():
    port, first, count = map(int, sys.argv[1:])
    for number in range(first, first + count):
        shop(port, number)


main()

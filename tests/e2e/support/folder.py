# SPDX-License-Identifier: MIT
"""Folders for one case, and what must not be left in them."""
import os
import tempfile

from .tap import equal


class Folder(tempfile.TemporaryDirectory):
    """Use with `with`; gives the path. Open to all users, so that programs may be run as any."""

    def __enter__(self):
        path = os.path.realpath(super().__enter__())
        os.chmod(path, 0o777)
        return path


def empty(path, what='files left behind'):
    equal(sorted(os.listdir(path)), [], what)

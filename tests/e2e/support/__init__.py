# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: reporting, interpreters, targets, the state of a process, our own programs."""

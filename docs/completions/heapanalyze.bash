# SPDX-License-Identifier: MIT
# bash completion of heapanalyze; it is defined beside that of heapdump-gdb.
source "$(dirname "${BASH_SOURCE[0]}")/heapdump-gdb"

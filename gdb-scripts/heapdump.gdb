# SPDX-License-Identifier: MIT
# For people who sit in a GDB already: "source heapdump.gdb", then "heapdump [OPTION…]" dumps the process that this GDB is attached to.
# There can be one tracer only, so GDB lets go of the process, heapdump-gdb does its work, and GDB attaches again. Breakpoints are
# taken out of the process by that and come back.
define heapdump
  if $argc > 9
    printf "heapdump: too many options\n"
  else
    python import gdb
    python gdb.set_convenience_variable("hd_pid", gdb.selected_inferior().pid)
    if $hd_pid == 0
      printf "heapdump: attach to a process first\n"
    else
      set $hd_i = 0
      python hd_options = ""
      while $hd_i < $argc
        eval "python hd_options += ' ' + r'''$arg%d'''", $hd_i
        set $hd_i = $hd_i + 1
      end
      detach
      python gdb.execute("shell heapdump-gdb%s %d" % (hd_options, int(gdb.convenience_variable("hd_pid"))))
      python gdb.execute("attach %d" % int(gdb.convenience_variable("hd_pid")))
    end
  end
end
document heapdump
heapdump [OPTION...]: writes the heap of the attached Python to a file, with heapdump-gdb and its options (--help lists them).
The process is let go for that, and attached again afterwards.
end

// SPDX-License-Identifier: MIT
#pragma once
/* heapanalyze itself: command line in, exit status out. */
int ha_program_run(int argc, char **argv);

// SPDX-License-Identifier: MIT
#include "cli/ha-program.h"

int
main(int argc, char **argv)
{
    return ha_program_run(argc, argv);
}

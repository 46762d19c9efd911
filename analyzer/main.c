// SPDX-License-Identifier: MIT
#include "cli/ha-program.h"
#include "render/ha-layout.h"

int
main(int argc, char **argv)
{
    ha_layout_child(argc, argv); /* the layout of a picture runs in a process of its own: this program again */
    return ha_program_run(argc, argv);
}

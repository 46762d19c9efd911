// SPDX-License-Identifier: MIT
#include "gil.h"

const InjGilFacts *
inj_gil_facts(guint minor, gboolean free_threaded)
{
    static const InjGilFacts facts[] = {
        {.minor = 8, .current = 1368, .thread_id = 176},
        {.minor = 9, .current = 568, .thread_id = 176},
        {.minor = 10, .current = 568, .thread_id = 176},
        {.minor = 11, .current = 576, .thread_id = 152},
        {.minor = 12, .main = 48, .gil = 384, .holder = 8, .locked = 16, .thread_id = 136},
        {.minor = 13, .main = 640, .gil = 16, .holder = 8, .locked = 16, .thread_id = 152},
        {.minor = 13, .free_threaded = TRUE, .main = 640, .gil = 16, .holder = 16, .locked = 24, .thread_id = 152},
        {.minor = 14, .main = 816, .gil = 16, .holder = 8, .locked = 16, .thread_id = 152},
        {.minor = 15, .main = 944, .gil = 16, .holder = 8, .locked = 16, .thread_id = 176},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(facts); i++) {
        if (facts[i].minor == minor && facts[i].free_threaded == free_threaded)
            return &facts[i];
    }
    return NULL;
}

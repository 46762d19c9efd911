// SPDX-License-Identifier: MIT
#pragma once
/* What somebody who gave a wrong number may have meant. Only looked for after a refusal; reads /proc. Called by target.c and main.c. */
#include <glib.h>
#include <sys/types.h>

/* There is no such process: says so, and which process of a container has that number inside. */
void inj_hint_no_process(pid_t pid, GError **error);
/* The process is no Python, or one that we may not look at and that is not called so: adds to the message which one of a container has that number inside, or which child of it is one. Nothing else changes. */
void inj_hint_not_python(pid_t pid, GError *error);
/* TRUE: the process has ended (meanwhile); error says that then, whatever it said before. */
gboolean inj_hint_ended(pid_t pid, GError *error);

// SPDX-License-Identifier: MIT
#pragma once
/*
 * Writing to the target by ptrace, where the kernel allows no writing through /proc/PID/mem to what is not writable (proc_mem.force_override): one
 * thread is stopped for some microseconds. Safe at our death: a seized thread then goes on by itself.
 */
#include "target.h"

gboolean inj_poke(const InjTarget *t, guint64 addr, const void *bytes, gsize n);

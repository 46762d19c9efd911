// SPDX-License-Identifier: MIT
#pragma once
/*
 * What the walker needs of the machine: system calls, a place to return to after a fault, the registers of a signal frame.
 * One folder an architecture; nothing else in walker/ knows one.
 */
#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "x86-64/wk-arch-x86-64.h"
#else
#error "the walker is not ported to this architecture yet: add walker/arch/NAME"
#endif

/* Saves the caller's registers; returns 0, and 1 when wk_arch_resume() made a signal handler return here. */
__attribute__((returns_twice)) int wk_arch_save(struct wk_jump *jump);
/* Goes back to where wk_arch_save() was called, which returns 1. Its caller must not have returned. */
_Noreturn void wk_arch_jump(const struct wk_jump *jump);
/* Changes a signal frame (the handler's third argument) so that returning from the handler goes on at jump. */
void wk_arch_resume(void *context, const struct wk_jump *jump);
/* Start of the alternate stack that the handler runs on, out of the signal frame. */
void *wk_arch_alternate_stack(const void *context);
/* What a handler returns to: ends the signal (rt_sigreturn). */
void wk_arch_restorer(void);
/*
 * Offset in the object that an attribute's C getter takes it from, where the machine code at that address does nothing but return
 * the object that stands there; -1: it does more, or it is not understood. Reads code, runs none.
 */
int64_t wk_arch_getter_offset(const uint8_t *code);
/* For hf_writer.deposit. */
bool wk_arch_deposit(void);

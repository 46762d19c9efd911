// SPDX-License-Identifier: MIT
#pragma once
/*
 * Inside of the entry blob: what its assembly and its C sources call of each other. Freestanding; runs in the target only.
 */
#include "ep-abi.h"

/* Registers of the interrupted thread, as the stub saved them. */
struct ep_frame {
    uint64_t mask;      /* signals that it blocks itself */
    uint64_t alternate; /* out: top of the stack that its signal handlers run on, 0: none */
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdx, rbx, rdi, rsi, rcx, rax, flags;
    uint64_t repeat; /* 1: the kernel wants the system call repeated */
};

/* On the interrupted thread. 0: a thread of ours lives and owns the region; else the stub drops it. */
int ep_start(struct ep_args *args, struct ep_frame *frame);
int ep_check_xsave(void);
int ep_refuse_xsave(struct ep_args *args);

/* On our own thread; returns the address of munmap. */
void *ep_thread(struct ep_args *args);
void *ep_thread_entry(void *args);

/* Python's part, with the GIL held. */
enum ep_status ep_run_script(struct ep_args *args, const char *text, int with_payload);

uint64_t ep_now_us(void);
void ep_write_result(struct ep_args *args);

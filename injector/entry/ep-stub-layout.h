// SPDX-License-Identifier: MIT
#pragma once
/*
 * Offsets that the stub (assembly) and its makers agree on. Parameters are 8-byte words behind the stub's code; the path of the
 * image follows them, with its terminating NUL.
 */
#define EP_PARAM_RIP         0  /* GDB: $rip at the attach */
#define EP_PARAM_RIP_AGAIN   8  /* GDB: the same - 2 */
#define EP_PARAM_RAX         16 /* GDB: $rax at the attach */
#define EP_PARAM_MASK        24 /* signals blocked meanwhile */
#define EP_PARAM_REGION      32
#define EP_PARAM_REGION_SIZE 40
#define EP_PARAM_CODE_SIZE   48
#define EP_PARAM_IMAGE_SIZE  56
#define EP_PARAM_ARGS        64 /* address of struct ep_args */
#define EP_PARAM_LEFT        72 /* address of its stub_left */
#define EP_PARAM_PATH        80

/* struct ep_frame of the blob: r15 … rax, flags, repeat */
#define EP_FRAME_RAX    112
#define EP_FRAME_REPEAT 128

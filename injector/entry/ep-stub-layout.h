// SPDX-License-Identifier: MIT
#pragma once
/*
 * Offsets that the stub (assembly) and its makers agree on. Parameters are 8-byte words behind the stub's code; the path of the
 * image follows them, with its terminating NUL.
 */
#define EP_PARAM_RIP         0  /* GDB: $rip at the attach */
#define EP_PARAM_RIP_AGAIN   8  /* GDB: the same - 2 */
#define EP_PARAM_MASK        16 /* signals blocked meanwhile */
#define EP_PARAM_REGION      24
#define EP_PARAM_REGION_SIZE 32
#define EP_PARAM_CODE_SIZE   40
#define EP_PARAM_IMAGE_SIZE  48
#define EP_PARAM_ARGS        56 /* address of struct ep_args */
#define EP_PARAM_LEFT        64 /* address of its word `inside` */
#define EP_PARAM_PATH        72

/* struct ep_frame of the blob */
#define EP_FRAME_ALTERNATE 8
#define EP_FRAME_R15       16
#define EP_FRAME_RDI       104
#define EP_FRAME_RSI       112
#define EP_FRAME_RCX       120
#define EP_FRAME_RAX       128
#define EP_FRAME_FLAGS     136
#define EP_FRAME_REPEAT    144

/* Of the interrupted thread's stack; see the drawing in ep-stub.S. GDB writes the two witnesses. */
#define EP_RED_ZONE   128
#define EP_WITNESS    80  /* bytes, copied from the stub's beginning */
#define EP_MARK       216 /* below rsp at the attach: a word that tells that a thread is inside */
#define EP_STACK_USED 416 /* 256 and the frame, 16-aligned */

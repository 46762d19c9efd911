# SPDX-License-Identifier: MIT
"""XXH64, for read_heap.py; elsewhere any library's will do. After its description by Yann Collet."""
import struct

M64 = (1 << 64) - 1
P1, P2, P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P4, P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def xxh64(data, seed):
    def rotate(v, n):
        return (v << n | v >> (64 - n)) & M64

    def mix(lane, word):
        return rotate((lane + word * P2) & M64, 31) * P1 & M64
    n, at, h = len(data), 0, (seed + P5) & M64
    if n >= 32:
        lanes = [(seed + P1 + P2) & M64, (seed + P2) & M64, seed, (seed - P1) & M64]
        for words in struct.iter_unpack("<4Q", data[:n & ~31]):
            lanes = [mix(lane, word) for lane, word in zip(lanes, words)]
        at = n & ~31
        h = sum(rotate(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18))) & M64
        for lane in lanes:
            h = ((h ^ mix(0, lane)) * P1 + P4) & M64
    h = (h + n) & M64
    for (word,) in struct.iter_unpack("<Q", data[at:at + (n - at & ~7)]):
        h = (rotate(h ^ mix(0, word), 27) * P1 + P4) & M64
    at += n - at & ~7
    if n - at >= 4:
        h = (rotate(h ^ struct.unpack_from("<I", data, at)[0] * P1 & M64, 23) * P2 + P3) & M64
        at += 4
    for byte in data[at:]:
        h = rotate(h ^ byte * P5 & M64, 11) * P1 & M64
    h = (h ^ h >> 33) * P2 & M64
    h = (h ^ h >> 29) * P3 & M64
    return h ^ h >> 32

// SPDX-License-Identifier: MIT
#pragma once
/* PyHeap keeps str() of an object; contents in our dumps are terser. What is not recognised stays as it is. For ha-pyheap.c. */
#include <glib.h>

/* str() of anything but str, bytes and bytearray: "<class 'app.Session'>" → "app.Session". text is replaced in place. */
void ha_pyheap_shorten(GString *text);
/* "b'\x00a'" or "bytearray(b'…')" → the bytes, as far as they go. FALSE: neither. *whole: up to the closing quote. */
gboolean ha_pyheap_unquote(GString *text, gboolean *whole);

// SPDX-License-Identifier: MIT
#pragma once
#include <glib.h>

/*
 * A reference's name with what differs between siblings left out: "[3]" → "[*]", "['a']" → "['*']", "<key 'k'>" → "<key>"; ".attr" and
 * "<local x>" stay. Owned by the caller.
 */
char *ha_name_template(const char *name, gsize n);

// SPDX-License-Identifier: MIT
#pragma once
/*
 * A picture as text of the DOT language: what `graph -o x.dot` and stdout give, and what the layout child reads. Ids, classes and
 * colours are generated ASCII; everything from the heap goes through ha-text. The same picture gives the same bytes.
 */
#include "render/ha-picture.h"

char *ha_dot_write(const HaPicture *p); /* owned by the caller */

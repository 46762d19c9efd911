# SPDX-License-Identifier: MIT
# gc.collect(), also where the application has switched automatic collection off. The module is built in; it is loaded for the moment only.

def run():
    import sys
    loaded = 'gc' in sys.modules
    import gc
    try:
        gc.collect()
    finally:
        if not loaded:
            sys.modules.pop('gc', None)


run()

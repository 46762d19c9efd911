# SPDX-License-Identifier: MIT
# gc.collect(), also where the application has switched automatic collection off. The module is built in; it is loaded for the moment only.

def run():
    import sys
    module = sys.modules.get('gc')  # names that every program has: new ones would live on among its interned strings
    import gc
    try:
        gc.collect()
    finally:
        if module is None:
            sys.modules.pop('gc', None)


run()

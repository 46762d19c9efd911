// SPDX-License-Identifier: MIT
/*
 * A program that is not Python and has one in it. Built with -DLINKED against a libpython it takes that; else its first argument is the library that it
 * loads. Further arguments are those of python.
 */
#include <dlfcn.h>
#include <stdio.h>

#ifdef LINKED
int Py_BytesMain(int argc, char **argv);

int
main(int argc, char **argv)
{
    return Py_BytesMain(argc, argv);
}
#else
int
main(int argc, char **argv)
{
    int (*run)(int argc, char **argv);
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;

    if (library == NULL || (*(void **)&run = dlsym(library, "Py_BytesMain")) == NULL) {
        fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "usage: embedder LIBPYTHON [ARGUMENT...]");
        return 2;
    }
    argv[1] = argv[0];
    return run(argc - 1, argv + 1);
}
#endif

// SPDX-License-Identifier: MIT
#include <string.h>

#include "cli/ha-option-private.h"

const HaOption ha_common_options[] = {
    {.name = "previous-heap-dump", .kind = HA_OPTION_LIST, .arg = "FILE", .help = "only objects that live in FILE too"},
    {.name = "intersect-heap-dump",
     .kind = HA_OPTION_LIST,
     .arg = "FILE",
     .help = "the same; both may be given several times"},
    {.name = "remove-heap-dump",
     .kind = HA_OPTION_LIST,
     .arg = "FILE",
     .help = "only objects that do not live in FILE"},
    {.name = "garbage", .kind = HA_OPTION_FLAG, .help = "keep objects that a collection would free"},
    {.name = "index",
     .kind = HA_OPTION_FLAG,
     .help = "keep what loading comes to on disk: for heaps larger than the memory, and a quick second start"},
    {.name = "help", .letter = 'h', .kind = HA_OPTION_FLAG, .help = "show this"},
    {.name = "version", .kind = HA_OPTION_FLAG, .help = "show the version"},
    {0}};

typedef struct {
    const HaOption *option; /* borrowed, from the tables */
    char *spelled;          /* owned, as typed: --show-parent */
    char *value;            /* owned; NULL for a flag */
} Given;

struct HaOptions {
    const HaCommand *command;
    GArray *given;    /* Given */
    GPtrArray *lists; /* GPtrArray of char *, handed out by ha_options_list */
};

static void
given_clear(gpointer data)
{
    Given *given = data;
    g_free(given->spelled);
    g_free(given->value);
}

static gboolean
matches(const HaOption *option, const char *name, gsize n)
{
    const char *names[] = {option->name, option->alias};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i] != NULL && strlen(names[i]) == n && strncmp(names[i], name, n) == 0)
            return TRUE;
    return FALSE;
}

/* letter 0: by name. */
static const HaOption *
find_in(const HaOption *table, const char *name, gsize n, char letter)
{
    for (const HaOption *option = table; option != NULL && option->name != NULL; option++)
        if (letter != 0 ? option->letter == letter : matches(option, name, n))
            return option;
    return NULL;
}

static const HaOption *
find_for(const HaCommand *command, const char *name, gsize n, char letter)
{
    const HaOption *option = find_in(ha_common_options, name, n, letter);
    return option != NULL || command == NULL ? option : find_in(command->options, name, n, letter);
}

static const HaOption *
find_anywhere(const HaCommand *const *commands, const char *name, gsize n, char letter)
{
    const HaOption *option = find_in(ha_common_options, name, n, letter);
    for (; option == NULL && *commands != NULL; commands++)
        option = find_in((*commands)->options, name, n, letter);
    return option;
}

/* Restricted Damerau–Levenshtein distance, for short words. */
static guint
distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    gsize n = strlen(a), m = strlen(b);
    if (n > MAX || m > MAX)
        return G_MAXUINT;
    guint rows[3][MAX + 1];
    for (gsize j = 0; j <= m; j++)
        rows[0][j] = j;
    for (gsize i = 1; i <= n; i++) {
        guint *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (gsize j = 1; j <= m; j++) {
            row[j] = MIN(MIN(up[j], row[j - 1]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], up2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *
ha_closest(const char *typed, const char *const *names)
{
    const char *best = NULL;
    guint least = G_MAXUINT;
    for (; *names != NULL; names++) {
        gboolean starts = strlen(typed) >= 3 && g_str_has_prefix(*names, typed);
        guint d = starts ? 1 : distance(typed, *names);
        if (d < least) {
            least = d;
            best = *names;
        }
    }
    return least <= 1 + strlen(typed) / 4 ? best : NULL;
}

static void
add_names(GPtrArray *names, const HaOption *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        g_ptr_array_add(names, (gpointer)table->name);
        if (table->alias != NULL)
            g_ptr_array_add(names, (gpointer)table->alias);
    }
}

static void
set_unknown(GError **error, const HaCommand *const *commands, const char *spelled)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    add_names(names, ha_common_options);
    for (; *commands != NULL; commands++)
        add_names(names, (*commands)->options);
    g_ptr_array_add(names, NULL);
    g_autofree char *name = g_strndup(spelled + strspn(spelled, "-"), strcspn(spelled + strspn(spelled, "-"), "="));
    const char *near = spelled[1] == '-' ? ha_closest(name, (const char *const *)names->pdata) : NULL;
    if (near != NULL)
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "unknown option '--%s': did you mean '--%s'?", name, near);
    else
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "unknown option '%s': 'heapanalyze --help' lists all",
                    spelled[1] == '-' ? spelled : spelled);
}

static gboolean
is_one_of(const char *value, const char *choices)
{
    g_auto(GStrv) list = g_strsplit(choices, "|", -1);
    return g_strv_contains((const char *const *)list, value);
}

static gboolean
check_value(const Given *given, GError **error)
{
    guint64 number;
    switch (given->option->kind) {
    case HA_OPTION_NUMBER:
        if (g_ascii_string_to_unsigned(given->value, 10, 0, G_MAXUINT32 - 1, &number, NULL))
            return TRUE;
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s wants a number from 0 to %u, not '%s'", given->spelled,
                    G_MAXUINT32 - 1, given->value);
        return FALSE;
    case HA_OPTION_CHOICE:
        if (is_one_of(given->value, given->option->arg))
            return TRUE;
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s wants one of %s, not '%s'", given->spelled, given->option->arg,
                    given->value);
        return FALSE;
    case HA_OPTION_FLAG:
    case HA_OPTION_TEXT:
    case HA_OPTION_LIST:
    default:
        return TRUE;
    }
}

/* One argument that starts with '-'; *i moves on when the value is the next one. */
static gboolean
take_option(const HaCommand *const *commands, const HaCommand *command, int argc, char **argv, int *i,
            HaOptions *options, GError **error)
{
    const char *arg = argv[*i];
    gboolean is_long = arg[1] == '-';
    const char *name = arg + 2, *equals = is_long ? strchr(arg, '=') : NULL;
    gsize n = is_long ? (equals != NULL ? (gsize)(equals - name) : strlen(name)) : 0;
    char letter = is_long ? 0 : arg[1];
    /* the command's own first: another one may use the same name for another kind */
    const HaOption *option = find_for(command, name, n, letter);
    if (option == NULL)
        option = find_anywhere(commands, name, n, letter);
    if (option == NULL) {
        set_unknown(error, commands, arg);
        return FALSE;
    }
    Given given = {.option = option, .spelled = is_long ? g_strndup(arg, n + 2) : g_strndup(arg, 2)};
    const char *attached = is_long ? (equals != NULL ? equals + 1 : NULL) : (arg[2] != 0 ? arg + 2 : NULL);
    if (option->kind == HA_OPTION_FLAG && attached != NULL) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s takes no value, but got '%s'", given.spelled, attached);
        given_clear(&given);
        return FALSE;
    }
    if (option->kind != HA_OPTION_FLAG && attached == NULL && *i + 1 >= argc) {
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s wants a value: %s", given.spelled, option->arg);
        given_clear(&given);
        return FALSE;
    }
    if (option->kind != HA_OPTION_FLAG)
        given.value = g_strdup(attached != NULL ? attached : argv[++*i]);
    g_array_append_val(options->given, given);
    return check_value(&given, error);
}

static gboolean
find_command(const HaCommand *const *commands, const char *name, const HaCommand **out, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; commands[i] != NULL; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            *out = commands[i];
            return TRUE;
        }
        g_ptr_array_add(names, (gpointer)commands[i]->name);
    }
    g_ptr_array_add(names, NULL);
    const char *near = ha_closest(name, (const char *const *)names->pdata);
    if (near != NULL)
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "unknown command '%s': did you mean '%s'?", name, near);
    else
        g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "unknown command '%s': 'heapanalyze --help' lists all", name);
    return FALSE;
}

/* An option that was typed before the command was known must be one of this command, and then its kind is too. */
static gboolean
settle(HaOptions *options, const HaCommand *command, GError **error)
{
    for (guint i = 0; i < options->given->len; i++) {
        Given *given = &g_array_index(options->given, Given, i);
        const HaOption *own = find_for(command, given->option->name, strlen(given->option->name), 0);
        if (own == NULL) {
            g_set_error(error, HA_ERROR, HA_ERROR_USAGE, "%s is no option of '%s': see 'heapanalyze %s --help'",
                        given->spelled, command->name, command->name);
            return FALSE;
        }
        given->option = own;
        if (!check_value(given, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
ha_command_line_parse(const HaCommand *const *commands, int argc, char **argv, HaCommandLine *out, GError **error)
{
    HaOptions *options = g_new0(HaOptions, 1);
    options->given = g_array_new(FALSE, FALSE, sizeof(Given));
    g_array_set_clear_func(options->given, given_clear);
    options->lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GPtrArray) args = g_ptr_array_new_with_free_func(g_free);
    const HaCommand *command = NULL;
    gboolean ok = TRUE, only_args = FALSE;
    for (int i = 1; ok && i < argc; i++) {
        if (only_args || argv[i][0] != '-' || argv[i][1] == 0) {
            if (command == NULL)
                ok = find_command(commands, argv[i], &command, error);
            else
                g_ptr_array_add(args, g_strdup(argv[i]));
        } else if (strcmp(argv[i], "--") == 0) {
            only_args = TRUE;
        } else {
            ok = take_option(commands, command, argc, argv, &i, options, error);
        }
    }
    options->command = command;
    *out = (HaCommandLine){.command = command, .options = options};
    if (ok && command != NULL && !ha_options_flag(options, "help") && !ha_options_flag(options, "version"))
        ok = settle(options, command, error);
    g_ptr_array_add(args, NULL);
    out->args = (char **)g_ptr_array_free(g_steal_pointer(&args), FALSE);
    if (!ok)
        ha_command_line_clear(out);
    return ok;
}

void
ha_command_line_clear(HaCommandLine *line)
{
    if (line->options != NULL) {
        g_array_unref(line->options->given);
        g_ptr_array_unref(line->options->lists);
        g_clear_pointer(&line->options, g_free);
    }
    g_clear_pointer(&line->args, g_strfreev);
}

/* The last one given; *option is its row in the tables. */
static const Given *
last_given(const HaOptions *o, const char *name, const HaOption **option)
{
    *option = find_for(o->command, name, strlen(name), 0);
    g_assert(*option != NULL);
    for (guint i = o->given->len; i-- > 0;) {
        const Given *given = &g_array_index(o->given, Given, i);
        if (strcmp(given->option->name, (*option)->name) == 0)
            return given;
    }
    return NULL;
}

gboolean
ha_options_given(const HaOptions *o, const char *name)
{
    const HaOption *option;
    return last_given(o, name, &option) != NULL;
}

gboolean
ha_options_flag(const HaOptions *o, const char *name)
{
    return ha_options_given(o, name);
}

const char *
ha_options_text(const HaOptions *o, const char *name)
{
    const HaOption *option;
    const Given *given = last_given(o, name, &option);
    return given != NULL ? given->value : option->fallback;
}

guint
ha_options_number(const HaOptions *o, const char *name)
{
    const char *text = ha_options_text(o, name);
    g_assert(text != NULL);
    return g_ascii_strtoull(text, NULL, 10);
}

const char *const *
ha_options_list(const HaOptions *o, const char *name)
{
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < o->given->len; i++) {
        const Given *given = &g_array_index(o->given, Given, i);
        if (strcmp(given->option->name, name) == 0)
            g_ptr_array_add(list, given->value);
    }
    g_ptr_array_add(list, NULL);
    g_ptr_array_add(o->lists, list);
    return (const char *const *)list->pdata;
}

// SPDX-License-Identifier: MIT
/* Which remedy is named where something is not permitted: for machines that are not at hand, by made-up facts. */
#include <glib.h>
#include <string.h>
#include <unistd.h>
#include "preflight.h"

static void
test_why(void)
{
    static const struct {
        InjRights rights;
        uid_t owner;
        const char *words[5], *never;
    } cases[] = {
        {{.uid = 1000}, 0, {"user 0", "you are 1000", "run with sudo", "--cap-add=SYS_PTRACE"}, "kubectl"},
        {{.uid = 1000}, 1000, {"not dumpable", "sudo"}, "ptrace_scope"},
        {{.uid = 1000, .yama = 1}, 1000, {"ptrace_scope is 1", "sudo", "PR_SET_PTRACER_ANY"}, "not dumpable"},
        {{.uid = 1000, .yama = 2}, 1000, {"ptrace_scope is 2", "sudo"}, "PR_SET_PTRACER"},
        {{.uid = 1000, .yama = 3}, 1000, {"ptrace_scope is 3", "next boot"}, "sudo"},
        {{.uid = 0, .capable = TRUE, .yama = 3}, 0, {"ptrace_scope is 3"}, "CAP_SYS_PTRACE"},
        {{.uid = 1000, .yama = 1}, 0, {"user 0", "sudo"}, "PR_SET_PTRACER"},
        {{.uid = 1000, .no_new_privileges = TRUE}, 0, {"no_new_privs", "login of root"}, "run with sudo"},
        {{.uid = 1000, .no_new_privileges = TRUE, .container = TRUE},
         1000,
         {"no_new_privs", "on the host as root", "--cap-add=SYS_PTRACE", "kubectl debug --profile=general"},
         "run with sudo"},
        {{.uid = 0, .container = TRUE}, 1000, {"user 1000", "--cap-add=SYS_PTRACE", "kubectl debug"}, "sudo"},
        {{.uid = 1000, .container = TRUE}, 0, {"sudo", "--cap-add=SYS_PTRACE", "kubectl debug"}, NULL},
        {{.uid = 0, .capable = TRUE, .selinux = INJ_SELINUX_SILENT},
         0,
         {"SELinux may", "deny_ptrace", "label=disable"},
         "AppArmor"},
        {{.uid = 1000, .selinux = INJ_SELINUX_SILENT}, 1000, {"not dumpable", "or SELinux", "sudo"}, "label=disable"},
        {{.uid = 1000, .selinux = INJ_SELINUX_DENIES, .denial = (char *)"SELinux does not allow a to ptrace b"},
         1000,
         {"allow a to ptrace b", "ausearch", "audit2allow", "label=disable"},
         "deny_ptrace"},
        {{.uid = 0,
          .capable = TRUE,
          .selinux = INJ_SELINUX_DENIES,
          .deny_ptrace = TRUE,
          .denial = (char *)"SELinux does not allow a to ptrace b"},
         0,
         {"allow a to ptrace b", "setsebool deny_ptrace 0"},
         "label=disable"},
        {{.uid = 0, .capable = TRUE, .profile = (char *)"docker-default (enforce)"},
         0,
         {"AppArmor", "docker-default", "apparmor=unconfined"},
         "SELinux"},
        {{.uid = 0, .capable = TRUE, .inner_user_namespace = TRUE}, 0, {"user namespace", "on the host"}, "AppArmor"},
        {{.uid = 0, .capable = TRUE}, 0, {"security module", "on the host"}, "sudo"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *why = inj_preflight_why(&cases[i].rights, cases[i].owner);
        g_test_message("%s", why);
        for (gsize w = 0; cases[i].words[w] != NULL; w++)
            g_assert_nonnull(strstr(why, cases[i].words[w]));
        if (cases[i].never != NULL)
            g_assert_null(strstr(why, cases[i].never));
        g_assert_null(strchr(why, '\n'));
    }
}

static void
test_selinux_answers(void)
{
    static const struct {
        const char *answer;
        guint bit;
        gboolean withheld;
    } cases[] = {
        {"f ffffffff 0 ffffffff 4 0", 3, FALSE},
        {"b ffffffff 0 ffffffff 4 0", 3, TRUE},
        {"0 ffffffff 0 ffffffff 4 0", 32, TRUE},
        {"80000000 ffffffff 0 ffffffff 4 0", 32, FALSE},
        {"0 ffffffff 0 ffffffff 4 1", 3, FALSE}, /* a permissive domain */
        {"0 ffffffff 0 ffffffff 4 0", 0, FALSE},
        {"0 ffffffff 0 ffffffff 4 0", 33, FALSE},
        {"0 ffffffff", 3, FALSE},
        {"", 3, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(inj_selinux_withholds(cases[i].answer, cases[i].bit), ==, cases[i].withheld);
}

static void
test_ours(void)
{
    InjRights r;

    inj_preflight_look_at_rights(&r, getpid());
    g_assert_cmpint(r.yama, >=, 0);
    g_assert_cmpint(r.yama, <=, 3);
    inj_preflight_rights_clear(&r);
    g_assert_null(r.profile);
    g_assert_null(r.denial);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rights/why", test_why);
    g_test_add_func("/rights/selinux-answers", test_selinux_answers);
    g_test_add_func("/rights/ours", test_ours);
    return g_test_run();
}

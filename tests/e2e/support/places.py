# SPDX-License-Identifier: MIT
"""Containers of every kind, each with one target in it: the same ways that people and their tools use, with nothing fetched. A root folder is made of
what an interpreter on this machine needs; with `tools`, of all of /usr and of our own programs, so that they can be run inside."""
import glob
import os
import re
import secrets
import shutil
import subprocess

from .programs import PROGRAMS, TARGETS, run
from .tap import Skip, check
from .target import Target, wait_for

USER = 1000
PODMAN = ['podman', '--runtime', 'runc', 'run', '-i', '--rm', '--network=none', '--ulimit', 'nofile=1024:20000', '--ulimit', 'nproc=4096:8192']
NOEXEC = ['--read-only', '--tmpfs', '/tmp:rw,noexec,nosuid,size=16m']
LEFT_OUT = ('test', 'tests', '__pycache__', 'idlelib', 'lib2to3', 'ensurepip', 'tkinter', 'config-*', 'site-packages', 'dist-packages')

# What each kind starts: NAMESPACES is unshare's options, none for a plain chroot.
KINDS = ('chroot', 'chroot-uid1000', 'pidns', 'pidns-uid1000', 'userns', 'userns-uid1000', 'bwrap', 'bwrap-ro-uid1000', 'nspawn', 'podman', 'podman-ro',
         'podman-uid1000', 'podman-hardened', 'podman-userns', 'podman-hostpid')
NAMESPACES = {'chroot': None, 'pidns': '-pf', 'userns': '-Urpf'}


def libraries(files):
    """What the loader loads for programs and libraries."""
    found = set()
    for file in files:
        for line in subprocess.run(['ldd', file], capture_output=True, text=True).stdout.splitlines():
            found |= {word for word in line.split() if word.startswith('/')}
    return found


def skeleton(root):
    """What every root has: folders, and links that make /lib the same as /usr/lib."""
    for name in ('proc', 'sys', 'dev', 'run', 'etc', 'opt', 'root', 'var/tmp', 'usr/bin', 'usr/lib', 'usr/lib64', 'usr/sbin'):
        os.makedirs(f'{root}/{name}', exist_ok=True)
    os.makedirs(f'{root}/tmp', exist_ok=True)
    for name in ('tmp', 'var/tmp'):
        os.chmod(f'{root}/{name}', 0o1777)
    for name in ('bin', 'lib', 'lib64', 'sbin'):
        if not os.path.lexists(f'{root}/{name}'):
            os.symlink(f'usr/{name}', f'{root}/{name}')
    with open(f'{root}/etc/passwd', 'w', encoding='ascii') as file:
        file.write(f'root:x:0:0::/root:/bin/sh\nsomebody:x:{USER}:{USER}::/tmp:/bin/sh\n')
    shutil.copytree(TARGETS, f'{root}/opt/targets', ignore=shutil.ignore_patterns('__pycache__'))


def copied_root(root, interpreter):
    """A root with nothing but the interpreter: its files are copies, so none of its paths names the same file as on this machine. Returns the
    interpreter's path in it."""
    skeleton(root)
    program = os.path.realpath(interpreter.path)
    standard = subprocess.run([program, '-c', 'import sysconfig; print(sysconfig.get_path("stdlib"))'], capture_output=True, text=True,
                              check=True).stdout.strip()
    shutil.copytree(standard, root + standard, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    dynload = f'{standard}/lib-dynload'
    for file in {program} | libraries([program] + [f'{dynload}/{name}' for name in os.listdir(dynload)]):
        os.makedirs(root + os.path.dirname(file), exist_ok=True)
        shutil.copy(file, root + file)
    return program


def fetched_roots():
    """(name, folder, interpreter in it) of whole roots with a C library of their own, which tests/targets/pythons fetched to $HEAPDUMP_TARGETS."""
    for program in sorted(glob.glob(os.environ.get('HEAPDUMP_TARGETS', '/nonexistent') + '/3.*/usr/bin/python3.*')):
        folder, name = program.split('/usr/bin/')
        if re.fullmatch(r'python3\.\d+d?', name) and os.path.basename(folder) == name[len('python'):]:
            yield os.path.basename(folder), folder, f'/usr/bin/{name}'


def fetched_root(root, folder):
    subprocess.run(['cp', '-a', f'{folder}/.', root], check=True)
    skeleton(root)


def tools_root(root):
    """A root for what runs inside: /usr is bound to it when the container starts."""
    skeleton(root)
    os.mkdir(f'{root}/build')
    os.makedirs(f'{root}/etc/ssl')


class Place(Target):
    """A target in a container. Use with `with`; pid is its number here, inner that in its own namespace. tools: inside are /usr, our build under
    /build, and inside() runs a program there. options: more for podman. number: which one it is to get in a pid namespace of its own (kind pidns)."""

    def __init__(self, kind, root, program, script='sleeper.py', arguments=('sleep',), tools=False, options=(), environment=None, number=None):
        self.kind, self.root, self.tools = kind, root, tools
        self.number = number
        self.token = 'place-' + secrets.token_hex(6)
        self.program = program
        self.podman = kind.startswith('podman')
        inner = [program, '-X', 'utf8', '-X', self.token, f'/opt/targets/{script}', *arguments]
        self.command = self.podman_command(inner, options) if self.podman else self.plain_command(inner)
        self.environment = dict(os.environ, PYTHONDONTWRITEBYTECODE='1', TMPDIR='/tmp', **(environment or {}))
        self.options, self.buffer = {}, b''

    def need(self, name):
        if not shutil.which(name):
            raise Skip(f'there is no {name}')

    def binds(self):
        return [('/usr', '/usr'), (PROGRAMS, '/build')] if self.tools else []

    def plain_command(self, inner):
        name, _, user = self.kind.partition('-')
        root = self.root
        if name == 'bwrap':
            self.need('bwrap')
            what = ['--ro-bind' if 'ro' in user else '--bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--unshare-all']
            for here, there in self.binds():
                what += ['--ro-bind', here, there]
            if 'uid1000' in user:
                what += ['--tmpfs', '/tmp', '--unshare-user', '--uid', str(USER), '--gid', str(USER)]
            return ['bwrap', *what, *inner]
        if name == 'nspawn':
            self.need('systemd-nspawn')
            binds = ' '.join(f'--bind-ro={here}:{there}' for here, there in self.binds())
            return ['unshare', '-m', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$0" "$@"', 'systemd-nspawn', '-q',
                    '--register=no', '--keep-unit', '--as-pid2', *binds.split(), '-D', root, *inner]
        outer = ['setpriv', f'--reuid={USER}', f'--regid={USER}', '--clear-groups'] if (name, user) == ('userns', 'uid1000') else []
        within = [f'--userspec={USER}:{USER}'] if user == 'uid1000' and not outer else []
        mounts = [f'mount --rbind {here} {root}{there}' for here, there in self.binds()]
        mounts.append(f'mount --rbind /proc {root}/proc' if name == 'chroot' else f'mount -t proc proc {root}/proc')
        namespaces = [NAMESPACES[name]] if NAMESPACES[name] else []
        last = 'exec "$0" "$@"'
        if self.number:
            last = f'echo {self.number - 1} >{root}/proc/sys/kernel/ns_last_pid && {{ "$0" "$@" & wait; }}'
        return [*outer, 'unshare', '-m', '--propagation', 'private', *namespaces, 'sh', '-c', ' && '.join([*mounts, last]),
                'chroot', *within, root, *inner]

    def podman_command(self, inner, options):
        self.need('podman')
        self.need('runc')
        options = list(options)
        what = self.kind.partition('-')[2]
        if what in ('ro', 'hardened'):
            options += NOEXEC
        if what in ('uid1000', 'hardened'):
            options += ['--user', f'{USER}:{USER}']
        if what == 'hardened':
            options += ['--cap-drop=ALL', '--security-opt', 'no-new-privileges']
        if what == 'userns':
            options += ['--uidmap', '0:100000:65536', '--gidmap', '0:100000:65536']
        if what == 'hostpid':
            options += ['--pid=host']
        for here, there in self.binds():
            options += ['-v', f'{here}:{there}:ro']
        return [*PODMAN, '--name', self.token, '-e', 'TMPDIR=/tmp', '-e', 'PYTHONDONTWRITEBYTECODE=1', *options, '--rootfs', self.root, *inner]

    def find(self):
        """The number here of the process that has our token among its arguments and runs the interpreter."""
        for other in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{other}/cmdline', 'rb') as file:
                    words = file.read().split(b'\0')
                if self.token.encode() in words and os.readlink(f'/proc/{other}/exe').endswith(self.program):
                    return int(other)
            except OSError:
                pass
        return None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment,
                                        start_new_session=True)
        self.pid = self.process.pid
        try:
            self.facts = self.read()
            self.pid = self.find()
            check(self.pid and self.facts.pop('ready', False), f'{self.command} did not say that it is ready: {self.facts}')
            self.inner = self.facts['pid']
            self.ask()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.podman:
            run('podman', 'rm', '-f', '-t0', self.token)
        elif self.pid and self.pid == self.find():
            os.kill(self.pid, 9)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def inside(self, *command, user=None):
        """Runs a program in the container, as it would be by somebody who works there."""
        if self.podman:
            return run('podman', 'exec', *(['--user', str(user)] if user else []), self.token, *command)
        who = ['setpriv', f'--reuid={user}', f'--regid={user}', '--clear-groups'] if user else []
        kept = ['--preserve-credentials'] if self.kind == 'bwrap-ro-uid1000' else []
        return run('nsenter', '-t', self.pid, '-a', *kept, '--root', '--wd', *who, *command)

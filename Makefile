# SPDX-License-Identifier: MIT
# The short way in. The build itself is meson's: see HACKING.

BUILD  ?= build
PREFIX ?= /usr/local
DEMO   ?= demo

.PHONY: build demo check torture deaths registers shadow-stack security-modules real-mypy bench install clean help

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@tools/setup
	@meson setup $(BUILD) --prefix=$(PREFIX)

demo:
	@tools/setup
	@$(MAKE) --no-print-directory build
	@docs/demo/run $(BUILD) $(DEMO)

check:
	@tools/setup --test
	@$(MAKE) --no-print-directory build
	@meson test -C $(BUILD) --print-errorlogs --timeout-multiplier 5

torture:
	@tools/setup --test
	@$(MAKE) --no-print-directory build
	@HEAPDUMP_BUILD=$(BUILD) tests/e2e/torture/torture.py $(TORTURE)

deaths:
	@tools/setup --test
	@$(MAKE) --no-print-directory build
	@HEAPDUMP_BUILD=$(BUILD) tests/e2e/deaths.py $(DEATHS)

registers:
	@tools/setup --test
	@$(MAKE) --no-print-directory build
	@HEAPDUMP_BUILD=$(BUILD) tests/e2e/registers.py $(REGISTERS)

shadow-stack:
	@tools/setup --test
	@$(MAKE) --no-print-directory build
	@HEAPDUMP_BUILD=$(BUILD) tests/targets/machine --shadow-stack python3 tests/e2e/shadow-stack.py

security-modules:
	@tools/setup --test
	@$(MAKE) --no-print-directory build
	@HEAPDUMP_BUILD=$(BUILD) tests/targets/machine python3 tests/e2e/security-modules.py
	@HEAPDUMP_BUILD=$(BUILD) tests/targets/machine --selinux python3 tests/e2e/selinux.py

real-mypy:
	@tools/setup --test
	@$(MAKE) --no-print-directory build
	@HEAPDUMP_BUILD=$(BUILD) tests/real/mypy.py $(MYPY)

bench:
	@tools/setup --test
	@$(MAKE) --no-print-directory build
	@meson test -C $(BUILD) --benchmark --verbose

install: build
	@meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) $(DEMO)

help:
	@echo 'make           build in $(BUILD)/; installs the packages that are missing first (sudo only when not root)'
	@echo 'make demo      hunt a leak in a small asyncio server; results in $(DEMO)/'
	@echo 'make check     run all tests'
	@echo 'make torture   dump targets in every state, with every interpreter; TORTURE="--attempts 3 --versions 3.12 --states GIL --way tasks" for less'
	@echo 'make deaths    kill, interrupt and stop whoever takes part in a dump, at random moments; DEATHS="--rounds 500 --modes ghost" for more'
	@echo 'make registers dump one process 2000 times while it works with known answers in every register; REGISTERS="--rounds 500 --versions 3.12" for less'
	@echo 'make shadow-stack dump targets that run with a shadow stack (CET), on an emulated machine; names the packages that it needs'
	@echo 'make security-modules have dumps forbidden by Yama, AppArmor and SELinux, on an emulated machine; names the packages that it needs'
	@echo 'make real-mypy dump a mypy daemon that has checked sympy (29 million objects, 3 GB; twelve minutes), confirm in it who holds most; MYPY="--holders 5 TREE" for less'
	@echo 'make bench     run the benchmarks'
	@echo 'make install   install under PREFIX ($(PREFIX)), below DESTDIR if that is set'
	@echo 'make clean     remove $(BUILD)/ and $(DEMO)/'

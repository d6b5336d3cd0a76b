#!/bin/sh
# Checks what building needs and names what is missing with the command that installs it.
set -u
bad=0
need() { # program, what for, command that installs it
	command -v "$1" >/dev/null 2>&1 && return
	echo "missing: $1, $2" >&2
	echo "   try: $3" >&2
	bad=1
}
if command -v apt-get >/dev/null 2>&1; then
	inst="sudo apt-get install -y"
elif command -v dnf >/dev/null 2>&1; then
	inst="sudo dnf install"
elif command -v pacman >/dev/null 2>&1; then
	inst="sudo pacman -S"
else
	inst="install"
fi
need "${GO:-go}" "the Go toolchain, 1.26 or newer" "see https://go.dev/dl"
need "${CC:-cc}" "a C compiler, for the engine" "$inst gcc libc6-dev"
need npm "Node 20.19 or newer with npm, for the workbench's screens" "$inst nodejs npm"
if command -v node >/dev/null 2>&1 && [ "$(printf '%s\n20.19\n' "$(node --version | sed 's/^v//')" | sort -V | head -n 1)" != 20.19 ]; then
	echo "Node $(node --version) is too old: 20.19 or newer is needed; see https://nodejs.org" >&2
	bad=1
fi
need python3 "for pip" "$inst python3 python3-pip"
if command -v python3 >/dev/null 2>&1 && ! python3 -m pip --version >/dev/null 2>&1; then
	echo "missing: pip, which fetches Whisper's weights where only package registries are reachable" >&2
	echo "   try: $inst python3-pip" >&2
	bad=1
fi
if command -v "${GO:-go}" >/dev/null 2>&1; then
	v=$("${GO:-go}" env GOVERSION | sed 's/^go//')
	if [ "$(printf '%s\n1.26\n' "$v" | sort -V | head -n 1)" != 1.26 ]; then
		echo "Go $v is too old: 1.26 or newer is needed; see https://go.dev/dl" >&2
		bad=1
	fi
fi
case "$(uname -s)-$(uname -m)" in
Linux-x86_64 | Linux-aarch64) ;;
*)
	echo "the engine is built for Linux on x86-64 and arm64; this is $(uname -sm)" >&2
	bad=1
	;;
esac
exit $bad

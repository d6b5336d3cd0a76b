#!/bin/sh
# Sets up the peers that `make eval` measures beside Earwitness: each from its own Python package, pinned, in a virtual
# environment of its own, with the weights of whisper-base in each one's format. About 600 MB; nothing outside FOLDER changes.
set -eu
dir=${1:?usage: peers.sh FOLDER}
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$dir"
stamp=$(cat "$here/bench/peers/requirements.txt" "$here/bench/peers/convert.py" "$here/tools/peers.sh" | sha256sum)
if [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
	echo "missing: Python's venv, in which the peers are installed" >&2
	echo "   try: sudo apt-get install -y python3-venv" >&2
	exit 1
fi
[ -x "$dir/venv/bin/python" ] || python3 -m venv "$dir/venv"
"$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r "$here/bench/peers/requirements.txt"
sh "$here/tools/weights.sh" "$dir/weights"
"$dir/venv/bin/python" "$here/bench/peers/convert.py" "$dir/weights/model.bin" "$here/internal/engines/whisper/vocabulary/multilingual.tiktoken" "$dir/models"
echo "$stamp" >"$dir/stamp"

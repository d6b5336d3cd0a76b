#!/bin/sh
# Gets telephone prompts of eight voices from Debian's packages into a folder, without installing them: real speakers,
# many sentences each. Licences: CC-BY-SA-3.0 (Allison, June, Carlo, Menardi), CC-BY-3.0 (Russian), GPL-2 (es), BSD-like (fr).
set -eu
dir=${1:?usage: prompts.sh FOLDER}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -q asterisk-core-sounds-en-g722 asterisk-core-sounds-es-g722 asterisk-core-sounds-fr-g722 asterisk-core-sounds-it-g722 \
	asterisk-core-sounds-ru-g722 asterisk-prompt-it-menardi-wav asterisk-prompt-es-co asterisk-prompt-fr-armelle
for f in *.deb; do dpkg-deb -x "$f" root; done
cd - >/dev/null
mkdir -p "$dir"
cp -R "$tmp"/root/usr/share/asterisk/sounds/* "$dir/"

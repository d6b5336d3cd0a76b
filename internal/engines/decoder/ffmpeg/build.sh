#!/bin/sh
# Builds ffmpeg.wasm.gz: FFmpeg's command-line program as one WebAssembly (WASI) binary that can demux and decode
# audio and nothing else. The result is the same, bit for bit, wherever it is built: see README.md.
#
#   build.sh            build and replace ffmpeg.wasm.gz and ffmpeg.wasm.sha256 beside this script
#   build.sh --check    build in a fresh folder and compare with the committed files; exit 1 on any difference
#   --source DIR        use the source package in DIR instead of fetching it from Debian
set -eu
umask 022

version=5.1.9-0+deb12u1
dsc_sha256=055f82fca9a92f1d47216be2c2488d09373c7ca154806fbc36b0127c191d5104
orig_sha256=d9b593bb2ba93d4b50f74177e0cdcd41747e708596367deed0c30348a71dd176
debian_sha256=71b20472ecd2764bc98e3229d34c0f7c8dcfe4a6cbacc23fd5604c23bac04632
packages="clang-14 lld-14 llvm-14 wasi-libc libclang-rt-14-dev-wasm32 make dpkg-dev xz-utils"

here=$(cd "$(dirname "$0")" && pwd)
check= source=
while [ $# -gt 0 ]; do
	case $1 in
	--check) check=1 ;;
	--source) source=$(cd "$2" && pwd); shift ;;
	*) sed -n '2,8p' "$0" >&2; exit 2 ;;
	esac
	shift
done

for tool in clang-14 wasm-ld-14 llvm-ar-14 llvm-nm-14 llvm-ranlib-14 make dpkg-source; do
	command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing; install: apt-get install $packages" >&2; exit 2; }
done
[ -f /usr/lib/wasm32-wasi/libc.a ] || { echo "build.sh: wasi-libc is missing; install: apt-get install $packages" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"

if [ -z "$source" ]; then
	# A private apt state: neither the machine's sources nor its package lists are touched, and no root is needed.
	mkdir -p apt/lists/partial source
	for suite in "http://deb.debian.org/debian bookworm" "http://deb.debian.org/debian-security bookworm-security"; do
		echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $suite main"
	done >apt/sources.list
	apt="-o Dir::Etc::SourceList=$work/apt/sources.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$work/apt/lists -o APT::Sandbox::User="
	apt-get -q $apt update
	(cd source && apt-get -q $apt source --download-only "ffmpeg=7:$version")
	source=$work/source
fi
(cd "$source" && sha256sum -c - <<-EOF
	$dsc_sha256  ffmpeg_$version.dsc
	$orig_sha256  ffmpeg_${version%%-*}.orig.tar.xz
	$debian_sha256  ffmpeg_$version.debian.tar.xz
EOF
)
dpkg-source --no-check -x "$source/ffmpeg_$version.dsc" ffmpeg >/dev/null
cp "$here/shim.h" shim.h

# Containers in which recordings come. Left out on purpose: everything that names other files or addresses (hls, dash,
# concat, imf, image2, rtsp, sdp, rtp, sap, webm_dash_manifest, vobsub, mlv), scripts (sbg), pictures, subtitles, games.
demuxers=aac,ac3,act,aea,aiff,amr,amrnb,amrwb,ape,aptx,aptx_hd,asf,asf_o,au,avi,avr,caf,dhav,dsf,dss,dts,dtshd,dv,eac3,epaf,flac
demuxers=$demuxers,flv,live_flv,g722,g723_1,g726,g726le,g729,gsm,gxf,hcom,iff,ilbc,ircam,loas,matroska,mlp,mmf,mov,mp3,mpc,mpc8
demuxers=$demuxers,mpegps,mpegts,mxf,nistsphere,nsv,nut,ogg,oma,paf,pva,pvf,qcp,rm,rso,sbc,sds,shorten,sln,sox,spdif,tak,truehd
demuxers=$demuxers,tta,vivo,voc,vqf,w64,wav,wsd,wtv,wv,wve,xwma
for f in s8 u8 s16le s16be s24le s24be s32le s32be f32le f32be f64le f64be alaw mulaw; do demuxers=$demuxers,pcm_$f; done
decoders=aac,aac_latm,ac3,eac3,alac,als,amrnb,amrwb,ape,aptx,aptx_hd,atrac1,atrac3,atrac3p,cook,dca,dsd_*,dss_sp,evrc,flac,g723_1,g729
decoders=$decoders,gsm,gsm_ms,hcom,ilbc,imc,mace3,mace6,metasound,mlp,mp1float,mp2float,mp3float,mp3adufloat,mp3on4float,mpc7,mpc8
decoders=$decoders,nellymoser,opus,qcelp,qdm2,qdmc,ra_144,ra_288,ralf,sbc,shorten,sipr,speex,tak,truehd,truespeech,tta,twinvq,vorbis
decoders=$decoders,wavpack,wmav1,wmav2,wmapro,wmalossless,wmavoice,pcm_*,adpcm_*
parsers=aac,aac_latm,ac3,adx,amr,cook,dca,flac,g723_1,g729,gsm,mlp,mpegaudio,opus,sbc,sipr,tak,vorbis

# Every string that ends in the binary is fixed: relative folders, fixed tool names, a fixed prefix, no clock, no git.
cflags="--target=wasm32-wasi --sysroot=/usr -I/usr/include/wasm32-wasi -include ../shim.h -ftls-model=local-exec -O3"
cflags="$cflags -msimd128 -mbulk-memory -mnontrapping-fptoint -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS"
cflags="$cflags -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_GETPID"
ldflags="--target=wasm32-wasi --sysroot=/usr -L/usr/lib/wasm32-wasi -Wl,-z,stack-size=1048576 -Wl,--strip-all"
ldflags="$ldflags -lwasi-emulated-signal -lwasi-emulated-process-clocks -lwasi-emulated-mman -lwasi-emulated-getpid"
mkdir build
cd build
run() { env -i PATH=/usr/bin:/bin HOME=/nonexistent LC_ALL=C TZ=UTC0 GIT_DIR=/nonexistent SOURCE_DATE_EPOCH=0 "$@"; }
run ../ffmpeg/configure --prefix=/usr --extra-version=0+deb12u1 \
	--cc=clang-14 --ld=clang-14 --ar=llvm-ar-14 --ranlib=llvm-ranlib-14 --nm=llvm-nm-14 \
	--enable-cross-compile --target-os=none --arch=wasm32 --disable-asm --disable-inline-asm \
	--disable-pthreads --disable-w32threads --disable-os2threads --disable-runtime-cpudetect \
	--disable-autodetect --disable-network --disable-doc --disable-debug --disable-stripping \
	--disable-programs --enable-ffmpeg --disable-everything \
	--disable-avdevice --disable-postproc --disable-swscale --enable-avfilter --enable-swresample \
	--enable-protocol=file,pipe --enable-demuxer="$demuxers" --enable-decoder="$decoders" --enable-parser="$parsers" \
	--enable-encoder=pcm_s16le --enable-muxer=pcm_s16le --enable-filter=aresample,ashowinfo,pan \
	--extra-cflags="$cflags" --extra-ldflags="$ldflags" >configure.log 2>&1 || { tail -20 configure.log ffbuild/config.log >&2; exit 1; }
grep -q '^License: LGPL version 2.1 or later' configure.log || { echo "build.sh: the configuration is not LGPL 2.1 or later" >&2; exit 1; }
run make -j"$(nproc)" ffmpeg >make.log 2>&1 || { tail -30 make.log >&2; exit 1; }

sum=$(sha256sum ffmpeg | cut -d' ' -f1)
echo "ffmpeg.wasm: $(wc -c <ffmpeg) bytes, sha256 $sum"
if [ -n "$check" ]; then
	want=$(cat "$here/ffmpeg.wasm.sha256")
	have=$(gzip -dc "$here/ffmpeg.wasm.gz" | sha256sum | cut -d' ' -f1)
	[ "$have" = "$want" ] || { echo "build.sh: the committed ffmpeg.wasm.gz holds $have, ffmpeg.wasm.sha256 says $want" >&2; exit 1; }
	[ "$sum" = "$want" ] || { echo "build.sh: built $sum, committed $want" >&2; exit 1; }
	cmp ../ffmpeg/COPYING.LGPLv2.1 "$here/COPYING.LGPLv2.1"
	echo "the committed binary is what this source package builds"
	exit 0
fi
gzip -9nc ffmpeg >"$here/ffmpeg.wasm.gz"
echo "$sum" >"$here/ffmpeg.wasm.sha256"
cp ../ffmpeg/COPYING.LGPLv2.1 "$here/COPYING.LGPLv2.1"

/* WASI has no temporary files; FFmpeg asks for tempnam only in code that this build never reaches. */
#define tempnam(dir, prefix) ((char *)0)

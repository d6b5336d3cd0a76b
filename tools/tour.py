#!/usr/bin/env python3
"""Pastes what the tour's commands print into README.md.

Run it in a clean clone after `make demo`: every ```console block is followed word for word, and the output of each
command replaces what stands below it. A command followed by `...` keeps as many lines as stood there before."""
import os, re, subprocess, sys

text = open("README.md", encoding="utf-8").read()
env = dict(os.environ, EARWITNESS_AS="olena")


def follow(m):
    out = []
    for step in ("\n" + m.group(1)).split("\n$ ")[1:]:
        command, _, old = step.partition("\n")
        if command.startswith("make demo"):
            got = open(sys.argv[1], encoding="utf-8").read()
            got = re.split(r"\n\s*real\t", got[got.index("added    REC-"):])[0]  # without what `time` adds
        else:
            got = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, text=True).stdout
        lines = got.rstrip("\n").split("\n")
        shown = old.rstrip("\n").split("\n")
        if shown[-1].strip() == "...":
            lines = lines[: len(shown) - 1] + ["..."]
        out.append("$ " + command + "\n" + "\n".join(lines))
    return "```console\n" + "\n".join(o.rstrip("\n") for o in out) + "\n```"


text = re.sub(r"```console\n(.*?)```", follow, text, flags=re.S)
open("README.md", "w", encoding="utf-8").write(text)

# Earwitness. `make demo` shows it at work, `make test` checks it; both set up what they need.
GO       ?= go
VERSION  ?= $(shell cat VERSION)
SHARED   ?= $(if $(EARWITNESS_SHARED),$(EARWITNESS_SHARED),../shared/data)
LDFLAGS  := -s -w -X main.version=$(VERSION)
ARCH     := $(shell $(GO) env GOARCH 2>/dev/null)
SHERPA    = $(shell CGO_ENABLED=1 $(GO) list -f '{{.Dir}}' github.com/k2-fsa/sherpa-onnx-go-linux)
TRIPLE   := $(if $(filter arm64,$(ARCH)),aarch64-unknown-linux-gnu,x86_64-unknown-linux-gnu)
MODEL    ?= whisper-base

.PHONY: all build demo test lint unit browser eval bench campaign fuzz vuln setup model voice-model ffmpeg-check clean

all: build

# What must be on the machine. Each missing thing is named with the command that installs it.
setup:
	@./tools/setup.sh

build: setup workbench/dist/index.html bin/earwitness bin/earwitness-engine

# The workbench's screens, which bin/earwitness carries. go build works without them, and serve then says so.
WORKBENCH := $(shell find workbench/src workbench/public workbench/index.html workbench/*.json workbench/*.ts -type f 2>/dev/null)
workbench/node_modules/.package-lock.json: workbench/package-lock.json
	cd workbench && npm ci --no-audit --no-fund
	@touch $@
workbench/dist/index.html: workbench/node_modules/.package-lock.json $(WORKBENCH)
	cd workbench && npm run --silent build

# Always asked: the go command knows best what is up to date.
.PHONY: bin/earwitness bin/earwitness-engine
bin/earwitness:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/earwitness

bin/earwitness-engine:
	CGO_ENABLED=1 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w' -o $@.new ./cmd/earwitness-engine
	$(GO) run ./tools/runpath $@.new '$$ORIGIN/lib'
	mkdir -p bin/lib
	for l in libonnxruntime.so libsherpa-onnx-c-api.so; do cmp -s "$(SHERPA)/lib/$(TRIPLE)/$$l" bin/lib/$$l || install -m 644 "$(SHERPA)/lib/$(TRIPLE)/$$l" bin/lib/$$l || exit 1; done
	mv $@.new $@

model: build
	bin/earwitness model get $(MODEL)

# Only tests and measurements of voices need it.
voice-model: build
	bin/earwitness model get voice-resemblyzer

demo: build model
	rm -rf demo.case
	bin/earwitness demo --no-serve demo.case

test: build model voice-model lint unit browser

lint:
	@out=$$(gofmt -s -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go')); if [ -n "$$out" ]; then echo "gofmt -s would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	cd workbench && npm run --silent check

unit:
	cd workbench && npm test --silent
	EARWITNESS_BIN=$(CURDIR)/bin $(GO) test -timeout 20m ./...

# The workbench in Debian's Chromium, in front of the real program and the demo's case.
browser: build model
	cd workbench && EARWITNESS_SHORT=1 EARWITNESS_BIN=$(CURDIR)/bin npm run --silent browser

# Beside its peers, each in a Python environment of their own. EVAL holds flags: `make eval EVAL=-cached-peers` measures ours alone
# anew, `go run ./bench/eval -h` lists them all.
eval: build model
	./tools/peers.sh .cache/peers
	$(GO) run ./bench/eval -bin bin -shared $(SHARED) -model $(MODEL) $(EVAL)

bench: build model
	$(GO) run ./bench/speed -bin bin -shared $(SHARED)
	$(GO) run ./bench/scan

# The long forms: thousands of kills and power cuts, every byte flipped, long fuzzing.
campaign: build model
	EARWITNESS_CAMPAIGN=1 EARWITNESS_BIN=$(CURDIR)/bin $(GO) test -timeout 4h ./...

FUZZTIME ?= 60s
fuzz:
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep ^Fuzz); do echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

# Not part of test: the database of vulnerabilities is not reachable everywhere.
vuln:
	$(GO) run golang.org/x/vuln/cmd/govulncheck@latest ./...

# Builds the decoder's FFmpeg anew from Debian's source package and compares it bit for bit. Debian only, several minutes.
ffmpeg-check:
	internal/engines/decoder/ffmpeg/build.sh --check

clean:
	rm -rf bin demo.case workbench/node_modules workbench/dist/*
